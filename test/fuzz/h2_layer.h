#pragma once

// The layer above an HTTP/2 codec, of either role, as a script (h2_script.h) has it: streams that
// send, pause and reset, and the connection's output, of which a script takes as much as it likes.
// Streams are destroyed as soon as codec.h allows.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/http/codec.h"
#include "proxy/http/h2_session.h"
#include "test/common/simulated_clock.h"
#include "test/fuzz/h2_script.h"

namespace convoy::fuzz {

// A Receiver and what it does with its Sender.
template <typename Receiver, typename Sender>
class ScriptedStream : public Receiver {
 public:
  explicit ScriptedStream(Script& script) : script_(script) {}
  virtual ~ScriptedStream() = default;

  bool over() const { return sender_ == nullptr; }
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
    const std::string bytes(above_high_ ? 0 : script_.next() * size_t{4}, 'x');
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
  bool head_sent_ = false;
  bool sent_end_ = false;
  bool above_high_ = false;
};

// A codec's Handler: its output and its Streams. The derived class has the codec.
template <typename Handler, typename Stream>
class ScriptedConnection : public Handler {
 public:
  ScriptedConnection(Script& script, const http::H2Options& options)
      : script_(script), options_(options) {
    out_.setWatermarks(
        kOutputHigh,
        {.below_low = [](void* self) { static_cast<ScriptedConnection*>(self)->onBelowLow(); },
         .context = this});
  }

  net::ByteQueue& output() final { return out_; }

 protected:
  ~ScriptedConnection() = default;
  virtual void onBelowLow() = 0;

  void drain(size_t bytes) {
    bytes = std::min(bytes, out_.size());
    wire_.read(out_.toString().substr(0, bytes));
    out_.consume(bytes);
  }
  void allAct() {
    for (size_t i = 0; i < streams_.size(); ++i) streams_[i]->act();
  }
  void oneActs(uint8_t what) {
    if (!streams_.empty()) streams_[what / 16 % streams_.size()]->act();
    drain(out_.size());
  }
  // After each step. caused: by what was read and sent, in bytes.
  void check(http::H2Session& session, size_t caused) {
    std::erase_if(streams_, [](const auto& stream) { return stream->over(); });
    CONVOY_ASSERT(out_.size() <= kOutputHigh + kOutputOnce + caused * kOutputPerByte);
    CONVOY_ASSERT(streams_.size() <= session.streamCount());
    checkHeld(session, options_);
  }
  // The connection is lost: all has ended, and bytes that come late change nothing.
  template <typename Codec>
  void checkEnd(Codec& codec) {
    CONVOY_ASSERT(codec.session().streamCount() == 0);
    for (const auto& stream : streams_) CONVOY_ASSERT(stream->over());
    const size_t written = out_.size();
    codec.dispatch("x");
    CONVOY_ASSERT(out_.size() == written);
  }
  void noteError(http::Failure failure, std::string_view detail) {
    CONVOY_ASSERT(failure != http::Failure::None && !detail.empty() && !error_);
    error_ = true;
  }

  Script& script_;
  const http::H2Options options_;
  test::SimulatedClock clock_;
  http::H2Metrics metrics_;
  net::ByteQueue out_;
  WireCheck wire_;
  std::vector<std::unique_ptr<Stream>> streams_;
  size_t taken_ = 0;
  bool error_ = false;
};

}  // namespace convoy::fuzz
