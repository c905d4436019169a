#include "controlplane/compile/failure_policy.h"

#include <algorithm>
#include <cmath>

#include "api/convoy/ext/failure_policy.pb.h"

namespace convoy::controlplane::compile {

namespace {

using envoy::config::cluster::v3::Cluster;
using EnvoyOutliers = envoy::config::cluster::v3::OutlierDetection;

constexpr char kPolicy[] = "convoy.ext.FailurePolicy";
constexpr uint32_t kConsecutiveFailures = 5;
constexpr uint32_t kMaxEjectionPercent = 50;
constexpr uint32_t kPanicPercent = 50;
constexpr uint32_t kOutagePercent = 50;
constexpr uint32_t kGrowthShare = 10;
constexpr int64_t kJitterSeconds = 10;
constexpr int64_t kSettleSeconds = 30;
constexpr uint32_t kBreakerFailures = 5;
constexpr int64_t kBreakerSeconds = 60;
constexpr uint32_t kCorrelatedPercent = 50;
constexpr int64_t kCorrelatedSeconds = 30;
constexpr int64_t kIntervalSeconds = 10;
constexpr int64_t kEjectionSeconds = 30;
constexpr int64_t kMostEjectionSeconds = 300;
constexpr int64_t kNanos = 1'000'000'000;

int64_t nanosOf(const google::protobuf::Duration& duration) {
  return duration.seconds() * kNanos + duration.nanos();
}

void setNanos(int64_t nanos, google::protobuf::Duration* out) {
  out->set_seconds(nanos / kNanos);
  out->set_nanos(static_cast<int32_t>(nanos % kNanos));
}

// Envoy's names a threshold and a chance for each; 0 turns a detection off by its chance.
void setStreaks(const v1::OutlierDetection& rules, EnvoyOutliers* out) {
  const uint32_t failures =
      rules.has_consecutive_failures() ? rules.consecutive_failures() : kConsecutiveFailures;
  if (failures > 0) out->mutable_consecutive_5xx()->set_value(failures);
  out->mutable_enforcing_consecutive_5xx()->set_value(failures > 0 ? 100 : 0);
  if (rules.consecutive_gateway_failures() > 0) {
    out->mutable_consecutive_gateway_failure()->set_value(rules.consecutive_gateway_failures());
    out->mutable_enforcing_consecutive_gateway_failure()->set_value(100);
  }
  if (rules.consecutive_local_failures() > 0) {
    out->set_split_external_local_origin_errors(true);
    out->mutable_consecutive_local_origin_failure()->set_value(rules.consecutive_local_failures());
  }
}

void setRates(const v1::OutlierDetection& rules, EnvoyOutliers* out) {
  constexpr double kThousand = 1000;
  constexpr double kDeviations = 1.9;
  const auto value = [](bool set, uint32_t of, uint32_t otherwise) { return set ? of : otherwise; };
  out->mutable_enforcing_success_rate()->set_value(rules.has_success_rate() ? 100 : 0);
  out->mutable_enforcing_local_origin_success_rate()->set_value(rules.has_success_rate() ? 100 : 0);
  if (rules.has_success_rate()) {
    const auto& rate = rules.success_rate();
    const double deviations = rate.has_deviations() ? rate.deviations() : kDeviations;
    out->mutable_success_rate_stdev_factor()->set_value(
        static_cast<uint32_t>(std::lround(deviations * kThousand)));
    out->mutable_success_rate_minimum_hosts()->set_value(
        value(rate.has_min_backends(), rate.min_backends(), 5));
    out->mutable_success_rate_request_volume()->set_value(
        value(rate.has_min_requests(), rate.min_requests(), 100));
  }
  if (!rules.has_failure_percentage()) return;
  const auto& failures = rules.failure_percentage();
  out->mutable_failure_percentage_threshold()->set_value(
      value(failures.has_percent(), failures.percent(), 85));
  out->mutable_enforcing_failure_percentage()->set_value(100);
  out->mutable_enforcing_failure_percentage_local_origin()->set_value(100);
  out->mutable_failure_percentage_minimum_hosts()->set_value(
      value(failures.has_min_backends(), failures.min_backends(), 1));
  out->mutable_failure_percentage_request_volume()->set_value(
      value(failures.has_min_requests(), failures.min_requests(), 50));
}

void setTimes(const v1::OutlierDetection& rules, EnvoyOutliers* out) {
  const int64_t interval =
      rules.has_interval() ? nanosOf(rules.interval()) : kIntervalSeconds * kNanos;
  const int64_t ejection =
      rules.has_ejection_time() ? nanosOf(rules.ejection_time()) : kEjectionSeconds * kNanos;
  const int64_t most = rules.has_max_ejection_time()
                           ? nanosOf(rules.max_ejection_time())
                           : std::max(ejection, kMostEjectionSeconds * kNanos);
  setNanos(interval, out->mutable_interval());
  setNanos(ejection, out->mutable_base_ejection_time());
  setNanos(most, out->mutable_max_ejection_time());
  setNanos(ejection / 10, out->mutable_max_ejection_time_jitter());
}

void setLatency(const v1::OutlierDetection::Latency& rule,
                ext::FailurePolicy::LatencyOutlier* out) {
  if (rule.has_factor()) out->set_factor(rule.factor());
  if (rule.has_least_excess()) *out->mutable_least_excess() = rule.least_excess();
  out->set_minimum_hosts(rule.min_backends());
  out->set_request_volume(rule.min_requests());
}

// Other clients have all or nothing.
void setPanic(const v1::PanicPolicy& panic, Cluster* cluster, ext::FailurePolicy* policy) {
  const bool fails =
      panic.mode() == v1::PANIC_MODE_UNSPECIFIED || panic.mode() == v1::PANIC_MODE_FAIL;
  const uint32_t percent =
      panic.has_threshold_percent() ? panic.threshold_percent() : kPanicPercent;
  cluster->mutable_common_lb_config()->mutable_healthy_panic_threshold()->set_value(
      fails ? 0 : std::max(percent, 1u));
  if (fails) return;
  policy->mutable_panic()->set_mode(panic.mode() == v1::PANIC_MODE_SERVE_ALL
                                        ? ext::FailurePolicy::Panic::SERVE_ALL
                                        : ext::FailurePolicy::Panic::SERVE_LAST_GOOD);
  policy->mutable_panic()->set_threshold_percent(percent);
}

void setCorrelated(const v1::CorrelatedFailures& rule,
                   ext::FailurePolicy::CorrelatedFailures* out) {
  out->set_percent(rule.has_percent() ? rule.percent() : kCorrelatedPercent);
  if (rule.has_window()) {
    *out->mutable_window() = rule.window();
  } else {
    out->mutable_window()->set_seconds(kCorrelatedSeconds);
  }
}

void setBreaker(const v1::BackendBreaker& rule, ext::FailurePolicy::HostBreaker* out) {
  out->set_failures(rule.has_failures() ? rule.failures() : kBreakerFailures);
  if (rule.has_open_time()) {
    *out->mutable_open_time() = rule.open_time();
  } else {
    out->mutable_open_time()->set_seconds(kBreakerSeconds);
  }
}

void setRecovery(const v1::Recovery& rule, ext::FailurePolicy::Recovery* out) {
  out->set_outage_percent(rule.has_outage_percent() ? rule.outage_percent() : kOutagePercent);
  out->set_max_requests(rule.max_requests());
  out->set_requests_per_second(rule.has_requests_per_second()
                                   ? rule.requests_per_second()
                                   : std::max(rule.max_requests() / kGrowthShare, 1u));
  if (rule.has_jitter()) {
    *out->mutable_jitter() = rule.jitter();
  } else {
    out->mutable_jitter()->set_seconds(kJitterSeconds);
  }
  if (rule.has_settle_time()) {
    *out->mutable_settle_time() = rule.settle_time();
  } else {
    out->mutable_settle_time()->set_seconds(kSettleSeconds);
  }
}

}  // namespace

void compileFailurePolicy(const v1::Pool& pool, Cluster* cluster) {
  ext::FailurePolicy policy;
  setPanic(pool.panic(), cluster, &policy);
  if (pool.has_outlier_detection()) {
    const v1::OutlierDetection& rules = pool.outlier_detection();
    EnvoyOutliers* const out = cluster->mutable_outlier_detection();
    setStreaks(rules, out);
    setRates(rules, out);
    setTimes(rules, out);
    out->mutable_max_ejection_percent()->set_value(
        rules.has_max_ejection_percent() ? rules.max_ejection_percent() : kMaxEjectionPercent);
    // A backend that fails requests and passes its checks would come back with every check.
    out->mutable_successful_active_health_check_uneject_host()->set_value(false);
    if (rules.has_latency()) setLatency(rules.latency(), policy.mutable_latency_outlier());
  }
  if (pool.has_correlated_failures()) {
    setCorrelated(pool.correlated_failures(), policy.mutable_correlated_failures());
  }
  if (pool.has_backend_breaker()) {
    setBreaker(pool.backend_breaker(), policy.mutable_host_breaker());
  }
  if (pool.has_recovery()) setRecovery(pool.recovery(), policy.mutable_recovery());
  if (policy.ByteSizeLong() == 0) return;
  (*cluster->mutable_metadata()->mutable_typed_filter_metadata())[kPolicy].PackFrom(policy);
}

}  // namespace convoy::controlplane::compile
