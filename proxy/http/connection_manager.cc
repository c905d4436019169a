#include "proxy/http/connection_manager.h"

#include <utility>

#include "proxy/http/h1_server_codec.h"

namespace convoy::http {

ConnectionManager::ConnectionManager(std::shared_ptr<ManagerSlot> slot, ConnectionOwner& owner)
    : slot_(std::move(slot)),
      owner_(owner),
      idle_deadline_([](void* self) { static_cast<ConnectionManager*>(self)->onIdleDeadline(); },
                     this),
      age_deadline_(
          [](void* self) {
            auto* manager = static_cast<ConnectionManager*>(self);
            manager->runtime().metrics.downstream_cx_max_duration_reached.add();
            manager->drain();
          },
          this),
      end_of_turn_([](void* self) { static_cast<ConnectionManager*>(self)->onEndOfTurn(); }, this) {
}

ConnectionManager::~ConnectionManager() {
  CONVOY_ASSERT(streams_.empty());
  recycleFinished();
}

void ConnectionManager::start(std::unique_ptr<net::Connection> connection) {
  connection_ = std::move(connection);
  connection_->setWriteLimit(runtime().buffer_limit);
  runtime().metrics.downstream_cx_total.add();
  runtime().metrics.downstream_cx_active.add();
  if (runtime().connection_age_queue != nullptr) age_deadline_.arm(*runtime().connection_age_queue);
  if (slot_->draining) state_ = State::Draining;
  serveNothing();
}

// No stream is running: which wait is this?
void ConnectionManager::serveNothing() {
  event::DeadlineQueue* queue = runtime().idle_queue;
  if (codec_ != nullptr && codec_->idle()) codec_.reset();
  if (codec_ != nullptr) {
    // Re-arming with every byte would let a slow head live for ever.
    if (head_pending_) return;
    head_pending_ = true;
    queue = runtime().head_queue;
  } else if (state_ == State::Draining) {
    queue = runtime().drain_queue;
    if (queue == nullptr) return close(net::CloseMode::Flush);
    if (idle_deadline_.armed()) return;
  }
  if (queue != nullptr) idle_deadline_.arm(*queue);
}

// Requests wait until the client has read answers: for as long as it might be idle.
void ConnectionManager::waitForClient() {
  event::DeadlineQueue* const queue = runtime().idle_queue;
  if (queue != nullptr && !idle_deadline_.armed()) idle_deadline_.arm(*queue);
}

void ConnectionManager::onIdleDeadline() {
  event::Loop::TurnScope turn(runtime().loop);
  ManagerMetrics& m = runtime().metrics;
  if (head_pending_) {
    const bool by_idle = runtime().spec->request_headers_timeout.count() == 0;
    (by_idle ? m.downstream_rq_idle_timeout : m.downstream_rq_header_timeout).add();
    return onProtocolError(by_idle ? Failure::StreamIdleTimeout : Failure::RequestHeaderTimeout,
                           {});
  }
  (state_ == State::Draining ? m.downstream_cx_drain_close : m.downstream_cx_idle_timeout).add();
  close(net::CloseMode::Flush);
}

// --- bytes from the client ---

void ConnectionManager::onRead(std::string_view bytes) {
  if (state_ >= State::Closing) return;
  runtime().metrics.downstream_cx_rx_bytes_total.add(bytes.size());
  dispatch(bytes);
  runtime().loop.atEndOfTurn(end_of_turn_);
}

void ConnectionManager::ensureCodec() {
  if (codec_ != nullptr) return;
  h1_limits_ = runtime().h1_limits;
  codec_ = std::make_unique<H1ServerCodec>(*this, h1_limits_);
  if (state_ == State::Draining) codec_->goAway();
}

void ConnectionManager::dispatch(std::string_view bytes) {
  ensureCodec();
  // No new request for a client that does not read the answers to those before.
  const bool wait = streams_.empty() && connection_->output().aboveHigh();
  const size_t taken = wait ? 0 : codec_->dispatch(bytes);
  if (state_ >= State::Closing || taken == bytes.size()) return;
  held_ = std::make_unique<std::string>(bytes.substr(taken));
  connection_->pauseReading();
}

void ConnectionManager::onEndOfStream() {
  peer_ended_ = true;
  if (codec_ != nullptr && state_ < State::Closing) codec_->onEndOfStream();
  runtime().loop.atEndOfTurn(end_of_turn_);
}

RequestReceiver& ConnectionManager::newStream(ResponseSender& sender) {
  idle_deadline_.cancel();
  head_pending_ = false;
  ServerStream& stream = *runtime().takeStream().release();
  streams_.pushBack(stream);
  stream.start(*this, sender, slot_->current);
  if (++requests_ >= runtime().max_requests) closeAfterStream();
  return stream;
}

// The broken request is a request like others to metrics and log: a stream answers it.
void ConnectionManager::onProtocolError(Failure failure, std::string_view detail) {
  if (state_ >= State::Closing) return;
  const bool late =
      failure == Failure::RequestHeaderTimeout || failure == Failure::StreamIdleTimeout;
  if (!late) runtime().metrics.downstream_cx_protocol_error.add();
  if (!streams_.empty()) {
    streams_.front().info().details = detail;
    return streams_.front().abort(failure);
  }
  ResponseSender* sender = codec_->senderForError();
  if (sender == nullptr) return close(net::CloseMode::Flush);
  auto& stream = static_cast<ServerStream&>(newStream(*sender));
  stream.info().details = detail;
  stream.refuse(failure);
  if (state_ < State::Closing) close(net::CloseMode::Flush);
}

// --- streams ---

void ConnectionManager::closeAfterStream() {
  if (codec_ != nullptr) codec_->goAway();
}

void ConnectionManager::onStreamFinished(ServerStream& stream, StreamEnd end) {
  stream.unlink();
  finished_.pushBack(stream);
  runtime().loop.atEndOfTurn(end_of_turn_);
  if (end == StreamEnd::Clean || state_ >= State::Closing) return;
  close(end == StreamEnd::Aborted ? net::CloseMode::Reset : net::CloseMode::Flush);
}

void ConnectionManager::onStreamComplete(ResponseSender&) {
  runtime().loop.atEndOfTurn(end_of_turn_);
}

void ConnectionManager::recycleFinished() {
  while (!finished_.empty()) {
    std::unique_ptr<ServerStream> stream(&finished_.popFront());
    const std::shared_ptr<ManagerRuntime> runtime = stream->pinnedRuntime();
    runtime->giveBack(std::move(stream));
  }
}

void ConnectionManager::onEndOfTurn() {
  recycleFinished();
  if (state_ >= State::Closing || !streams_.empty()) return;
  if (codec_ != nullptr && codec_->mustClose()) return close(net::CloseMode::Flush);
  if (held_ != nullptr) {
    if (connection_->output().aboveHigh()) return waitForClient();
    const std::unique_ptr<std::string> held = std::move(held_);
    connection_->resumeReading();
    dispatch(*held);
    return runtime().loop.atEndOfTurn(end_of_turn_);
  }
  if (peer_ended_) return close(net::CloseMode::Flush);
  serveNothing();
}

// --- endings ---

void ConnectionManager::drain() {
  if (state_ != State::Open) return;
  state_ = State::Draining;
  if (codec_ != nullptr) codec_->goAway();
  // A head that is half here keeps its own time; requests that wait are still answered.
  if (!streams_.empty() || head_pending_ || held_ != nullptr) return;
  idle_deadline_.cancel();
  serveNothing();
}

void ConnectionManager::closeNow() {
  // Also what is closing already: a peer that does not close its side would be waited for.
  if (state_ != State::Closed) close(net::CloseMode::Now);
}

void ConnectionManager::close(net::CloseMode mode) {
  state_ = State::Closing;
  idle_deadline_.cancel();
  age_deadline_.cancel();
  connection_->close(mode);
}

void ConnectionManager::onClosed(net::CloseReason) {
  if (state_ == State::Closed) return;
  state_ = State::Closed;
  idle_deadline_.cancel();
  age_deadline_.cancel();
  if (codec_ != nullptr) codec_->onConnectionLost(Failure::DownstreamDisconnect);
  while (!streams_.empty()) streams_.front().onRequestReset(Failure::DownstreamDisconnect);
  runtime().metrics.downstream_cx_active.sub();
  runtime().metrics.downstream_cx_destroy.add();
  owner_.onConnectionDone(*this);
}

void ConnectionManager::onWriteQueueAboveHigh() {
  if (codec_ != nullptr) codec_->onOutputAboveHigh();
}

void ConnectionManager::onWriteQueueBelowLow() {
  if (codec_ != nullptr) codec_->onOutputBelowLow();
  if (held_ != nullptr) runtime().loop.atEndOfTurn(end_of_turn_);
}

}  // namespace convoy::http
