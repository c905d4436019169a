// Any bytes to the HTTP/2 client codec, as the responses to requests that a script makes, under a
// layer above that sends, pauses and resets as the script has it. Receivers are destroyed as soon
// as codec.h allows.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/http/h2_client_codec.h"
#include "test/common/simulated_clock.h"
#include "test/fuzz/h2_script.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::http {
namespace {

// Streams of one connection at a time.
constexpr size_t kMostRequests = 6;

class Response final : public ResponseReceiver {
 public:
  explicit Response(fuzz::Script& script) : script_(script) {}

  // REQUIRES: made for this receiver.
  void start(RequestSender& sender) {
    sender_ = &sender;
    static constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "CONNECT"};
    const uint8_t kind = script_.next();
    RequestHead head;
    head.method = kMethods[kind % 4];
    head.target = head.method == "CONNECT" ? "a.test:80" : "/";
    head.authority = "a.test:80";
    head.scheme = "http";
    if (kind % 8 == 4) {
      head.upgrade = "websocket";
      head.headers.add("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
    }
    sent_end_ = kind % 8 < 2;
    sender_->sendHead(head, sent_end_);
  }

  void onInformational(ResponseHead& head) override {
    order_.informational();
    CONVOY_ASSERT(head.status >= 100 && head.status < 200 && head.status != 101);
    act();
  }
  void onResponseHead(ResponseHead& head, bool end) override {
    order_.head(end);
    CONVOY_ASSERT(head.status >= 200 || (head.status == 101 && !head.upgrade.empty()));
    noteEnd();
    act();
  }
  void onResponseBody(std::string_view, bool end) override {
    order_.body(end);
    noteEnd();
    act();
  }
  void onResponseTrailers(HeaderList&) override {
    order_.trailers();
    noteEnd();
    act();
  }
  void onResponseReset(Failure failure) override {
    CONVOY_ASSERT(failure != Failure::None);
    order_.reset();
    sender_ = nullptr;
  }
  void onSendQueueAboveHigh() override {
    order_.flow();
    CONVOY_ASSERT(!above_high_);
    above_high_ = true;
    if (script_.next() == 255) reset();
  }
  void onSendQueueBelowLow() override {
    order_.flow();
    CONVOY_ASSERT(above_high_);
    above_high_ = false;
    if (script_.next() > 127) act();
  }

  bool over() const { return sender_ == nullptr; }

  void act() {
    if (sender_ == nullptr) return;
    switch (script_.next() % 16) {
      case 1:
      case 2:
        return sendBody(false);
      case 3:
        return sendBody(true);
      case 4:
        return sendTrailers();
      case 5:
        return sender_->pauseReceiving();
      case 6:
        return sender_->resumeReceiving();
      case 7:
        return reset();
      default:
        return;
    }
  }
  void reset() {
    if (sender_ == nullptr) return;
    RequestSender* const sender = std::exchange(sender_, nullptr);
    order_.giveUp();
    sender->reset(Failure::DownstreamDisconnect);
  }

 private:
  void sendBody(bool end) {
    if (sent_end_ || (above_high_ && !end)) return;
    const std::string bytes(above_high_ ? 0 : script_.next() * size_t{4}, 'x');
    sent_end_ = end;
    sender_->sendBody(bytes, end);
    noteEnd();
  }
  void sendTrailers() {
    if (sent_end_) return;
    HeaderList trailers;
    trailers.add("a", "b");
    sent_end_ = true;
    sender_->sendTrailers(trailers);
    noteEnd();
  }
  void noteEnd() {
    if (!sent_end_ || !order_.ended()) return;
    sender_ = nullptr;
    order_.giveUp();
  }

  fuzz::Script& script_;
  RequestSender* sender_ = nullptr;  // null once the stream is over
  fuzz::MessageOrder order_;
  bool sent_end_ = false;
  bool above_high_ = false;
};

class Connection final : public ClientCodecHandler {
 public:
  explicit Connection(fuzz::Script& script) : script_(script), options_(fuzz::h2Options(false)) {
    out_.setWatermarks(
        fuzz::kOutputHigh,
        {.below_low = [](void* self) { static_cast<Connection*>(self)->codec_.onOutputBelowLow(); },
         .context = this});
  }
  ~Connection() {
    if (script_.next() % 2 == 1) codec_.onEndOfStream();
    codec_.onConnectionLost(Failure::UpstreamReset);
    CONVOY_ASSERT(codec_.mustClose() && codec_.idle());
    for (const auto& response : responses_) CONVOY_ASSERT(response->over());
    const size_t written = out_.size();
    codec_.dispatch("x");
    CONVOY_ASSERT(out_.size() == written);
  }

  net::ByteQueue& output() override { return out_; }
  void pauseReading() override { CONVOY_ASSERT(false); }
  void resumeReading() override { CONVOY_ASSERT(false); }
  void onStreamComplete(RequestSender&) override { CONVOY_ASSERT(!error_); }
  void onStreamReset(RequestSender&) override {}
  void onMaxStreams(uint32_t streams) override {
    CONVOY_ASSERT(streams >= 1 && streams <= options_.max_concurrent_streams);
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    CONVOY_ASSERT(failure != Failure::None && !detail.empty() && !error_);
    CONVOY_ASSERT(codec_.mustClose());
    error_ = true;
  }
  void onGoAway() override {
    CONVOY_ASSERT(!went_away_);
    went_away_ = true;
    CONVOY_ASSERT(codec_.mustClose());
  }

  void run(std::string_view wire) {
    for (int count = 1 + script_.next() % 4; count > 0; --count) request();
    for (size_t at = 0; at < wire.size() && !error_;) {
      const size_t piece = std::min(wire.size() - at, size_t{1} + script_.next());
      codec_.dispatch(wire.substr(at, piece));
      at += piece;
      taken_ += piece;
      step();
      check();
    }
    for (int i = 0; i < 8; ++i) {
      step();
      check();
    }
  }

 private:
  void request() {
    if (codec_.mustClose() || codec_.session().streamCount() >= kMostRequests) return;
    responses_.push_back(std::make_unique<Response>(script_));
    Response& response = *responses_.back();
    response.start(codec_.newStream(response));
    sent_ += 1;
  }
  void step() {
    const uint8_t what = script_.next();
    switch (what % 16) {
      case 1:
        return drain(what);
      case 2:
        return clock_.advance(std::chrono::milliseconds(what * 10));
      case 3:
        return request();
      case 4:
      case 5:
      case 6:
        for (size_t i = 0; i < responses_.size(); ++i) responses_[i]->act();
        return;
      case 7:
        return;
      default:
        if (!responses_.empty()) responses_[what / 16 % responses_.size()]->act();
        return drain(out_.size());
    }
  }
  void drain(size_t bytes) {
    bytes = std::min(bytes, out_.size());
    wire_.read(out_.toString().substr(0, bytes));
    out_.consume(bytes);
  }
  void check() {
    std::erase_if(responses_, [](const auto& response) { return response->over(); });
    CONVOY_ASSERT(out_.size() <=
                  fuzz::kOutputHigh + fuzz::kOutputOnce + (taken_ + sent_) * fuzz::kOutputPerByte);
    CONVOY_ASSERT(responses_.size() <= codec_.session().streamCount());
    fuzz::checkHeld(codec_.session(), options_);
  }

  fuzz::Script& script_;
  const H2Options options_;
  test::SimulatedClock clock_;
  H2Metrics metrics_;
  net::ByteQueue out_;
  fuzz::WireCheck wire_;
  std::vector<std::unique_ptr<Response>> responses_;
  size_t taken_ = 0;
  size_t sent_ = 0;
  bool error_ = false;
  bool went_away_ = false;
  H2ClientCodec codec_{*this, options_, clock_, metrics_};
};

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  convoy::fuzz::Input input;
  if (!convoy::fuzz::parseInput(data, size, &input)) return 0;
  const bool started = input.script.next() % 4 != 3;
  convoy::http::Connection connection(input.script);
  std::string wire;
  if (started) wire = convoy::http::h2::settings() + convoy::http::h2::settingsAck();
  connection.run(wire.append(input.wire));
  return 0;
}
