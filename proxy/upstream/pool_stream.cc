#include "proxy/upstream/pool_stream.h"

#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/pooled_connection.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::upstream {

void PendingStream::cancel() {
  auto& stream = static_cast<PoolStream&>(*this);
  stream.pool().cancel(stream);
}

void PoolStream::transition(State to) {
  CONVOY_ASSERT((state_ == State::Free && to == State::Pending) ||
                (state_ == State::Pending && (to == State::Active || to == State::Failing)) ||
                (state_ != State::Free && state_ != State::Ended && to == State::Ended) ||
                (state_ == State::Ended && to == State::Free));
  state_ = to;
}

void PoolStream::start(HostLease lease, http::ResponseReceiver& receiver,
                       PoolCallbacks& callbacks) {
  transition(State::Pending);
  lease_ = std::move(lease);
  receiver_ = &receiver;
  callbacks_ = &callbacks;
}

void PoolStream::activate(PooledConnection& connection, http::RequestSender& codec_sender,
                          bool holds_request) {
  transition(State::Active);
  connection_ = &connection;
  codec_sender_ = &codec_sender;
  holds_request_ = holds_request;
  streams_before_ = connection.streamsStarted();
  was_kept_ = streams_before_ > 0 && connection.streams() == 0;
  reads_before_ = connection.reads();
}

void PoolStream::end() {
  transition(State::Ended);
  unlink();
  if (pauses_ > 0) metrics().upstream_flow_control_resumed_reading_total.add(pauses_);
  pauses_ = 0;
  lease_.release();
  connection_ = nullptr;
  codec_sender_ = nullptr;
  holds_request_ = false;
}

ClusterMetrics& PoolStream::metrics() const {
  return pool().cluster().metrics();
}

void PoolStream::sendHead(const http::RequestHead& head, bool end_of_stream) {
  if (state_ == State::Active) codec_sender_->sendHead(head, end_of_stream);
}

void PoolStream::sendBody(std::string_view bytes, bool end_of_stream) {
  if (state_ == State::Active) codec_sender_->sendBody(bytes, end_of_stream);
}

void PoolStream::sendTrailers(const http::HeaderList& trailers) {
  if (state_ == State::Active) codec_sender_->sendTrailers(trailers);
}

net::SpliceResult PoolStream::sendBodyOf(net::Connection& from, uint64_t most) {
  if (state_ != State::Active) return {};
  return codec_sender_->sendBodyOf(from, most);
}

uint64_t PoolStream::taken() {
  return state_ == State::Active ? codec_sender_->taken() : 0;
}

void PoolStream::reset(http::Failure failure) {
  if (state_ == State::Active) connection_->resetStream(*this, failure);
}

void PoolStream::pauseReceiving() {
  if (state_ != State::Active) return;
  ++pauses_;
  metrics().upstream_flow_control_paused_reading_total.add();
  codec_sender_->pauseReceiving();
}

void PoolStream::resumeReceiving() {
  if (state_ != State::Active || pauses_ == 0) return;
  --pauses_;
  metrics().upstream_flow_control_resumed_reading_total.add();
  codec_sender_->resumeReceiving();
}

const net::Address& PoolStream::remoteAddress() const {
  return lease_.host().address();
}

const net::Address& PoolStream::localAddress() {
  CONVOY_ASSERT(state_ == State::Active);
  return connection_->localAddress();
}

// What a lost connection of HTTP/2 has brought since then was other streams': whoever has got the
// head of a response knows it.
bool PoolStream::bytesReceived() const {
  return !connection_->lostAllStreams() && connectionRead();
}

bool PoolStream::connectionRead() const {
  CONVOY_ASSERT(state_ == State::Active);
  return connection_->reads() != reads_before_;
}

bool PoolStream::drains() const {
  CONVOY_ASSERT(state_ == State::Active);
  return connection_->state() == PooledConnectionState::Draining;
}

bool PoolStream::takesUpgrades() const {
  CONVOY_ASSERT(state_ == State::Active);
  return connection_->takesUpgrades();
}

PoolStreamCache::PoolStreamCache(event::Loop& loop)
    : loop_(loop), recycle_(&PoolStreamCache::recycle, this) {}

PoolStream& PoolStreamCache::take() {
  if (free_.empty()) {
    all_.push_back(std::make_unique<PoolStream>());
    return *all_.back();
  }
  return free_.popFront();
}

void PoolStreamCache::giveBack(PoolStream& stream) {
  CONVOY_ASSERT(stream.state() == PoolStream::State::Ended);
  ended_.pushBack(stream);
  loop_.atEndOfTurn(recycle_);
}

void PoolStreamCache::recycle(void* self) {
  auto& cache = *static_cast<PoolStreamCache*>(self);
  while (!cache.ended_.empty()) {
    PoolStream& stream = cache.ended_.popFront();
    stream.transition(PoolStream::State::Free);
    cache.free_.pushFront(stream);
  }
}

}  // namespace convoy::upstream
