#pragma once

// A cluster's circuit breakers (envoy.config.cluster.v3.CircuitBreakers): exact limits for the
// whole node (limit.h), one padded atomic each, shared by the workers. Each priority has its own.
// None of them is ever exceeded. Envoy opens a connection beyond the limit where a host has none on
// a worker, since nothing else would let its requests go on there; here they wait, and other hosts
// and workers make way (permit_queues.h).
// A connection that only sends the rest of what a tunnel's client said (closing_connections.h) is
// not counted any more.
//
// max_requests costs nothing where connections bound it: an HTTP/1.1 request holds a connection, so
// with max_requests >= max_connections (as in Envoy's defaults) the latter's limit implies it.
// Unless somebody wants to see the count (track_remaining), or it is that of HIGH priority and
// there is a retry budget, which tells the requests of the priorities apart by it.

#include <atomic>
#include <cstdint>
#include <limits>

#include "proxy/upstream/limit.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// The counts outlive a change of the limits: the limits in force come from the present spec.
struct PriorityBreakers {
  alignas(64) Limit connections;
  Limit leaving;  // of those: with streams that end before others get the permits
  alignas(64) Limit pending;
  alignas(64) Limit requests;  // touched only if countsRequests()
  alignas(64) Limit retries;
};

// Those of DEFAULT priority by themselves.
struct Breakers : PriorityBreakers {
  PriorityBreakers high;
  // Requests to hosts that come back after an outage; the most is set by main (outlier/governor.h).
  alignas(64) Limit recovering;
  std::atomic<uint32_t> most_recovering{std::numeric_limits<uint32_t>::max()};

  PriorityBreakers& of(Priority priority) { return priority == Priority::High ? high : *this; }
  const PriorityBreakers& of(Priority priority) const {
    return priority == Priority::High ? high : *this;
  }

  static bool countsRequests(const ClusterSpec& spec, Priority priority = Priority::Default) {
    const CircuitBreakers& limits = spec.breakersOf(priority);
    return spec.protocol != UpstreamProtocol::Http1 || limits.track_remaining ||
           limits.max_requests < limits.max_connections ||
           (priority == Priority::High && (spec.breakers.retry_budget.has_value() ||
                                           spec.high_breakers.retry_budget.has_value()));
  }
};

}  // namespace convoy::upstream
