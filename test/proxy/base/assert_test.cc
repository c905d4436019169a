#include "proxy/base/assert.h"

#include <gtest/gtest.h>

namespace convoy::base {
namespace {

TEST(Assert, PassesWhenTheInvariantHolds) {
  int evaluations = 0;
  CONVOY_ASSERT(++evaluations == 1);
  EXPECT_EQ(evaluations, 1);
}

TEST(AssertDeathTest, AbortsAndNamesConditionAndPlace) {
  EXPECT_DEATH(CONVOY_ASSERT(1 + 1 == 3), "assert_test.cc:[0-9]+: .*1 \\+ 1 == 3");
}

}  // namespace
}  // namespace convoy::base
