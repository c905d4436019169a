#include "proxy/upstream/conn_pool.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/pool_stream.h"
#include "proxy/upstream/pooled_connection.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::upstream {

void HostRef::release() {
  if (--pool_->references_ > 0) return;
  // Frames of the pool may be on the stack.
  event::Loop& loop = pool_->cluster().loop();
  loop.destroyAtEndOfTurn(std::unique_ptr<HostPool>(pool_));
}

void HostLease::giveBack() {
  const uint64_t held = std::exchange(held_, kNothing);
  if (held & kActive) host_.host().active().fetch_sub(1, std::memory_order_relaxed);
  if (held & kBound) host_.pool()->cluster().releaseBound();
  if (held & kProbe)
    host_.host().streaks().giveBackProbe(static_cast<uint32_t>(held >> kProbeShift));
  if (held & kMetered) host_.pool()->cluster().breakers().recovering.release();
  if (held & kConnection) host_.pool()->giveBackHostPermit();
  if (held & kRequest) host_.host().limits().endRequest();
}

HostPool::HostPool(std::shared_ptr<WorkerCluster> cluster, std::shared_ptr<const Host> host,
                   Priority priority)
    : PermitWaiter(cluster->worker(), *host, priority),
      cluster_(std::move(cluster)),
      host_(std::move(host)),
      metrics_(host_->metrics(cluster_->worker())),
      priority_(priority),
      expected_streams_(
          cluster_->spec().protocol == UpstreamProtocol::Http2
              ? std::min(cluster_->spec().http2.max_concurrent_streams, kStreamsBeforeSettings)
              : 1),
      drain_deadline_(&HostPool::onDrainTimeout, this) {
  refreshIdleQueue();
}

HostPool::~HostPool() {
  CONVOY_ASSERT(pending_.empty() && connecting_.empty() && idle_.empty() && partial_.empty() &&
                busy_.empty() && !waiting() && spare_of_host_ == 0);
}

PriorityBreakers& HostPool::breakers() const {
  return cluster_->breakers().of(priority_);
}

const CircuitBreakers& HostPool::limits() const {
  return cluster_->spec().breakersOf(priority_);
}

// Each request comes by twice: mostly nothing is being opened, and hosts have no limits.
void HostPool::noteSpare() {
  if (counts_.connecting > 0 || spare_of_host_ > 0 || cluster_->limitsHosts()) {
    return noteSpareForOthers();
  }
  cluster_->spareConnections(priority_) += counts_.idle - spare_;
  spare_ = counts_.idle;
}

void HostPool::noteSpareForOthers() {
  uint32_t spare = counts_.idle;
  if (counts_.connecting > 0) {
    const uint32_t each = std::max(expected_streams_, 1u);
    const uint32_t awaited = (counts_.pending + each - 1) / each;
    spare += counts_.connecting - std::min(counts_.connecting, awaited);
  }
  const bool for_others = counts_.connecting > 0 && spare > spare_ && permits().anybody();
  cluster_->spareConnections(priority_) += spare - spare_;
  spare_ = spare;
  // What idle ones are good for is asked when they become so.
  if (for_others) stirPermits();
  // Nobody asks a pool that the cluster has dropped.
  const uint32_t told = cluster_->limitsHosts() && cluster_->keeps(*this) ? spare : 0;
  if (told == spare_of_host_) return;
  host_->limits().changeSpare(told - spare_of_host_);
  spare_of_host_ = told;
}

// --- streams ---

PendingStream* HostPool::newStream(HostLease lease, http::ResponseReceiver& receiver,
                                   PoolCallbacks& callbacks, ConnectionAge age) {
  if (lease.handOver(HostLease::kConnection)) ++permits_;
  PendingStream* const pending = startOrWait(std::move(lease), receiver, callbacks, age);
  for (; permits_ > 0; --permits_) giveBackHostPermit();
  return pending;
}

PendingStream* HostPool::startOrWait(HostLease lease, http::ResponseReceiver& receiver,
                                     PoolCallbacks& callbacks, ConnectionAge age) {
  Connections& available = partial_.empty() ? idle_ : partial_;
  if (available.empty() || (age == ConnectionAge::New && partial_.empty())) {
    if (!breakers().pending.tryAcquire(limits().max_pending_requests)) {
      cluster_->metrics().upstream_rq_pending_overflow.add();
      callbacks.onStreamFailed(http::Failure::UpstreamOverflow);
      return nullptr;
    }
    PoolStream& stream = cluster_->streams().take();
    stream.start(std::move(lease), receiver, callbacks);
    pending_.pushBack(stream);
    ++counts_.pending;
    noteSpare();
    cluster_->metrics().upstream_rq_pending_total.add();
    cluster_->metrics().upstream_rq_pending_active.add();
    openForPending();
    if (waiting()) cluster_->metrics().upstream_cx_overflow.add();
    return stream.state() == PoolStream::State::Pending ? &stream : nullptr;
  }
  PoolStream& stream = cluster_->streams().take();
  stream.start(std::move(lease), receiver, callbacks);
  startOn(available.front(), stream);
  return nullptr;
}

// REQUIRES: the connection has room, and the stream is on no list.
void HostPool::startOn(PooledConnection& connection, PoolStream& stream) {
  const bool counts = Breakers::countsRequests(cluster_->spec(), priority_);
  if (counts && !breakers().requests.tryAcquire(limits().max_requests)) {
    cluster_->metrics().upstream_rq_pending_overflow.add();
    return failPending(stream, http::Failure::UpstreamOverflow);
  }
  cluster_->metrics().upstream_rq_total.add();
  cluster_->metrics().upstream_rq_active.add();
  metrics_.rq_total.add();
  metrics_.rq_active.add();
  connection.startStream(stream, counts);
}

void HostPool::endActive(PoolStream& stream) {
  cluster_->metrics().upstream_rq_active.sub();
  metrics_.rq_active.sub();
  if (stream.holdsRequest()) breakers().requests.release();
  stream.end();
  cluster_->streams().giveBack(stream);
}

void HostPool::endPending(PoolStream& stream) {
  stream.unlink();
  --counts_.pending;
  noteSpare();
  cluster_->metrics().upstream_rq_pending_active.sub();
  breakers().pending.release();
  if (waiting() && counts_.pending <= connecting_room_) stopWaiting();
}

// The stream has left the queue.
void HostPool::failPending(PoolStream& stream, http::Failure failure) {
  PoolCallbacks& callbacks = stream.callbacks();
  stream.end();
  cluster_->streams().giveBack(stream);
  callbacks.onStreamFailed(failure);
}

void HostPool::cancel(PoolStream& stream) {
  CONVOY_ASSERT(stream.state() == PoolStream::State::Pending ||
                stream.state() == PoolStream::State::Failing);
  const HostRef self(this);
  if (stream.state() == PoolStream::State::Pending) endPending(stream);
  cluster_->metrics().upstream_rq_cancelled.add();
  stream.end();
  cluster_->streams().giveBack(stream);
  if (draining_) closeUnused();
}

void HostPool::serve(PooledConnection& connection) {
  while (!pending_.empty() && connection.hasRoom()) {
    PoolStream& stream = pending_.front();
    endPending(stream);
    startOn(connection, stream);
  }
}

// --- connections ---

void HostPool::openForPending() {
  // An idle one of ours that makes way for another comes back here.
  if (opening_ || connecting_room_ >= counts_.pending) return;
  const HostRef self(this);
  if (hopeless()) {
    if (openConnections() > 0) return stopWaiting();
    cluster_->metrics().upstream_rq_pending_overflow.add(counts_.pending);
    return failOldest(counts_.pending, http::Failure::UpstreamOverflow);
  }
  opening_ = true;
  while (connecting_room_ < counts_.pending && openConnection()) {
  }
  opening_ = false;
}

bool HostPool::openConnection() {
  if (!takePermitsOrWait()) return false;
  auto* connection = new PooledConnection(HostRef(this));
  connecting_.pushFront(*connection);
  ++counts_.connecting;
  connecting_room_ += connection->expectedStreams();
  noteSpare();
  return true;
}

void HostPool::noteIdleClose(event::Duration idle) {
  if (idle_close_.noteClosed(idle, cluster_->loop().now())) refreshIdleQueue();
}

void HostPool::noteIdleLimit(event::Duration limit) {
  if (idle_close_.noteTold(limit, cluster_->loop().now())) refreshIdleQueue();
}

// Of connections that become idle from now on.
void HostPool::refreshIdleQueue() {
  idle_queue_ = cluster_->idleQueue();
  const auto learned = idle_close_.retireAfter(cluster_->loop().now());
  if (!learned.has_value() || learned->count() == 0) return;
  if (idle_queue_ != nullptr && idle_queue_->duration() <= *learned) return;
  idle_queue_ = &cluster_->loop().deadlineQueue(*learned);
}

HostPool::Connections& HostPool::listOf(PooledConnectionState state) {
  switch (state) {
    case PooledConnectionState::Connecting:
      return connecting_;
    case PooledConnectionState::Idle:
      return idle_;
    case PooledConnectionState::Partial:
      return partial_;
    default:
      return busy_;
  }
}

uint32_t& HostPool::countOf(PooledConnectionState state) {
  switch (state) {
    case PooledConnectionState::Connecting:
      return counts_.connecting;
    case PooledConnectionState::Idle:
      return counts_.idle;
    default:
      return counts_.busy;
  }
}

void HostPool::onTransition(PooledConnection& connection, PooledConnectionState from) {
  const PooledConnectionState to = connection.state();
  --countOf(from);
  if (from == PooledConnectionState::Connecting) connecting_room_ -= connection.expectedStreams();
  if (from == PooledConnectionState::Draining) --draining_connections_;
  if (to == PooledConnectionState::Draining) ++draining_connections_;
  connection.unlink();
  if (to == PooledConnectionState::Closed) {
    // Before the others cannot see it any more: who finds the host full looks for either.
    giveBackPermits(connection.leaves());
    noteSpare();
    cluster_->loop().destroyAtEndOfTurn(std::unique_ptr<PooledConnection>(&connection));
    return;
  }
  ++countOf(to);
  noteSpare();
  listOf(to).pushFront(connection);
}

void HostPool::onRefused() {
  failForLack(http::Failure::UpstreamRefusedStream);
}

void HostPool::onConnectFailed(http::Failure failure) {
  cluster_->noteConnectFailure(*host_);
  failForLack(failure);
}

void HostPool::failForLack(http::Failure failure) {
  const HostRef self(this);
  const bool without = openConnections() == 0;
  failOldest(without ? counts_.pending : uint32_t{counts_.pending > connecting_room_}, failure);
  openForPending();
}

void HostPool::failOldest(uint32_t count, http::Failure failure) {
  // Those that fail leave the queue first: what their callers do then, such as trying again, must
  // not meet them there.
  base::IntrusiveList<PoolStream> failed;
  for (uint32_t i = 0; i < count; ++i) {
    PoolStream& stream = pending_.front();
    endPending(stream);
    stream.fail();
    failed.pushBack(stream);
  }
  while (!failed.empty()) {
    cluster_->metrics().upstream_rq_pending_failure_eject.add();
    failPending(failed.popFront(), failure);
  }
}

void HostPool::drain(std::optional<Milliseconds> timeout, bool served) {
  const HostRef self(this);
  if (!std::exchange(draining_, true) || served) {
    drain_deadline_.cancel();
    if (timeout.has_value()) drain_deadline_.arm(cluster_->loop().deadlineQueue(*timeout));
  }
  closeUnused();
}

void HostPool::closeUnused() {
  while (closeOldestIdle()) {
  }
  if (counts_.pending > 0) return;
  while (!connecting_.empty()) connecting_.front().drain();
}

void HostPool::closeAll(http::Failure failure) {
  const HostRef self(this);
  draining_ = true;
  drain_deadline_.cancel();
  failOldest(counts_.pending, failure);
  for (Connections* list : {&partial_, &busy_, &idle_, &connecting_}) {
    while (!list->empty()) list->front().closeNow(failure);
  }
}

void HostPool::onDrainTimeout(void* self) {
  auto& pool = *static_cast<HostPool*>(self);
  const event::Loop::TurnScope turn(pool.cluster_->loop());
  if (pool.cluster_->serves(*pool.host_)) {
    // It is back, and no request has come to it since; or it has another pool now.
    if (pool.cluster_->keeps(pool)) pool.resume();
    return;
  }
  if (pool.counts_.pending + pool.counts_.connecting + pool.counts_.busy == 0) return;
  pool.cluster_->metrics().host_drain_timeout.add();
  pool.closeAll(http::Failure::UpstreamDrained);
}

bool HostPool::closeOldestIdle() {
  if (idle_.empty()) return false;
  idle_.back().drain();
  return true;
}

}  // namespace convoy::upstream
