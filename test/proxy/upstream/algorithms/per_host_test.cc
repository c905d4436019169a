#include "proxy/upstream/algorithms/per_host.h"

#include <gtest/gtest.h>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

TEST(PerHostTest, KeepsAValueForEachHost) {
  const Host a(test::hostAddress(1), 0, 1);
  const Host b(test::hostAddress(2), 9, 1);
  PerHost<int> values;
  EXPECT_EQ(values.find(a), nullptr);
  EXPECT_EQ(values.of(b), 0);
  values.of(b) = 5;
  values.of(a) = 3;
  EXPECT_EQ(*values.find(b), 5);
  EXPECT_EQ(*values.find(a), 3);
}

TEST(PerHostTest, ATakenOverSlotStartsAnew) {
  const Host before(test::hostAddress(1), 4, 1);
  const Host after(test::hostAddress(1), 4, 1);
  PerHost<int> values;
  values.of(before) = 5;
  EXPECT_EQ(values.find(after), nullptr);
  EXPECT_EQ(values.of(after), 0);
  EXPECT_EQ(values.find(before), nullptr);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
