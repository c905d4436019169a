#pragma once

// The connections of one worker to one host for the requests of one priority, and those that wait
// for one. Protocol independent: a connection carries as many streams as its codec allows
// (HTTP/1.1: one).
//
//   newStream()  -> an idle connection, the one used last first: ready at once
//                -> none: the stream waits (first in, first out) and a connection is opened for it
//   newStream(ConnectionAge::New) -> never an idle one: one that is opened, or that just now served
//                another stream
//   stream ends  -> its connection serves the oldest waiting stream, or goes idle if the codec says
//                   that it may be used again, or is closed
//
// A connection is opened only with a permit of the host's own limit (host_limits.h), which a pick
// may have taken already, and one of the cluster's (breakers.h); neither is ever exceeded. While
// one is not to be had, what waits goes on waiting: for the connections that there are, and in a
// queue with the pools of other hosts and workers (permit_queues.h), which give up what is idle,
// and their turn with the rest (pool_permits.cc). Where the limit is 0, it fails with
// UpstreamOverflow.
//
// A failed connect fails the oldest waiting stream; the others go on waiting while a connection is
// being opened or is in use, else they fail too. A connection that the upstream closes while idle
// leaves without a word; one that it closes under a request, and that has brought nothing since
// then (UpstreamConnectionInfo::mayHaveCrossed()), has most likely crossed that request on its way:
// the host is fine. The caller may replay a request that got not a byte of response
// (bytesReceived()) if the connection had been used before.
//
// A warm pool neither allocates nor locks nor reads a clock per request. Idle connections hold no
// buffer. Worker's thread only. Owned by references (HostRef): its cluster, its connections, and
// whoever pins the host; destroyed at the end of a turn.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/deadlines.h"
#include "proxy/http/codec.h"
#include "proxy/http/failure.h"
#include "proxy/net/address.h"
#include "proxy/upstream/breakers.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/idle_close.h"
#include "proxy/upstream/permit_queues.h"

namespace convoy::upstream {

class HostPool;
class PooledConnection;
class PoolStream;
class WorkerCluster;
enum class PooledConnectionState : uint8_t;

// A worker's pin on a host and its pool: the address and the metrics stay. Copying costs an
// increment that is not atomic; worker's thread only.
class HostRef {
 public:
  HostRef() = default;
  explicit HostRef(HostPool* pool);
  HostRef(const HostRef& other) : HostRef(other.pool_) {}
  HostRef(HostRef&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
  HostRef& operator=(HostRef other) noexcept {
    std::swap(pool_, other.pool_);
    return *this;
  }
  ~HostRef() {
    if (pool_ != nullptr) release();
  }

  explicit operator bool() const { return pool_ != nullptr; }
  HostPool* pool() const { return pool_; }
  const Host& host() const;
  const net::Address& address() const { return host().address(); }
  HostMetrics& metrics() const;  // this worker's

 private:
  void release();

  HostPool* pool_ = nullptr;
};

// A host that was picked for one request. Handed on to newStream(), which keeps it until the stream
// ended; destroyed unused, it gives back what the pick took.
class HostLease {
 public:
  // What is given back with it: a set of these.
  enum Held : uint8_t {
    kNothing = 0,
    kActive = 1,       // Pick::counted
    kBound = 2,        // Pick::in_total
    kProbe = 4,        // the host's (Streaks), as holdProbe() has it
    kMetered = 8,      // one of Breakers::recovering
    kConnection = 16,  // of the host's limit: the next connection that the pool opens
    kRequest = 32,     // of the host's limit
  };

  HostLease() = default;
  HostLease(HostRef host, uint8_t held) : host_(std::move(host)), held_(held) {}
  HostLease(HostLease&& other) noexcept
      : host_(std::move(other.host_)), held_(std::exchange(other.held_, kNothing)) {}
  HostLease& operator=(HostLease&& other) noexcept {
    std::swap(host_, other.host_);
    std::swap(held_, other.held_);
    return *this;
  }
  ~HostLease() {
    if (held_ != kNothing) giveBack();
  }

  explicit operator bool() const { return static_cast<bool>(host_); }
  void hold(Held more) { held_ |= more; }
  void holdProbe(uint32_t taken) { held_ |= kProbe | uint64_t{taken} << kProbeShift; }
  bool probes() const { return (held_ & kProbe) != 0; }
  // Streaks::kNoProbe: its request does not probe the host.
  uint32_t probe() const { return static_cast<uint32_t>(held_ >> kProbeShift); }
  // Somebody else gives it back. False: it was not held.
  bool handOver(Held what) {
    const bool held = (held_ & what) != 0;
    held_ &= ~uint64_t{what};
    return held;
  }
  const HostRef& ref() const { return host_; }
  const Host& host() const { return host_.host(); }
  void release() {
    if (held_ != kNothing) giveBack();
    host_ = {};
  }

 private:
  void giveBack();

  static constexpr int kProbeShift = 32;

  HostRef host_;
  uint64_t held_ =
      kNothing;  // of Held; above them the probe, in one word since each request moves it
};

// What the caller may know of the connection under its stream. Good until the stream ended or was
// reset, the callback that says so included.
class UpstreamConnectionInfo {
 public:
  virtual const net::Address& remoteAddress() const = 0;
  virtual const net::Address& localAddress() = 0;  // the first call asks the kernel
  virtual uint64_t streamsBefore() const = 0;      // 0: the connection is fresh
  // Since this stream began: whether the upstream has sent anything for it, as far as can be told.
  virtual bool bytesReceived() const = 0;
  // The connection had been kept, without a stream, when this stream began, and has read nothing
  // since: the host may have ended it before it saw the request.
  virtual bool mayHaveCrossed() const = 0;
  // The connection takes no other streams: it has said GOAWAY, is too old, or its host is drained.
  virtual bool drains() const = 0;
  // A request with `upgrade` may be sent: see http::ClientCodec.
  virtual bool takesUpgrades() const = 0;
  // The host has said how long it keeps the connection when it is idle.
  virtual void noteIdleLimit(event::Duration limit) = 0;

 protected:
  ~UpstreamConnectionInfo() = default;
};

// Exactly one of these is called for each newStream(), unless it was cancelled.
class PoolCallbacks {
 public:
  // The sender works until the stream ended both ways or was reset; the receiver gets the response.
  virtual void onStreamReady(http::RequestSender& sender, UpstreamConnectionInfo& info) = 0;
  // UpstreamConnectFailure, UpstreamConnectTimeout, UpstreamTransportFailure (the pool has the
  // reason), UpstreamProtocolError (before a stream could begin), UpstreamRefusedStream (the host
  // drains), or UpstreamOverflow (a circuit breaker).
  virtual void onStreamFailed(http::Failure failure) = 0;

 protected:
  ~PoolCallbacks() = default;
};

// Which connections will do for a stream. New passes over idle ones, which the host may have
// closed.
enum class ConnectionAge : uint8_t { Any, New };

// A stream that waits for a connection. The pointer is dead once a callback was called.
class PendingStream {
 public:
  // No callback follows.
  void cancel();

 private:
  friend class PoolStream;
  PendingStream() = default;
};

// Whatever ends a stream or frees a connection comes back here.
class HostPool final : private PermitWaiter {
 public:
  // For people and tests.
  struct Counts {
    uint32_t connecting = 0;
    uint32_t idle = 0;
    uint32_t busy = 0;  // with at least one stream
    uint32_t pending = 0;
  };

  HostPool(std::shared_ptr<WorkerCluster> cluster, std::shared_ptr<const Host> host,
           Priority priority);
  ~HostPool();
  HostPool(const HostPool&) = delete;
  HostPool& operator=(const HostPool&) = delete;

  const Host& host() const { return *host_; }
  HostMetrics& metrics() const { return metrics_; }
  WorkerCluster& cluster() const { return *cluster_; }
  const Counts& counts() const { return counts_; }
  Priority priority() const { return priority_; }
  // Without those that leave for others.
  uint32_t connectionsThatStay() const { return openConnections() - leaving_; }
  // Whether one more stream would find a place without a new connection.
  bool hasRoom() const {
    return !idle_.empty() || !partial_.empty() || connecting_room_ > counts_.pending;
  }

  // See WorkerCluster::newStream(), which is the way in.
  PendingStream* newStream(HostLease lease, http::ResponseReceiver& receiver,
                           PoolCallbacks& callbacks, ConnectionAge age);

  // The host gets no new requests for now: closes idle connections, and others as they become idle,
  // or when the time-out has passed, if there is one. resume() ends it. served: it got some until
  // now, though a former time-out may still run; else that goes on.
  void drain(std::optional<Milliseconds> timeout, bool served);
  void resume() {
    draining_ = false;
    drain_deadline_.cancel();
  }
  bool draining() const { return draining_; }
  // Closes every connection; streams end with this failure.
  void closeAll(http::Failure failure);
  // The connection that has been idle for longest. False if none is idle.
  bool closeOldestIdle();
  bool giveUpSpare();  // for another pool
  // Connections that nobody needs: idle ones, and those being opened that no request waits for.
  uint32_t spare() const { return spare_; }
  void noteSpare();  // whenever what it depends on has changed
  // As many connections as are wanted and may be.
  void openForPending();
  void onTurn() override { openForPending(); }

  // From PooledConnection and PoolStream.
  void onTransition(PooledConnection& connection, PooledConnectionState from);
  void onConnectFailed(http::Failure failure);
  // A new connection takes no streams: who waits goes to another host, if no other is on its way.
  void onRefused();
  // Why the last transport failed, a stable name.
  std::string_view transportFailure() const { return transport_failure_; }
  void noteTransportFailure(std::string_view reason) { transport_failure_ = reason; }
  void onConnectionGone() { openForPending(); }
  // Whether a connection is to make way for another pool's. If so, the caller drains it; one that
  // has streams then is counted as leaving. REQUIRES: permits().anybody().
  bool givesUp(const PooledConnection& connection);
  // Of one that was not used.
  void giveBackHostPermit() const;
  void serve(PooledConnection& connection);  // streams that wait, as many as it has room for
  void endActive(PoolStream& stream);
  void cancel(PoolStream& stream);
  // How long idle connections are kept; null: for ever. Shorter where the host is known to close
  // them (idle_close.h).
  event::DeadlineQueue* idleQueue() const { return idle_queue_; }
  void noteIdleClose(event::Duration idle);
  void noteIdleLimit(event::Duration limit);
  void refreshIdleQueue();
  // How many streams a new connection is likely to carry: as many as the last one.
  uint32_t expectedStreams() const { return expected_streams_; }
  void expectStreams(uint32_t streams) { expected_streams_ = streams; }

 private:
  friend class HostRef;
  using Connections = base::IntrusiveList<PooledConnection>;

  PriorityBreakers& breakers() const;
  const CircuitBreakers& limits() const;
  PendingStream* startOrWait(HostLease lease, http::ResponseReceiver& receiver,
                             PoolCallbacks& callbacks, ConnectionAge age);
  static void onDrainTimeout(void* self);
  void startOn(PooledConnection& connection, PoolStream& stream);
  void endPending(PoolStream& stream);
  void failPending(PoolStream& stream, http::Failure failure);
  void failOldest(uint32_t count, http::Failure failure);
  void failForLack(http::Failure failure);  // of a connection that was to come
  bool openConnection();
  void closeUnused();
  Connections& listOf(PooledConnectionState state);
  uint32_t& countOf(PooledConnectionState state);
  uint32_t openConnections() const { return counts_.connecting + counts_.idle + counts_.busy; }

  // pool_permits.cc
  PermitQueues& permits() const;
  uint32_t& heldByWorker() const;
  bool lacksNoMore(Lacks lacks) const;
  // No connection that will serve what waits sooner or later.
  bool isUrgent() const { return openConnections() == draining_connections_; }
  Lacks tryTakePermits();
  Lacks takePermits();
  bool takePermitsOrWait();
  void stopWaiting();
  void stirPermits() const;
  void noteSpareForOthers();
  void giveBackPermits(bool left);
  bool hopeless() const;

  const std::shared_ptr<WorkerCluster> cluster_;
  const std::shared_ptr<const Host> host_;
  HostMetrics& metrics_;
  const Priority priority_;
  uint64_t references_ = 0;  // HostRefs
  uint32_t permits_ = 0;     // of the host's limit, for connections that are about to be opened
  bool draining_ = false;
  bool opening_ = false;  // openForPending() is on the stack
  Counts counts_;
  uint32_t draining_connections_ = 0;  // of those that are busy; they serve nobody any more
  uint32_t leaving_ = 0;               // of those that drain: for others' sake
  uint32_t spare_ = 0;
  uint32_t spare_of_host_ = 0;  // of those: the host's limits know of them
  uint32_t expected_streams_;
  uint32_t connecting_room_ = 0;  // streams that the connecting ones will carry
  Connections connecting_;
  Connections idle_;                         // the one used last in front
  Connections partial_;                      // with streams, and room for more
  Connections busy_;                         // full or draining
  base::IntrusiveList<PoolStream> pending_;  // the oldest in front
  std::string_view transport_failure_;
  IdleClose idle_close_;
  event::DeadlineQueue* idle_queue_ = nullptr;
  event::Deadline drain_deadline_;
};

inline const Host& HostRef::host() const {
  return pool_->host();
}
inline HostMetrics& HostRef::metrics() const {
  return pool_->metrics();
}
inline HostRef::HostRef(HostPool* pool) : pool_(pool) {
  if (pool_ != nullptr) ++pool_->references_;
}

}  // namespace convoy::upstream
