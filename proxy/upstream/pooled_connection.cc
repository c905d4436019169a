#include "proxy/upstream/pooled_connection.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::upstream {

namespace {

constexpr std::string_view kAlpnH2 = "h2";

// A response of 64 KiB and its head are one read, and so one write.
constexpr size_t kReadBytes = 128 * 1024;

}  // namespace

PooledConnection::PooledConnection(HostRef host)
    : host_(std::move(host)),
      pool_(*host_.pool()),
      cluster_(pool_.cluster()),
      expected_streams_(pool_.expectedStreams()),
      started_at_(cluster_.loop().now()),
      deadline_(&PooledConnection::onDeadline, this) {
  const ClusterSpec& spec = cluster_.spec();
  connection_ = cluster_.io().connect(cluster_.loop(), host_.address(),
                                      spec.bind_to.has_value() ? &*spec.bind_to : nullptr, *this);
  connection_->setWriteLimit(spec.per_connection_buffer_limit_bytes);
  connection_->setReadSize(kReadBytes);
  if (spec.tcp_keepalive.has_value()) connection_->setTcpKeepalive(*spec.tcp_keepalive);
  if (cluster_.transports() != nullptr) wrap();
  if (cluster_.connectQueue() != nullptr) deadline_.arm(*cluster_.connectQueue());

  ClusterMetrics& metrics = cluster_.metrics();
  metrics.upstream_cx_total.add();
  metrics.upstream_cx_active.add();
  host_.metrics().cx_total.add();
  host_.metrics().cx_active.add();
}

// Without certificates, which have not come yet, the connect fails like one that is refused.
void PooledConnection::wrap() {
  transports_ = cluster_.transports();
  auto transport = transports_->create(cluster_.worker());
  if (transport != nullptr) return connection_->setTransport(std::move(transport));
  connection_->closeWith(net::CloseReason::TransportError);
}

PooledConnection::~PooledConnection() {
  CONVOY_ASSERT(state_ == State::Closed);
  if (connection_->connected()) cluster_.closing().add(std::move(connection_));
}

void PooledConnection::makeCodec() {
  const ClusterSpec& spec = cluster_.spec();
  ClusterMetrics& metrics = cluster_.metrics();
  UpstreamProtocol protocol = spec.protocol;
  if (protocol == UpstreamProtocol::Auto) {
    const net::Transport* const transport = connection_->transport();
    const bool h2 = transport != nullptr && transport->protocol() == kAlpnH2;
    protocol = h2 ? UpstreamProtocol::Http2 : UpstreamProtocol::Http1;
  }
  http2_ = protocol == UpstreamProtocol::Http2;
  (http2_ ? metrics.upstream_cx_http2_total : metrics.upstream_cx_http1_total).add();
  codec_ = cluster_.io().createCodec(cluster_.loop(), spec, protocol, metrics.http2, *this);
  if (codec_.max_streams > 0) pool_.expectStreams(codec_.max_streams);
  codec_.codec->start();
}

void PooledConnection::transition(State to) {
  // Connecting -> Idle; Idle <-> Partial <-> Full, in steps of any size; Partial or Full ->
  // Draining; anything -> Closed, once.
  const bool serving = state_ == State::Idle || state_ == State::Partial || state_ == State::Full;
  CONVOY_ASSERT((to == State::Closed && state_ != State::Closed) ||
                (to == State::Idle && (serving || state_ == State::Connecting)) ||
                (to == State::Partial && serving) || (to == State::Full && serving) ||
                (to == State::Draining && (state_ == State::Partial || state_ == State::Full)));
  const State from = std::exchange(state_, to);
  pool_.onTransition(*this, from);
}

// --- streams ---

void PooledConnection::startStream(PoolStream& stream, bool holds_request) {
  CONVOY_ASSERT(hasRoom());
  if (state_ == State::Idle) {
    deadline_.cancel();
    if (keepalive_ != nullptr) keepalive_->onUse(cluster_.loop().now() - idle_since_);
  }
  http::RequestSender& sender = codec_.codec->newStream(stream.receiver());
  sender.owner = &stream;
  stream.activate(*this, sender, holds_request);
  ++streams_started_;
  streams_.pushBack(stream);
  const bool full = ++active_ >= codec_.max_streams;
  transition(full ? State::Full : State::Partial);
  const uint64_t wanted = cluster_.spec().max_requests_per_connection.value_or(0);
  const uint64_t most = wanted > 0 ? std::min(wanted, codec_.most_streams) : codec_.most_streams;
  if (streams_started_ >= most) {
    cluster_.metrics().upstream_cx_max_requests.add();
    transition(State::Draining);
  }
  stream.callbacks().onStreamReady(stream, stream);
}

void PooledConnection::resetStream(PoolStream& stream, http::Failure failure) {
  cluster_.metrics().upstream_rq_tx_reset.add();
  gave_up_ = !http2_;
  stream.codecSender()->owner = nullptr;
  stream.codecSender()->reset(failure);
  endStream(stream);
  settle();
}

void PooledConnection::endStream(PoolStream& stream) {
  --active_;
  pool_.endActive(stream);
  // One that goes idle is looked at when it does.
  const bool shared = active_ > 0 && (state_ == State::Partial || state_ == State::Full);
  if (shared && cluster_.permits().anybody() && pool_.givesUp(*this)) giveUp();
}

void PooledConnection::endAllStreams() {
  while (!streams_.empty()) {
    cluster_.metrics().upstream_rq_rx_reset.add();
    endStream(streams_.front());
  }
}

// A stream that its caller has given up has no owner any more.
void PooledConnection::onStreamComplete(http::RequestSender& sender) {
  auto* const stream = static_cast<PoolStream*>(sender.owner);
  if (stream == nullptr) return;
  endStream(*stream);
  settle();
}

void PooledConnection::onStreamReset(http::RequestSender& sender) {
  if (sender.owner != nullptr) cluster_.metrics().upstream_rq_rx_reset.add();
  onStreamComplete(sender);
}

void PooledConnection::onMaxStreams(uint32_t streams) {
  codec_.max_streams = streams;
  if (streams > 0) pool_.expectStreams(streams);
  settle();
}

// What the events of this turn have come to. Looked at when the codec has returned, since what
// follows may start a new stream on it or give it up, and when becomeAvailable() has, which looks
// itself.
void PooledConnection::settle() {
  if (in_codec_ || serving_ || state_ == State::Closed) return;
  if (state_ == State::Connecting) return settleConnecting();
  if (codec_.codec->idle()) endAllStreams();  // those that the codec has reset
  if (isOver()) return endWithStreams();
  if (hasNewRoom()) return becomeAvailable();
  if (state_ == State::Partial && active_ >= codec_.max_streams) transition(State::Full);
}

// The upstream is there when it has said how many streams it takes: more would wait in the codec,
// behind those that it takes, and could go to no other connection.
void PooledConnection::settleConnecting() {
  if (protocol_error_) return failToConnect(http::Failure::UpstreamProtocolError);
  if (codec_.codec->endIsAnnounced()) {
    // A host that drains takes connections to the last. It has not failed.
    close(By::Them);
    return pool_.onRefused();
  }
  if (codec_.codec->mustClose()) return failToConnect(http::Failure::UpstreamConnectFailure);
  if (codec_.max_streams == 0) return;
  deadline_.cancel();
  if (cluster_.ageQueue() != nullptr) {
    age_ = std::make_unique<event::Deadline>(&PooledConnection::onAge, this);
    age_->arm(*cluster_.ageQueue());
  }
  const auto& keepalive = cluster_.spec().http2_keepalive;
  if (http2_ && keepalive.has_value()) {
    keepalive_ = std::make_unique<Keepalive>(cluster_.loop(), *keepalive, *this);
  }
  becomeAvailable();
  pool_.openForPending();  // it may take fewer than was thought
}

// It takes no more streams.
bool PooledConnection::isOver() const {
  if (state_ == State::Draining || state_ == State::Closed) return true;
  return protocol_error_ || codec_.max_streams == 0 || codec_.codec->mustClose();
}

void PooledConnection::endWithStreams() {
  drain();
  if (state_ == State::Draining) pool_.openForPending();  // it serves nobody else
}

// Streams have ended since the state was set.
bool PooledConnection::hasNewRoom() const {
  if (active_ == 0) return state_ == State::Partial || state_ == State::Full;
  return state_ == State::Full && active_ < codec_.max_streams;
}

// A stream may end as it begins. What that leaves is looked at here: settle() would serve the next
// one from within, and all that wait could come to be on the stack.
void PooledConnection::becomeAvailable() {
  bool gives_up = false;
  serving_ = true;
  do {
    transition(active_ == 0 ? State::Idle : State::Partial);
    idle_since_ = cluster_.loop().now();
    gives_up = cluster_.permits().anybody() && pool_.givesUp(*this);
    if (!gives_up) pool_.serve(*this);
  } while (!gives_up && !isOver() && hasNewRoom());
  serving_ = false;
  if (gives_up) return giveUp();
  if (isOver()) return endWithStreams();
  if (state_ != State::Idle) return;
  if (pool_.draining()) return close(By::Us);
  if (pool_.idleQueue() != nullptr) deadline_.arm(*pool_.idleQueue());
}

// For another pool.
void PooledConnection::giveUp() {
  cluster_.metrics().connection_limit_given_up.add();
  leaves_ = active_ > 0;
  drain();
}

// --- the end ---

void PooledConnection::drain() {
  active_ == 0 ? close(By::Us) : takeNoMore();
}

void PooledConnection::takeNoMore() {
  if (state_ == State::Partial || state_ == State::Full) transition(State::Draining);
}

// Every stream ends with this failure. Those that are tried again must not come back here.
void PooledConnection::loseCodec(http::Failure failure) {
  if (codec_.codec == nullptr) return;
  takeNoMore();
  in_codec_ = true;
  codec_.codec->onConnectionLost(failure);
  in_codec_ = false;
}

void PooledConnection::closeNow(http::Failure failure) {
  if (state_ == State::Closed) return;
  loseCodec(failure);
  close(By::Us);
}

// Leaves the pool. Streams that are left have heard of it from the codec.
void PooledConnection::close(By by) {
  if (state_ == State::Closed) return;
  ClusterMetrics& metrics = cluster_.metrics();
  metrics.upstream_cx_destroy.add();
  (by == By::Us ? metrics.upstream_cx_destroy_local : metrics.upstream_cx_destroy_remote).add();
  if (active_ > 0) {
    metrics.upstream_cx_destroy_with_active_rq.add();
    (by == By::Us ? metrics.upstream_cx_destroy_local_with_active_rq
                  : metrics.upstream_cx_destroy_remote_with_active_rq)
        .add();
  }
  metrics.upstream_cx_active.sub();
  host_.metrics().cx_active.sub();
  deadline_.cancel();
  age_.reset();
  keepalive_.reset();
  // Nothing waits for the end of a tunnel, whose last bytes may still be here.
  const bool was_connecting = state_ == State::Connecting;
  const bool owes =
      active_ == 0 && !was_connecting && !gave_up_ && !protocol_error_ && connection_->unsent();
  connection_->close(owes ? net::CloseMode::FlushNoDrain : net::CloseMode::Now);
  transition(State::Closed);  // the pool takes us over for destruction
  endAllStreams();
  if (!was_connecting) pool_.onConnectionGone();
}

void PooledConnection::onConnectFailed(net::CloseReason reason) {
  const bool late = reason == net::CloseReason::ConnectTimeout;
  if (late) cluster_.metrics().upstream_cx_connect_timeout.add();
  http::Failure failure =
      late ? http::Failure::UpstreamConnectTimeout : http::Failure::UpstreamConnectFailure;
  if (reason == net::CloseReason::TransportError) {
    failure = http::Failure::UpstreamTransportFailure;
    const net::Transport* const transport = connection_->transport();
    pool_.noteTransportFailure(transport != nullptr ? transport->info().failure
                                                    : "certificates_missing");
  }
  failToConnect(failure);
}

void PooledConnection::failToConnect(http::Failure failure) {
  cluster_.metrics().upstream_cx_connect_fail.add();
  host_.metrics().cx_connect_fail.add();
  close(By::Them);
  pool_.onConnectFailed(failure);
}

// --- the connection ---

void PooledConnection::onConnected() {
  if (state_ != State::Connecting) return;
  const event::Duration took = cluster_.loop().now() - started_at_;
  cluster_.metrics().upstream_cx_connect_ms.record(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  makeCodec();
  settleConnecting();
}

void PooledConnection::onRead(std::string_view bytes) {
  if (state_ == State::Closed) return;
  ++reads_;
  cluster_.metrics().upstream_cx_rx_bytes_total.add(bytes.size());
  in_codec_ = true;
  codec_.codec->dispatch(bytes);
  in_codec_ = false;
  settle();
}

net::SpliceResult PooledConnection::onSpliceable() {
  if (state_ == State::Closed || codec_.codec == nullptr) return {};
  in_codec_ = true;
  const net::SpliceResult result = codec_.codec->spliceBody(*connection_);
  in_codec_ = false;
  ClusterMetrics& metrics = cluster_.metrics();
  metrics.upstream_cx_rx_bytes_total.add(result.bytes);
  metrics.upstream_cx_rx_spliced_bytes_total.add(result.bytes);
  if (result.kind == net::SpliceResult::Kind::NoPipe) metrics.upstream_cx_splice_overflow.add();
  settle();
  return result;
}

void PooledConnection::onEndOfStream() {
  if (state_ == State::Closed) return;
  if (state_ == State::Connecting) return failToConnect(http::Failure::UpstreamConnectFailure);
  noteIdleClose();
  takeNoMore();
  lost_ = true;
  in_codec_ = true;
  codec_.codec->onEndOfStream();
  in_codec_ = false;
  if (codec_.codec->idle()) return close(By::Them);
  settle();
}

void PooledConnection::onClosed(net::CloseReason reason) {
  if (state_ == State::Closed) return;
  if (state_ == State::Connecting) return onConnectFailed(reason);
  noteIdleClose();
  lost_ = true;
  loseCodec(http::Failure::UpstreamReset);
  close(By::Them);
}

// HTTP/2 says GOAWAY, and what crosses it is refused, not lost.
void PooledConnection::noteIdleClose() {
  if (state_ != State::Idle || http2_ || streams_started_ == 0) return;
  pool_.noteIdleClose(cluster_.loop().now() - idle_since_);
}

void PooledConnection::onProtocolError(http::Failure, std::string_view) {
  cluster_.metrics().upstream_cx_protocol_error.add();
  protocol_error_ = true;
  takeNoMore();
}

void PooledConnection::onDeadline(void* self) {
  auto& connection = *static_cast<PooledConnection*>(self);
  if (connection.state_ == State::Connecting) {
    return connection.onConnectFailed(net::CloseReason::ConnectTimeout);
  }
  connection.cluster_.metrics().upstream_cx_idle_timeout.add();
  connection.pool_.refreshIdleQueue();  // what was learned may be too old by now
  connection.close(By::Us);
}

void PooledConnection::onAge(void* self) {
  auto& connection = *static_cast<PooledConnection*>(self);
  connection.cluster_.metrics().upstream_cx_max_duration_reached.add();
  connection.drain();
}

// As if it had been reset, which nobody is there to do.
void PooledConnection::onSilent() {
  cluster_.metrics().http2.keepalive_timeout.add();
  lost_ = true;
  gave_up_ = true;
  closeNow(http::Failure::UpstreamReset);
}

// --- back-pressure ---

void PooledConnection::onWriteQueueAboveHigh() {
  cluster_.metrics().upstream_flow_control_backed_up_total.add();
  if (codec_.codec != nullptr) codec_.codec->onOutputAboveHigh();
}

void PooledConnection::onWriteQueueBelowLow() {
  cluster_.metrics().upstream_flow_control_drained_total.add();
  if (codec_.codec != nullptr) codec_.codec->onOutputBelowLow();
}

}  // namespace convoy::upstream
