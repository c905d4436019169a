#include "controlplane/validate/failure_policy.h"

#include "absl/strings/str_cat.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kHourMs = 3600 * 1000;
constexpr int64_t kEjectionMs = 30 * 1000;  // the default
constexpr uint64_t kMostStreak = 1000;
constexpr uint64_t kMostBackends = 100'000;
constexpr uint64_t kMostRequests = 1'000'000'000;

int64_t millisecondsOf(const google::protobuf::Duration& duration) {
  return duration.seconds() * 1000 + duration.nanos() / 1'000'000;
}

// Also refuses what is no number.
void checkReal(double value, double least, double most, const Place& place) {
  if (value >= least && value <= most) return;
  place.refuse("range", absl::StrCat(value), absl::StrCat("must be ", least, " to ", most));
}

// Of messages that have these two fields.
template <class Rule>
void checkVolume(const Rule& rule, uint64_t least_backends, const Place& place) {
  if (rule.has_min_backends()) {
    checkRange(rule.min_backends(), least_backends, kMostBackends, place.field("min_backends"));
  }
  if (rule.has_min_requests()) {
    checkRange(rule.min_requests(), 1, kMostRequests, place.field("min_requests"));
  }
}

void checkRates(const v1::OutlierDetection& rules, const Place& place) {
  if (rules.has_success_rate()) {
    const Place at = place.field("success_rate");
    if (rules.success_rate().has_deviations()) {
      checkReal(rules.success_rate().deviations(), 0.1, 100, at.field("deviations"));
    }
    checkVolume(rules.success_rate(), 1, at);
  }
  if (rules.has_failure_percentage()) {
    const Place at = place.field("failure_percentage");
    if (rules.failure_percentage().has_percent()) {
      checkRange(rules.failure_percentage().percent(), 1, 100, at.field("percent"));
    }
    checkVolume(rules.failure_percentage(), 1, at);
  }
  if (rules.has_latency()) {
    const Place at = place.field("latency");
    if (rules.latency().has_factor()) {
      checkReal(rules.latency().factor(), 1.1, 1000, at.field("factor"));
    }
    if (rules.latency().has_least_excess()) {
      checkDuration(rules.latency().least_excess(), 1, kHourMs, "1 ms to 1 h",
                    at.field("least_excess"));
    }
    checkVolume(rules.latency(), 2, at);
  }
}

void checkOutliers(const v1::OutlierDetection& rules, const Place& place) {
  checkRange(rules.consecutive_failures(), 0, kMostStreak, place.field("consecutive_failures"));
  checkRange(rules.consecutive_gateway_failures(), 0, kMostStreak,
             place.field("consecutive_gateway_failures"));
  checkRange(rules.consecutive_local_failures(), 0, kMostStreak,
             place.field("consecutive_local_failures"));
  checkRates(rules, place);
  if (rules.has_interval()) {
    checkDuration(rules.interval(), 100, kHourMs, "100 ms to 1 h", place.field("interval"));
  }
  if (rules.has_ejection_time()) {
    checkDuration(rules.ejection_time(), 100, kHourMs, "100 ms to 1 h",
                  place.field("ejection_time"));
  }
  if (rules.has_max_ejection_time()) {
    checkDuration(rules.max_ejection_time(), 100, 24 * kHourMs, "100 ms to 24 h",
                  place.field("max_ejection_time"));
  }
  if (rules.has_max_ejection_time() &&
      millisecondsOf(rules.max_ejection_time()) <
          (rules.has_ejection_time() ? millisecondsOf(rules.ejection_time()) : kEjectionMs)) {
    place.field("max_ejection_time")
        .refuse("conflict", absl::StrCat(millisecondsOf(rules.max_ejection_time()), " ms"),
                "must be at least ejection_time");
  }
  checkRange(rules.max_ejection_percent(), 0, 100, place.field("max_ejection_percent"));
}

void checkPanic(const v1::PanicPolicy& panic, const Place& place) {
  if (!v1::PanicMode_IsValid(panic.mode())) {
    place.field("mode").refuse("enum", absl::StrCat(static_cast<int>(panic.mode())),
                               "there are fail, serve_all and serve_last_good");
  }
  if (!panic.has_threshold_percent()) return;
  checkRange(panic.threshold_percent(), 0, 100, place.field("threshold_percent"));
  if (panic.mode() == v1::PANIC_MODE_UNSPECIFIED || panic.mode() == v1::PANIC_MODE_FAIL) {
    place.field("threshold_percent")
        .refuse("conflict", absl::StrCat(panic.threshold_percent()),
                "needs mode serve_all or serve_last_good; fail has no threshold");
  }
}

void checkCorrelated(const v1::CorrelatedFailures& rule, const Place& place) {
  if (rule.has_percent()) checkRange(rule.percent(), 1, 99, place.field("percent"));
  if (rule.has_window()) {
    checkDuration(rule.window(), 100, kHourMs, "100 ms to 1 h", place.field("window"));
  }
}

void checkBreaker(const v1::BackendBreaker& rule, const Place& place) {
  if (rule.has_failures()) checkRange(rule.failures(), 1, kMostStreak, place.field("failures"));
  if (rule.has_open_time()) {
    checkDuration(rule.open_time(), 100, kHourMs, "100 ms to 1 h", place.field("open_time"));
  }
}

void checkRecovery(const v1::Recovery& rule, const Place& place) {
  if (rule.has_outage_percent()) {
    checkRange(rule.outage_percent(), 1, 99, place.field("outage_percent"));
  }
  if (rule.max_requests() == 0) {
    place.field("max_requests")
        .refuse("required", "",
                "how many requests the backends together can stand after an outage");
  }
  if (rule.has_requests_per_second() && rule.requests_per_second() == 0) {
    place.field("requests_per_second").refuse("range", "0", "must be at least 1");
  }
  if (rule.has_jitter())
    checkDuration(rule.jitter(), 0, kHourMs, "0 to 1 h", place.field("jitter"));
  if (rule.has_settle_time()) {
    checkDuration(rule.settle_time(), 0, kHourMs, "0 to 1 h", place.field("settle_time"));
  }
}

}  // namespace

void checkFailurePolicy(const v1::Pool& pool, const Place& place) {
  if (pool.has_outlier_detection()) {
    checkOutliers(pool.outlier_detection(), place.field("outlier_detection"));
  }
  checkPanic(pool.panic(), place.field("panic"));
  if (pool.has_backend_breaker()) {
    checkBreaker(pool.backend_breaker(), place.field("backend_breaker"));
  }
  if (pool.has_recovery()) checkRecovery(pool.recovery(), place.field("recovery"));
  if (pool.has_correlated_failures()) {
    const Place at = place.field("correlated_failures");
    checkCorrelated(pool.correlated_failures(), at);
    if (!pool.has_health_check() && !pool.has_outlier_detection()) {
      at.refuse("conflict", "", "needs a health_check or an outlier_detection, which it holds");
    }
  }
}

}  // namespace convoy::controlplane::validate
