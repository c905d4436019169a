#include "proxy/config/failure_policy.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "api/convoy/ext/failure_policy.pb.h"
#include "proxy/config/cluster_policy.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::cluster::v3::OutlierDetection;
using google::protobuf::UInt32Value;
using upstream::Detection;
using upstream::OutlierSpec;

constexpr char kPolicy[] = "convoy.ext.FailurePolicy";
constexpr uint32_t kLeastStreak = 1;

// Bounded, since what is made of it is in nanoseconds.
Milliseconds toTime(const google::protobuf::Duration& proto, std::string_view field,
                    base::FieldReport& report) {
  constexpr Milliseconds kMost = std::chrono::hours(24 * 365);
  const Milliseconds time = toMilliseconds(proto, field, report);
  if (time <= kMost) return time;
  report.error(field, "range", std::to_string(proto.seconds()) + " s", "must be at most 365 days");
  return kMost;
}

void read(bool set, const UInt32Value& value, uint32_t* to) {
  if (set) *to = value.value();
}

void readStreak(bool set, const UInt32Value& value, std::string_view field, uint32_t* to,
                base::FieldReport& report) {
  if (!set) return;
  if (value.value() < kLeastStreak) report.error(field, "range", "0", "must be at least 1");
  *to = std::max(value.value(), kLeastStreak);
}

void setStreaks(const OutlierDetection& proto, OutlierSpec* spec, base::FieldReport& report) {
  readStreak(proto.has_consecutive_5xx(), proto.consecutive_5xx(), "consecutive_5xx",
             &spec->consecutive_5xx, report);
  readStreak(proto.has_consecutive_gateway_failure(), proto.consecutive_gateway_failure(),
             "consecutive_gateway_failure", &spec->consecutive_gateway_failure, report);
  readStreak(proto.has_consecutive_local_origin_failure(), proto.consecutive_local_origin_failure(),
             "consecutive_local_origin_failure", &spec->consecutive_local_origin_failure, report);
  spec->split_local_errors = proto.split_external_local_origin_errors();
}

void setTimes(const OutlierDetection& proto, OutlierSpec* spec, base::FieldReport& report) {
  if (proto.has_interval()) {
    spec->interval = toTime(proto.interval(), "interval", report);
  }
  if (proto.has_base_ejection_time()) {
    spec->base_ejection_time = toTime(proto.base_ejection_time(), "base_ejection_time", report);
  }
  spec->max_ejection_time = std::max(spec->max_ejection_time, spec->base_ejection_time);
  if (proto.has_max_ejection_time()) {
    spec->max_ejection_time = toTime(proto.max_ejection_time(), "max_ejection_time", report);
    if (spec->max_ejection_time < spec->base_ejection_time) {
      report.error("max_ejection_time", "range",
                   std::to_string(spec->max_ejection_time.count()) + " ms",
                   "must be at least base_ejection_time, " +
                       std::to_string(spec->base_ejection_time.count()) + " ms");
    }
  }
  if (proto.has_max_ejection_time_jitter()) {
    spec->max_ejection_jitter =
        toTime(proto.max_ejection_time_jitter(), "max_ejection_time_jitter", report);
  }
}

void setChances(const OutlierDetection& proto, OutlierSpec* spec) {
  const auto chance = [spec](Detection detection, bool set, const UInt32Value& value) {
    if (set) spec->enforcing[static_cast<size_t>(detection)] = value.value();
  };
  chance(Detection::Consecutive5xx, proto.has_enforcing_consecutive_5xx(),
         proto.enforcing_consecutive_5xx());
  chance(Detection::ConsecutiveGatewayFailure, proto.has_enforcing_consecutive_gateway_failure(),
         proto.enforcing_consecutive_gateway_failure());
  chance(Detection::ConsecutiveLocalOriginFailure,
         proto.has_enforcing_consecutive_local_origin_failure(),
         proto.enforcing_consecutive_local_origin_failure());
  chance(Detection::SuccessRate, proto.has_enforcing_success_rate(),
         proto.enforcing_success_rate());
  chance(Detection::LocalOriginSuccessRate, proto.has_enforcing_local_origin_success_rate(),
         proto.enforcing_local_origin_success_rate());
  chance(Detection::FailurePercentage, proto.has_enforcing_failure_percentage(),
         proto.enforcing_failure_percentage());
  chance(Detection::LocalOriginFailurePercentage,
         proto.has_enforcing_failure_percentage_local_origin(),
         proto.enforcing_failure_percentage_local_origin());
}

void setRates(const OutlierDetection& proto, OutlierSpec* spec) {
  constexpr double kThousand = 1000;
  read(proto.has_success_rate_minimum_hosts(), proto.success_rate_minimum_hosts(),
       &spec->success_rate_minimum_hosts);
  read(proto.has_success_rate_request_volume(), proto.success_rate_request_volume(),
       &spec->success_rate_request_volume);
  if (proto.has_success_rate_stdev_factor()) {
    spec->success_rate_factor = proto.success_rate_stdev_factor().value() / kThousand;
  }
  read(proto.has_failure_percentage_threshold(), proto.failure_percentage_threshold(),
       &spec->failure_percentage_threshold);
  read(proto.has_failure_percentage_minimum_hosts(), proto.failure_percentage_minimum_hosts(),
       &spec->failure_percentage_minimum_hosts);
  read(proto.has_failure_percentage_request_volume(), proto.failure_percentage_request_volume(),
       &spec->failure_percentage_request_volume);
}

upstream::LatencyOutlierSpec toLatency(const ext::FailurePolicy::LatencyOutlier& proto,
                                       base::FieldReport& report) {
  upstream::LatencyOutlierSpec spec;
  if (proto.factor() != 0) spec.factor = proto.factor();
  if (!(spec.factor >= 1) || !std::isfinite(spec.factor)) {
    report.error("factor", "range", std::to_string(spec.factor), "must be at least 1");
  }
  if (proto.has_least_excess()) {
    spec.least_excess = toTime(proto.least_excess(), "least_excess", report);
  }
  if (proto.minimum_hosts() != 0) spec.minimum_hosts = proto.minimum_hosts();
  if (proto.request_volume() != 0) spec.request_volume = proto.request_volume();
  return spec;
}

// Envoy's: 50 unless set, in whole percent, 0 turns it off.
upstream::PanicSpec toPanic(const Cluster::CommonLbConfig& proto) {
  upstream::PanicSpec spec{.mode = upstream::PanicSpec::Mode::ServeAll, .percent = 50};
  if (proto.has_healthy_panic_threshold()) {
    spec.percent = static_cast<uint32_t>(proto.healthy_panic_threshold().value());
    if (spec.percent == 0) spec.mode = upstream::PanicSpec::Mode::Fail;
  }
  spec.ignores_unverified = proto.ignore_new_hosts_until_first_hc();
  return spec;
}

void setPanic(const ext::FailurePolicy::Panic& proto, upstream::PanicSpec* spec,
              base::FieldReport& report) {
  using Mode = upstream::PanicSpec::Mode;
  using Proto = ext::FailurePolicy::Panic;
  spec->mode = proto.mode() == Proto::FAIL              ? Mode::Fail
               : proto.mode() == Proto::SERVE_LAST_GOOD ? Mode::ServeLastGood
                                                        : Mode::ServeAll;
  spec->percent = proto.threshold_percent();
  if (spec->percent > 100) {
    report.error("threshold_percent", "range", std::to_string(spec->percent),
                 "must be at most 100");
  }
}

upstream::CorrelationSpec toCorrelation(const ext::FailurePolicy::CorrelatedFailures& proto,
                                        base::FieldReport& report) {
  constexpr Milliseconds kLeastWindow{100};
  upstream::CorrelationSpec spec;
  if (proto.percent() != 0) spec.percent = proto.percent();
  if (spec.percent > 99) {
    report.error("percent", "range", std::to_string(spec.percent), "must be at most 99");
  }
  if (proto.has_window()) spec.window = toTime(proto.window(), "window", report);
  if (spec.window < kLeastWindow) {
    report.error("window", "range", std::to_string(spec.window.count()) + " ms",
                 "must be at least 100 ms");
  }
  return spec;
}

upstream::HostBreakerSpec toHostBreaker(const ext::FailurePolicy::HostBreaker& proto,
                                        base::FieldReport& report) {
  upstream::HostBreakerSpec spec;
  if (proto.failures() != 0) spec.failures = proto.failures();
  if (proto.has_open_time()) spec.open_time = toTime(proto.open_time(), "open_time", report);
  if (spec.open_time.count() <= 0) {
    report.error("open_time", "range", "0 ms", "must be more than 0");
  }
  return spec;
}

upstream::RecoverySpec toRecovery(const ext::FailurePolicy::Recovery& proto,
                                  base::FieldReport& report) {
  constexpr uint32_t kShare = 10;
  upstream::RecoverySpec spec;
  if (proto.outage_percent() != 0) spec.outage_percent = proto.outage_percent();
  if (spec.outage_percent > 99) {
    report.error("outage_percent", "range", std::to_string(spec.outage_percent),
                 "must be at most 99");
  }
  spec.max_requests = proto.max_requests();
  if (spec.max_requests == 0) {
    report.error("max_requests", "required", "0",
                 "write how many requests hosts can stand together");
  }
  spec.requests_per_second = proto.requests_per_second() != 0
                                 ? proto.requests_per_second()
                                 : std::max(spec.max_requests / kShare, 1u);
  if (proto.has_jitter()) spec.jitter = toTime(proto.jitter(), "jitter", report);
  if (proto.has_settle_time()) {
    spec.settle_time = toTime(proto.settle_time(), "settle_time", report);
  }
  return spec;
}

}  // namespace

void setFailurePolicy(const Cluster& proto, upstream::ClusterSpec* spec,
                      base::FieldReport& report) {
  const auto policy = clusterPolicy<ext::FailurePolicy>(proto, report);
  if (proto.has_outlier_detection()) {
    auto outlier = std::make_shared<OutlierSpec>();
    auto at = report.in("outlier_detection");
    setStreaks(proto.outlier_detection(), outlier.get(), report);
    setTimes(proto.outlier_detection(), outlier.get(), report);
    setChances(proto.outlier_detection(), outlier.get());
    setRates(proto.outlier_detection(), outlier.get());
    const OutlierDetection& limits = proto.outlier_detection();
    read(limits.has_max_ejection_percent(), limits.max_ejection_percent(),
         &outlier->max_ejection_percent);
    outlier->always_eject_one = limits.always_eject_one_host().value();
    outlier->health_check_unejects = !limits.has_successful_active_health_check_uneject_host() ||
                                     limits.successful_active_health_check_uneject_host().value();
    spec->outlier = outlier;
  }
  spec->panic = toPanic(proto.common_lb_config());
  auto at = report.in("metadata");
  auto in = report.in("typed_filter_metadata", std::string_view(kPolicy));
  if (policy.has_panic()) {
    auto within = report.in("panic");
    setPanic(policy.panic(), &spec->panic, report);
  }
  if (policy.has_correlated_failures()) {
    auto within = report.in("correlated_failures");
    spec->correlation = toCorrelation(policy.correlated_failures(), report);
    if (proto.health_checks().empty() && !proto.has_outlier_detection()) {
      report.error("requires", "", "needs health_checks or an outlier_detection, which it holds");
    }
  }
  if (policy.has_host_breaker()) {
    auto within = report.in("host_breaker");
    spec->host_breaker = toHostBreaker(policy.host_breaker(), report);
  }
  if (policy.has_recovery()) {
    auto within = report.in("recovery");
    spec->recovery = toRecovery(policy.recovery(), report);
  }
  if (!policy.has_latency_outlier()) return;
  auto within = report.in("latency_outlier");
  const upstream::LatencyOutlierSpec latency = toLatency(policy.latency_outlier(), report);
  if (spec->outlier == nullptr) {
    report.error("requires", "", "needs the cluster's outlier_detection, whose limits hold");
    return;
  }
  auto with = std::make_shared<OutlierSpec>(*spec->outlier);
  with->latency = latency;
  spec->outlier = with;
}

}  // namespace convoy::config
