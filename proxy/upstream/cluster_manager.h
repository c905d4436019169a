#pragma once

// Clusters on main: takes specs and assignments (from the bootstrap, from CDS and EDS), keeps which
// hosts exist, and publishes to the workers. Main's thread only, but for worker().
//
// One apply() is one message per worker, so a worker sees all of it or nothing. What it costs:
//   a cluster or assignment that did not change  nothing
//   a changed assignment       one new host array on main; on each worker a pointer, and a visit to
//                              the pools of hosts that are gone or began to drain
//   a changed cluster          the new settings hold for what is opened from then on; connections
//                              stay, but for a change of protocol or bind address, which drains
//                              them
// A removed host takes no new requests; those that run or wait finish. A removed cluster likewise.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/health_monitor.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/host_state.h"
#include "proxy/upstream/outlier/detector.h"
#include "proxy/upstream/spec.h"
#include "proxy/upstream/upstream_io.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::upstream {

struct ClusterChanges {
  std::vector<std::shared_ptr<const ClusterSpec>> clusters = {};  // new or changed
  // By cluster name; of clusters above or known already. A Static cluster takes its assignment from
  // its spec unless it is named here.
  std::vector<std::pair<std::string, std::shared_ptr<const AssignmentSpec>>> assignments = {};
  std::vector<std::string> removed = {};
};

// Makes the transports of a cluster that has a transport (TLS).
using MakeTransports =
    std::function<std::shared_ptr<net::TransportFactory>(const ClusterSpec& spec)>;

class ClusterManager {
 public:
  // For the admin endpoint.
  struct HostView {
    const Host& host;
    const EndpointSpec& spec;
    const LocalitySpec& locality;
    bool eligible;  // new requests may go to it
    CheckedHost checked = {};
    bool leaving = false;  // discovery has taken it away; it stays while its checks pass
    EjectionView ejection = {};

    HostStanding standing() const { return standingOf(spec.health, checked, ejection); }
  };
  struct ClusterView {
    const ClusterSpec& spec;
    const AssignmentSpec* assignment;  // null: none was received yet
    std::vector<HostView> hosts;
  };
  struct RemovedHost {
    std::string cluster;  // which may be gone as well
    std::shared_ptr<const Host> host;
  };

  // io makes sockets and codecs for the workers; it, the loops and the registry outlive this
  // object.
  ClusterManager(event::Loop& main, std::vector<event::Loop*> workers,
                 observe::MetricRegistry& registry, UpstreamIo& io);
  // Workers are shut down by posting; when their loops have ended already, call
  // worker(i).shutdown() on their threads before.
  ~ClusterManager();
  ClusterManager(const ClusterManager&) = delete;
  ClusterManager& operator=(const ClusterManager&) = delete;

  // Before the first cluster that has a transport.
  void makeTransportsBy(MakeTransports make);
  // Before the first cluster that has a health check. It outlives this object.
  void monitorHealthBy(HealthMonitor& monitor);
  // Where this node is, and which cluster it is part of (empty: none is named): for clusters that
  // are zone-aware. Before the first cluster.
  void setNode(LocalityName locality, std::string local_cluster);
  // One publication. on_everywhere, if given, runs on main once every worker has it.
  void apply(const ClusterChanges& changes, std::function<void()> on_everywhere = nullptr);

  bool has(std::string_view name) const;
  size_t size() const;
  // Called when another state of a host (host_state.h) is in force on main: by a verdict of our own
  // checks or the outlier detection, or since it is to leave or has gone.
  void onHostStateChanged(std::function<void()> callback);
  // In the order of names.
  void forEach(const std::function<void(const ClusterView&)>& visit) const;
  // Hosts that were removed, each by itself or with its cluster, and that still have connections or
  // requests; in the order of the clusters' names.
  std::vector<RemovedHost> removedHosts() const;

  // For the worker itself; good as long as this object.
  WorkerClusters& worker(size_t index);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::upstream
