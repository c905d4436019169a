#include <algorithm>
#include <cerrno>
#include <utility>

#include "proxy/net/connection.h"

// Bytes that a connection does not queue: large pieces that are sent at once, and those that go
// from socket to socket.

namespace convoy::net {

namespace {

// Two calls for less than this cost more than a copy of it.
constexpr size_t kWorthAPipe = 16 * 1024;

// Not of the socket, but of splice(2), or of who forbids it.
bool saysImpossible(int error) {
  return error == EINVAL || error == ENOSYS || error == EPERM || error == EACCES;
}

}  // namespace

size_t Connection::sendNow(std::string_view bytes) {
  if (state_ != State::Open || wrapping_ != nullptr || piped_ != nullptr || blocked_) return 0;
  if (send_broken_ || system_error_ != 0 || end_ != End::Open) return 0;
  iovec vectors[kMaxVectors];
  int count = output_.peek(vectors, kMaxVectors - 1);
  size_t queued = 0;
  for (int i = 0; i < count; ++i) queued += vectors[i].iov_len;
  if (queued < output_.size()) return 0;
  vectors[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
  scheduleFlush();
  const ssize_t sent = sendSome(vectors, count);
  if (sent < 0) {
    // The flush acts upon it: nothing ends from inside of a call.
    if (sent != -EAGAIN) system_error_ = static_cast<int16_t>(-sent);
    blocked_ = sent == -EAGAIN;
    return 0;
  }
  const auto taken = static_cast<size_t>(sent);
  blocked_ = taken < queued + bytes.size();
  sent_ += static_cast<uint32_t>(taken);
  output_.consume(std::min(taken, queued));
  return taken - std::min(taken, queued);
}

SpliceResult Connection::spliceFrom(Connection& from, uint64_t most) {
  using Kind = SpliceResult::Kind;
  if (state_ != State::Open || wrapping_ != nullptr || piped_ != nullptr) return {Kind::Copy};
  if (send_broken_ || end_ != End::Open) return {Kind::Copy};
  const int source = from.tcpDescriptor();
  if (source < 0 || from.wrapping_ != nullptr || tcpDescriptor() < 0) return {Kind::Copy};
  SplicePipe::Ptr pipe = SplicePipe::take();
  if (pipe == nullptr) return {Kind::NoPipe};
  const ssize_t moved = pipe->fill(source, std::min<uint64_t>(most, SplicePipe::kCapacity));
  if (moved == 0) return {Kind::End};
  if (moved == -EAGAIN) return {Kind::Later};
  if (moved < 0) {
    const int error = static_cast<int>(-moved);
    return saysImpossible(error) ? SpliceResult{Kind::Copy} : SpliceResult{Kind::Failed, error};
  }
  pipe->behind = output_.size();
  piped_ = std::move(pipe);
  scheduleFlush();
  return {.kind = Kind::Moved, .bytes = static_cast<uint64_t>(moved)};
}

// False: the bytes are to be read.
bool Connection::trySplice() {
  const SpliceResult result = handler_->onSpliceable();
  switch (result.kind) {
    case SpliceResult::Kind::Moved:
      body_expected_ = result.bytes >= kWorthAPipe;
      return true;
    case SpliceResult::Kind::Later:
      // Nothing is there, or an urgent byte, at which splice(2) stands still and a read goes on.
      return false;
    case SpliceResult::Kind::End:
      deliverEndOfStream();
      return true;
    case SpliceResult::Kind::Failed:
      finish(CloseReason::RemoteReset, result.error);
      return true;
    case SpliceResult::Kind::Copy:
    case SpliceResult::Kind::NoPipe:
      break;
  }
  body_expected_ = false;
  return false;
}

// While there is a pipe: one call for what is first, bytes of the queue or the pipe's. Sets
// blocked_ when the kernel did not take all of it, as sendQueued() does.
ssize_t Connection::sendFirst(size_t* offered) {
  if (piped_->behind == 0) return sendPiped(offered);
  iovec vectors[kMaxVectors];
  int count = output_.peek(vectors, kMaxVectors);
  for (int i = 0; i < count; ++i) {
    vectors[i].iov_len = std::min(vectors[i].iov_len, piped_->behind - *offered);
    *offered += vectors[i].iov_len;
    if (*offered == piped_->behind) count = i + 1;
  }
  const ssize_t sent = sendSome(vectors, count);
  blocked_ = sent == -EAGAIN || (sent >= 0 && static_cast<size_t>(sent) < *offered);
  if (sent <= 0) return sent;
  sent_ += static_cast<uint32_t>(sent);
  piped_->behind -= static_cast<size_t>(sent);
  output_.consume(static_cast<size_t>(sent));
  return sent;
}

ssize_t Connection::sendPiped(size_t* offered) {
  *offered = piped_->size();
  const ssize_t sent = piped_->drain(tcpDescriptor());
  if (sent > 0) sent_ += static_cast<uint32_t>(sent);
  blocked_ = sent == -EAGAIN || (sent >= 0 && !piped_->empty());
  if (piped_->empty()) {
    piped_.reset();
    noteLevel();
  }
  return sent;
}

// Bytes in the pipe that the socket did not take at once are as much as may wait.
void Connection::noteLevel() {
  const bool above = output_.aboveHigh() || piped_ != nullptr;
  if (above == above_high_) return;
  above_high_ = above;
  if (state_ >= State::Flushing) return;
  above ? handler_->onWriteQueueAboveHigh() : handler_->onWriteQueueBelowLow();
}

}  // namespace convoy::net
