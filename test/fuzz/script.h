#pragma once

// What the fuzz targets share that have a layer above a codec. The input is a byte n, n bytes of
// script, and the bytes of the wire. The script decides how the wire is cut into reads and what the
// layer above does meanwhile; it is read round and round, so that a short one drives a long wire.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/http/codec.h"
#include "proxy/http/failure.h"

namespace convoy::fuzz {

inline constexpr size_t kMaxInput = 4096;
// The mark of a connection's output.
inline constexpr size_t kOutputHigh = 2048;

class Script {
 public:
  explicit Script(std::string_view bytes) : bytes_(bytes) {}
  uint8_t next() {
    if (bytes_.empty()) return 0;
    return static_cast<uint8_t>(bytes_[at_++ % bytes_.size()]);
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

// `size` bytes of what every stream sends, whose place in it each byte shows.
inline std::string bodyBytes(uint64_t from, size_t size) {
  std::string bytes(size, ' ');
  for (char& c : bytes) c = static_cast<char>('a' + from++ % 23);
  return bytes;
}

struct Input {
  Script script{{}};
  std::string_view wire;
};

// False if there is nothing to do.
inline bool parseInput(const uint8_t* data, size_t size, Input* input) {
  if (size == 0 || size > kMaxInput) return false;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t count = static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
  input->script = Script(bytes.substr(0, count));
  input->wire = bytes.substr(std::min(count, bytes.size()));
  return true;
}

// What every receiver may rely on: a head, then body, then the end or a reset, and silence.
class MessageOrder {
 public:
  void head(bool end) {
    CONVOY_ASSERT(!over() && !head_);
    head_ = true;
    ended_ = end;
  }
  void informational() const { CONVOY_ASSERT(!over() && !head_); }
  void body(bool end) {
    CONVOY_ASSERT(!over() && head_);
    ended_ = end;
  }
  void trailers() { body(true); }
  void flow() const { CONVOY_ASSERT(!silent_); }
  void reset() {
    CONVOY_ASSERT(!silent_);
    silent_ = true;
  }
  void giveUp() { silent_ = true; }
  bool hasHead() const { return head_; }
  bool ended() const { return ended_; }
  bool over() const { return ended_ || silent_; }
  bool silent() const { return silent_; }

 private:
  bool head_ = false;
  bool ended_ = false;
  bool silent_ = false;
};

// A Receiver and what it does with its Sender.
template <typename Receiver, typename Sender>
class ScriptedStream : public Receiver {
 public:
  explicit ScriptedStream(Script& script) : script_(script) {}
  virtual ~ScriptedStream() = default;

  bool over() const { return sender_ == nullptr; }
  // Of the body, so far.
  uint64_t sentBytes() const { return sent_; }
  // One step, by one or two bytes of the script.
  virtual void act() = 0;

  void onSendQueueAboveHigh() final {
    order_.flow();
    CONVOY_ASSERT(!above_high_);
    above_high_ = true;
    if (script_.next() == 255) reset(http::Failure::DownstreamDisconnect);
  }
  void onSendQueueBelowLow() final {
    order_.flow();
    CONVOY_ASSERT(above_high_);
    above_high_ = false;
    if (script_.next() > 127) act();
  }

 protected:
  void tookBody(bool end) {
    order_.body(end);
    noteEnd();
    act();
  }
  void tookTrailers() {
    order_.trailers();
    noteEnd();
    act();
  }
  void tookReset(http::Failure failure) {
    CONVOY_ASSERT(failure != http::Failure::None);
    order_.reset();
    sender_ = nullptr;
  }
  void sendBody(bool end) {
    if (sender_ == nullptr || !head_sent_ || sent_end_ || (above_high_ && !end)) return;
    sendPiece(above_high_ ? 0 : script_.next() * size_t{4}, end);
  }
  // REQUIRES: it may send.
  void sendPiece(size_t size, bool end) {
    const std::string bytes = bodyBytes(sent_, size);
    sent_ += size;
    sent_end_ = end;
    sender_->sendBody(bytes, end);
    noteEnd();
  }
  void sendTrailers() {
    if (sender_ == nullptr || !head_sent_ || sent_end_) return;
    http::HeaderList trailers;
    trailers.add("grpc-status", "0");
    sent_end_ = true;
    sender_->sendTrailers(trailers);
    noteEnd();
  }
  void reset(http::Failure failure) {
    if (sender_ == nullptr) return;
    Sender* const sender = std::exchange(sender_, nullptr);
    order_.giveUp();
    sender->reset(failure);
  }
  // Both directions have ended: the sender is the codec's again.
  void noteEnd() {
    if (!sent_end_ || !order_.ended()) return;
    sender_ = nullptr;
    order_.giveUp();
  }

  Script& script_;
  Sender* sender_ = nullptr;  // null once the stream is over
  MessageOrder order_;
  uint64_t sent_ = 0;
  bool head_sent_ = false;
  bool sent_end_ = false;
  bool above_high_ = false;
};

}  // namespace convoy::fuzz
