#pragma once

// The seam between clusters and the active checks of their hosts: ClusterManager says which hosts
// are to be checked, and asks for verdicts when it puts a host set together. Main's thread only.
// The implementation is health/monitor.h.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/address.h"
#include "proxy/net/transport.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

struct ClusterShared;

// The verdict of our own checks. What the control plane says of a host (HealthStatus) holds as
// well: a host gets requests if neither is against it.
enum class ActiveHealth : uint8_t {
  NotChecked,  // the cluster has no check, or this host is left out of it
  Unknown,     // no check has passed or failed for good yet
  Healthy,
  Degraded,
  Unhealthy,
  Relapsed,  // passes again, but went out soon after it had come back: gets requests if nobody else
             // can take them, until it has passed for longer
};

struct CheckedHost {
  ActiveHealth health = ActiveHealth::NotChecked;
  std::string reason = {};  // of the last failure, while Unhealthy; what is missing, if Relapsed
  bool unanswered = false;  // it was for want of a connection, an answer or time
};

class HealthMonitor {
 public:
  // These are the cluster's check, transports (null: plain text) and hosts from now on. Verdicts on
  // hosts that stay are kept, whatever else changes.
  virtual void watch(const std::shared_ptr<ClusterShared>& shared,
                     const std::shared_ptr<const ClusterSpec>& spec,
                     const std::shared_ptr<net::TransportFactory>& transports,
                     const AssignmentSpec& hosts) = 0;
  virtual void forget(const std::string& cluster) = 0;
  // Of a cluster with a check: Unknown before the first verdict, also before watch().
  virtual CheckedHost check(const std::string& cluster, const net::Address& host) const = 0;
  // Called with the hosts whose verdict is another, by the names of their clusters.
  using Changed = std::map<std::string, std::vector<net::Address>>;
  virtual void onChanged(std::function<void(const Changed&)> callback) = 0;
  // Hosts of a cluster that this has still to be told of: check() knows already.
  virtual std::vector<net::Address> untold(const std::string& cluster) const = 0;
  // Called for each check that a host passes, of clusters whose outlier detection asks for it.
  using Passed = std::function<void(const std::string& cluster, const net::Address& host)>;
  virtual void onPassed(Passed callback) = 0;

 protected:
  ~HealthMonitor() = default;
};

}  // namespace convoy::upstream
