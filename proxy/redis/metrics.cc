#include "proxy/redis/metrics.h"

namespace convoy::redis {

ClientMetricGroups::ClientMetricGroups(observe::MetricRegistry& registry, size_t workers)
    : registry_(registry), slots_(static_cast<int>(workers)) {}

std::shared_ptr<ClientMetricGroup> ClientMetricGroups::of(const std::string& cluster) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(groups_, [](const auto& named) { return named.second.expired(); });
  std::weak_ptr<ClientMetricGroup>& known = groups_[cluster];
  std::shared_ptr<ClientMetricGroup> group = known.lock();
  if (group == nullptr) {
    group = std::make_shared<ClientMetricGroup>(
        registry_, "redis", observe::Labels{{"envoy_cluster_name", cluster}}, slots_);
    known = group;
  }
  return group;
}

}  // namespace convoy::redis
