#include "proxy/http/connection_manager.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"
#include "proxy/http/h1_server_codec.h"
#include "proxy/http/h2_server_codec.h"
#include "proxy/http/timer_origin.h"

namespace convoy::http {

ConnectionManager::ConnectionManager(std::shared_ptr<ManagerSlot> slot, ConnectionOwner& owner)
    : slot_(std::move(slot)),
      owner_(owner),
      idle_deadline_([](void* self) { static_cast<ConnectionManager*>(self)->onIdleDeadline(); },
                     this),
      age_deadline_([](void* self) { static_cast<ConnectionManager*>(self)->onAgeDeadline(); },
                    this),
      end_of_turn_([](void* self) { static_cast<ConnectionManager*>(self)->onEndOfTurn(); }, this) {
}

ConnectionManager::~ConnectionManager() {
  CONVOY_ASSERT(streams_.empty());
  recycleFinished();
}

void ConnectionManager::start(std::unique_ptr<net::Connection> connection) {
  connection_ = std::move(connection);
  connection_->setWriteLimit(runtime().send_queue);
  runtime().metrics.downstream_cx_total.add();
  runtime().metrics.downstream_cx_active.add();
  if (runtime().connection_age_queue != nullptr) age_deadline_.arm(*runtime().connection_age_queue);
  if (slot_->draining) state_ = State::Draining;
  handshaking_ = connection_->transport() != nullptr && runtime().handshake_queue != nullptr;
  if (handshaking_) return idle_deadline_.arm(*runtime().handshake_queue);
  serveNothing();
}

void ConnectionManager::onConnected() {
  if (!handshaking_ || state_ >= State::Closing) return;
  idle_deadline_.cancel();
  serveNothing();
}

bool ConnectionManager::receivingHead() const {
  return preface_seen_ > 0 || (codec_ != nullptr && codec_->receivingHead());
}

// No stream is running: which wait is this?
void ConnectionManager::serveNothing() {
  handshaking_ = false;
  if (codec_ != nullptr && !codec_->multiplexed() && codec_->idle()) codec_.reset();
  event::DeadlineQueue* queue = runtime().idle_queue;
  if (receivingHead()) {
    // Re-arming with every byte would let a slow head live for ever.
    if (head_pending_) return;
    head_pending_ = true;
    queue = runtime().head_queue;
  } else if (codec_ != nullptr && !codec_->idle()) {
    // The last responses are on their way: watchStalls().
    return idle_deadline_.cancel();
  } else {
    if (std::exchange(head_pending_, false)) idle_deadline_.cancel();
    if (state_ == State::Draining) {
      queue = runtime().drain_queue;
      if (queue == nullptr) return close(net::CloseMode::Flush);
    }
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
  if (handshaking_) {
    m.downstream_cx_handshake_timeout.add();
    return close(net::CloseMode::Now);
  }
  if (head_pending_) {
    const bool by_idle = runtime().spec->request_headers_timeout.count() == 0;
    (by_idle ? m.downstream_rq_idle_timeout : m.downstream_rq_header_timeout).add();
    if (speaks_ == Speaks::Undecided) speak(Speaks::Http1);
    return onProtocolError(by_idle ? Failure::StreamIdleTimeout : Failure::RequestHeaderTimeout,
                           {});
  }
  const bool drained = state_ == State::Draining;
  (drained ? m.downstream_cx_drain_close : m.downstream_cx_idle_timeout).add();
  if (!drained) explainEnd(base::Timer::ConnectionIdle);
  if (codec_ != nullptr) codec_->goAwayNow();
  close(net::CloseMode::Flush);
}

void ConnectionManager::onAgeDeadline() {
  event::Loop::TurnScope turn(runtime().loop);
  if (said_go_away_) {
    codec_->goAwayNow();
    return runtime().loop.atEndOfTurn(end_of_turn_);
  }
  runtime().metrics.downstream_cx_max_duration_reached.add();
  explainEnd(base::Timer::ConnectionAge);
  drain();
}

// A time of the connection, not of a request, ran out: HTTP/2's GOAWAY has room for which it was
// and who set it. HTTP/1.x has none; no request fails by it.
void ConnectionManager::explainEnd(base::Timer timer) {
  const ConnectionManagerSpec& spec = *runtime().spec;
  const bool logs = base::logLevel() <= base::LogLevel::Debug;
  if (!logs && speaks_ != Speaks::Http2) return;
  const std::string why = connectionTimer(timer, spec.origins);
  if (codec_ != nullptr) codec_->explainEnd(why);
  if (!logs) return;
  base::log(base::LogLevel::Debug, absl::StrCat("listener ", spec.stat_prefix, ": connection of ",
                                                addresses().remote().text(), " ends: ", why));
}

// A response that is complete here waits for the client's window: for as long as a stream may be
// idle, as a rule, and twice as long at most.
void ConnectionManager::watchStalls() {
  event::DeadlineQueue* const queue = runtime().stream_idle_queue;
  if (queue == nullptr || codec_ == nullptr || codec_->idle()) return;
  if (stall_deadline_ == nullptr) {
    stall_deadline_ = std::make_unique<event::Deadline>(
        [](void* self) { static_cast<ConnectionManager*>(self)->onStallDeadline(); }, this);
  }
  if (stall_deadline_->armed()) return;
  acknowledged_ = connection_->acknowledged();
  stall_deadline_->arm(*queue);
}

void ConnectionManager::onStallDeadline() {
  event::Loop::TurnScope turn(runtime().loop);
  if (state_ >= State::Closing || codec_ == nullptr) return;
  codec_->resetStalledStreams(connection_->acknowledged() != acknowledged_);
  watchStalls();
  runtime().loop.atEndOfTurn(end_of_turn_);
}

// --- bytes from the client ---

void ConnectionManager::onRead(std::string_view bytes) {
  if (state_ >= State::Closing) return;
  runtime().metrics.downstream_cx_rx_bytes_total.add(bytes.size());
  dispatch(bytes);
  runtime().loop.atEndOfTurn(end_of_turn_);
}

net::SpliceResult ConnectionManager::onSpliceable() {
  if (state_ >= State::Closing || codec_ == nullptr) return {};
  const net::SpliceResult result = codec_->spliceBody(*connection_);
  ManagerMetrics& m = runtime().metrics;
  m.downstream_cx_rx_bytes_total.add(result.bytes);
  m.downstream_cx_rx_spliced_bytes_total.add(result.bytes);
  if (result.kind == net::SpliceResult::Kind::NoPipe) m.downstream_cx_splice_overflow.add();
  runtime().loop.atEndOfTurn(end_of_turn_);
  return result;
}

// True once it is clear which codec gets the bytes.
bool ConnectionManager::chooseProtocol(std::string_view bytes) {
  if (speaks_ != Speaks::Undecided) return true;
  const net::Transport* const transport = connection_->transport();
  const Speaks choice = chooseServerCodec(
      runtime().spec->codec, transport == nullptr ? std::string_view() : transport->protocol(),
      preface_seen_, bytes);
  if (choice == Speaks::Undecided) {
    preface_seen_ += static_cast<uint8_t>(bytes.size());
    return false;
  }
  speak(choice);
  return true;
}

// The bytes of a preface that was half here are known without having been kept.
void ConnectionManager::speak(Speaks choice) {
  speaks_ = choice;
  ManagerMetrics& m = runtime().metrics;
  const bool http2 = speaks_ == Speaks::Http2;
  (http2 ? m.downstream_cx_http2_total : m.downstream_cx_http1_total).add();
  (http2 ? m.downstream_cx_http2_active : m.downstream_cx_http1_active).add();
  // Without a limit, what is no body has one all the same.
  if (http2 && runtime().send_queue == 0) {
    connection_->setWriteLimit(runtime().h2_options.max_output);
  }
  if (preface_seen_ > 0) feed(kH2Preface.substr(0, std::exchange(preface_seen_, 0)));
}

void ConnectionManager::ensureCodec() {
  if (codec_ != nullptr) return;
  if (speaks_ == Speaks::Http2) {
    codec_ = std::make_unique<H2ServerCodec>(*this, runtime().h2_options, runtime().loop.clock(),
                                             *runtime().h2_metrics);
  } else {
    h1_limits_ = runtime().h1_limits;
    codec_ = std::make_unique<H1ServerCodec>(*this, h1_limits_);
  }
  if (state_ == State::Draining) tellGoAway();
}

void ConnectionManager::dispatch(std::string_view bytes) {
  if (chooseProtocol(bytes) && state_ < State::Closing) feed(bytes);
}

void ConnectionManager::feed(std::string_view bytes) {
  ensureCodec();
  // No new request for a client that does not read the answers to those before.
  const bool wait = !codec_->multiplexed() && streams_.empty() && connection_->output().aboveHigh();
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
  ManagerMetrics& m = runtime().metrics;
  (speaks_ == Speaks::Http2 ? m.downstream_rq_http2_total : m.downstream_rq_http1_total).add();
  if (++requests_ == runtime().max_requests) {
    m.downstream_cx_max_requests_reached.add();
    tellGoAway();
  }
  return stream;
}

// The broken request is a request like others to metrics and log: a stream answers it.
void ConnectionManager::onProtocolError(Failure failure, std::string_view detail) {
  if (state_ >= State::Closing) return;
  const bool late =
      failure == Failure::RequestHeaderTimeout || failure == Failure::StreamIdleTimeout;
  if (!late) {
    runtime().metrics.downstream_cx_protocol_error.add();
    runtime().metrics.countError(codec_->protocol(), detail);
  }
  if (!multiplexed() && !streams_.empty()) {
    streams_.front().info().details = detail;
    return streams_.front().abort(failure);
  }
  if (ResponseSender* sender = codec_->senderForError()) {
    refuse(*sender, failure, detail);
  } else {
    codec_->goAwayNow();
  }
  if (state_ < State::Closing) close(net::CloseMode::Flush);
}

void ConnectionManager::onRequestRefused(ResponseSender* sender, Failure failure,
                                         std::string_view detail, std::string_view method) {
  runtime().metrics.countError(Protocol::Http2, detail);
  if (sender != nullptr && state_ < State::Closing) refuse(*sender, failure, detail, method);
}

void ConnectionManager::refuse(ResponseSender& sender, Failure failure, std::string_view detail,
                               std::string_view method) {
  auto& stream = static_cast<ServerStream&>(newStream(sender));
  stream.info().details = detail;
  stream.refuse(failure, method);
}

// --- streams ---

void ConnectionManager::onStreamFinished(ServerStream& stream, StreamEnd end) {
  stream.unlink();
  finished_.pushBack(stream);
  runtime().loop.atEndOfTurn(end_of_turn_);
  if (state_ >= State::Closing) return;
  if (multiplexed()) return watchStalls();
  if (end == StreamEnd::Clean) return;
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
  if (peer_ended_ && !multiplexed()) return close(net::CloseMode::Flush);
  serveNothing();
}

// --- endings ---

void ConnectionManager::drain() {
  if (state_ != State::Open) return;
  state_ = State::Draining;
  age_deadline_.cancel();
  if (codec_ != nullptr) tellGoAway();
  // A head that is half here keeps its own time; requests that wait are still answered.
  if (!streams_.empty() || head_pending_ || held_ != nullptr) return;
  idle_deadline_.cancel();
  serveNothing();
}

// HTTP/2: the last word follows when the client has read this one, or the drain time-out has
// passed.
void ConnectionManager::tellGoAway() {
  codec_->goAway();
  if (!codec_->multiplexed()) return;
  said_go_away_ = true;
  if (runtime().drain_queue == nullptr) return codec_->goAwayNow();
  age_deadline_.arm(*runtime().drain_queue);
}

void ConnectionManager::closeNow() {
  // Also what is closing already: a peer that does not close its side would be waited for.
  if (state_ != State::Closed) close(net::CloseMode::Now);
}

void ConnectionManager::cancelDeadlines() {
  idle_deadline_.cancel();
  age_deadline_.cancel();
  if (stall_deadline_ != nullptr) stall_deadline_->cancel();
}

void ConnectionManager::close(net::CloseMode mode) {
  state_ = State::Closing;
  cancelDeadlines();
  connection_->close(mode);
}

void ConnectionManager::onClosed(net::CloseReason) {
  if (state_ == State::Closed) return;
  state_ = State::Closed;
  cancelDeadlines();
  if (codec_ != nullptr) codec_->onConnectionLost(Failure::DownstreamDisconnect);
  while (!streams_.empty()) streams_.front().onRequestReset(Failure::DownstreamDisconnect);
  ManagerMetrics& m = runtime().metrics;
  m.downstream_cx_active.sub();
  m.downstream_cx_destroy.add();
  if (speaks_ == Speaks::Http1) m.downstream_cx_http1_active.sub();
  if (speaks_ == Speaks::Http2) m.downstream_cx_http2_active.sub();
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
