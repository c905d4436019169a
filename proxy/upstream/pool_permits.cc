// How the pools of all workers share the connections that a cluster and its hosts may have
// (permit_queues.h): who takes a permit, who waits for one, and who gives up a connection for it.
//
// What is idle is given up for anybody who waits. A connection that is in use is only given up for
// those who have none, at the end of a stream, by a worker that has more than an equal share, or
// that has such requests itself: either there is such a worker, or the one that has nothing for
// this host has its share with other hosts. A new connection serves one stream before that.
//
// One that carries other streams leaves: it takes no more, and its permits come free with the last
// of them, however long that runs. What leaves is counted, since who waits goes on waiting until
// then: no more leave than are waited for, and never so many that a cluster with long streams
// serves nothing else.

#include <algorithm>

#include "proxy/upstream/conn_pool.h"
#include "proxy/upstream/permit_queues.h"
#include "proxy/upstream/pooled_connection.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::upstream {

namespace {

bool moreThanItsShare(uint32_t held, size_t workers, uint32_t most) {
  return uint64_t{held} * workers > most;
}

// Connections that may leave at a time: seven of eight stay.
uint32_t mostLeaving(uint32_t wanted, uint32_t most) {
  return std::min(wanted, std::max(most / 8, uint32_t{1}));
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

void HostPool::giveBackPermits(bool left) {
  if (left) {
    --leaving_;
    breakers().leaving.release();
    host_->limits().leaving().release();
  } else {
    --heldByWorker();
  }
  breakers().connections.release();
  giveBackHostPermit();
}

bool HostPool::hopeless() const {
  return limits().max_connections == 0 || host_->limits().mostConnections() == 0;
}

// For others.
bool HostPool::giveUpSpare() {
  if (!closeOldestIdle()) {
    if (connecting_.empty()) return false;
    PooledConnection& newest = connecting_.front();
    if (connecting_room_ - newest.expectedStreams() < counts_.pending) return false;
    newest.drain();
  }
  cluster_->metrics().connection_limit_given_up.add();
  return true;
}

bool HostPool::givesUp(const PooledConnection& connection) {
  const bool in_use = counts_.pending > 0 || connection.streams() > 0;
  if (in_use && connection.streamsStarted() == 0) return false;
  HostLimits& host = host_->limits();
  bool stir = false;
  const auto due = [&](const PermitQueues::Demand& demand, Lacks lacks, uint32_t held,
                       uint32_t most, Limit& leaving) {
    if (!demand.any) return false;
    if (lacksNoMore(lacks)) {
      stir = true;  // the limit is higher than it was
      return false;
    }
    if (!in_use) return true;
    if (demand.urgent == 0 || (demand.worker != cluster_->worker() &&
                               !moreThanItsShare(held, permits().workers(), most))) {
      return false;
    }
    return connection.streams() == 0 || leaving.tryAcquire(mostLeaving(demand.urgent, most));
  };
  const bool for_cluster = due(permits().ofCluster(priority_), Lacks::Cluster, heldByWorker(),
                               limits().max_connections, breakers().leaving);
  const bool for_host =
      !for_cluster && due(permits().ofHost(*host_), Lacks::Host, cluster_->connectionsTo(*host_),
                          host.mostConnections(), host.leaving());
  if (stir) stirPermits();
  if (!for_cluster && !for_host) return false;
  if (connection.streams() > 0) {
    // With the one permit the other comes free.
    (for_cluster ? host.leaving() : breakers().leaving).add();
    ++leaving_;
    --heldByWorker();
  }
  return true;
}

// --- a worker's cluster ---

bool WorkerCluster::closeAnIdleConnection(Priority priority) {
  if (spareConnections(priority) == 0) return false;
  const std::vector<HostRef>& pools = poolsOf(priority);
  for (size_t i = 0; i < pools.size(); ++i) {
    if (++evict_next_ >= pools.size()) evict_next_ = 0;
    const HostRef& ref = pools[evict_next_];
    if (ref && ref.pool()->giveUpSpare()) return true;
  }
  return false;
}

bool WorkerCluster::closeAnIdleConnectionTo(const Host& host) {
  for (const Priority priority : {Priority::Default, Priority::High}) {
    HostPool* const pool = poolOf(host, priority);
    if (pool != nullptr && pool->giveUpSpare()) return true;
  }
  return false;
}

uint32_t WorkerCluster::connectionsTo(const Host& host) const {
  uint32_t connections = 0;
  for (const Priority priority : {Priority::Default, Priority::High}) {
    const HostPool* const pool = poolOf(host, priority);
    if (pool != nullptr) connections += pool->connectionsThatStay();
  }
  return connections;
}

void WorkerCluster::giveUpForOthers(const PermitQueues::Look& look) {
  PermitQueues& queues = permits();
  for (const Priority priority : {Priority::Default, Priority::High}) {
    const Limit& connections = shared_->breakers.of(priority).connections;
    while (queues.ofCluster(priority).any &&
           connections.used() >= spec_->breakersOf(priority).max_connections &&
           closeAnIdleConnection(priority)) {
    }
  }
  for (const auto& [host, slot] : look.wanted) {
    for (const Priority priority : {Priority::Default, Priority::High}) {
      HostPool* const pool = poolOf(host, slot, priority);
      if (pool == nullptr) continue;
      while (queues.ofHost(pool->host()).any && !pool->host().limits().roomForConnection() &&
             pool->giveUpSpare()) {
      }
    }
  }
}

void WorkerCluster::look(ClusterShared& shared, size_t worker) {
  const PermitQueues::Look look = shared.permits.look(worker);
  for (PermitWaiter* const waiter : look.turns) waiter->onTurn();
  WorkerCluster* const cluster = shared.permits.of(worker).cluster;
  if (cluster != nullptr && shared.permits.anybody()) cluster->giveUpForOthers(look);
}

}  // namespace convoy::upstream
