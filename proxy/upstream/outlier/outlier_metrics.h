#pragma once

// What is done about failing hosts of one cluster. Envoy's names (prefix "cluster"); main's
// thread.

#include <array>

#include "proxy/observe/metrics.h"
#include "proxy/upstream/outlier/spec.h"

namespace convoy::upstream {

struct OutlierMetrics {
  observe::Gauge ejections_active;
  observe::Counter ejections_enforced_total;
  observe::Counter ejections_overflow;
  observe::Counter ejections_held;
  observe::Counter correlated_failures_total;
  observe::Counter host_breaker_opened;
  observe::Counter host_breaker_closed;
  observe::Counter recovery_outages;
  observe::Gauge recovery_active;
  observe::Gauge correlated_failures_active;
  std::array<observe::Counter, kDetections> detected;
  std::array<observe::Counter, kDetections> enforced;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("outlier_detection.ejections_active", self.ejections_active, "Hosts ejected now");
    visitor("outlier_detection.ejections_enforced_total", self.ejections_enforced_total,
            "Hosts ejected, for whatever reason");
    visitor("outlier_detection.ejections_overflow", self.ejections_overflow,
            "Outliers not ejected because of max_ejection_percent, or because nobody else serves");
    visitor("outlier_detection.ejections_held", self.ejections_held,
            "Outliers not ejected since too many hosts fail in the same way (Convoy's own)");
    visitor("outlier_detection.correlated_failures_total", self.correlated_failures_total,
            "Times that too many hosts began to fail in the same way (Convoy's own)");
    visitor("outlier_detection.correlated_failures_active", self.correlated_failures_active,
            "Ways in which too many hosts fail now (Convoy's own)");
    visitor("host_breaker.opened", self.host_breaker_opened,
            "Times that a host's circuit breaker opened (Convoy's own)");
    visitor("host_breaker.closed", self.host_breaker_closed,
            "Times that one closed, since a probe had passed (Convoy's own)");
    visitor("recovery.outages", self.recovery_outages,
            "Times that too many hosts were out at a time (Convoy's own)");
    visitor("recovery.active", self.recovery_active,
            "1 from an outage until the hosts have recovered (Convoy's own)");
    constexpr const char* kDetected[] = {
        "outlier_detection.ejections_detected_consecutive_5xx",
        "outlier_detection.ejections_detected_consecutive_gateway_failure",
        "outlier_detection.ejections_detected_consecutive_local_origin_failure",
        "outlier_detection.ejections_detected_success_rate",
        "outlier_detection.ejections_detected_local_origin_success_rate",
        "outlier_detection.ejections_detected_failure_percentage",
        "outlier_detection.ejections_detected_local_origin_failure_percentage",
        "outlier_detection.ejections_detected_latency"};
    constexpr const char* kEnforced[] = {
        "outlier_detection.ejections_enforced_consecutive_5xx",
        "outlier_detection.ejections_enforced_consecutive_gateway_failure",
        "outlier_detection.ejections_enforced_consecutive_local_origin_failure",
        "outlier_detection.ejections_enforced_success_rate",
        "outlier_detection.ejections_enforced_local_origin_success_rate",
        "outlier_detection.ejections_enforced_failure_percentage",
        "outlier_detection.ejections_enforced_local_origin_failure_percentage",
        "outlier_detection.ejections_enforced_latency"};
    for (size_t i = 0; i < kDetections; ++i) {
      visitor(kDetected[i], self.detected[i], "Outliers found in this way");
      visitor(kEnforced[i], self.enforced[i], "Hosts ejected for this reason");
    }
  }
};

}  // namespace convoy::upstream
