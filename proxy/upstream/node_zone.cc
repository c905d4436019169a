#include "proxy/upstream/node_zone.h"

#include <utility>

namespace convoy::upstream {

void NodeZone::set(LocalityName locality, std::string local_cluster) {
  own_ = std::move(locality);
  local_cluster_ = std::move(local_cluster);
}

Grouping NodeZone::grouping(const GroupingSpec& spec) const {
  return {.spec = spec, .own = own_, .callers = callers_.has_value() ? &*callers_ : nullptr};
}

void NodeZone::note(const std::string& cluster, const AssignmentSpec& hosts,
                    const Membership::Counts& counts, bool panic) {
  if (local_cluster_.empty() || cluster != local_cluster_) return;
  std::optional<CallersByLocality> callers;
  for (size_t i = 0; !panic && i < counts.healthy_by_locality.size(); ++i) {
    const uint32_t healthy = counts.healthy_by_locality[i];
    if (healthy == 0) continue;
    if (!callers.has_value()) callers.emplace();
    const LocalitySpec& locality = hosts.localities[i];
    (*callers)[{locality.region, locality.zone, locality.sub_zone}] += healthy;
  }
  setCallers(std::move(callers));
}

void NodeZone::forget(const std::string& cluster) {
  if (!local_cluster_.empty() && cluster == local_cluster_) setCallers(std::nullopt);
}

void NodeZone::setCallers(std::optional<CallersByLocality> callers) {
  if (callers == callers_) return;
  callers_ = std::move(callers);
  changed_ = true;
}

bool NodeZone::takeChanged() {
  return std::exchange(changed_, false);
}

bool NodeZone::concerns(const ClusterSpec& spec) const {
  if (spec.grouping.localities != GroupingSpec::Localities::ZoneAware) return false;
  if (spec.grouping.zone_percent <= 0) return false;
  // If nobody knows where the callers are, the node's own cluster has nobody to tell, or goes.
  return spec.name != local_cluster_ || callers_.has_value();
}

}  // namespace convoy::upstream
