// Any bytes to the HTTP/2 client codec, as the responses to requests that a script makes, under a
// layer above that sends, pauses and resets as the script has it.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/http/h2_client_codec.h"
#include "test/fuzz/h2_layer.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::http {
namespace {

// Streams of one connection at a time.
constexpr size_t kMostRequests = 6;

class Response final : public fuzz::ScriptedStream<ResponseReceiver, RequestSender> {
 public:
  using ScriptedStream::ScriptedStream;

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
    if (kind % 8 == 6) head.body = {BodyLength::Kind::Known, 10};
    head_sent_ = true;
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
  void onResponseBody(std::string_view, bool end) override { tookBody(end); }
  void onResponseTrailers(HeaderList&) override { tookTrailers(); }
  void onResponseReset(Failure failure) override { tookReset(failure); }

  void act() override {
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
        return reset(Failure::DownstreamDisconnect);
      default:
        return;
    }
  }
};

class Connection final : public fuzz::ScriptedConnection<ClientCodecHandler, Response> {
 public:
  explicit Connection(fuzz::Script& script) : ScriptedConnection(script, fuzz::h2Options(false)) {}
  ~Connection() {
    if (script_.next() % 2 == 1) codec_.onEndOfStream();
    codec_.onConnectionLost(Failure::UpstreamReset);
    CONVOY_ASSERT(codec_.mustClose() && codec_.idle());
    checkEnd(codec_);
  }

  void pauseReading() override { CONVOY_ASSERT(false); }
  void resumeReading() override { CONVOY_ASSERT(false); }
  void onStreamComplete(RequestSender&) override { CONVOY_ASSERT(!error_); }
  void onStreamReset(RequestSender&) override {}
  void onMaxStreams(uint32_t streams) override {
    CONVOY_ASSERT(streams >= 1 && streams <= options_.max_concurrent_streams);
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    CONVOY_ASSERT(codec_.mustClose());
    noteError(failure, detail);
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
      check(codec_.session(), taken_ + sent_);
    }
    for (int i = 0; i < 8; ++i) {
      step();
      check(codec_.session(), taken_ + sent_);
    }
  }

 private:
  void onBelowLow() override { codec_.onOutputBelowLow(); }
  void request() {
    if (codec_.mustClose() || codec_.session().streamCount() >= kMostRequests) return;
    streams_.push_back(std::make_unique<Response>(script_));
    Response& response = *streams_.back();
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
        return allAct();
      case 7:
        return;
      default:
        return oneActs(what);
    }
  }

  size_t sent_ = 0;
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
