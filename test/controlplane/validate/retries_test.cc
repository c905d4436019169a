#include "controlplane/validate/retries.h"

#include <gtest/gtest.h>

#include <string>

#include "test/controlplane/common/config_text.h"
#include "test/controlplane/validate/problem_text.h"

namespace convoy::controlplane::validate {
namespace {

std::string ofRetries(const std::string& retries) {
  Problems problems;
  checkRetries(parse<v1::Retries>(retries), Place(&problems, {v1::KIND_ROUTE_TABLE, "t"}, "r"));
  return text(problems);
}

std::string ofPool(const std::string& pool) {
  Problems problems;
  checkPoolLimits(parse<v1::Pool>(pool), Place(&problems, {v1::KIND_POOL, "p"}, "p"));
  return text(problems);
}

TEST(RetriesTest, Rules) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"on: [RETRY_ON_RESET, RETRY_ON_CONFLICT] statuses: [400, 599] attempts: 10", ""},
      {"attempts: 0 per_try_timeout {} backoff {} buffer_bytes: 1", ""},
      {"per_try_timeout { seconds: 1 } hedge: true", ""},
      {"backoff { base { nanos: 1000000 } max { seconds: 3600 } }", ""},
      {"on: [RETRY_ON_UNSPECIFIED]", "r.on[0]: enum"},
      {"on: [RETRY_ON_RESET, 99]", "r.on[1]: enum"},
      {"statuses: [399, 600]", "r.statuses[0]: range, r.statuses[1]: range"},
      {"attempts: 11", "r.attempts: range"},
      {"per_try_timeout { seconds: -1 }", "r.per_try_timeout: range"},
      {"per_try_timeout { seconds: 86401 }", "r.per_try_timeout: range"},
      {"backoff { base {} }", "r.backoff.base: range"},
      {"backoff { max { nanos: 24000000 } }", "r.backoff.max: range"},
      {"backoff { base { seconds: 2 } max { seconds: 1 } }", "r.backoff.max: range"},
      {"hedge: true", "r.hedge: conflict"},
      {"hedge: true per_try_timeout {}", "r.hedge: conflict"},
      {"buffer_bytes: 0", "r.buffer_bytes: range"},
      {"buffer_bytes: 16777217", "r.buffer_bytes: range"},
  };
  for (const auto& [retries, problems] : cases) EXPECT_EQ(ofRetries(retries), problems) << retries;
}

TEST(RetriesTest, LimitsOfPools) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"retry_budget { percent: 0 min_retries: 0 }", ""},
      {"retry_budget { percent: 100 min_retries: 1000000 }", ""},
      {"limits { max_connections: 1 max_pending: 1 max_requests: 1 max_retries: 0 }", ""},
      {"retry_budget { percent: -1 }", "p.retry_budget.percent: range"},
      {"retry_budget { percent: 101 }", "p.retry_budget.percent: range"},
      {"retry_budget { percent: nan }", "p.retry_budget.percent: range"},
      {"retry_budget { min_retries: 1000001 }", "p.retry_budget.min_retries: range"},
      {"limits { max_connections: 0 max_pending: 0 max_requests: 0 }",
       "p.limits.max_connections: range, p.limits.max_pending: range, p.limits.max_requests: "
       "range"},
      {"limits { max_retries: 1 } retry_budget {}", "p.limits.max_retries: conflict"},
  };
  for (const auto& [pool, problems] : cases) EXPECT_EQ(ofPool(pool), problems) << pool;
}

}  // namespace
}  // namespace convoy::controlplane::validate
