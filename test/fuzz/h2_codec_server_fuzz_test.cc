// Any bytes to the HTTP/2 server codec, under a layer above that answers, pauses, resets and goes
// away as a script has it. A request that is whole must, forwarded by HTTP/1.1, be exactly one
// request and the same: nothing is smuggled through. The script's first two bytes choose what the
// codec allows.

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/http/h2_server_codec.h"
#include "test/fuzz/h2_layer.h"
#include "test/proxy/http/h1_messages.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::http {
namespace {

// Whoever reads HTTP/1.1 finds one request, and this one.
void checkForwarding(Message<RequestHead>& request) {
  const std::string wire = forwarded(request);
  RequestCollector again;
  again.codec.dispatch(wire);
  CONVOY_ASSERT(!again.failed && again.requests.size() == 1 && again.codec.idle());
  // HTTP/1.1 has no trailers behind a body of known length.
  if (request.head.body.kind == BodyLength::Kind::Known) request.trailers.clear();
  CONVOY_ASSERT(essence(*again.requests[0]) == essence(request));
}

// Whether a header block is half in these bytes.
bool leavesBlockOpen(std::string_view wire) {
  bool open = false;
  wire.remove_prefix(std::min(wire.size(), h2::kPreface.size()));
  for (size_t size = 0; wire.size() >= 9; wire.remove_prefix(std::min(wire.size(), size))) {
    size = 9;
    for (int i = 0; i < 3; ++i) size += size_t{static_cast<uint8_t>(wire[i])} << (16 - 8 * i);
    open = (wire[3] == NGHTTP2_HEADERS || wire[3] == NGHTTP2_CONTINUATION) &&
           ((wire[4] & h2::kEndHeaders) == 0 || wire.size() < size);
  }
  return open;
}

class Exchange final : public fuzz::ScriptedStream<RequestReceiver, ResponseSender> {
 public:
  Exchange(fuzz::Script& script, ResponseSender& sender) : ScriptedStream(script) {
    sender_ = &sender;
  }

  void onRequestHead(RequestHead& head, bool end) override {
    order_.head(end);
    CONVOY_ASSERT(!end || head.body.kind != BodyLength::Kind::Unknown);
    request_.keepHead(head);
    if (end) whole();
    act();
  }
  void onRequestBody(std::string_view bytes, bool end) override {
    request_.keepBody(bytes, end);
    if (end) whole();
    tookBody(end);
  }
  void onRequestTrailers(HeaderList& trailers) override {
    CONVOY_ASSERT(!asksForTunnel(request_.head));
    request_.keepTrailers(trailers);
    whole();
    tookTrailers();
  }
  void onRequestReset(Failure failure) override { tookReset(failure); }

  void act() override {
    if (sender_ == nullptr) return;
    const uint8_t step = script_.next();
    switch (step % 16) {
      case 1:
        return sendHead(false, step);
      case 2:
        return sendHead(true, step);
      case 3:
        sendHead(false, step);
        return sendBody(true);
      case 4:
        return sendBody(false);
      case 5:
        return sendBody(true);
      case 6:
        return sendTrailers();
      case 7:
        sendHead(false, step);
        sendBody(false);
        return sendTrailers();
      case 8:
        return sendInformational();
      case 9:
        return sender_->pauseReceiving();
      case 10:
        return sender_->resumeReceiving();
      case 11:
        return reset(step > 127  ? Failure::None
                     : step > 63 ? Failure::InternalError
                                 : Failure::BadRequest);
      case 12:
        if (!head_sent_) sender_->leaveRequestUnread();
        return;
      case 13:
        return openTunnel(step > 127);
      default:
        return;
    }
  }

 private:
  void whole() {
    request_.complete = true;
    if (!asksForTunnel(request_.head)) checkForwarding(request_);
  }
  void sendHead(bool end, uint8_t step) {
    if (sender_ == nullptr || head_sent_) return;
    ResponseHead head;
    head.status = (step & 64) != 0 ? 204 : 200;
    if ((step & 32) != 0) head.body = {BodyLength::Kind::Known, 10};
    head.headers.add("a", "b");
    if ((step & 128) != 0) head.headers = fuzz::awkwardFields();
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
  void openTunnel(bool end) {
    if (head_sent_ || !asksForTunnel(request_.head)) return;
    ResponseHead head;
    head.status = request_.head.upgrade.empty() ? 200 : 101;
    head.upgrade = request_.head.upgrade;
    head.headers.add("Sec-WebSocket-Accept", "x");
    head_sent_ = true;
    sent_end_ = end;
    sender_->sendHead(head, end);
    noteEnd();
  }

  Message<RequestHead> request_;
  int informational_ = 0;
};

class Connection final : public fuzz::ScriptedConnection<ServerCodecHandler, Exchange> {
 public:
  Connection(fuzz::Script& script, uint8_t choice)
      : ScriptedConnection(script, H2Session::Role::Server,
                           fuzz::h2Options(choice, script.next() % 2 == 1)) {}
  ~Connection() {
    codec_.onConnectionLost(Failure::DownstreamDisconnect);
    checkEnd(codec_);
    const size_t written = out_.size();
    codec_.goAway();
    CONVOY_ASSERT(out_.size() == written);
    CONVOY_ASSERT(codec_.senderForError() == nullptr && codec_.multiplexed());
  }

  void pauseReading() override {
    CONVOY_ASSERT(pauses_ == 0 && out_.size() >= options_.max_output);
    ++pauses_;
  }
  void resumeReading() override { CONVOY_ASSERT(pauses_-- > 0); }
  RequestReceiver& newStream(ResponseSender& sender) override {
    CONVOY_ASSERT(!error_);
    newest_ = codec_.session().streams().back().id;
    streams_.push_back(std::make_unique<Exchange>(script_, sender));
    return *streams_.back();
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    noteError(failure, detail);
    CONVOY_ASSERT(codec_.mustClose() && codec_.session().streamCount() == 0);
    for (const auto& stream : streams_) CONVOY_ASSERT(stream->over());
  }
  void onRequestRefused(ResponseSender* sender, Failure failure, std::string_view detail,
                        std::string_view) override {
    CONVOY_ASSERT(fuzz::errorOf(detail).request_failure == failure && !error_);
    if (sender == nullptr) return;
    const bool with_body = script_.next() % 2 == 1;
    ResponseHead head;
    head.status = 400;
    sender->sendHead(head, !with_body);
    if (with_body) sender->sendBody(fuzz::bodyBytes(0, 7), true);
  }
  void onStreamComplete(ResponseSender&) override { CONVOY_ASSERT(!error_); }

  void run(std::string_view wire) {
    for (size_t at = 0, waits = 0; at < wire.size() && waits < fuzz::kMaxWaits;) {
      if (codec_.mustClose()) break;
      if (pauses_ == 0) {
        const size_t piece = std::min(wire.size() - at, size_t{1} + script_.next());
        CONVOY_ASSERT(codec_.dispatch(wire.substr(at, piece)) == piece);
        at += piece;
      }
      waits = pauses_ == 0 ? 0 : waits + 1;
      step();
      checkAll();
      if (at == wire.size() && !codec_.mustClose()) {
        CONVOY_ASSERT(codec_.session().inHeaderBlock() == leavesBlockOpen(wire));
      }
    }
    if (script_.next() % 2 == 1) codec_.onEndOfStream();
    checkAll();
    for (int i = 0; i < 8; ++i) {
      step();
      checkAll();
    }
  }

 private:
  void onLevel(bool above) override {
    above ? codec_.onOutputAboveHigh() : codec_.onOutputBelowLow();
  }
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
        if (what > 240) codec_.explainEnd("this is why");
        if (what > 200) codec_.goAwayNow();
        return;
      case 5:
        codec_.resetStalledStreams(false);
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
    // However much it asks for, a client that reads nothing is not read for ever.
    check(codec_.session(), options_.max_output);
    // The client may send what is beyond that elsewhere.
    CONVOY_ASSERT(newest_ <= wire_.lastServed());
    CONVOY_ASSERT(codec_.session().streamCount() <= options_.max_concurrent_streams);
    CONVOY_ASSERT(!codec_.idle() || streams_.empty());
  }

  int pauses_ = 0;
  int32_t newest_ = 0;  // the latest request that was handed over
  H2ServerCodec codec_{*this, options_, clock_, metrics_};
};

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  convoy::fuzz::Input input;
  if (!convoy::fuzz::parseInput(data, size, &input)) return 0;
  const uint8_t first = input.script.next();
  convoy::http::Connection connection(input.script, first / 4);
  std::string wire;
  if (first % 4 != 3) wire = convoy::http::h2::clientStart();
  connection.run(wire.append(input.wire));
  return 0;
}
