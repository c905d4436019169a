#include "proxy/base/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace convoy::base {
namespace {

TEST(DescriptorLimitTest, RaisesTheSoftLimitToTheHardOne) {
  const rlimit low = {64, 128};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(descriptorLimit(), 64u);
  EXPECT_EQ(raiseDescriptorLimit(), 128);
  EXPECT_EQ(descriptorLimit(), 128u);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, 128u);
  EXPECT_EQ(raiseDescriptorLimit(), 128) << "as high as it may be";
}

}  // namespace
}  // namespace convoy::base
