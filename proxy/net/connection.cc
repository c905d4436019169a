#include "proxy/net/connection.h"

#include <cerrno>
#include <utility>

namespace convoy::net {

// The transport, its queue of wrapped bytes, and its way back to the connection. Separate, so that
// a plain connection does not pay for it.
class Connection::Wrapping final : public TransportCallbacks {
 public:
  Wrapping(Connection& connection, std::unique_ptr<Transport> transport)
      : connection_(connection), transport_(std::move(transport)) {
    transport_->attach(*this);
  }

  void onTransportConnected() override {
    if (connection_.state_ != State::Open) return;
    connection_.scheduleFlush();  // what was written during the handshake
    connection_.handler_->onConnected();
  }
  void onTransportRead(std::string_view bytes) override {
    if (connection_.state_ != State::Open) return;
    if (connection_.pauses_ > 0 || !held_.empty()) {
      held_.append(bytes);
    } else {
      connection_.handler_->onRead(bytes);
    }
  }
  void onTransportEndOfStream() override {
    end_held_ = true;
    deliverHeld();
  }
  void onTransportFailed() override {
    if (connection_.closed()) return;
    // The alert that says why goes out before the socket closes, if the kernel takes it.
    iovec alert;
    if (connection_.state_ != State::Connecting && queue_.peek(&alert, 1) == 1) {
      connection_.sendSome(&alert, 1);
    }
    connection_.fail(CloseReason::TransportError, 0);
  }
  ByteQueue& socketOutput() override { return queue_; }
  void scheduleFlush() override { connection_.scheduleFlush(); }

  Transport& transport() { return *transport_; }
  ByteQueue& queue() { return queue_; }
  bool holds() const { return end_held_ || !held_.empty(); }
  // One read of the socket may unwrap into several; those after a pause wait here.
  void deliverHeld() {
    while (mayDeliver() && !held_.empty()) {
      const std::string_view bytes = held_.front();
      connection_.handler_->onRead(bytes);
      held_.consume(bytes.size());
    }
    if (mayDeliver() && std::exchange(end_held_, false)) connection_.handler_->onEndOfStream();
  }

 private:
  bool mayDeliver() const { return connection_.state_ == State::Open && connection_.pauses_ == 0; }

  Connection& connection_;
  ByteQueue queue_;
  ByteQueue held_;
  bool end_held_ = false;
  std::unique_ptr<Transport> transport_;
};

// Limits of a close that takes time; made when it does.
struct Connection::Closing {
  explicit Closing(Connection& connection)
      : deadline(
            [](void* self) {
              auto& owner = *static_cast<Connection*>(self);
              // Flushing: the peer takes nothing. Lingering: it had its time.
              const bool stalled = owner.state_ == State::Flushing;
              owner.release(CloseReason::LocalClose, 0, /*reset=*/stalled);
              owner.report();
            },
            &connection) {}
  event::Deadline deadline;
  size_t dropped_bytes = 0;
};

Connection::Connection(event::Loop& loop, ConnectionHandler& handler, State state,
                       ConnectionAddresses addresses)
    : loop_(loop),
      handler_(&handler),
      end_of_turn_([](void* self) { static_cast<Connection*>(self)->atEndOfTurn(); }, this),
      addresses_(std::move(addresses)),
      state_(state) {
  CONVOY_ASSERT(loop.isOwnThread());
  setWriteLimit(kDefaultBufferLimit);
}

Connection::~Connection() = default;

void Connection::setTransport(std::unique_ptr<Transport> transport) {
  CONVOY_ASSERT(wrapping_ == nullptr && output_.empty());
  wrapping_ = std::make_unique<Wrapping>(*this, std::move(transport));
  if (state_ == State::Open) wrapping_->transport().onSocketConnected();
}

Transport* Connection::transport() {
  return wrapping_ == nullptr ? nullptr : &wrapping_->transport();
}

void Connection::deliverAgain(std::string_view bytes) {
  if (state_ == State::Open) deliver(bytes);
}

void Connection::setWriteLimit(size_t high_watermark) {
  // A queue that fills behind a pipe is told again: who writes to it may be another than before.
  const auto onAboveHigh = [](void* self) {
    auto& connection = *static_cast<Connection*>(self);
    connection.above_high_ = false;
    connection.noteLevel();
  };
  const auto onBelowLow = [](void* self) { static_cast<Connection*>(self)->noteLevel(); };
  output_.setWatermarks(high_watermark, {onAboveHigh, onBelowLow, this});
}

const Address& Connection::localAddress() {
  if (addresses_.local().family() == Address::Family::None && connected()) {
    addresses_.setLocal(queryLocalAddress());
  }
  return addresses_.local();
}

uint64_t Connection::unacknowledged() const {
  uint64_t bytes = output_.size() + unacknowledgedInSocket();
  if (wrapping_ != nullptr) bytes += wrapping_->queue().size();
  if (piped_ != nullptr) bytes += piped_->size();
  return bytes;
}

uint32_t Connection::acknowledged() const {
  return sent_ - unacknowledgedInSocket();
}

Connection::Interest Connection::interest() const {
  switch (state_) {
    case State::Connecting:
      return {.readable = false, .writable = true};
    case State::Open:
    case State::Flushing:
    case State::Lingering:
      return {.readable = !end_seen_ && !reads_stopped_, .writable = blocked_};
    case State::Closed:
      break;
  }
  return {.readable = false, .writable = false};
}

void Connection::transition(State to) {
  // States are passed in their order, some left out.
  CONVOY_ASSERT(to > state_);
  state_ = to;
}

void Connection::resumeReading() {
  CONVOY_ASSERT(pauses_ > 0);
  if (--pauses_ > 0 || closed()) return;
  if (wrapping_ != nullptr && wrapping_->holds()) scheduleFlush();
  if (std::exchange(reads_stopped_, false)) updateInterest();
}

void Connection::onConnectResult(int error) {
  if (state_ != State::Connecting) return;
  if (error != 0) {
    finish(CloseReason::ConnectFailed, error);
    return;
  }
  transition(State::Open);
  updateInterest();
  if (!output_.empty()) scheduleFlush();
  if (wrapping_ != nullptr) {
    wrapping_->transport().onSocketConnected();
  } else {
    handler_->onConnected();
  }
}

void Connection::onReadable() {
  if (state_ == State::Flushing || state_ == State::Lingering) {
    discardInput();
    return;
  }
  if (state_ != State::Open) return;
  if (pauses_ > 0) {
    reads_stopped_ = true;
    updateInterest();
    return;
  }
  if (body_expected_ && trySplice()) return;
  const ssize_t received = receiveSome(loop_.readBuffer(), read_bytes_, false);
  if (received > 0) {
    deliver({loop_.readBuffer(), static_cast<size_t>(received)});
  } else if (received == 0) {
    deliverEndOfStream();
  } else if (received != -EAGAIN) {
    finish(CloseReason::RemoteReset, static_cast<int>(-received));
  }
}

void Connection::deliver(std::string_view bytes) {
  if (wrapping_ != nullptr) {
    wrapping_->transport().onSocketRead(bytes);
  } else {
    handler_->onRead(bytes);
  }
}

void Connection::deliverEndOfStream() {
  end_seen_ = true;
  if (wrapping_ != nullptr) {
    wrapping_->transport().onSocketEndOfStream();
  } else {
    handler_->onEndOfStream();
  }
  // Most handlers close now, which spares the change; the flush decides.
  scheduleFlush();
}

void Connection::discardInput() {
  const ssize_t received = receiveSome(loop_.readBuffer(), kReadBytes, false);
  if (received == -EAGAIN) return;
  if (received > 0) {
    if (closing_ == nullptr) startClosing(kFlushStallTime);
    closing_->dropped_bytes += static_cast<size_t>(received);
    if (closing_->dropped_bytes <= kLingerBytes) return;
    if (state_ == State::Lingering) {
      finish(CloseReason::LocalClose, 0);
    } else {
      reads_stopped_ = true;
      updateInterest();
    }
    return;
  }
  if (received < 0) {
    // After our FIN everything was sent; before it, something was lost.
    finish(state_ == State::Lingering ? CloseReason::LocalClose : CloseReason::RemoteReset,
           static_cast<int>(-received));
    return;
  }
  end_seen_ = true;
  if (state_ == State::Lingering) {
    finish(CloseReason::LocalClose, 0);
  } else {
    updateInterest();
  }
}

void Connection::onSocketError(int error) {
  if (state_ == State::Connecting || closed()) return;
  if (state_ != State::Open) {
    finish(state_ == State::Lingering ? CloseReason::LocalClose : CloseReason::RemoteReset,
           error == 0 ? ECONNRESET : error);
    return;
  }
  // The peer may have answered before it reset: show that first.
  while (state_ == State::Open && pauses_ == 0 && !end_seen_) {
    const ssize_t received = receiveSome(loop_.readBuffer(), kReadBytes, false);
    if (received > 0) {
      deliver({loop_.readBuffer(), static_cast<size_t>(received)});
      continue;
    }
    // The peer's FIN came before its reset, unless sending has consumed the error and left an end
    // that is none: a body delimited by the end must not look complete then. Linux reports EPIPE
    // for the first and ECONNRESET for the second.
    if (received == 0 && (error == 0 || error == EPIPE)) deliverEndOfStream();
    if (received < 0 && received != -EAGAIN) error = static_cast<int>(-received);
    break;
  }
  if (state_ != State::Open) return;
  char byte = 0;
  if (pauses_ > 0 && !end_seen_ && receiveSome(&byte, 1, /*peek_only=*/true) > 0) {
    reads_stopped_ = true;  // the rest, and then the error, are found when reading resumes
    updateInterest();
    return;
  }
  finish(CloseReason::RemoteReset, error == 0 ? ECONNRESET : error);
}

void Connection::onWritable() {
  if (state_ == State::Closed || state_ == State::Connecting) return;
  blocked_ = false;
  flush();
}

void Connection::atEndOfTurn() {
  if (closed()) {
    report();
    return;
  }
  if (wrapping_ != nullptr && wrapping_->holds()) wrapping_->deliverHeld();
  if (state_ == State::Connecting || closed()) return;
  if (blocked_) {
    if (piped_ != nullptr) noteLevel();
    updateInterest();
  } else {
    flush();
  }
}

bool Connection::unsent() const {
  const bool wrapped = wrapping_ != nullptr && !wrapping_->queue().empty();
  return wrapped || !output_.empty() || piped_ != nullptr;
}

ByteQueue& Connection::socketQueue() {
  return wrapping_ == nullptr ? output_ : wrapping_->queue();
}

void Connection::flush() {
  if (send_broken_) {
    dropQueues();
    return;
  }
  if (system_error_ != 0) [[unlikely]]
    return onSendFailed(system_error_);  // met by sendNow()
  if (!sendQueued() || closed()) return;
  if (piped_ != nullptr) [[unlikely]]
    noteLevel();
  if (end_ != End::Open && state_ == State::Open && !sendEnd()) return;
  if (!blocked_ && state_ == State::Flushing) {
    onAllSent();
    return;
  }
  if (state_ == State::Flushing) startClosing(kFlushStallTime);
  updateInterest();
}

// False: sending failed, and what follows from it was done.
bool Connection::sendQueued() {
  while (!closed()) {
    if (wrapping_ != nullptr && wrapping_->queue().empty() && !output_.empty()) {
      // Only when the last batch is out, so that the backlog stays where the marks are.
      if (state_ == State::Flushing) {
        closeWrapped();
      } else {
        wrapping_->transport().write(output_, wrapping_->queue());
      }
      if (closed()) return true;
    }
    if (piped_ != nullptr) [[unlikely]] {
      size_t offered = 0;
      const ssize_t sent = sendFirst(&offered);
      if (blocked_) return true;
      if (sent >= 0) continue;
      onSendFailed(static_cast<int>(-sent));
      return false;
    }
    ByteQueue& queue = socketQueue();
    if (queue.empty()) return true;
    iovec vectors[kMaxVectors];
    const int count = queue.peek(vectors, kMaxVectors);
    size_t offered = 0;
    for (int i = 0; i < count; ++i) offered += vectors[i].iov_len;
    const ssize_t sent = sendSome(vectors, count);
    if (sent == -EAGAIN) {
      blocked_ = true;
      return true;
    }
    if (sent < 0) {
      onSendFailed(static_cast<int>(-sent));
      return false;
    }
    // A partial write means a full socket buffer; asking again would only be told so.
    blocked_ = static_cast<size_t>(sent) < offered;
    sent_ += static_cast<uint32_t>(sent);
    queue.consume(static_cast<size_t>(sent));  // may call the handler
    if (blocked_) return true;
  }
  return true;
}

// The end of a half-close, once everything before it is sent. False as sendQueued().
bool Connection::sendEnd() {
  if (end_ == End::Wanted && !blocked_ && output_.empty()) {
    end_ = End::Notified;
    if (wrapping_ != nullptr) {
      wrapping_->transport().closeNotify(wrapping_->queue());
      if (!sendQueued() || closed()) return false;
    }
  }
  if (end_ == End::Notified && !blocked_) {
    end_ = End::Sent;
    shutdownSending();
  }
  return true;
}

void Connection::onAllSent() {
  if (drain_ && !end_seen_) {
    shutdownSending();
    transition(State::Lingering);
    reads_stopped_ = false;
    startClosing(kLingerTime);
    updateInterest();
  } else {
    finish(CloseReason::LocalClose, 0);
  }
}

void Connection::onSendFailed(int error) {
  send_broken_ = true;
  system_error_ = static_cast<int16_t>(error);
  blocked_ = false;
  if (state_ == State::Open) {
    dropQueues();
    onSocketError(error);
  } else {
    finish(CloseReason::RemoteReset, error);
  }
}

void Connection::dropQueues() {
  if (wrapping_ != nullptr) wrapping_->queue().clear();
  piped_.reset();
  output_.clear();
  noteLevel();  // the pipe was above the mark, whatever the queue was
}

void Connection::startClosing(event::Duration limit) {
  if (closing_ == nullptr) closing_ = std::make_unique<Closing>(*this);
  closing_->deadline.arm(loop_.deadlineQueue(limit));
}

void Connection::endSending() {
  if (state_ > State::Open || end_ != End::Open) return;
  end_ = End::Wanted;
  scheduleFlush();
}

void Connection::close(CloseMode mode) {
  CONVOY_ASSERT(loop_.isOwnThread());
  if (closed()) return;
  const bool flushing = mode == CloseMode::Flush || mode == CloseMode::FlushNoDrain;
  if (!flushing || state_ == State::Connecting || send_broken_) {
    release(CloseReason::LocalClose, 0, mode == CloseMode::Reset);
    scheduleFlush();
    return;
  }
  if (state_ != State::Open) return;
  transition(State::Flushing);
  drain_ = mode == CloseMode::Flush;
  if (wrapping_ != nullptr) {
    closeWrapped();
    if (closed()) return;
  }
  if (std::exchange(reads_stopped_, false)) updateInterest();
  if (blocked_) startClosing(kFlushStallTime);
  scheduleFlush();
}

// The transport's own end goes behind everything that is queued: now if that is little, else by
// sendQueued() when it is wrapped.
void Connection::closeWrapped() {
  if (!output_.empty()) wrapping_->transport().write(output_, wrapping_->queue());
  if (closed() || !output_.empty() || end_ >= End::Notified) return;
  wrapping_->transport().closeNotify(wrapping_->queue());
}

void Connection::closeWith(CloseReason reason) {
  fail(reason, 0);
}

void Connection::fail(CloseReason reason, int error) {
  if (closed()) return;
  release(reason, error, /*reset=*/false);
  scheduleFlush();
}

// The socket goes; report() is still to come.
void Connection::release(CloseReason reason, int error, bool reset) {
  if (closed()) return;
  transition(State::Closed);
  reason_ = reason;
  if (error != 0) system_error_ = static_cast<int16_t>(error);
  closing_.reset();
  closeSocket(reset);
  output_.setWatermarks(0, {});
  dropQueues();
}

void Connection::finish(CloseReason reason, int error) {
  release(reason, error, /*reset=*/false);
  report();
}

// The last thing that happens to a connection: nothing may be touched after it.
void Connection::report() {
  if (std::exchange(reported_, true) || handler_ == nullptr) return;
  handler_->onClosed(reason_);
}

void Connection::abandon() {
  CONVOY_ASSERT(loop_.isOwnThread());
  reported_ = true;
  release(CloseReason::LocalClose, 0, /*reset=*/false);
  handler_ = nullptr;
}

}  // namespace convoy::net
