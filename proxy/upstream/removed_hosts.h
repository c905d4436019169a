#pragma once

// Hosts that their clusters have no more, for people to see as long as anything is left to do
// there. Nobody counts for that: workers keep a host alive while it has connections, and its
// metrics say how many. Main's thread only.
//
// Hosts that nobody keeps alive are forgotten when somebody looks, and whenever the list has
// doubled, so it is at most twice as long as the hosts are many that workers still had then, and
// kLeast.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/upstream/host.h"

namespace convoy::upstream {

class RemovedHosts {
 public:
  static constexpr size_t kLeast = 64;

  void add(const std::string& cluster, const std::shared_ptr<const Host>& host);

  // Those that have connections or requests; in the order of the clusters' names, and of a cluster
  // the one that was removed first in front. A cluster may have come back since, and the address
  // with it, as another host.
  using Visit = std::function<void(const std::string& cluster, std::shared_ptr<const Host> host)>;
  void forEach(const Visit& visit) const;

  size_t sizeForTest() const { return size_; }

 private:
  void sweep() const;

  // An address may be among them more than once. Two clusters never share a host.
  mutable std::map<std::string, std::vector<std::weak_ptr<const Host>>> hosts_;
  mutable size_t size_ = 0;
  mutable size_t sweep_at_ = kLeast;
};

}  // namespace convoy::upstream
