#include "proxy/route/retry_on.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::route {
namespace {

TEST(RetryOn, EveryNameIsKnownOnce) {
  uint32_t seen = 0;
  for (const char* name :
       {"5xx", "gateway-error", "reset", "reset-before-request", "connect-failure",
        "refused-stream", "retriable-4xx", "retriable-status-codes", "retriable-headers",
        "envoy-ratelimited", "cancelled", "deadline-exceeded", "internal", "resource-exhausted",
        "unavailable"}) {
    const uint32_t condition = retryCondition(name);
    EXPECT_NE(condition, 0u) << name;
    EXPECT_EQ(seen & condition, 0u) << name;
    seen |= condition;
  }
  EXPECT_EQ(retryCondition("sometimes"), 0u);
}

TEST(RetryOn, Lists) {
  EXPECT_EQ(retryConditions(" 5xx ,,\tReset,"), RetryOn::Status5xx | RetryOn::Reset);
  EXPECT_EQ(retryConditions("sometimes,unavailable"), uint32_t{RetryOn::GrpcUnavailable});
  EXPECT_EQ(retryConditions(""), 0u);
  EXPECT_EQ(retryConditions(" , "), 0u);
}

}  // namespace
}  // namespace convoy::route
