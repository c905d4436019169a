#pragma once

// A cluster as one worker sees it: what the router talks to. Worker's thread only.
//
//   WorkerCluster* cluster = clusters.find(route.cluster());      // null: ClusterNotFound
//   PickResult picked = cluster->pick({...});                     // None: NoHealthyUpstream
//   HostRef host = picked.lease.ref();                            // pins the address for the log
//   pending = cluster->newStream(std::move(picked.lease), receiver, callbacks);
//   ...
//   cluster->countResponse(host, status, duration);
//
// The host set is read at the pick and never held over a turn. A WorkerCluster lives while main
// knows the cluster and, after that, while any HostRef to one of its hosts lives.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/upstream/breakers.h"
#include "proxy/upstream/cluster_metrics.h"
#include "proxy/upstream/conn_pool.h"
#include "proxy/upstream/load_balancer.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

struct PickResult {
  Pick::Kind kind = Pick::Kind::None;
  HostLease lease;  // set if kind is Host
};

class WorkerCluster {
 public:
  const ClusterSpec& spec() const;
  const std::string& name() const { return spec().name; }
  ClusterMetrics& metrics();  // this worker's

  // Chooses a host for one request. tried: hosts that this request failed on, passed over while
  // there is another. With a waiter the answer may be Later: the waiter is told when to pick again.
  PickResult pick(std::span<const Host* const> tried = {}, PickWaiter* waiter = nullptr);

  // A stream to that host. Null if one of the callbacks was called from inside (a connection was
  // ready, or a circuit breaker refused); else what can be cancelled.
  PendingStream* newStream(HostLease lease, http::ResponseReceiver& receiver,
                           PoolCallbacks& callbacks);

  // Called by the router once per request that was sent: the final status (0: none came), and the
  // time from the request's start.
  void countResponse(const HostRef& host, uint16_t status, event::Duration took);
  // In addition to countResponse() if the response did not come in time.
  void countTimeout(const HostRef& host);

  // The retry circuit breaker. True: a retry may be made; endRetry() gives the place back.
  bool tryStartRetry();
  void endRetry();
};

// All clusters of one worker. Names are looked up once per request.
class WorkerClusters {
 public:
  // Null if there is no such cluster. The pointer is good for this turn; a HostRef makes it last.
  WorkerCluster* find(std::string_view name);

  // Worker's thread, when its loop is about to end or has ended: closes every connection, resets
  // every stream, and forgets the clusters. Later publications do nothing.
  void shutdown();
};

}  // namespace convoy::upstream
