#pragma once

// What main tells the workers about clusters: built by ClusterManager, immutable, one object for
// all workers. A worker puts each into force within one turn.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/net/transport.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/breaker_gauges.h"
#include "proxy/upstream/breakers.h"
#include "proxy/upstream/cluster_metrics.h"
#include "proxy/upstream/half_open.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/host_groups.h"
#include "proxy/upstream/outlier/recorder.h"
#include "proxy/upstream/permit_queues.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// A worker has no connection to hosts that are at their limits. Main has the others give up some
// that they do not need (HostPool::spare()), as many as requests wait, and tells the worker when
// they have (WorkerClusters::onConnectionsGivenUp).
struct ConnectionAsk {
  size_t worker = 0;
  uint32_t requests = 0;  // at least as many as still wait
  // Where they may go: groups of the worker's snapshot (others may have another one for a moment),
  // and single hosts, with their slots. Those may be gone: to be compared only.
  std::vector<uint32_t> groups;
  std::vector<std::pair<const Host*, uint32_t>> hosts;
};
using AskForConnections = std::function<void(ConnectionAsk ask)>;

// The part of a cluster that all threads share, for as long as anyone uses the cluster.
struct ClusterShared {
  ClusterShared(observe::MetricRegistry& registry, const std::string& name, size_t workers)
      : metrics(registry, "cluster", {{"envoy_cluster_name", name}}, static_cast<int>(workers) + 1),
        breaker_gauges(
            registry, {{"envoy_cluster_name", name}}, breakers,
            [this, workers](Priority priority) { return requestsUnderWay(workers, priority); }),
        permits(workers) {}

  // Or waiting for a connection, on all workers; where a retry budget asks for it
  // (Breakers::countsRequests). Any thread.
  int64_t requestsUnderWay(size_t workers, Priority priority) {
    const int64_t high = int64_t{breakers.high.requests.used()} + breakers.high.pending.used();
    if (priority == Priority::High) return high;
    int64_t requests = -high;
    for (size_t i = 0; i < workers; ++i) {
      const ClusterMetrics& of_worker = metrics.slot(static_cast<int>(i));
      requests +=
          of_worker.upstream_rq_active.value() + of_worker.upstream_rq_pending_active.value();
    }
    return requests;
  }

  observe::MetricGroup<ClusterMetrics> metrics;  // the last slot is main's
  Breakers breakers;
  BreakerGauges breaker_gauges;
  PermitQueues permits;  // of connections, where the breakers or a host's limits have none left
  AskForConnections ask_for_connections;  // set before the first worker has it, like those below
  TellStreak tell_streak;
  TellProbe tell_probe;
  // Requests under way that count against a bound on each host's share (PickContext).
  alignas(64) std::atomic<uint32_t> bounded_active{0};
};

struct ClusterUpdate {
  std::shared_ptr<ClusterShared> shared;
  std::shared_ptr<const ClusterSpec> spec;
  std::shared_ptr<net::TransportFactory> transport;  // null: plain text
  std::shared_ptr<const HostGroups> hosts;
  // Hosts that are gone: their slots are free, and may be another's in `hosts`. Kept alive by this
  // list until every worker has let go of the set that they were in.
  std::vector<std::shared_ptr<const Host>> removed;
  // Hosts that stay and get no new requests.
  std::vector<std::shared_ptr<const Host>> draining;
  std::vector<HalfOpenHost> half_open;
  bool panic = false;          // some of `hosts` are those of the spec's panic mode
  bool limited_hosts = false;  // some of `hosts` have limits of their own (host_limits.h)
  // Connections made by the former spec are of no use for this one.
  bool drain_connections = false;
};

struct Publication {
  struct Removed {
    std::string name;
    std::shared_ptr<const void> hosts;  // keeps them alive, like ClusterUpdate::removed
  };
  std::vector<ClusterUpdate> updates;
  std::vector<Removed> removed;
};

}  // namespace convoy::upstream
