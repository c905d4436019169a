#include "controlplane/validate/failure_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

std::string problemsOf(const std::string& pool) {
  Problems problems;
  checkFailurePolicy(parse<v1::Pool>(pool), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
  }
  return out;
}

TEST(FailurePolicyTest, OutlierDetection) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {R"(consecutive_failures: 0 consecutive_gateway_failures: 1000 success_rate {}
          failure_percentage {} latency {} interval { nanos: 100000000 }
          ejection_time { seconds: 3600 } max_ejection_time { seconds: 86400 }
          max_ejection_percent: 100)",
       ""},
      {"consecutive_failures: 1001 consecutive_local_failures: 1001",
       "x.outlier_detection.consecutive_failures: range, "
       "x.outlier_detection.consecutive_local_failures: range"},
      {"success_rate { deviations: 0 min_backends: 0 min_requests: 0 }",
       "x.outlier_detection.success_rate.deviations: range, "
       "x.outlier_detection.success_rate.min_backends: range, "
       "x.outlier_detection.success_rate.min_requests: range"},
      {"success_rate { deviations: nan }", "x.outlier_detection.success_rate.deviations: range"},
      {"failure_percentage { percent: 101 }",
       "x.outlier_detection.failure_percentage.percent: range"},
      {"latency { factor: 1 least_excess {} min_backends: 1 }",
       "x.outlier_detection.latency.factor: range, x.outlier_detection.latency.least_excess: "
       "range, x.outlier_detection.latency.min_backends: range"},
      {"interval { nanos: 99000000 } ejection_time { seconds: 3601 } max_ejection_time {}",
       "x.outlier_detection.interval: range, x.outlier_detection.ejection_time: range, "
       "x.outlier_detection.max_ejection_time: range, x.outlier_detection.max_ejection_time: "
       "conflict"},
      {"ejection_time { seconds: 20 } max_ejection_time { seconds: 10 }",
       "x.outlier_detection.max_ejection_time: conflict"},
      {"max_ejection_time { seconds: 10 }", "x.outlier_detection.max_ejection_time: conflict"},
      {"max_ejection_percent: 101", "x.outlier_detection.max_ejection_percent: range"},
  };
  for (const auto& [fields, expected] : cases) {
    EXPECT_EQ(problemsOf(absl::StrCat("outlier_detection {", fields, "}")), expected) << fields;
  }
  EXPECT_EQ(problemsOf(""), "");
}

TEST(FailurePolicyTest, CorrelatedFailures) {
  EXPECT_EQ(problemsOf("outlier_detection {} correlated_failures {}"), "");
  EXPECT_EQ(problemsOf("health_check {} correlated_failures {}"), "");
  EXPECT_EQ(problemsOf("correlated_failures {}"), "x.correlated_failures: conflict");
  EXPECT_EQ(problemsOf("outlier_detection {} correlated_failures { percent: 0 window {} }"),
            "x.correlated_failures.percent: range, x.correlated_failures.window: range");
  EXPECT_EQ(problemsOf("outlier_detection {} correlated_failures { percent: 100 }"),
            "x.correlated_failures.percent: range");
}

TEST(FailurePolicyTest, BackendBreaker) {
  EXPECT_EQ(problemsOf("backend_breaker {}"), "");
  EXPECT_EQ(problemsOf("backend_breaker { failures: 0 open_time { seconds: 3601 } }"),
            "x.backend_breaker.failures: range, x.backend_breaker.open_time: range");
}

TEST(FailurePolicyTest, Recovery) {
  EXPECT_EQ(problemsOf("recovery { max_requests: 1 jitter {} settle_time {} }"), "");
  EXPECT_EQ(problemsOf("recovery {}"), "x.recovery.max_requests: required");
  EXPECT_EQ(problemsOf("recovery { outage_percent: 0 max_requests: 1 requests_per_second: 0 jitter "
                       "{ seconds: 3601 } settle_time { seconds: -1 } }"),
            "x.recovery.outage_percent: range, x.recovery.requests_per_second: range, "
            "x.recovery.jitter: range, x.recovery.settle_time: range");
}

TEST(FailurePolicyTest, Panic) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"mode: PANIC_MODE_FAIL", ""},
      {"mode: PANIC_MODE_SERVE_ALL", ""},
      {"mode: PANIC_MODE_SERVE_LAST_GOOD threshold_percent: 0", ""},
      {"mode: 9", "x.panic.mode: enum"},
      {"mode: PANIC_MODE_SERVE_ALL threshold_percent: 101", "x.panic.threshold_percent: range"},
      {"threshold_percent: 50", "x.panic.threshold_percent: conflict"},
  };
  for (const auto& [fields, expected] : cases) {
    EXPECT_EQ(problemsOf(absl::StrCat("panic {", fields, "}")), expected) << fields;
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
