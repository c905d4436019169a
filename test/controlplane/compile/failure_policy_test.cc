#include "controlplane/compile/failure_policy.h"

#include <gtest/gtest.h>

#include <string>

#include "api/convoy/ext/failure_policy.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

// Envoy's default would be panic below 50 %.
constexpr char kNoPanic[] = "common_lb_config { healthy_panic_threshold { } }";

std::string compiled(const std::string& pool) {
  envoy::config::cluster::v3::Cluster cluster;
  compileFailurePolicy(parse<v1::Pool>(pool), &cluster);
  return shortText(cluster);
}

TEST(FailurePolicyTest, NothingUnlessAsked) {
  EXPECT_EQ(compiled(""), kNoPanic);
}

TEST(FailurePolicyTest, ThePanicModeIsWrittenOut) {
  const auto cluster = [](const std::string& percent, const std::string& policy) {
    return "metadata { typed_filter_metadata { key: \"convoy.ext.FailurePolicy\" value { "
           "[type.googleapis.com/convoy.ext.FailurePolicy] { panic { " +
           policy + " } } } } } common_lb_config { healthy_panic_threshold { value: " + percent +
           " } }";
  };
  EXPECT_EQ(compiled("panic { mode: PANIC_MODE_FAIL }"), kNoPanic);
  EXPECT_EQ(compiled("panic { mode: PANIC_MODE_SERVE_ALL }"),
            cluster("50", "mode: SERVE_ALL threshold_percent: 50"));
  EXPECT_EQ(compiled("panic { mode: PANIC_MODE_SERVE_LAST_GOOD threshold_percent: 20 }"),
            cluster("20", "mode: SERVE_LAST_GOOD threshold_percent: 20"));
  // What Envoy cannot say: only when none is left.
  EXPECT_EQ(compiled("panic { mode: PANIC_MODE_SERVE_ALL threshold_percent: 0 }"),
            cluster("1", "mode: SERVE_ALL"));
}

TEST(FailurePolicyTest, CorrelatedFailures) {
  const auto policy = [](const std::string& fields) {
    return "metadata { typed_filter_metadata { key: \"convoy.ext.FailurePolicy\" value { "
           "[type.googleapis.com/convoy.ext.FailurePolicy] { correlated_failures { " +
           fields + " } } } } } " + kNoPanic;
  };
  EXPECT_EQ(compiled("correlated_failures {}"), policy("percent: 50 window { seconds: 30 }"));
  EXPECT_EQ(compiled("correlated_failures { percent: 10 window { seconds: 5 } }"),
            policy("percent: 10 window { seconds: 5 }"));
}

TEST(FailurePolicyTest, BackendBreaker) {
  const auto policy = [](const std::string& fields) {
    return "metadata { typed_filter_metadata { key: \"convoy.ext.FailurePolicy\" value { "
           "[type.googleapis.com/convoy.ext.FailurePolicy] { host_breaker { " +
           fields + " } } } } } " + kNoPanic;
  };
  EXPECT_EQ(compiled("backend_breaker {}"), policy("failures: 5 open_time { seconds: 60 }"));
  EXPECT_EQ(compiled("backend_breaker { failures: 3 open_time { seconds: 7 } }"),
            policy("failures: 3 open_time { seconds: 7 }"));
}

TEST(FailurePolicyTest, Recovery) {
  const auto policy = [](const std::string& fields) {
    return "metadata { typed_filter_metadata { key: \"convoy.ext.FailurePolicy\" value { "
           "[type.googleapis.com/convoy.ext.FailurePolicy] { recovery { " +
           fields + " } } } } } " + kNoPanic;
  };
  EXPECT_EQ(compiled("recovery { max_requests: 300 }"),
            policy("outage_percent: 50 max_requests: 300 requests_per_second: 30 jitter { seconds: "
                   "10 } settle_time { seconds: 30 }"));
  EXPECT_EQ(compiled("recovery { outage_percent: 30 max_requests: 5 requests_per_second: 2 jitter "
                     "{} settle_time { seconds: 1 } }"),
            policy("outage_percent: 30 max_requests: 5 requests_per_second: 2 jitter { } "
                   "settle_time { seconds: 1 }"));
}

TEST(FailurePolicyTest, DefaultsOfOutlierDetectionAreWrittenOut) {
  EXPECT_EQ(compiled("outlier_detection {}"),
            "outlier_detection { consecutive_5xx { value: 5 } interval { seconds: 10 } "
            "base_ejection_time { seconds: 30 } max_ejection_percent { value: 50 } "
            "enforcing_consecutive_5xx { value: 100 } enforcing_success_rate { } "
            "enforcing_local_origin_success_rate { } max_ejection_time { seconds: 300 } "
            "max_ejection_time_jitter { seconds: 3 } "
            "successful_active_health_check_uneject_host { } } " +
                std::string(kNoPanic));
}

TEST(FailurePolicyTest, EveryFieldOfOutlierDetection) {
  EXPECT_EQ(
      compiled(R"(outlier_detection {
          consecutive_failures: 0 consecutive_gateway_failures: 3 consecutive_local_failures: 4
          success_rate { deviations: 2.5 min_backends: 6 min_requests: 7 }
          failure_percentage { percent: 60 min_requests: 8 }
          latency { factor: 2 least_excess { nanos: 5000000 } min_backends: 9 min_requests: 10 }
          interval { seconds: 5 } ejection_time { seconds: 400 } max_ejection_percent: 0 })"),
      "outlier_detection { interval { seconds: 5 } base_ejection_time { seconds: 400 } "
      "max_ejection_percent { } enforcing_consecutive_5xx { } enforcing_success_rate { value: 100 "
      "} success_rate_minimum_hosts { value: 6 } success_rate_request_volume { value: 7 } "
      "success_rate_stdev_factor { value: 2500 } consecutive_gateway_failure { value: 3 } "
      "enforcing_consecutive_gateway_failure { value: 100 } split_external_local_origin_errors: "
      "true consecutive_local_origin_failure { value: 4 } enforcing_local_origin_success_rate { "
      "value: 100 } failure_percentage_threshold { value: 60 } enforcing_failure_percentage { "
      "value: 100 } enforcing_failure_percentage_local_origin { value: 100 } "
      "failure_percentage_minimum_hosts { value: 1 } failure_percentage_request_volume { value: 8 "
      "} max_ejection_time { seconds: 400 } max_ejection_time_jitter { seconds: 40 } "
      "successful_active_health_check_uneject_host { } } metadata { typed_filter_metadata { key: "
      "\"convoy.ext.FailurePolicy\" value { [type.googleapis.com/convoy.ext.FailurePolicy] { "
      "latency_outlier { factor: 2 least_excess { nanos: 5000000 } minimum_hosts: 9 "
      "request_volume: 10 } } } } } " +
          std::string(kNoPanic));
}

}  // namespace
}  // namespace convoy::controlplane::compile
