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
  const uint8_t held = std::exchange(held_, kNothing);
  if (held & kActive) host_.host().active().fetch_sub(1, std::memory_order_relaxed);
  if (held & kBound) host_.pool()->cluster().releaseBound();
  if (held & kProbe) host_.host().streaks().giveBackProbe();
  if (held & kMetered) host_.pool()->cluster().breakers().recovering.release();
}

HostPool::HostPool(std::shared_ptr<WorkerCluster> cluster, std::shared_ptr<const Host> host)
    : cluster_(std::move(cluster)),
      host_(std::move(host)),
      metrics_(host_->metrics(cluster_->worker())),
      expected_streams_(
          cluster_->spec().protocol == UpstreamProtocol::Http2
              ? std::min(cluster_->spec().http2.max_concurrent_streams, kStreamsBeforeSettings)
              : 1) {
  refreshIdleQueue();
}

HostPool::~HostPool() {
  CONVOY_ASSERT(pending_.empty() && connecting_.empty() && idle_.empty() && partial_.empty() &&
                busy_.empty());
}

// --- streams ---

PendingStream* HostPool::newStream(HostLease lease, http::ResponseReceiver& receiver,
                                   PoolCallbacks& callbacks, ConnectionAge age) {
  Connections& available = partial_.empty() ? idle_ : partial_;
  if (available.empty() || (age == ConnectionAge::New && partial_.empty())) {
    if (!cluster_->breakers().pending.tryAcquire(cluster_->spec().breakers.max_pending_requests)) {
      cluster_->metrics().upstream_rq_pending_overflow.add();
      callbacks.onStreamFailed(http::Failure::UpstreamOverflow);
      return nullptr;
    }
    PoolStream& stream = cluster_->streams().take();
    stream.start(std::move(lease), receiver, callbacks);
    pending_.pushBack(stream);
    ++counts_.pending;
    cluster_->metrics().upstream_rq_pending_total.add();
    cluster_->metrics().upstream_rq_pending_active.add();
    openForPending();
    return &stream;
  }
  PoolStream& stream = cluster_->streams().take();
  stream.start(std::move(lease), receiver, callbacks);
  startOn(available.front(), stream);
  return nullptr;
}

// REQUIRES: the connection has room, and the stream is on no list.
void HostPool::startOn(PooledConnection& connection, PoolStream& stream) {
  const ClusterSpec& spec = cluster_->spec();
  const bool counts = Breakers::countsRequests(spec);
  if (counts && !cluster_->breakers().requests.tryAcquire(spec.breakers.max_requests)) {
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
  if (stream.holdsRequest()) cluster_->breakers().requests.release();
  stream.end();
  cluster_->streams().giveBack(stream);
}

void HostPool::endPending(PoolStream& stream) {
  stream.unlink();
  --counts_.pending;
  cluster_->metrics().upstream_rq_pending_active.sub();
  cluster_->breakers().pending.release();
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
  if (draining_) drain();
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
  while (connecting_room_ < counts_.pending && openConnection()) {
  }
}

bool HostPool::openConnection() {
  Breakers& breakers = cluster_->breakers();
  const uint32_t most = cluster_->spec().breakers.max_connections;
  if (!breakers.connections.tryAcquire(most)) {
    cluster_->metrics().upstream_cx_overflow.add();
    // Those that are open will serve the queue; without one, an idle one elsewhere makes way.
    if (counts_.connecting + counts_.idle + counts_.busy > 0) return false;
    cluster_->closeAnIdleConnection();
    if (!breakers.connections.tryAcquire(most)) breakers.connections.acquireAnyway();
  }
  auto* connection = new PooledConnection(HostRef(this));
  connecting_.pushFront(*connection);
  ++counts_.connecting;
  connecting_room_ += connection->expectedStreams();
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
  connection.unlink();
  if (to == PooledConnectionState::Closed) {
    cluster_->breakers().connections.release();
    cluster_->loop().destroyAtEndOfTurn(std::unique_ptr<PooledConnection>(&connection));
    return;
  }
  ++countOf(to);
  listOf(to).pushFront(connection);
}

void HostPool::onConnectFailed(http::Failure failure) {
  const HostRef self(this);
  cluster_->noteConnectFailure(*host_);
  const bool hopeless = counts_.connecting + counts_.busy + counts_.idle == 0;
  failOldest(hopeless ? counts_.pending : uint32_t{counts_.pending > connecting_room_}, failure);
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

void HostPool::drain() {
  const HostRef self(this);
  draining_ = true;
  while (closeOldestIdle()) {
  }
  if (counts_.pending > 0) return;
  while (!connecting_.empty()) connecting_.front().drain();
}

void HostPool::closeAll(http::Failure failure) {
  const HostRef self(this);
  draining_ = true;
  failOldest(counts_.pending, failure);
  for (Connections* list : {&partial_, &busy_, &idle_, &connecting_}) {
    while (!list->empty()) list->front().closeNow(failure);
  }
}

bool HostPool::closeOldestIdle() {
  if (idle_.empty()) return false;
  idle_.back().drain();
  return true;
}

}  // namespace convoy::upstream
