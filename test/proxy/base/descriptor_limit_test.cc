#include "proxy/base/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>

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

TEST(DescriptorLimitTest, CountsWhatIsOpen) {
  const uint64_t before = openDescriptors();
  EXPECT_GT(before, 0u);
  const int next = ::dup(0);
  EXPECT_EQ(before, static_cast<uint64_t>(next));
  EXPECT_GT(openDescriptors(), before);
  ::close(next);
  EXPECT_EQ(openDescriptors(), before);
}

}  // namespace
}  // namespace convoy::base
