#include "controlplane/validate/xds_check.h"

#include <gtest/gtest.h>

#include "api/convoy/v1/config.pb.h"

namespace convoy::controlplane::validate {
namespace {

TEST(XdsCheckTest, WithoutAValidatorEverythingPasses) {
  EXPECT_TRUE(acceptAll()(v1::Config()).empty());
}

}  // namespace
}  // namespace convoy::controlplane::validate
