#include "proxy/upstream/removed_hosts.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream/host_state.h"

namespace convoy::upstream {

void RemovedHosts::add(const std::string& cluster, const std::shared_ptr<const Host>& host) {
  if (size_ >= sweep_at_) sweep();
  hosts_[cluster].push_back(host);
  ++size_;
}

void RemovedHosts::sweep() const {
  size_ = 0;
  for (auto& [cluster, hosts] : hosts_) {
    std::erase_if(hosts, [](const std::weak_ptr<const Host>& host) { return host.expired(); });
    size_ += hosts.size();
  }
  std::erase_if(hosts_, [](const auto& entry) { return entry.second.empty(); });
  sweep_at_ = std::max(kLeast, 2 * size_);
}

void RemovedHosts::forEach(const Visit& visit) const {
  sweep();
  for (const auto& [cluster, hosts] : hosts_) {
    for (const std::weak_ptr<const Host>& weak : hosts) {
      std::shared_ptr<const Host> host = weak.lock();
      if (host != nullptr && isAtWork(*host)) visit(cluster, std::move(host));
    }
  }
}

}  // namespace convoy::upstream
