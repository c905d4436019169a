#pragma once

// How the hosts of each priority are, as gauges (cluster.NAME.PRIORITY.priority_*): of clusters
// that have several. Main's thread only.

#include <map>
#include <string>

#include "proxy/observe/metrics.h"
#include "proxy/upstream/membership.h"

namespace convoy::upstream {

struct PriorityMetrics {
  observe::Gauge total;
  observe::Gauge healthy;
  observe::Gauge degraded;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("priority_total", self.total, "Hosts of the priority (Convoy's own)");
    visitor("priority_healthy", self.healthy, "Healthy hosts of the priority (Convoy's own)");
    visitor("priority_degraded", self.degraded, "Degraded hosts of the priority (Convoy's own)");
  }
};

class PriorityGauges {
 public:
  // The registry outlives this object.
  PriorityGauges(observe::MetricRegistry& registry, std::string cluster);

  // Priorities that are gone have no gauges.
  void show(const Membership::Counts& counts);

 private:
  observe::MetricRegistry& registry_;
  const std::string cluster_;
  std::map<uint32_t, observe::MetricGroup<PriorityMetrics>> by_priority_;
};

}  // namespace convoy::upstream
