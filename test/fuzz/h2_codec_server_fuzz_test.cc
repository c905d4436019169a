// Any bytes to the HTTP/2 server codec, under a layer above that answers, pauses, resets and goes
// away as a script has it. Receivers are destroyed as soon as codec.h allows.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/http/h2_server_codec.h"
#include "test/common/simulated_clock.h"
#include "test/fuzz/h2_script.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::http {
namespace {

class Request final : public RequestReceiver {
 public:
  Request(fuzz::Script& script, ResponseSender& sender) : script_(script), sender_(&sender) {}

  void onRequestHead(RequestHead& head, bool end) override {
    order_.head(end);
    CONVOY_ASSERT(!head.method.empty());
    CONVOY_ASSERT(!end || head.body.kind != BodyLength::Kind::Unknown);
    act();
  }
  void onRequestBody(std::string_view, bool end) override {
    order_.body(end);
    noteEnd();
    act();
  }
  void onRequestTrailers(HeaderList&) override {
    order_.trailers();
    noteEnd();
    act();
  }
  void onRequestReset(Failure failure) override {
    CONVOY_ASSERT(failure != Failure::None);
    order_.reset();
    sender_ = nullptr;
  }
  void onSendQueueAboveHigh() override {
    order_.flow();
    CONVOY_ASSERT(!above_high_);
    above_high_ = true;
    if (script_.next() == 255) reset(Failure::DownstreamDisconnect);
  }
  void onSendQueueBelowLow() override {
    order_.flow();
    CONVOY_ASSERT(above_high_);
    above_high_ = false;
    if (script_.next() > 127) act();
  }

  bool over() const { return sender_ == nullptr; }

  // One step, by one or two bytes of the script.
  void act() {
    if (sender_ == nullptr) return;
    const uint8_t step = script_.next();
    switch (step % 16) {
      case 1:
        return sendHead(false);
      case 2:
        return sendHead(true);
      case 3:
        sendHead(false);
        return sendBody(true);
      case 4:
        return sendBody(false);
      case 5:
        return sendBody(true);
      case 6:
        return sendTrailers();
      case 7:
        sendHead(false);
        sendBody(false);
        return sendTrailers();
      case 8:
        return sendInformational();
      case 9:
        return sender_->pauseReceiving();
      case 10:
        return sender_->resumeReceiving();
      case 11:
        return reset(step > 127 ? Failure::None : Failure::BadRequest);
      case 12:
        if (!head_sent_) sender_->leaveRequestUnread();
        return;
      default:
        return;
    }
  }

 private:
  void sendHead(bool end) {
    if (sender_ == nullptr || head_sent_) return;
    ResponseHead head;
    head.status = 200;
    head.headers.add("a", "b");
    head_sent_ = true;
    sent_end_ = end;
    sender_->sendHead(head, end);
    noteEnd();
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
    HeaderList trailers;
    trailers.add("grpc-status", "0");
    sent_end_ = true;
    sender_->sendTrailers(trailers);
    noteEnd();
  }
  void sendInformational() {
    if (head_sent_ || informational_++ > 2) return;
    ResponseHead head;
    head.status = 103;
    sender_->sendInformational(head);
  }
  void reset(Failure failure) {
    if (sender_ == nullptr) return;
    ResponseSender* const sender = std::exchange(sender_, nullptr);
    order_.giveUp();
    sender->reset(failure);
  }
  void noteEnd() {
    if (!sent_end_ || !order_.ended()) return;
    sender_ = nullptr;
    order_.giveUp();
  }

  fuzz::Script& script_;
  ResponseSender* sender_;  // null once the stream is over
  fuzz::MessageOrder order_;
  bool head_sent_ = false;
  bool sent_end_ = false;
  bool above_high_ = false;
  int informational_ = 0;
};

class Connection final : public ServerCodecHandler {
 public:
  explicit Connection(fuzz::Script& script)
      : script_(script), options_(fuzz::h2Options(script.next() % 2 == 1)) {
    out_.setWatermarks(
        fuzz::kOutputHigh,
        {.below_low = [](void* self) { static_cast<Connection*>(self)->codec_.onOutputBelowLow(); },
         .context = this});
  }
  ~Connection() {
    codec_.onConnectionLost(Failure::DownstreamDisconnect);
    CONVOY_ASSERT(codec_.session().streamCount() == 0);
    const size_t written = out_.size();
    for (const auto& request : requests_) CONVOY_ASSERT(request->over());
    codec_.goAway();
    CONVOY_ASSERT(codec_.dispatch("x") == 1 && out_.size() == written);
  }

  net::ByteQueue& output() override { return out_; }
  void pauseReading() override { ++pauses_; }
  void resumeReading() override { CONVOY_ASSERT(pauses_-- > 0); }
  RequestReceiver& newStream(ResponseSender& sender) override {
    CONVOY_ASSERT(!error_);
    requests_.push_back(std::make_unique<Request>(script_, sender));
    return *requests_.back();
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    CONVOY_ASSERT(failure != Failure::None && !detail.empty() && !error_);
    error_ = true;
    CONVOY_ASSERT(codec_.mustClose());
  }
  void onRequestRefused(ResponseSender* sender, Failure failure, std::string_view detail,
                        std::string_view) override {
    CONVOY_ASSERT(failure != Failure::None && !detail.empty() && !error_);
    if (sender == nullptr) return;
    const bool with_body = script_.next() % 2 == 1;
    ResponseHead head;
    head.status = 400;
    sender->sendHead(head, !with_body);
    if (with_body) sender->sendBody("refused", true);
  }
  void onStreamComplete(ResponseSender&) override { CONVOY_ASSERT(!error_); }

  void run(std::string_view wire) {
    for (size_t at = 0; at < wire.size() && !codec_.mustClose();) {
      if (pauses_ == 0) {
        const size_t piece = std::min(wire.size() - at, size_t{1} + script_.next());
        CONVOY_ASSERT(codec_.dispatch(wire.substr(at, piece)) == piece);
        at += piece;
        taken_ += piece;
      }
      step();
      check();
    }
    if (script_.next() % 2 == 1) codec_.onEndOfStream();
    check();
    for (int i = 0; i < 8; ++i) {
      step();
      check();
    }
  }

 private:
  void step() {
    const uint8_t what = script_.next();
    switch (what % 16) {
      case 1:
        return drain(what);
      case 2:
        return clock_.advance(std::chrono::milliseconds(what * 10));
      case 3:
        if (what > 200) codec_.goAway();
        return;
      case 4:
        if (what > 200) codec_.goAwayNow();
        return;
      case 5:
        codec_.resetStalledStreams();
        return;
      case 6:
      case 7:
        for (size_t i = 0; i < requests_.size(); ++i) requests_[i]->act();
        return;
      case 8:
        return;
      default:
        if (!requests_.empty()) requests_[what / 16 % requests_.size()]->act();
        return drain(out_.size());
    }
  }
  void drain(size_t bytes) {
    bytes = std::min(bytes, out_.size());
    wire_.read(out_.toString().substr(0, bytes));
    out_.consume(bytes);
  }
  void check() {
    std::erase_if(requests_, [](const auto& request) { return request->over(); });
    CONVOY_ASSERT(out_.size() <=
                  fuzz::kOutputHigh + fuzz::kOutputOnce + taken_ * fuzz::kOutputPerByte);
    CONVOY_ASSERT(codec_.session().streamCount() <= options_.max_concurrent_streams);
    CONVOY_ASSERT(requests_.size() <= codec_.session().streamCount());
    CONVOY_ASSERT(!codec_.idle() || requests_.empty());
    fuzz::checkHeld(codec_.session(), options_);
  }

  fuzz::Script& script_;
  const H2Options options_;
  test::SimulatedClock clock_;
  H2Metrics metrics_;
  net::ByteQueue out_;
  fuzz::WireCheck wire_;
  std::vector<std::unique_ptr<Request>> requests_;
  size_t taken_ = 0;
  int pauses_ = 0;
  bool error_ = false;
  H2ServerCodec codec_{*this, options_, clock_, metrics_};
};

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  convoy::fuzz::Input input;
  if (!convoy::fuzz::parseInput(data, size, &input)) return 0;
  const bool started = input.script.next() % 4 != 3;
  convoy::http::Connection connection(input.script);
  std::string wire;
  if (started) wire = convoy::http::h2::clientStart();
  connection.run(wire.append(input.wire));
  return 0;
}
