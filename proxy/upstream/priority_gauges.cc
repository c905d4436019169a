#include "proxy/upstream/priority_gauges.h"

#include <utility>

namespace convoy::upstream {

PriorityGauges::PriorityGauges(observe::MetricRegistry& registry, std::string cluster)
    : registry_(registry), cluster_(std::move(cluster)) {}

void PriorityGauges::show(const Membership::Counts& counts) {
  const bool several = counts.by_priority.size() > 1;
  std::erase_if(by_priority_, [&](const auto& entry) {
    return !several || !counts.by_priority.contains(entry.first);
  });
  if (!several) return;
  for (const auto& [priority, of_priority] : counts.by_priority) {
    const observe::Labels labels{{"envoy_cluster_name", cluster_},
                                 {"envoy_priority", std::to_string(priority)}};
    auto& group =
        by_priority_.try_emplace(priority, registry_, "cluster", labels, /*slots=*/1).first->second;
    PriorityMetrics& metrics = group.slot(0);
    metrics.total.set(of_priority.total);
    metrics.healthy.set(of_priority.healthy);
    metrics.degraded.set(of_priority.degraded);
  }
}

}  // namespace convoy::upstream
