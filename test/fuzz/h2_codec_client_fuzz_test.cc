// Any bytes to the HTTP/2 client codec, as the responses to requests that a script makes, under a
// layer above that sends, pauses and resets as the script has it. A response that is whole must,
// forwarded by HTTP/1.1, be exactly one response and the same. The script's first byte chooses what
// the codec allows.

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/http/h2_client_codec.h"
#include "test/fuzz/h2_layer.h"
#include "test/proxy/http/h1_messages.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::http {
namespace {

// Streams of one connection at a time.
constexpr size_t kMostRequests = 6;
// A request's head is at most as long as the answer to so many bytes.
constexpr size_t kHeadBytes = 80;

// Whoever reads HTTP/1.1 finds one response, and this one.
void checkForwarding(Message<ResponseHead>& response, std::string_view method) {
  const std::string wire = forwarded(response, method);
  ResponseCollector again(method);
  again.codec.dispatch(wire);
  CONVOY_ASSERT(!again.failed && again.heads == 1 && again.codec.idle());
  CONVOY_ASSERT(!again.codec.mustClose());
  // HTTP/1.1 has trailers behind chunks only, and says how long every other body is.
  const bool chunked = response.head.body.kind == BodyLength::Kind::Unknown && method != "HEAD" &&
                       response.head.status != 304;
  if (!chunked) response.trailers.clear();
  again.response.head.body = response.head.body;
  CONVOY_ASSERT(essence(again.response) == essence(response));
}

class Exchange final : public fuzz::ScriptedStream<ResponseReceiver, RequestSender> {
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
    if (kind > 127) {
      for (const HeaderField& field : fuzz::awkwardFields()) head.headers.add(field);
    }
    method_ = head.method;
    is_tunnel_ = asksForTunnel(head);
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
    CONVOY_ASSERT(head.status >= 200 || (head.status == 101 && is_tunnel_));
    response_.keepHead(head);
    if (end) whole();
    noteEnd();
    act();
  }
  void onResponseBody(std::string_view bytes, bool end) override {
    response_.keepBody(bytes, end);
    if (end) whole();
    tookBody(end);
  }
  void onResponseTrailers(HeaderList& trailers) override {
    response_.keepTrailers(trailers);
    whole();
    tookTrailers();
  }
  void onResponseReset(Failure failure) override { tookReset(failure); }
  bool asksTunnel() const { return is_tunnel_; }

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

 private:
  void whole() {
    response_.complete = true;
    if (!is_tunnel_) checkForwarding(response_, method_);
  }

  Message<ResponseHead> response_;
  std::string_view method_;
  bool is_tunnel_ = false;  // asked for
};

class Connection final : public fuzz::ScriptedConnection<ClientCodecHandler, Exchange> {
 public:
  Connection(fuzz::Script& script, uint8_t choice)
      : ScriptedConnection(script, H2Session::Role::Client, fuzz::h2Options(choice, false)) {}
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
    CONVOY_ASSERT(streams <= options_.max_concurrent_streams);
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
      checkAll();
    }
    for (int i = 0; i < 8; ++i) {
      step();
      checkAll();
    }
  }

 private:
  void onLevel(bool above) override {
    above ? codec_.onOutputAboveHigh() : codec_.onOutputBelowLow();
  }
  void request() {
    if (codec_.mustClose() || codec_.session().streamCount() >= kMostRequests) return;
    streams_.push_back(std::make_unique<Exchange>(script_));
    Exchange& exchange = *streams_.back();
    exchange.start(codec_.newStream(exchange));
    tunnels_ |= exchange.asksTunnel();
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

  void checkAll() {
    check(codec_.session(), fuzz::kOutputPerByte * (taken_ + kHeadBytes * sent_));
    if (tunnels_) return;
    // Nothing waits behind a whole response.
    codec_.session().streams().forEach(
        [](const H2Stream& stream) { CONVOY_ASSERT(!stream.receive_ended || !stream.send_ended); });
  }

  size_t taken_ = 0;  // bytes
  size_t sent_ = 0;   // requests
  bool went_away_ = false;
  bool tunnels_ = false;  // some were asked for
  H2ClientCodec codec_{*this, options_, clock_, metrics_};
};

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  convoy::fuzz::Input input;
  if (!convoy::fuzz::parseInput(data, size, &input)) return 0;
  const uint8_t first = input.script.next();
  convoy::http::Connection connection(input.script, first / 4);
  std::string wire;
  if (first % 4 != 3) wire = convoy::http::h2::settings() + convoy::http::h2::settingsAck();
  connection.run(wire.append(input.wire));
  return 0;
}
