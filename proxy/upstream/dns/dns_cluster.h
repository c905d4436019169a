#pragma once

// The names of one cluster by one spec, and the hosts that they come to: an assignment as EDS would
// bring it. Owner: DnsDiscovery; thread: main's.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proxy/upstream/dns/dns_name.h"

namespace convoy::upstream {

class DnsCluster {
 public:
  // Called after each look-up of a name; it may not destroy the cluster.
  using OnLookedUp = std::function<void(bool changed)>;

  // REQUIRES: spec->dns. Looking up begins with start(). The metrics outlive it.
  DnsCluster(const DnsEnvironment& environment, DnsMetrics& metrics,
             std::shared_ptr<const ClusterSpec> spec, OnLookedUp on_looked_up);
  DnsCluster(const DnsCluster&) = delete;
  DnsCluster& operator=(const DnsCluster&) = delete;

  // Once. Takes over what the former spec's names have found; null: there is none.
  void start(const DnsCluster* before);

  const ClusterSpec& spec() const { return *spec_; }
  // Each name was looked up at least once, with whatever result.
  bool settled() const;
  // A new one for each call. Endpoints that are addresses come first in their locality, then the
  // hosts of the names, in the order of the spec.
  std::shared_ptr<const AssignmentSpec> assignment() const;
  // Of the name that has waited longest for a good answer; of no name, the present.
  event::MonotonicTime oldestGoodAt() const;
  const std::map<std::string, std::unique_ptr<DnsName>>& names() const { return names_; }

 private:
  const DnsEnvironment& environment_;
  const std::shared_ptr<const ClusterSpec> spec_;
  std::map<std::string, std::unique_ptr<DnsName>> names_;
};

}  // namespace convoy::upstream
