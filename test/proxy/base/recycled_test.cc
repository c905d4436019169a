#include "proxy/base/recycled.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

namespace convoy::base {
namespace {

struct Interface {
  virtual ~Interface() = default;
};
struct Thing final : Interface, Recycled<Thing> {
  explicit Thing(int number) : value(number) {}
  int value;
};

TEST(RecycledTest, ObjectsThatLiveAtOnceHaveMemoryOfTheirOwn) {
  std::vector<std::unique_ptr<Interface>> things;
  std::set<const Interface*> places;
  for (int round = 0; round < 3; ++round) {
    places.clear();
    for (int i = 0; i < 200; ++i) {
      things.push_back(std::make_unique<Thing>(i));
      places.insert(things.back().get());
    }
    EXPECT_EQ(places.size(), 200u);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(static_cast<Thing&>(*things[i]).value, i);
    things.clear();
  }
}

#ifndef __SANITIZE_ADDRESS__
TEST(RecycledTest, TheNextObjectGetsTheMemoryOfTheLast) {
  auto first = std::make_unique<Thing>(1);
  const auto place = reinterpret_cast<uintptr_t>(first.get());
  first.reset();
  const auto second = std::make_unique<Thing>(2);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(second.get()), place);
  EXPECT_EQ(second->value, 2);
}
#endif

}  // namespace
}  // namespace convoy::base
