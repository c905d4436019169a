#include "proxy/config/failure_policy.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using std::chrono::milliseconds;
using std::chrono::seconds;
using upstream::Detection;
using upstream::OutlierSpec;

std::string clusterYaml(const std::string& rest) {
  return "{name: c, load_assignment: {cluster_name: c}, " + rest + "}";
}
std::string policy(const std::string& fields) {
  return "metadata: {typed_filter_metadata: {convoy.ext.FailurePolicy: {\"@type\": "
         "type.googleapis.com/convoy.ext.FailurePolicy, " +
         fields + "}}}";
}

std::shared_ptr<const upstream::ClusterSpec> make(const std::string& rest) {
  const auto result = makeCluster(fromYaml<Cluster>(clusterYaml(rest)), testContext());
  EXPECT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(result.note_count, 0u);
  return result.spec;
}

Lines errorsOf(const std::string& rest) {
  return brief(makeCluster(fromYaml<Cluster>(clusterYaml(rest)), testContext()).errors.errors);
}

TEST(FailurePolicy, EnvoysDefaults) {
  EXPECT_EQ(make("metadata: {}")->outlier, nullptr);
  const auto outlier = make("outlier_detection: {}")->outlier;
  ASSERT_NE(outlier, nullptr);
  EXPECT_EQ(outlier->consecutive_5xx, 5u);
  EXPECT_EQ(outlier->interval, seconds(10));
  EXPECT_EQ(outlier->base_ejection_time, seconds(30));
  EXPECT_EQ(outlier->max_ejection_time, seconds(300));
  EXPECT_EQ(outlier->max_ejection_jitter, seconds(0));
  EXPECT_EQ(outlier->max_ejection_percent, 10u);
  EXPECT_FALSE(outlier->always_eject_one);
  EXPECT_TRUE(outlier->health_check_unejects);
  EXPECT_FALSE(outlier->split_local_errors);
  EXPECT_EQ(outlier->success_rate_factor, 1.9);
  EXPECT_EQ(outlier->chance(Detection::ConsecutiveGatewayFailure), 0u);
  EXPECT_EQ(outlier->chance(Detection::FailurePercentage), 0u);
  EXPECT_EQ(outlier->chance(Detection::LocalOriginFailurePercentage), 0u);
  EXPECT_EQ(outlier->chance(Detection::SuccessRate), 100u);
  EXPECT_FALSE(outlier->latency.has_value());
  EXPECT_EQ(make("outlier_detection: {base_ejection_time: 400s}")->outlier->max_ejection_time,
            seconds(400));
}

TEST(FailurePolicy, EveryField) {
  const auto outlier =
      make(
          "outlier_detection: {consecutive_5xx: 2, interval: 0.5s, base_ejection_time: 3s, "
          "max_ejection_percent: 40, enforcing_consecutive_5xx: 1, enforcing_success_rate: 2, "
          "success_rate_minimum_hosts: 6, success_rate_request_volume: 7, "
          "success_rate_stdev_factor: "
          "2500, consecutive_gateway_failure: 3, enforcing_consecutive_gateway_failure: 4, "
          "split_external_local_origin_errors: true, consecutive_local_origin_failure: 8, "
          "enforcing_consecutive_local_origin_failure: 9, enforcing_local_origin_success_rate: 10, "
          "failure_percentage_threshold: 11, enforcing_failure_percentage: 12, "
          "enforcing_failure_percentage_local_origin: 13, failure_percentage_minimum_hosts: 14, "
          "failure_percentage_request_volume: 15, max_ejection_time: 16s, "
          "max_ejection_time_jitter: "
          "17s, successful_active_health_check_uneject_host: false, always_eject_one_host: "
          "true}, " +
          policy("latency_outlier: {factor: 1.5, least_excess: 0.02s, minimum_hosts: 2, "
                 "request_volume: 9}"))
          ->outlier;
  ASSERT_NE(outlier, nullptr);
  EXPECT_EQ(outlier->consecutive_5xx, 2u);
  EXPECT_EQ(outlier->consecutive_gateway_failure, 3u);
  EXPECT_EQ(outlier->consecutive_local_origin_failure, 8u);
  EXPECT_TRUE(outlier->split_local_errors);
  EXPECT_EQ(outlier->interval, milliseconds(500));
  EXPECT_EQ(outlier->base_ejection_time, seconds(3));
  EXPECT_EQ(outlier->max_ejection_time, seconds(16));
  EXPECT_EQ(outlier->max_ejection_jitter, seconds(17));
  EXPECT_EQ(outlier->max_ejection_percent, 40u);
  EXPECT_TRUE(outlier->always_eject_one);
  EXPECT_FALSE(outlier->health_check_unejects);
  EXPECT_EQ(outlier->success_rate_minimum_hosts, 6u);
  EXPECT_EQ(outlier->success_rate_request_volume, 7u);
  EXPECT_EQ(outlier->success_rate_factor, 2.5);
  EXPECT_EQ(outlier->failure_percentage_threshold, 11u);
  EXPECT_EQ(outlier->failure_percentage_minimum_hosts, 14u);
  EXPECT_EQ(outlier->failure_percentage_request_volume, 15u);
  EXPECT_EQ(outlier->enforcing, (decltype(outlier->enforcing){1, 4, 9, 2, 10, 12, 13, 100}));
  ASSERT_TRUE(outlier->latency.has_value());
  EXPECT_EQ(outlier->latency->factor, 1.5);
  EXPECT_EQ(outlier->latency->least_excess, milliseconds(20));
  EXPECT_EQ(outlier->latency->minimum_hosts, 2u);
  EXPECT_EQ(outlier->latency->request_volume, 9u);
}

TEST(FailurePolicy, Panic) {
  using upstream::PanicSpec;
  using Mode = PanicSpec::Mode;
  const auto threshold = [](const std::string& percent) {
    return "common_lb_config: {healthy_panic_threshold: {value: " + percent + "}}";
  };
  EXPECT_EQ(make("metadata: {}")->panic, (PanicSpec{Mode::ServeAll, 50})) << "Envoy's default";
  EXPECT_EQ(make(threshold("12.9"))->panic, (PanicSpec{Mode::ServeAll, 12}));
  EXPECT_EQ(make(threshold("0"))->panic, (PanicSpec{Mode::Fail, 0}));
  EXPECT_EQ(make("common_lb_config: {ignore_new_hosts_until_first_hc: true}")->panic,
            (PanicSpec{Mode::ServeAll, 50, true}));
  EXPECT_EQ(
      make(threshold("30") + ", " + policy("panic: {mode: SERVE_LAST_GOOD, threshold_percent: 20}"))
          ->panic,
      (PanicSpec{Mode::ServeLastGood, 20}));
  EXPECT_EQ(make(threshold("30") + ", " + policy("panic: {mode: FAIL}"))->panic,
            (PanicSpec{Mode::Fail, 0}));
}

TEST(FailurePolicy, CorrelatedFailures) {
  EXPECT_FALSE(make("metadata: {}")->correlation.has_value());
  const auto spec =
      make("outlier_detection: {}, " + policy("correlated_failures: {percent: 20, window: 5s}"));
  ASSERT_TRUE(spec->correlation.has_value());
  EXPECT_EQ(spec->correlation->percent, 20u);
  EXPECT_EQ(spec->correlation->window, seconds(5));
  EXPECT_EQ(
      make("outlier_detection: {}, " + policy("correlated_failures: {}"))->correlation->percent,
      50u);
}

TEST(FailurePolicy, HostBreaker) {
  EXPECT_FALSE(make("metadata: {}")->host_breaker.has_value());
  EXPECT_EQ(make(policy("host_breaker: {}"))->host_breaker->failures, 5u);
  EXPECT_EQ(make(policy("host_breaker: {}"))->host_breaker->open_time, seconds(60));
  const auto spec = make(policy("host_breaker: {failures: 2, open_time: 5s}"));
  EXPECT_EQ(spec->host_breaker->failures, 2u);
  EXPECT_EQ(spec->host_breaker->open_time, seconds(5));
}

TEST(FailurePolicy, Recovery) {
  EXPECT_FALSE(make("metadata: {}")->recovery.has_value());
  const auto spec = make(
      policy("recovery: {outage_percent: 20, max_requests: 30, requests_per_second: 4, jitter: 5s, "
             "settle_time: 6s}"));
  ASSERT_TRUE(spec->recovery.has_value());
  EXPECT_EQ(spec->recovery->outage_percent, 20u);
  EXPECT_EQ(spec->recovery->max_requests, 30u);
  EXPECT_EQ(spec->recovery->requests_per_second, 4u);
  EXPECT_EQ(spec->recovery->jitter, seconds(5));
  EXPECT_EQ(spec->recovery->settle_time, seconds(6));
  EXPECT_EQ(make(policy("recovery: {max_requests: 200}"))->recovery->requests_per_second, 20u);
  EXPECT_EQ(make(policy("recovery: {max_requests: 2}"))->recovery->requests_per_second, 1u);
}

TEST(FailurePolicy, Mistakes) {
  const ErrorCase kCases[] = {
      {"outlier_detection: {consecutive_5xx: 0, consecutive_gateway_failure: 0, "
       "consecutive_local_origin_failure: 0}",
       {"outlier_detection.consecutive_5xx: range: 0",
        "outlier_detection.consecutive_gateway_failure: range: 0",
        "outlier_detection.consecutive_local_origin_failure: range: 0"}},
      {"outlier_detection: {max_ejection_time: 5s}",
       {"outlier_detection.max_ejection_time: range: 5000 ms"}},
      {policy("latency_outlier: {}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].latency_outlier: "
        "requires: "}},
      {"outlier_detection: {}, " + policy("latency_outlier: {factor: 0.5}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].latency_outlier.factor: "
        "range: 0.500000"}},
      {"outlier_detection: {interval: 31536001s, base_ejection_time: 315576000000s, "
       "max_ejection_time_jitter: 31536001s}",
       {"outlier_detection.interval: range: 31536001 s",
        "outlier_detection.base_ejection_time: range: 315576000000 s",
        "outlier_detection.max_ejection_time_jitter: range: 31536001 s"}},
      {policy("host_breaker: {open_time: 31536001s}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].host_breaker.open_time: "
        "range: 31536001 s"}},
      {policy("correlated_failures: {}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].correlated_failures: "
        "requires: "}},
      {"outlier_detection: {}, " + policy("correlated_failures: {percent: 100, window: 0.01s}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].correlated_failures.percent: "
        "range: 100",
        "metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].correlated_failures.window: "
        "range: 10 ms"}},
      {policy("host_breaker: {open_time: 0s}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].host_breaker.open_time: "
        "range: 0 ms"}},
      {policy("recovery: {outage_percent: 100}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].recovery.outage_percent: "
        "range: 100",
        "metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].recovery.max_requests: "
        "required: 0"}},
      {policy("panic: {threshold_percent: 101}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.FailurePolicy\"].panic.threshold_percent: "
        "range: 101"}},
  };
  for (const ErrorCase& c : kCases) EXPECT_EQ(errorsOf(c.yaml), c.errors) << c.yaml;
}

}  // namespace
}  // namespace convoy::config
