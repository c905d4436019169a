#include "proxy/upstream/cluster_manager.h"

#include <atomic>
#include <map>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/membership.h"
#include "proxy/upstream/publication.h"

namespace convoy::upstream {

namespace {

template <class Spec>
bool same(const std::shared_ptr<const Spec>& a, const std::shared_ptr<const Spec>& b) {
  return a == b ||
         (a != nullptr && b != nullptr && !a->version.empty() && a->version == b->version);
}

bool connectionsFit(const ClusterSpec& before, const ClusterSpec& now) {
  return before.protocol == now.protocol && before.bind_to == now.bind_to &&
         before.transport_hash == now.transport_hash;
}

// Tells main when the last worker has arrived.
struct Arrivals {
  Arrivals(size_t workers, std::function<void()> then) : missing(workers), then(std::move(then)) {}
  void tellMain(event::Loop& main) {
    if (then) main.post(std::move(then));
  }
  std::atomic<size_t> missing;
  std::function<void()> then;
};

}  // namespace

class ClusterManager::Impl {
 public:
  Impl(event::Loop& main, std::vector<event::Loop*> workers, observe::MetricRegistry& registry,
       UpstreamIo& io)
      : main_(main), workers_(std::move(workers)), registry_(registry) {
    for (size_t i = 0; i < workers_.size(); ++i) {
      worker_clusters_.push_back(
          std::make_shared<WorkerClusters>(*workers_[i], io, i, workers_.size()));
    }
  }

  ~Impl() {
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (workers_[i]->isOwnThread()) {
        worker_clusters_[i]->shutdown();
      } else {
        // Until then the worker may pick any host.
        workers_[i]->post(
            [clusters = worker_clusters_[i], hosts = clusters_] { clusters->shutdown(); });
      }
    }
  }

  void apply(const ClusterChanges& changes, std::function<void()> on_everywhere) {
    CONVOY_ASSERT(main_.isOwnThread());
    auto publication = std::make_shared<Publication>();
    Pending pending;
    for (const auto& spec : changes.clusters) applySpec(spec, pending);
    for (const auto& [name, assignment] : changes.assignments) {
      const auto found = clusters_.find(name);
      if (found != clusters_.end()) applyAssignment(*found->second, assignment, pending[name]);
    }
    for (auto& [name, change] : pending) {
      if (change.dirty) publication->updates.push_back(updateOf(*clusters_.at(name), change));
    }
    for (const std::string& name : changes.removed) {
      const auto found = clusters_.find(name);
      if (found == clusters_.end()) continue;
      retired_[name] = found->second->shared;
      publication->removed.push_back({name, std::move(found->second)});
      clusters_.erase(found);
    }
    publish(std::move(publication), std::move(on_everywhere));
  }

  void makeTransportsBy(MakeTransports make) { make_transports_ = std::move(make); }

  bool has(std::string_view name) const { return clusters_.find(name) != clusters_.end(); }
  size_t size() const { return clusters_.size(); }
  WorkerClusters& worker(size_t index) { return *worker_clusters_[index]; }

  void forEach(const std::function<void(const ClusterView&)>& visit) const {
    for (const auto& [name, cluster] : clusters_) {
      visit({*cluster->spec, cluster->assignment.get(), viewHosts(*cluster)});
    }
  }

 private:
  struct Cluster {
    Cluster(std::shared_ptr<ClusterShared> shared, size_t workers)
        : shared(std::move(shared)), membership(workers) {}
    const std::shared_ptr<ClusterShared> shared;
    std::shared_ptr<const ClusterSpec> spec;
    std::shared_ptr<const AssignmentSpec> assignment;
    std::shared_ptr<net::TransportFactory> transport;  // null: plain text
    Membership membership;
  };
  // What one apply() did to one cluster.
  struct Change {
    bool dirty = false;
    bool drain_connections = false;
    std::vector<std::shared_ptr<const Host>> removed;
    std::vector<std::shared_ptr<const Host>> draining;
  };
  using Pending = std::map<std::string, Change>;

  void applySpec(const std::shared_ptr<const ClusterSpec>& spec, Pending& pending) {
    std::shared_ptr<Cluster>& entry = clusters_[spec->name];
    const bool added = entry == nullptr;
    if (added) entry = std::make_shared<Cluster>(sharedFor(spec->name), workers_.size());
    Cluster& cluster = *entry;
    if (!added && same(cluster.spec, spec)) return;
    Change& change = pending[spec->name];
    change.dirty = true;
    if (!added && !connectionsFit(*cluster.spec, *spec)) change.drain_connections = true;
    // An unchanged one keeps its sessions.
    if (added || cluster.spec->transport_hash != spec->transport_hash) {
      cluster.transport = spec->transport == nullptr ? nullptr : make_transports_(*spec);
    }
    cluster.spec = spec;
    if (spec->assignment != nullptr) applyAssignment(cluster, spec->assignment, change);
  }

  void applyAssignment(Cluster& cluster, const std::shared_ptr<const AssignmentSpec>& assignment,
                       Change& change) {
    if (same(cluster.assignment, assignment)) return;
    cluster.assignment = assignment;
    Membership::Change hosts = cluster.membership.update(*assignment);
    ClusterMetrics& metrics = cluster.shared->metrics.slot(static_cast<int>(workers_.size()));
    const Membership::Counts& counts = cluster.membership.counts();
    metrics.assignment_update.add();
    metrics.membership_total.set(counts.total);
    metrics.membership_healthy.set(counts.healthy);
    metrics.membership_degraded.set(counts.degraded);
    metrics.membership_excluded.set(counts.excluded);
    metrics.max_host_weight.set(counts.max_weight);
    if (!hosts.changed) return;
    metrics.membership_change.add();
    change.dirty = true;
    std::move(hosts.removed.begin(), hosts.removed.end(), std::back_inserter(change.removed));
    std::move(hosts.draining.begin(), hosts.draining.end(), std::back_inserter(change.draining));
  }

  // A cluster that comes back while requests of its former life still run goes on with the same
  // counts: two groups of metrics with one name would be shown.
  std::shared_ptr<ClusterShared> sharedFor(const std::string& name) {
    const auto found = retired_.find(name);
    std::shared_ptr<ClusterShared> shared;
    if (found != retired_.end()) shared = found->second.lock();
    std::erase_if(retired_, [](const auto& entry) { return entry.second.expired(); });
    if (shared == nullptr) {
      shared = std::make_shared<ClusterShared>(registry_, name, workers_.size());
    }
    return shared;
  }

  static ClusterUpdate updateOf(const Cluster& cluster, Change& change) {
    return {.shared = cluster.shared,
            .spec = cluster.spec,
            .transport = cluster.transport,
            .hosts = cluster.membership.hosts(),
            .removed = std::move(change.removed),
            .draining = std::move(change.draining),
            .drain_connections = change.drain_connections};
  }

  void publish(std::shared_ptr<const Publication> publication, std::function<void()> then) {
    auto arrivals = std::make_shared<Arrivals>(workers_.size(), std::move(then));
    if (workers_.empty()) arrivals->tellMain(main_);
    for (size_t i = 0; i < workers_.size(); ++i) {
      workers_[i]->post([clusters = worker_clusters_[i], publication, arrivals, &main = main_] {
        clusters->apply(*publication);
        if (arrivals->missing.fetch_sub(1, std::memory_order_acq_rel) == 1) {
          arrivals->tellMain(main);
        }
      });
    }
  }

  std::vector<HostView> viewHosts(const Cluster& cluster) const {
    std::vector<HostView> hosts;
    if (cluster.assignment == nullptr) return hosts;
    std::map<const Host*, bool> eligible;
    for (const HostSet::Entry& entry : cluster.membership.hosts()->entries()) {
      eligible[entry.host] = true;
    }
    std::map<const Host*, bool> seen;
    for (const LocalitySpec& locality : cluster.assignment->localities) {
      for (const EndpointSpec& endpoint : locality.endpoints) {
        const Host* host = cluster.membership.find(endpoint.address);
        if (host == nullptr || std::exchange(seen[host], true)) continue;
        hosts.push_back({*host, endpoint, locality, eligible.count(host) > 0});
      }
    }
    return hosts;
  }

  event::Loop& main_;
  const std::vector<event::Loop*> workers_;
  observe::MetricRegistry& registry_;
  MakeTransports make_transports_;
  std::vector<std::shared_ptr<WorkerClusters>> worker_clusters_;
  std::map<std::string, std::shared_ptr<Cluster>, std::less<>> clusters_;
  std::map<std::string, std::weak_ptr<ClusterShared>> retired_;
};

ClusterManager::ClusterManager(event::Loop& main, std::vector<event::Loop*> workers,
                               observe::MetricRegistry& registry, UpstreamIo& io)
    : impl_(std::make_unique<Impl>(main, std::move(workers), registry, io)) {}

ClusterManager::~ClusterManager() = default;

void ClusterManager::apply(const ClusterChanges& changes, std::function<void()> on_everywhere) {
  impl_->apply(changes, std::move(on_everywhere));
}

void ClusterManager::makeTransportsBy(MakeTransports make) {
  impl_->makeTransportsBy(std::move(make));
}

bool ClusterManager::has(std::string_view name) const {
  return impl_->has(name);
}

size_t ClusterManager::size() const {
  return impl_->size();
}

void ClusterManager::forEach(const std::function<void(const ClusterView&)>& visit) const {
  impl_->forEach(visit);
}

WorkerClusters& ClusterManager::worker(size_t index) {
  return impl_->worker(index);
}

}  // namespace convoy::upstream
