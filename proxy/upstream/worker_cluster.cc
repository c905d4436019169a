#include "proxy/upstream/worker_cluster.h"

#include <chrono>
#include <optional>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/algorithms/registry.h"
#include "proxy/upstream/pooled_connection.h"
#include "proxy/upstream/retry_budget.h"

namespace convoy::upstream {

namespace {

constexpr Milliseconds kDefaultIdleTimeout = std::chrono::hours(1);

event::DeadlineQueue* queueFor(event::Loop& loop, std::optional<Milliseconds> timeout) {
  return timeout.has_value() && timeout->count() > 0 ? &loop.deadlineQueue(*timeout) : nullptr;
}

// Of a cluster that is gone.
class NoHost final : public LoadBalancer {
 public:
  void setHosts(const HostSet&) override {}
  Pick pick(PickContext&) override { return {}; }
};

}  // namespace

WorkerCluster::WorkerCluster(std::shared_ptr<WorkerContext> context, const ClusterUpdate& update)
    : context_(std::move(context)),
      shared_(update.shared),
      metrics_(shared_->metrics.slot(static_cast<int>(context_->worker))),
      recorder_(shared_->tell_streak, shared_->tell_probe) {
  permits().of(worker()).cluster = this;
  this->update(update);
}

WorkerCluster::~WorkerCluster() {
  giveUpNothing();
}

// --- requests ---

PickResult WorkerCluster::pick(std::span<const Host* const> tried, PickWaiter* waiter,
                               std::optional<uint64_t> hash, const HostPreference* preferred,
                               Priority priority, const base::SubsetKey* subset) {
  PickContext context{.random = context_->loop.random(),
                      .tried = tried,
                      .waiter = waiter,
                      .hash = hash,
                      .now = context_->loop.now(),
                      .cluster_active = &shared_->bounded_active,
                      .subset = subset};
  const bool asked = preferred != nullptr && !preferred->address.empty();
  Host* const wanted = asked ? findPreferred(*preferred, context) : nullptr;
  const bool strict = asked && preferred->strict;
  if (preferred != nullptr && preferred->try_only) {
    return wanted == nullptr ? PickResult{} : pickIfRoom(context, *wanted, priority);
  }
  if (guarded_) return pickGuarded(context, wanted, strict, priority);
  return resultOf(choose(context, wanted, strict), wanted, priority);
}

Pick WorkerCluster::choose(PickContext& context, Host* wanted, bool strict) {
  if (wanted != nullptr) return balancer_->adopt(context, *wanted);
  return strict ? Pick{} : balancer_->pick(context);
}

PickResult WorkerCluster::resultOf(const Pick& pick, const Host* wanted, Priority priority) {
  if (pick.kind == Pick::Kind::None) metrics_.upstream_cx_none_healthy.add();
  if (pick.kind != Pick::Kind::Host) return {.kind = pick.kind, .lease = {}};
  const int held = (pick.counted ? HostLease::kActive : HostLease::kNothing) |
                   (pick.in_total ? HostLease::kBound : HostLease::kNothing);
  return {.kind = pick.kind,
          .lease = HostLease(refTo(*pick.host, priority), static_cast<uint8_t>(held)),
          .preferred = wanted != nullptr};
}

Host* WorkerCluster::findPreferred(const HostPreference& preferred,
                                   const PickContext& context) const {
  Host* const host = hosts_->find(preferred.address);
  if (host == nullptr || preferred.strict || !context.triedAlready(host)) return host;
  return nullptr;
}

HostRef& WorkerCluster::anyRefTo(const Host& host, Priority priority) {
  const size_t slot = host.slot();
  std::vector<HostRef>& pools = poolsOf(priority);
  if (slot >= pools.size()) pools.resize(slot + 1);
  HostRef& ref = pools[slot];
  if (!ref) ref = HostRef(new HostPool(shared_from_this(), host.shared_from_this(), priority));
  return ref;
}

HostRef& WorkerCluster::resumedRefTo(const Host& host, Priority priority) {
  HostRef& ref = anyRefTo(host, priority);
  if (ref.pool()->draining()) ref.pool()->resume();
  return ref;
}

PendingStream* WorkerCluster::newStream(HostLease lease, http::ResponseReceiver& receiver,
                                        PoolCallbacks& callbacks, ConnectionAge age) {
  CONVOY_ASSERT(static_cast<bool>(lease));
  HostPool& pool = *lease.ref().pool();
  return pool.newStream(std::move(lease), receiver, callbacks, age);
}

void WorkerCluster::countResponse(const HostRef& host, uint16_t status, event::Duration took) {
  const bool answered = status != 0;
  (answered && status < 500 ? host.metrics().rq_success : host.metrics().rq_error).add();
  if (!answered) return;
  metrics_.upstream_rq_completed.add();
  metrics_.byStatus(status).add();
  metrics_.upstream_rq_time.record(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
}

void WorkerCluster::tellBalancer(const Host& host, uint16_t status, event::Duration took,
                                 bool abandoned) {
  balancer_->onResult(host, {.failed = !abandoned && (status == 0 || status >= 500),
                             .abandoned = abandoned,
                             .took = took,
                             .now = loop().now()});
}

void WorkerCluster::countTimeout(const HostRef& host) {
  metrics_.upstream_rq_timeout.add();
  host.metrics().rq_timeout.add();
}

void WorkerCluster::countRetriedResponse(const HostRef& host, uint16_t status) {
  (status < 500 ? host.metrics().rq_success : host.metrics().rq_error).add();
}

bool WorkerCluster::tryStartRetry(Priority priority) {
  const CircuitBreakers& limits = spec_->breakersOf(priority);
  const int64_t requests =
      limits.retry_budget.has_value() ? shared_->requestsUnderWay(context_->workers, priority) : 0;
  const uint32_t most = mostRetries(limits, requests);
  if (shared_->breakers.of(priority).retries.tryAcquire(most)) return true;
  metrics_.upstream_rq_retry_overflow.add();
  return false;
}

// --- updates ---

// Returns the policies that are replaced: those who wait for an answer are told by their end.
GroupBalancer::Retired WorkerCluster::adoptSpec(std::shared_ptr<const ClusterSpec> spec) {
  if (spec_ == spec) return {};
  GroupBalancer::Retired before;
  if (spec_ == nullptr || spec_->balancing != spec->balancing) {
    auto make = [balancing = spec->balancing, worker = context_->worker,
                 workers = context_->workers] {
      return algorithms::makeLoadBalancer(balancing, worker, workers);
    };
    if (groups_ == nullptr) {
      groups_ = std::make_unique<GroupBalancer>(std::move(make), metrics_);
    } else {
      before = groups_->makeBy(std::move(make));
    }
    wants_results_ = groups_->wantsResults();
  }
  spec_ = std::move(spec);
  recorder_.configure(RecordingSpec::of(*spec_));
  connect_queue_ = queueFor(loop(), spec_->connect_timeout);
  idle_queue_ = queueFor(loop(), spec_->idle_timeout.value_or(kDefaultIdleTimeout));
  age_queue_ = queueFor(loop(), spec_->max_connection_duration);
  for (const auto& pools : pools_) {
    for (const HostRef& ref : pools) {
      if (ref) ref.pool()->refreshIdleQueue();
    }
  }
  return before;
}

void WorkerCluster::update(const ClusterUpdate& update) {
  // As the new spec says, though the former one is in force until they are gone.
  const std::optional<Milliseconds> timeout = update.spec->host_drain_timeout;
  if (update.drain_connections) {
    for (auto& pools : pools_) {
      for (HostRef& ref : pools) drop(ref, *hosts_, timeout);
    }
  }
  for (const auto& host : update.removed) dropPool(*host, timeout);
  for (const auto& host : update.draining) {
    for (const Priority priority : {Priority::Default, Priority::High}) {
      if (HostPool* const pool = poolOf(*host, priority)) pool->drain(timeout, /*served=*/true);
    }
  }
  // Both to the end, when the new policy can be picked from.
  const std::shared_ptr<const HostGroups> hosts_before = hosts_;
  const GroupBalancer::Retired replaced = adoptSpec(update.spec);
  transports_ = update.transport;
  // The policy lets go of the old set before that goes.
  const GroupBalancer::Retired retired = groups_->setGroups(*update.hosts);
  balancer_ = &groups_->entry();
  hosts_ = update.hosts;
  full_ = {};
  half_open_ = update.half_open;
  in_panic_ = update.panic;
  guarded_ =
      in_panic_ || !half_open_.empty() || spec_->recovery.has_value() || update.limited_hosts;
  watches_heads_ = wants_results_ || in_panic_ || recorder_.records();
  if (std::exchange(limits_hosts_, update.limited_hosts) != limits_hosts_) {
    spare_unknown_ = limits_hosts_;
    for (const auto& pools : pools_) {
      for (const HostRef& ref : pools) {
        if (ref) ref.pool()->noteSpare();
      }
    }
  }
  // The limits may be others.
  if (permits().anybody()) permits().stirAll(worker());
}

// before: the hosts that requests went to until now.
void WorkerCluster::drop(HostRef& slot, const HostGroups& before,
                         std::optional<Milliseconds> timeout) {
  if (!slot) return;
  const HostRef ref = std::exchange(slot, HostRef());
  ref.pool()->noteSpare();
  ref.pool()->drain(timeout, before.find(ref.host().addressText()) == &ref.host());
}

void WorkerCluster::endPicks() {
  half_open_.clear();
  guarded_ = false;
  full_ = {};
  // To the end, when nobody can be picked any more.
  const std::shared_ptr<const HostGroups> hosts_before =
      std::exchange(hosts_, std::make_shared<const HostGroups>());
  const GroupBalancer::Retired before = groups_->makeBy([] { return std::make_unique<NoHost>(); });
  const GroupBalancer::Retired gone = groups_->setGroups(*hosts_);
  balancer_ = &groups_->entry();
  for (OutOfConnections& out : out_) out.waiters.tell();
  asking_ = false;
  giveUpNothing();
}

// What is left closes by itself when it is idle.
void WorkerCluster::giveUpNothing() {
  WorkerCluster*& gives = permits().of(worker()).cluster;
  if (gives == this) gives = nullptr;
}

void WorkerCluster::retire() {
  const std::shared_ptr<const HostGroups> before = hosts_;
  endPicks();
  for (auto& pools : pools_) {
    for (HostRef& ref : pools) drop(ref, *before, spec_->host_drain_timeout);
  }
}

void WorkerCluster::shutdown() {
  endPicks();
  for (auto& pools : pools_) {
    for (HostRef& slot : pools) {
      if (!slot) continue;
      const HostRef ref = std::exchange(slot, HostRef());
      ref.pool()->closeAll(http::Failure::Draining);
    }
  }
}

HostPool* WorkerCluster::poolOf(const Host* host, uint32_t slot, Priority priority) const {
  const std::vector<HostRef>& pools = poolsOf(priority);
  HostPool* const pool = slot < pools.size() ? pools[slot].pool() : nullptr;
  return pool != nullptr && &pool->host() == host ? pool : nullptr;
}

void WorkerCluster::dropPool(const Host& host, std::optional<Milliseconds> timeout) {
  for (auto& pools : pools_) {
    if (host.slot() < pools.size()) drop(pools[host.slot()], *hosts_, timeout);
  }
}

void WorkerCluster::setBalancerForTest(std::unique_ptr<LoadBalancer> balancer) {
  auto made = std::make_shared<std::unique_ptr<LoadBalancer>>(std::move(balancer));
  const GroupBalancer::Retired before = groups_->makeBy([made] { return std::move(*made); });
  const GroupBalancer::Retired gone = groups_->setGroups(*hosts_);
  balancer_ = &groups_->entry();
}

// --- all of them ---

WorkerClusters::WorkerClusters(event::Loop& loop, UpstreamIo& io, size_t worker, size_t workers)
    : context_(std::make_shared<WorkerContext>(loop, io, worker, workers)) {}

WorkerClusters::~WorkerClusters() {
  CONVOY_ASSERT(clusters_.empty());
}

void WorkerClusters::apply(const Publication& publication) {
  if (shut_down_) return;
  for (const ClusterUpdate& update : publication.updates) {
    std::shared_ptr<WorkerCluster>& cluster = clusters_[update.spec->name];
    if (cluster == nullptr) {
      cluster = std::make_shared<WorkerCluster>(context_, update);
    } else {
      cluster->update(update);
    }
  }
  for (const Publication::Removed& removed : publication.removed) {
    const auto found = clusters_.find(std::string_view(removed.name));
    if (found == clusters_.end()) continue;
    const std::shared_ptr<WorkerCluster> cluster = std::move(found->second);
    clusters_.erase(found);
    recent_.fill(nullptr);
    cluster->retire();
  }
}

void WorkerClusters::giveUpSpareConnections(std::string_view cluster, const ConnectionAsk& ask,
                                            Limit& given) {
  WorkerCluster* const found = find(cluster);
  if (found == nullptr) return;
  const event::Loop::TurnScope turn(context_->loop);
  found->giveUpSpareConnections(ask, given);
}

void WorkerClusters::onConnectionsGivenUp(std::string_view cluster, bool any) {
  WorkerCluster* const found = find(cluster);
  if (found == nullptr) return;
  const event::Loop::TurnScope turn(context_->loop);
  found->onConnectionsGivenUp(any);
}

void WorkerClusters::shutdown() {
  CONVOY_ASSERT(context_->loop.isOwnThread());
  const event::Loop::TurnScope turn(context_->loop);
  shut_down_ = true;
  auto clusters = std::move(clusters_);
  clusters_.clear();
  recent_.fill(nullptr);
  for (auto& [name, cluster] : clusters) cluster->shutdown();
  context_->closing.shutdown();
}

}  // namespace convoy::upstream
