// How the pools of all workers share the connections that a cluster and its hosts may have
// (permit_queues.h): who takes a permit, who waits for one, and who gives up a connection for it.
//
// What is idle is given up for anybody who waits. A connection that is in use is only given up for
// those who have none, at the end of a stream, by a worker that has more than an equal share, or
// that has such requests itself: either there is such a worker, or the one that has nothing for
// this host has its share with other hosts. A new connection serves one stream before that.

#include "proxy/upstream/conn_pool.h"
#include "proxy/upstream/permit_queues.h"
#include "proxy/upstream/pooled_connection.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::upstream {

namespace {

bool moreThanItsShare(uint32_t held, size_t workers, uint32_t most) {
  return uint64_t{held} * workers > most;
}

}  // namespace

// --- a pool ---

PermitQueues& HostPool::permits() const {
  return cluster_->permits();
}

uint32_t& HostPool::heldByWorker() const {
  return permits().of(cluster_->worker()).held[static_cast<size_t>(priority_)];
}

bool HostPool::lacksNoMore(Lacks lacks) const {
  if (lacks == Lacks::Host) return host_->limits().roomForConnection();
  return breakers().connections.used() < limits().max_connections;
}

// Both permits, or what there is not.
HostPool::Lacks HostPool::tryTakePermits() {
  const bool contended = permits().anybody();
  const auto mayTake = [&](Lacks what) {
    return !contended || permits().isFirst(*this, what, isUrgent());
  };
  HostLimits& host = host_->limits();
  if (permits_ == 0 && (!mayTake(Lacks::Host) || !host.roomForConnection())) return Lacks::Host;
  if (!mayTake(Lacks::Cluster) || !breakers().connections.tryAcquire(limits().max_connections)) {
    return Lacks::Cluster;
  }
  if (permits_ > 0) {
    --permits_;
  } else if (!host.tryConnect()) {
    // Another worker was quicker, and one may have been refused meanwhile.
    breakers().connections.release();
    stirPermits();
    return Lacks::Host;
  }
  ++heldByWorker();
  return Lacks::Nothing;
}

// What is idle on this worker makes way first.
HostPool::Lacks HostPool::takePermits() {
  while (true) {
    const Lacks lacks = tryTakePermits();
    if (lacks == Lacks::Nothing || lacksNoMore(lacks)) return lacks;
    if (closeOldestIdle()) continue;
    if (!(lacks == Lacks::Host ? cluster_->closeAnIdleConnectionTo(*host_)
                               : cluster_->closeAnIdleConnection(priority_))) {
      return lacks;
    }
  }
}

bool HostPool::takePermitsOrWait() {
  bool moved = false;
  while (true) {
    const Lacks lacks = takePermits();
    if (lacks == Lacks::Nothing) break;
    if (!permits().wait(*this, lacks, isUrgent())) {
      if (moved) stirPermits();
      return false;
    }
    // What was given back before we stood there was for nobody.
    if (!moved) cluster_->metrics().connection_limit_waited.add();
    moved = true;
  }
  stopWaiting();
  return true;
}

void HostPool::stopWaiting() {
  if (!waiting()) return;
  permits().leave(*this);
  stirPermits();
}

void HostPool::stirPermits() const {
  permits().stir(priority_, !lacksNoMore(Lacks::Cluster), *host_, !lacksNoMore(Lacks::Host));
}

void HostPool::giveBackHostPermit() const {
  host_->limits().disconnect();
  stirPermits();
}

void HostPool::giveBackPermits() const {
  --heldByWorker();
  breakers().connections.release();
  giveBackHostPermit();
}

bool HostPool::hopeless() const {
  return limits().max_connections == 0 || host_->limits().mostConnections() == 0;
}

// For others.
bool HostPool::giveUpOldestIdle() {
  if (!closeOldestIdle()) return false;
  cluster_->metrics().connection_limit_given_up.add();
  return true;
}

bool HostPool::givesUp(const PooledConnection& connection) const {
  const bool in_use = counts_.pending > 0 || connection.streams() > 0;
  if (in_use && connection.streamsStarted() == 0) return false;
  const HostLimits& host = host_->limits();
  if (!in_use && permits().asking() && host.limitsConnections() && !host.roomForConnection()) {
    return true;
  }
  bool stir = false;
  const auto due = [&](const PermitQueues::Demand& demand, Lacks lacks, uint32_t held,
                       uint32_t most) {
    if (!demand.any) return false;
    if (lacksNoMore(lacks)) {
      stir = true;  // the limit is higher than it was
      return false;
    }
    if (!in_use) return true;
    return demand.urgent && (demand.worker == cluster_->worker() ||
                             moreThanItsShare(held, permits().workers(), most));
  };
  const bool gives = due(permits().ofCluster(priority_), Lacks::Cluster, heldByWorker(),
                         limits().max_connections) ||
                     due(permits().ofHost(*host_), Lacks::Host, cluster_->connectionsTo(*host_),
                         host.mostConnections());
  if (stir) stirPermits();
  return gives;
}

// --- a worker's cluster ---

bool WorkerCluster::closeAnIdleConnection(Priority priority) {
  // Over HTTP/1 each request has one: who has no more than those has none that is idle.
  if (spec_->protocol == UpstreamProtocol::Http1 &&
      metrics_.upstream_cx_active.value() <= metrics_.upstream_rq_active.value()) {
    return false;
  }
  const std::vector<HostRef>& pools = poolsOf(priority);
  for (size_t i = 0; i < pools.size(); ++i) {
    if (++evict_next_ >= pools.size()) evict_next_ = 0;
    const HostRef& ref = pools[evict_next_];
    if (ref && ref.pool()->giveUpOldestIdle()) return true;
  }
  return false;
}

bool WorkerCluster::closeAnIdleConnectionTo(const Host& host) {
  for (const Priority priority : {Priority::Default, Priority::High}) {
    HostPool* const pool = poolOf(host.slot(), priority);
    if (pool != nullptr && &pool->host() == &host && pool->giveUpOldestIdle()) return true;
  }
  return false;
}

uint32_t WorkerCluster::connectionsTo(const Host& host) const {
  uint32_t connections = 0;
  for (const Priority priority : {Priority::Default, Priority::High}) {
    const HostPool* const pool = poolOf(host.slot(), priority);
    if (pool == nullptr || &pool->host() != &host) continue;
    const HostPool::Counts& counts = pool->counts();
    connections += counts.connecting + counts.idle + counts.busy;
  }
  return connections;
}

void WorkerCluster::giveUpForOthers() {
  PermitQueues& queues = permits();
  if (!queues.anybody()) return;
  for (const Priority priority : {Priority::Default, Priority::High}) {
    const Limit& connections = shared_->breakers.of(priority).connections;
    while (queues.ofCluster(priority).any &&
           connections.used() >= spec_->breakersOf(priority).max_connections &&
           closeAnIdleConnection(priority)) {
    }
  }
  for (const auto& [host, slot] : queues.wantedHosts()) {
    for (const Priority priority : {Priority::Default, Priority::High}) {
      HostPool* const pool = poolOf(slot, priority);
      if (pool == nullptr || &pool->host() != host) continue;
      while (!pool->host().limits().roomForConnection() && pool->giveUpOldestIdle()) {
      }
    }
  }
}

void WorkerCluster::look(ClusterShared& shared, size_t worker) {
  shared.permits.looked(worker);
  for (PermitWaiter* const waiter : shared.permits.turnsOf(worker)) waiter->onTurn();
  WorkerCluster* const cluster = shared.permits.of(worker).cluster;
  if (cluster != nullptr) cluster->giveUpForOthers();
}

}  // namespace convoy::upstream
