#include "proxy/upstream/cluster_manager.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/algorithms/registry.h"
#include "proxy/upstream/cluster_guard.h"
#include "proxy/upstream/cluster_limits.h"
#include "proxy/upstream/half_open.h"
#include "proxy/upstream/health/spec.h"
#include "proxy/upstream/membership.h"
#include "proxy/upstream/node_zone.h"
#include "proxy/upstream/priority_gauges.h"
#include "proxy/upstream/publication.h"
#include "proxy/upstream/removed_hosts.h"
#include "proxy/upstream/retained_hosts.h"

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

uint64_t checkHash(const ClusterSpec& spec) {
  return spec.health_check == nullptr ? 0 : spec.health_check->hash;
}

// One of them may have been out before, for another reason.
bool namesDraining(const AssignmentSpec& assignment) {
  return std::ranges::any_of(assignment.localities, [](const LocalitySpec& locality) {
    return std::ranges::any_of(locality.endpoints, [](const EndpointSpec& endpoint) {
      return endpoint.health == HealthStatus::Draining;
    });
  });
}

const std::vector<net::Address> kNobody;

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
    sends_looks_->store(false);
    if (health_ != nullptr) {
      health_->onChanged(nullptr);
      health_->onPassed(nullptr);
    }
    for (auto& [name, cluster] : clusters_) endTimers(*cluster);
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
    for (const std::string& name : changes.removed) zone_.forget(name);
    refreshZones(pending);
    bool other_states = false;
    for (auto& [name, change] : pending) {
      Cluster& cluster = *clusters_.at(name);
      watchHealth(cluster, change);
      other_states |= change.other_states || !change.removed.empty() || !change.draining.empty();
      if (change.dirty) publication->updates.push_back(updateOf(cluster, change));
    }
    for (const std::string& name : changes.removed) {
      const auto found = clusters_.find(name);
      if (found == clusters_.end()) continue;
      noteRemoved(*found->second);
      other_states = true;
      retired_[name] = found->second->shared;
      if (health_ != nullptr) health_->forget(name);
      endTimers(*found->second);
      publication->removed.push_back({name, std::move(found->second)});
      clusters_.erase(found);
    }
    publish(std::move(publication), std::move(on_everywhere));
    if (other_states && on_host_state_) on_host_state_();
  }

  void makeTransportsBy(MakeTransports make) { make_transports_ = std::move(make); }

  void setNode(LocalityName locality, std::string local_cluster) {
    zone_.set(std::move(locality), std::move(local_cluster));
  }

  void monitorHealthBy(HealthMonitor& monitor) {
    health_ = &monitor;
    monitor.onChanged([this](const HealthMonitor::Changed& changed) { applyHealth(changed); });
    monitor.onPassed([this](const std::string& name, const net::Address& host) {
      if (Guard* const guard = guardOf(name)) guard->onCheckPassed(host);
    });
  }
  void onHostStateChanged(std::function<void()> callback) { on_host_state_ = std::move(callback); }

  bool has(std::string_view name) const { return clusters_.find(name) != clusters_.end(); }
  size_t size() const { return clusters_.size(); }
  WorkerClusters& worker(size_t index) { return *worker_clusters_[index]; }

  void forEach(const std::function<void(const ClusterView&)>& visit) const {
    for (const auto& [name, cluster] : clusters_) {
      visit({*cluster->spec, cluster->assignment.get(), viewHosts(*cluster)});
    }
  }
  std::vector<RemovedHost> removedHosts() const {
    std::vector<RemovedHost> hosts;
    removed_hosts_.forEach([&](const std::string& cluster, std::shared_ptr<const Host> host) {
      hosts.push_back({cluster, std::move(host)});
    });
    return hosts;
  }

 private:
  struct Cluster {
    Cluster(Impl& impl, std::shared_ptr<ClusterShared> of, const std::string& name)
        : shared(std::move(of)),
          membership(impl.workers_.size()),
          priorities(impl.registry_, name),
          guard(impl.main_, impl.registry_, shared, impl.mainMetrics(*this),
                [&impl, name](const std::vector<net::Address>* of) { impl.applyHealth(name, of); }),
          limits(impl.main_, [&impl, name] { impl.applyHealth(name, nullptr); }) {}
    const std::shared_ptr<ClusterShared> shared;
    std::shared_ptr<const ClusterSpec> spec;
    std::shared_ptr<const AssignmentSpec> assignment;
    std::shared_ptr<const AssignmentSpec> hosts;       // of `assignment`, and those retained
    std::shared_ptr<net::TransportFactory> transport;  // null: plain text
    std::shared_ptr<net::TransportFactory> check_transport;
    Membership membership;
    PriorityGauges priorities;
    ClusterGuard guard;
    ClusterLimits limits;
  };
  // What one apply() did to one cluster.
  struct Change {
    bool dirty = false;
    bool drain_connections = false;
    bool other_checks = false;  // what is checked, or how
    bool other_states = false;  // maybe, besides those of `removed` and `draining`
    std::vector<std::shared_ptr<const Host>> removed;
    std::vector<std::shared_ptr<const Host>> draining;
  };
  using Pending = std::map<std::string, Change>;

  void applySpec(const std::shared_ptr<const ClusterSpec>& spec, Pending& pending) {
    std::shared_ptr<Cluster>& entry = clusters_[spec->name];
    const bool added = entry == nullptr;
    if (added) entry = std::make_shared<Cluster>(*this, sharedFor(spec->name), spec->name);
    Cluster& cluster = *entry;
    if (!added && same(cluster.spec, spec)) return;
    Change& change = pending[spec->name];
    change.dirty = true;
    if (!added && !connectionsFit(*cluster.spec, *spec)) change.drain_connections = true;
    // An unchanged one keeps its sessions.
    const bool other_transport = added || cluster.spec->transport_hash != spec->transport_hash;
    const bool other_check = added || checkHash(*cluster.spec) != checkHash(*spec);
    if (other_transport) {
      cluster.transport = spec->transport == nullptr ? nullptr : make_transports_(*spec);
    }
    if (other_transport || other_check) cluster.check_transport = transportOfChecks(*spec);
    if (added || cluster.spec->balancing != spec->balancing) {
      cluster.membership.makeTablesBy(algorithms::hashTableMaker(spec->balancing));
    }
    const bool other_limits =
        !added && (cluster.spec->balancing.slow_start != spec->balancing.slow_start ||
                   cluster.spec->max_connections_per_host != spec->max_connections_per_host);
    const bool other_grouping = added || cluster.spec->grouping != spec->grouping;
    cluster.spec = spec;
    change.other_checks = true;
    cluster.shared->breaker_gauges.setLimits(*spec);
    const bool other_guard = cluster.guard.configure(*spec);
    cluster.limits.configure(*spec, *cluster.membership.hosts());
    if (spec->assignment != nullptr) applyAssignment(cluster, spec->assignment, change);
    // A check, a limit, or a rule about failing hosts or the division of hosts, that is another, or
    // gone.
    if ((other_check || other_guard || other_limits || other_grouping) &&
        cluster.assignment != nullptr) {
      refreshHosts(cluster, change);
    }
  }

  std::shared_ptr<net::TransportFactory> transportOfChecks(const ClusterSpec& spec) const {
    if (spec.health_check == nullptr || spec.health_check->transport == nullptr) return nullptr;
    ClusterSpec of_checks = spec;
    of_checks.transport = spec.health_check->transport;
    return make_transports_(of_checks);
  }

  void applyAssignment(Cluster& cluster, const std::shared_ptr<const AssignmentSpec>& assignment,
                       Change& change) {
    if (same(cluster.assignment, assignment)) return;
    cluster.assignment = assignment;
    mainMetrics(cluster).assignment_update.add();
    change.other_checks = true;
    change.other_states |= namesDraining(*assignment);
    refreshHosts(cluster, change);
  }

  // Puts the host set together: assignment, verdicts of our own checks, or both are new. of: the
  // verdicts on these, and nothing else; null: anything.
  void refreshHosts(Cluster& cluster, Change& change,
                    const std::vector<net::Address>* of = nullptr) {
    const bool retains =
        cluster.spec->health_check != nullptr && !cluster.spec->ignore_health_on_removal;
    auto present =
        withRetained(cluster.assignment, cluster.hosts.get(), [&](const EndpointSpec& endpoint) {
          const ActiveHealth health = activeHealth(cluster, endpoint);
          return retains && (health == ActiveHealth::Healthy || health == ActiveHealth::Degraded);
        });
    const ClusterGuard::Checked checked_by = [&](const EndpointSpec& endpoint) {
      return checked(cluster, endpoint);
    };
    // Verdicts that wait to be told of are part of it: who serves is counted after each.
    std::vector<net::Address> asked;
    if (of != nullptr) {
      if (health_ != nullptr) asked = health_->untold(cluster.spec->name);
      asked.insert(asked.end(), of->begin(), of->end());
    }
    const Grouping grouping = zone_.grouping(cluster.spec->grouping);
    const bool same = std::exchange(cluster.hosts, present) == present;
    change.other_checks |= !same;
    Membership::Change hosts =
        same ? cluster.guard.refresh(cluster.membership, *present, checked_by, grouping,
                                     of == nullptr ? nullptr : &asked)
             : cluster.guard.update(cluster.membership, *present, checked_by, grouping);
    zone_.note(cluster.spec->name, *cluster.hosts, cluster.membership.counts(), hosts.panic);
    ClusterMetrics& metrics = mainMetrics(cluster);
    showCounts(cluster, metrics);
    change.dirty |= cluster.limits.update(*cluster.spec, *cluster.hosts, cluster.membership, same);
    // A limit may be higher.
    if (cluster.shared->permits.anybody()) cluster.shared->permits.stirAll();
    // Which hosts are half-open may be all that is new.
    Guard* const guard = cluster.guard.guard();
    change.dirty |= guard != nullptr && guard->takeChanged();
    if (!hosts.changed) return;
    metrics.membership_change.add();
    change.dirty = true;
    for (const auto& host : hosts.removed) removed_hosts_.add(cluster.spec->name, host);
    std::move(hosts.removed.begin(), hosts.removed.end(), std::back_inserter(change.removed));
    std::move(hosts.draining.begin(), hosts.draining.end(), std::back_inserter(change.draining));
  }

  // The hosts of a cluster that goes.
  void noteRemoved(const Cluster& cluster) {
    for (const auto& host : cluster.membership.all()) removed_hosts_.add(cluster.spec->name, host);
  }

  static void endTimers(Cluster& cluster) {
    cluster.guard.end();
    cluster.limits.end();
  }

  // What clusters send to which zone depends on where the callers are.
  void refreshZones(Pending& pending) {
    if (!zone_.takeChanged()) return;
    for (auto& [name, cluster] : clusters_) {
      if (!zone_.concerns(*cluster->spec) || cluster->assignment == nullptr) continue;
      refreshHosts(*cluster, pending[name], &kNobody);
    }
    zone_.takeChanged();
  }

  void showCounts(Cluster& cluster, ClusterMetrics& metrics) const {
    const Membership::Counts& counts = cluster.membership.counts();
    metrics.membership_total.set(counts.total);
    metrics.membership_healthy.set(counts.healthy);
    metrics.membership_degraded.set(counts.degraded);
    metrics.membership_excluded.set(counts.excluded);
    metrics.max_host_weight.set(counts.max_weight);
    metrics.lb_subsets_active.set(static_cast<int64_t>(counts.subsets));
    metrics.lb_subsets_overflow.set(static_cast<int64_t>(counts.subset_overflow));
    cluster.priorities.show(counts);
  }

  // Null: there is no such cluster, or nothing is done about its failing hosts.
  Guard* guardOf(const std::string& name) const {
    const auto found = clusters_.find(name);
    return found == clusters_.end() ? nullptr : found->second->guard.guard();
  }

  // What workers see of hosts comes to main, and is for nobody if the cluster, or all of this, is
  // gone then.
  void listenTo(const std::shared_ptr<ClusterShared>& of, const std::string& name) {
    ClusterShared& shared = *of;
    const auto tell = [&main = main_, self = std::weak_ptr<Impl*>(self_),
                       name](std::function<void(Guard&)> news) {
      main.post([self, name, news = std::move(news)] {
        const auto impl = self.lock();
        Guard* const guard = impl == nullptr ? nullptr : (*impl)->guardOf(name);
        if (guard != nullptr) news(*guard);
      });
    };
    shared.tell_streak = [tell](const std::shared_ptr<const Host>& host, Streak streak) {
      tell([host, streak](Guard& guard) { guard.onStreak(*host, streak); });
    };
    shared.ask_for_connections = [&main = main_, self = std::weak_ptr<Impl*>(self_),
                                  name](ConnectionAsk ask) {
      main.post([self, name, ask = std::move(ask)]() mutable {
        if (const auto impl = self.lock()) (*impl)->askForConnections(name, std::move(ask));
      });
    };
    shared.permits.lookBy([workers = workers_, sends = sends_looks_,
                           weak = std::weak_ptr<ClusterShared>(of)](size_t worker) {
      if (!sends->load()) return;
      workers[worker]->post([weak, worker] {
        if (const auto cluster = weak.lock()) WorkerCluster::look(*cluster, worker);
      });
    });
    shared.tell_probe = [tell](const std::shared_ptr<const Host>& host, bool passed) {
      tell([host, passed](Guard& guard) { guard.onProbe(*host, passed); });
    };
  }

  // All workers but the one that asks, which is told when they have.
  void askForConnections(const std::string& name, ConnectionAsk ask) {
    struct Round {
      ConnectionAsk ask;
      std::atomic<size_t> missing;
      Limit given;
    };
    const size_t asker = ask.worker;
    const auto round = std::make_shared<Round>();
    round->ask = std::move(ask);
    round->missing = workers_.size() - 1;
    const auto tell = [worker = workers_[asker], clusters = worker_clusters_[asker], name, round] {
      worker->post([clusters, name, any = round->given.used() > 0] {
        clusters->onConnectionsGivenUp(name, any);
      });
    };
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (i == asker) continue;
      workers_[i]->post([clusters = worker_clusters_[i], name, round, tell] {
        clusters->giveUpSpareConnections(name, round->ask, round->given);
        if (round->missing.fetch_sub(1, std::memory_order_acq_rel) == 1) tell();
      });
    }
  }

  ActiveHealth activeHealth(const Cluster& cluster, const EndpointSpec& endpoint) const {
    return checked(cluster, endpoint).health;
  }

  CheckedHost checked(const Cluster& cluster, const EndpointSpec& endpoint) const {
    const bool is_checked =
        health_ != nullptr && cluster.spec->health_check != nullptr && endpoint.health_check;
    return is_checked ? health_->check(cluster.spec->name, endpoint.address) : CheckedHost{};
  }

  void watchHealth(const Cluster& cluster, const Change& change) {
    if (health_ == nullptr || !change.other_checks || cluster.hosts == nullptr) return;
    health_->watch(cluster.shared, cluster.spec, cluster.check_transport, *cluster.hosts);
  }

  void applyHealth(const HealthMonitor::Changed& changed) {
    Pending pending;
    for (const auto& [name, hosts] : changed) applyHealth(name, &hosts, pending);
    finishHealth(pending);
  }

  // of: null: of any host.
  void applyHealth(const std::string& name, const std::vector<net::Address>* of) {
    Pending pending;
    applyHealth(name, of, pending);
    finishHealth(pending);
  }

  void applyHealth(const std::string& name, const std::vector<net::Address>* of, Pending& pending) {
    const auto found = clusters_.find(name);
    if (found == clusters_.end() || found->second->assignment == nullptr) return;
    refreshHosts(*found->second, pending[name], of);
  }

  void finishHealth(Pending& pending) {
    auto publication = std::make_shared<Publication>();
    refreshZones(pending);
    for (auto& [name, change] : pending) {
      Cluster& cluster = *clusters_.at(name);
      watchHealth(cluster, change);
      if (change.dirty) publication->updates.push_back(updateOf(cluster, change));
    }
    if (!publication->updates.empty()) publish(std::move(publication), nullptr);
    if (on_host_state_) on_host_state_();
  }

  ClusterMetrics& mainMetrics(const Cluster& cluster) const {
    return cluster.shared->metrics.slot(static_cast<int>(workers_.size()));
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
      listenTo(shared, name);
    }
    return shared;
  }

  static ClusterUpdate updateOf(const Cluster& cluster, Change& change) {
    return {
        .shared = cluster.shared,
        .spec = cluster.spec,
        .transport = cluster.transport,
        .hosts = cluster.membership.hosts(),
        .removed = std::move(change.removed),
        .draining = std::move(change.draining),
        .half_open = halfOpenHosts(
            cluster.guard.halfOpen(),
            [&cluster](const net::Address& host) { return cluster.membership.endpointOf(host); },
            cluster.spec->grouping.subsets.get()),
        .panic = cluster.guard.inPanic(),
        .limited_hosts = cluster.limits.limited(),
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
    const HostGroups& groups = *cluster.membership.hosts();
    for (const uint32_t group : groups.whole().groups().first(groups.whole().withShares())) {
      for (const HostSet::Entry& entry : groups.groups()[group].hosts->entries()) {
        eligible[entry.host] = true;
      }
    }
    std::map<const Host*, bool> seen;
    const size_t assigned = cluster.assignment->localities.size();
    for (size_t i = 0; i < cluster.hosts->localities.size(); ++i) {
      const LocalitySpec& locality = cluster.hosts->localities[i];
      for (const EndpointSpec& endpoint : locality.endpoints) {
        const Host* host = cluster.membership.find(endpoint.address);
        if (host == nullptr || std::exchange(seen[host], true)) continue;
        hosts.push_back({*host, endpoint, locality, eligible.count(host) > 0,
                         checked(cluster, endpoint), /*leaving=*/i >= assigned,
                         cluster.guard.view(endpoint.address)});
      }
    }
    return hosts;
  }

  event::Loop& main_;
  const std::vector<event::Loop*> workers_;
  observe::MetricRegistry& registry_;
  NodeZone zone_;
  MakeTransports make_transports_;
  HealthMonitor* health_ = nullptr;
  std::function<void()> on_host_state_;
  RemovedHosts removed_hosts_;
  std::vector<std::shared_ptr<WorkerClusters>> worker_clusters_;
  std::map<std::string, std::shared_ptr<Cluster>, std::less<>> clusters_;
  std::map<std::string, std::weak_ptr<ClusterShared>> retired_;
  const std::shared_ptr<Impl*> self_ = std::make_shared<Impl*>(this);  // for what workers post
  // From worker to worker, as long as the loops are sure to be there.
  const std::shared_ptr<std::atomic<bool>> sends_looks_ = std::make_shared<std::atomic<bool>>(true);
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

void ClusterManager::setNode(LocalityName locality, std::string local_cluster) {
  impl_->setNode(std::move(locality), std::move(local_cluster));
}

void ClusterManager::monitorHealthBy(HealthMonitor& monitor) {
  impl_->monitorHealthBy(monitor);
}

void ClusterManager::onHostStateChanged(std::function<void()> callback) {
  impl_->onHostStateChanged(std::move(callback));
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

std::vector<ClusterManager::RemovedHost> ClusterManager::removedHosts() const {
  return impl_->removedHosts();
}

WorkerClusters& ClusterManager::worker(size_t index) {
  return impl_->worker(index);
}

}  // namespace convoy::upstream
