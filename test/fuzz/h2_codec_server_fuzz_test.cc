// Any bytes to the HTTP/2 server codec, under a layer above that answers, pauses, resets and goes
// away as a script has it.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/http/h2_server_codec.h"
#include "test/fuzz/h2_layer.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::http {
namespace {

class Request final : public fuzz::ScriptedStream<RequestReceiver, ResponseSender> {
 public:
  Request(fuzz::Script& script, ResponseSender& sender) : ScriptedStream(script) {
    sender_ = &sender;
  }

  void onRequestHead(RequestHead& head, bool end) override {
    order_.head(end);
    CONVOY_ASSERT(!head.method.empty());
    CONVOY_ASSERT(!end || head.body.kind != BodyLength::Kind::Unknown);
    act();
  }
  void onRequestBody(std::string_view, bool end) override { tookBody(end); }
  void onRequestTrailers(HeaderList&) override { tookTrailers(); }
  void onRequestReset(Failure failure) override { tookReset(failure); }

  void act() override {
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
  void sendInformational() {
    if (head_sent_ || informational_++ > 2) return;
    ResponseHead head;
    head.status = 103;
    sender_->sendInformational(head);
  }

  int informational_ = 0;
};

class Connection final : public fuzz::ScriptedConnection<ServerCodecHandler, Request> {
 public:
  explicit Connection(fuzz::Script& script)
      : ScriptedConnection(script, fuzz::h2Options(script.next() % 2 == 1)) {}
  ~Connection() {
    codec_.onConnectionLost(Failure::DownstreamDisconnect);
    checkEnd(codec_);
    const size_t written = out_.size();
    codec_.goAway();
    CONVOY_ASSERT(out_.size() == written);
  }

  void pauseReading() override { ++pauses_; }
  void resumeReading() override { CONVOY_ASSERT(pauses_-- > 0); }
  RequestReceiver& newStream(ResponseSender& sender) override {
    CONVOY_ASSERT(!error_);
    streams_.push_back(std::make_unique<Request>(script_, sender));
    return *streams_.back();
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    noteError(failure, detail);
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
      checkAll();
    }
    if (script_.next() % 2 == 1) codec_.onEndOfStream();
    checkAll();
    for (int i = 0; i < 8; ++i) {
      step();
      checkAll();
    }
  }

 private:
  void onBelowLow() override { codec_.onOutputBelowLow(); }
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
        return allAct();
      case 8:
        return;
      default:
        return oneActs(what);
    }
  }
  void checkAll() {
    check(codec_.session(), taken_);
    CONVOY_ASSERT(codec_.session().streamCount() <= options_.max_concurrent_streams);
    CONVOY_ASSERT(!codec_.idle() || streams_.empty());
  }

  int pauses_ = 0;
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
