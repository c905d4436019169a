#pragma once

// A cluster's circuit breakers (envoy.config.cluster.v3.CircuitBreakers, DEFAULT priority): exact
// limits for the whole node, one padded atomic each, shared by the workers. A permit is never given
// beyond the limit, and never refused while one is free. The one exception is Envoy's: at the
// connection limit, a host that has no connection on this worker gets one all the same once there
// is no idle connection to take the place of (counted in upstream_cx_overflow), since nothing else
// would ever let its requests go on.
//
// max_requests costs nothing where connections bound it: an HTTP/1.1 request holds a connection, so
// with max_requests >= max_connections (as in Envoy's defaults) the latter's limit implies it.

#include <atomic>
#include <cstdint>
#include <limits>

#include "proxy/upstream/spec.h"

namespace convoy::upstream {

class Limit {
 public:
  bool tryAcquire(uint32_t most) {
    uint32_t used = used_.load(std::memory_order_relaxed);
    while (used < most) {
      if (used_.compare_exchange_weak(used, used + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  // Beyond the limit; says so.
  void acquireAnyway() { used_.fetch_add(1, std::memory_order_relaxed); }
  void release() { used_.fetch_sub(1, std::memory_order_relaxed); }
  uint32_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<uint32_t> used_{0};
};

// The counts outlive a change of the limits: the limits in force come from the present spec.
struct Breakers {
  Limit connections;
  Limit pending;
  Limit requests;  // touched only if countsRequests()
  Limit retries;
  // Requests to hosts that come back after an outage; the most is set by main (outlier/governor.h).
  Limit recovering;
  std::atomic<uint32_t> most_recovering{std::numeric_limits<uint32_t>::max()};

  static bool countsRequests(const ClusterSpec& spec) {
    return spec.protocol != UpstreamProtocol::Http1 ||
           spec.breakers.max_requests < spec.breakers.max_connections;
  }
};

}  // namespace convoy::upstream
