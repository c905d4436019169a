#include "proxy/base/intrusive_list.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace convoy::base {
namespace {

struct OtherTag;

struct Item : ListHook<>, ListHook<OtherTag> {
  explicit Item(int value) : value(value) {}
  int value;
};

using List = IntrusiveList<Item>;
using OtherList = IntrusiveList<Item, OtherTag>;

template <class L>
std::vector<int> values(L& list) {
  std::vector<int> result;
  list.forEach([&](Item& item) { result.push_back(item.value); });
  return result;
}

TEST(IntrusiveList, KeepsOrderAtBothEnds) {
  Item a(1), b(2), c(3);
  List list;
  EXPECT_TRUE(list.empty());
  list.pushBack(b);
  list.pushBack(c);
  list.pushFront(a);
  EXPECT_EQ(values(list), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(list.front().value, 1);
  EXPECT_EQ(list.back().value, 3);
  EXPECT_EQ(list.popBack().value, 3);
  EXPECT_EQ(list.popFront().value, 1);
  EXPECT_EQ(values(list), std::vector<int>{2});
}

TEST(IntrusiveList, IsWalkedAndFilledFromAnyPlace) {
  Item a(1), b(2), c(3);
  List list;
  list.pushBack(c);
  list.insertBefore(c, a);
  list.insertBefore(c, b);
  EXPECT_EQ(values(list), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(list.next(a), &b);
  EXPECT_EQ(list.next(b), &c);
  EXPECT_EQ(list.next(c), nullptr);
}

TEST(IntrusiveList, ElementLeavesWhenDestroyed) {
  List list;
  Item a(1);
  auto b = std::make_unique<Item>(2);
  Item c(3);
  list.pushBack(a);
  list.pushBack(*b);
  list.pushBack(c);
  b.reset();
  EXPECT_EQ(values(list), (std::vector<int>{1, 3}));
}

TEST(IntrusiveList, ElementMayBeInOneListPerTag) {
  Item a(1);
  List list;
  OtherList other;
  list.pushBack(a);
  other.pushBack(a);
  EXPECT_EQ(list.popFront().value, 1);
  EXPECT_EQ(values(other), std::vector<int>{1});
}

TEST(IntrusiveList, VisitorMayUnlinkWhatItIsGiven) {
  Item a(1), b(2), c(3);
  List list;
  for (Item* item : {&a, &b, &c}) list.pushBack(*item);
  list.forEach([](Item& item) {
    if (item.value == 2) static_cast<ListHook<>&>(item).unlink();
  });
  EXPECT_EQ(values(list), (std::vector<int>{1, 3}));
}

TEST(IntrusiveList, ListMayGoFirst) {
  Item a(1);
  {
    List list;
    list.pushBack(a);
  }
  EXPECT_FALSE(static_cast<ListHook<>&>(a).linked());
}

TEST(IntrusiveListDeathTest, RefusesAnElementThatIsAlreadyLinked) {
  Item a(1);
  List list;
  list.pushBack(a);
  EXPECT_DEATH(list.pushBack(a), "linked");
}

}  // namespace
}  // namespace convoy::base
