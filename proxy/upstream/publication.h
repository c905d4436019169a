#pragma once

// What main tells the workers about clusters: built by ClusterManager, immutable, one object for
// all workers. A worker puts each into force within one turn.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/transport.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/breakers.h"
#include "proxy/upstream/cluster_metrics.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/host_set.h"
#include "proxy/upstream/outlier/recorder.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// The part of a cluster that all threads share, for as long as anyone uses the cluster.
struct ClusterShared {
  ClusterShared(observe::MetricRegistry& registry, const std::string& name, size_t workers)
      : metrics(registry, "cluster", {{"envoy_cluster_name", name}},
                static_cast<int>(workers) + 1) {}

  observe::MetricGroup<ClusterMetrics> metrics;  // the last slot is main's
  Breakers breakers;
  TellStreak tell_streak;  // both set before the first worker has it
  TellProbe tell_probe;
  // Requests under way that count against a bound on each host's share (PickContext).
  alignas(64) std::atomic<uint32_t> bounded_active{0};
};

struct ClusterUpdate {
  std::shared_ptr<ClusterShared> shared;
  std::shared_ptr<const ClusterSpec> spec;
  std::shared_ptr<net::TransportFactory> transport;  // null: plain text
  std::shared_ptr<const HostSet> hosts;
  // Hosts that are gone: their slots are free, and may be another's in `hosts`. Kept alive by this
  // list until every worker has let go of the set that they were in.
  std::vector<std::shared_ptr<const Host>> removed;
  // Hosts that stay and get no new requests.
  std::vector<std::shared_ptr<const Host>> draining;
  // Hosts that are not in `hosts` and get one request at a time.
  std::vector<std::shared_ptr<const Host>> half_open;
  bool panic = false;  // `hosts` are those of the spec's panic mode
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
