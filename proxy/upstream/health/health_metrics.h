#pragma once

// What the checks of one cluster come to, on one health thread. Envoy's names (prefix "cluster").

#include "proxy/observe/metrics.h"

namespace convoy::upstream {

struct HealthMetrics {
  observe::Counter attempt;
  observe::Counter success;
  observe::Counter failure;
  observe::Counter passive_failure;
  observe::Counter network_failure;
  observe::Counter verify_cluster;
  observe::Counter skipped;
  observe::Counter relapse;
  observe::Gauge healthy;
  observe::Gauge degraded;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("health_check.attempt", self.attempt, "Health checks made");
    visitor("health_check.success", self.success, "Health checks that passed");
    visitor("health_check.failure", self.failure,
            "Health checks that failed, and failures that a host told by itself");
    visitor("health_check.passive_failure", self.passive_failure,
            "Answers with x-envoy-immediate-health-check-fail");
    visitor("health_check.network_failure", self.network_failure,
            "Health checks that failed for want of a connection, an answer or time");
    visitor("health_check.verify_cluster", self.verify_cluster,
            "Health checks that looked at the host's service name");
    visitor("health_check.skipped", self.skipped,
            "Commands that were not run because too many run already (Convoy's own)");
    visitor("health_check.relapse", self.relapse,
            "Hosts that went out again soon after they had come back (Convoy's own)");
    visitor("health_check.healthy", self.healthy, "Hosts that pass their health checks");
    visitor("health_check.degraded", self.degraded,
            "Hosts that pass their health checks and call themselves degraded");
  }
};

}  // namespace convoy::upstream
