// Any bytes to both HTTP/1.x codecs, under a layer above that sends, pauses, resets and moves bytes
// unseen as a script has it: what h1_codec_*_fuzz_test, which look at what is read, do not do. What
// is written, the other role's codec must read as what was to be said. The script's first byte
// chooses the role.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/http/h1_client_codec.h"
#include "proxy/http/h1_error.h"
#include "proxy/http/h1_server_codec.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/stream_medium.h"
#include "test/common/test_loop.h"
#include "test/fuzz/h1_wire.h"
#include "test/fuzz/script.h"

namespace convoy::http {
namespace {

// Small enough to be reached.
constexpr H1Limits kLimits{.max_head_bytes = 600,
                           .max_fields = 12,
                           .max_chunk_extension_bytes = 16,
                           .max_body_extension_bytes = 40,
                           .max_trailer_bytes = 80,
                           .max_trailer_fields = 3,
                           .max_informational = 2};
// Above the size from which a piece is sent at once.
constexpr size_t kLarge = 20'000;
// In a value, it must not become a line.
constexpr std::string_view kUnsound = "v\r\nInjected: 1";

// Codecs hand it on and do not touch it.
net::Connection& source() {
  static auto* const clock = new test::SimulatedClock;
  static auto* const loop = new test::TestLoop(*clock);
  static auto* const handlers = new std::pair<test::RecordingHandler, test::RecordingHandler>;
  static auto* const pair = new test::ConnectionPair(
      test::connectedPair(test::Medium::Memory, loop->loop(), handlers->first, handlers->second));
  return *pair->first;
}

// How much of a body of which `most` is left is moved unseen.
net::SpliceResult moved(fuzz::Script& script, uint64_t most) {
  const uint8_t what = script.next();
  if (what % 4 == 0 || most == 0) return {};
  const uint64_t bytes = what % 4 == 1 ? most : std::min<uint64_t>(most, 1 + what);
  return {.kind = net::SpliceResult::Kind::Moved, .bytes = bytes};
}

// One stream of either role: what its sender can do beside ScriptedStream's.
template <typename Receiver, typename Sender>
class Stream : public fuzz::ScriptedStream<Receiver, Sender> {
 public:
  using fuzz::ScriptedStream<Receiver, Sender>::ScriptedStream;

 protected:
  // Most of the steps; the role has the others.
  void commonStep(uint8_t step) {
    switch (step % 16) {
      case 1:
        return this->sendBody(false);
      case 2:
        return this->sendBody(true);
      case 3:
        return step > 127 ? sendUnsoundTrailers() : this->sendTrailers();
      case 4:
        return sendLarge();
      case 5:
        return sendSpliced();
      case 6:
        return this->sender_->pauseReceiving();
      case 7:
        return this->sender_->resumeReceiving();
      case 8:
        if (step > 127) this->reset(Failure::InternalError);
        return;
      default:
        return;
    }
  }
  HeaderList fields(bool sound) {
    HeaderList fields;
    fields.add("a", "b");
    if (sound) return fields;
    fields.add("c", kUnsound);
    fields.add("long", std::string_view(long_));
    return fields;
  }

 private:
  bool canSend() const {
    return this->sender_ != nullptr && this->head_sent_ && !this->sent_end_ && !this->above_high_;
  }
  void sendLarge() {
    if (!canSend()) return;
    this->sendPiece(kLarge, false);
  }
  void sendSpliced() {
    if (!canSend()) return;
    const net::SpliceResult result = this->sender_->sendBodyOf(source(), 10);
    CONVOY_ASSERT(result.bytes <= 10);
    this->sent_ += result.bytes;
  }
  void sendUnsoundTrailers() {
    if (this->sender_ == nullptr || !this->head_sent_ || this->sent_end_) return;
    HeaderList trailers = fields(false);
    this->sent_end_ = true;
    this->sender_->sendTrailers(trailers);
    this->noteEnd();
  }

  const std::string long_ = std::string(17'000, 'x');
};

class ServerExchange final : public Stream<RequestReceiver, ResponseSender> {
 public:
  ServerExchange(fuzz::Script& script, ResponseSender& sender, fuzz::ResponseCheck& written)
      : Stream(script), written_(written) {
    sender_ = &sender;
  }

  void onRequestHead(RequestHead& head, bool end) override {
    order_.head(end);
    upgrade_ = head.upgrade;
    is_connect_ = head.method == "CONNECT";
    // Nobody opens one behind a body (ServerStream::admitTunnel()).
    asks_tunnel_ = asksForTunnel(head) && head.body.kind == BodyLength::Kind::None;
    written_.expect(head);
    act();
  }
  void onRequestBody(std::string_view, bool end) override { tookBody(end); }
  void onRequestTrailers(HeaderList&) override { tookTrailers(); }
  void onRequestReset(Failure failure) override { tookReset(failure); }
  net::SpliceResult spliceRequestBody(net::Connection&, uint64_t most) override {
    return moved(script_, most);
  }

  void act() override {
    if (sender_ == nullptr) return;
    const uint8_t step = script_.next();
    switch (step % 16) {
      case 9:
        return sendHead({BodyLength::Kind::Known, 10}, false, step);
      case 10:
        return sendHead({BodyLength::Kind::Unknown, 0}, false, step);
      case 11:
        return sendHead({}, true, step);
      case 12:
        return sendInformational();
      case 13:
        if (!head_sent_) sender_->leaveRequestUnread();
        return;
      case 14:
        return openTunnel();
      default:
        return commonStep(step);
    }
  }
  // The framing of the request broke: its sender still works.
  void answerError() {
    if (sender_ == nullptr) return;
    order_.giveUp();
    if (head_sent_) return reset(Failure::BadBody);
    ResponseHead head;
    head.status = 400;
    std::exchange(sender_, nullptr)->sendHead(head, true);
  }

 private:
  void sendHead(BodyLength body, bool end, uint8_t step) {
    if (sender_ == nullptr || head_sent_) return;
    static constexpr uint16_t kStatus[] = {200, 204, 304, 418};
    ResponseHead head;
    head.status = kStatus[step / 16 % 4];
    head.body = body;
    head.headers = fields(step < 128);
    if (step >= 192) head.reason = kUnsound;
    head_sent_ = true;
    sent_end_ = end;
    sender_->sendHead(head, end);
    noteEnd();
  }
  void sendInformational() {
    if (head_sent_ || informational_++ > 2) return;
    ResponseHead head;
    head.status = informational_ == 1 ? 100 : 103;
    sender_->sendInformational(head);
  }
  void openTunnel() {
    if (head_sent_ || !asks_tunnel_) return;
    ResponseHead head;
    head.status = is_connect_ ? 200 : 101;
    head.upgrade = upgrade_;
    head.body = {BodyLength::Kind::Unknown, 0};
    head_sent_ = true;
    sender_->sendHead(head, false);
  }

  fuzz::ResponseCheck& written_;
  std::string upgrade_;
  bool is_connect_ = false;
  bool asks_tunnel_ = false;
  int informational_ = 0;
};

class ClientExchange final : public Stream<ResponseReceiver, RequestSender> {
 public:
  using Stream::Stream;

  void start(RequestSender& sender, fuzz::RequestCheck& written) {
    sender_ = &sender;
    static constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "CONNECT"};
    const uint8_t kind = script_.next();
    written.expect(kind < 128);
    RequestHead head;
    head.method = kMethods[kind % 4];
    head.target = head.method == "CONNECT" ? "a.test:80" : kind < 128 ? "/" : "/\x80 x";
    head.authority = kind < 128 ? "a.test:80" : kUnsound;
    head.headers = fields(kind < 128);
    head.raw_tunnel = kind % 8 == 7;
    if (kind % 8 == 4) head.upgrade = "websocket";
    if (kind % 8 == 6) head.body = {BodyLength::Kind::Known, 10};
    if (kind % 8 == 2) head.headers.add(HeaderName::Te, "trailers");
    head.expects_continue = kind % 16 == 14;
    head_sent_ = true;
    sent_end_ = kind % 8 < 2 || kind % 16 == 10;
    if (head.raw_tunnel) {
      order_.head(false);
      written.expectRaw();
    }
    sender_->sendHead(head, sent_end_);
  }
  void onInformational(ResponseHead& head) override {
    order_.informational();
    CONVOY_ASSERT(head.status >= 100 && head.status < 200 && head.status != 101);
    act();
  }
  void onResponseHead(ResponseHead& head, bool end) override {
    order_.head(end);
    CONVOY_ASSERT(head.status >= 200 || head.status == 101);
    noteEnd();
    act();
  }
  void onResponseBody(std::string_view, bool end) override { tookBody(end); }
  void onResponseTrailers(HeaderList&) override { tookTrailers(); }
  void onResponseReset(Failure failure) override { tookReset(failure); }
  net::SpliceResult spliceResponseBody(net::Connection&, uint64_t most) override {
    return moved(script_, most);
  }

  void act() override {
    if (sender_ != nullptr) commonStep(script_.next());
  }
};

// What both codecs ask of their connection.
template <typename Handler, typename Exchange, typename WireCheck>
class Connection : public Handler {
 public:
  explicit Connection(fuzz::Script& script) : script_(script) {
    out_.setWatermarks(fuzz::kOutputHigh, {});
  }

  net::ByteQueue& output() final { return out_; }
  void pauseReading() final { ++pauses_; }
  void resumeReading() final { CONVOY_ASSERT(pauses_-- > 0); }
  size_t sendNow(std::string_view bytes) final {
    const size_t sent = std::min<size_t>(bytes.size(), 17'000);
    drain(out_.size());
    wire_.read(bytes.substr(0, sent));
    return sent;
  }
  net::SpliceResult spliceFrom(net::Connection&, uint64_t most) final {
    const net::SpliceResult result = moved(script_, most);
    drain(out_.size());
    wire_.read(fuzz::bodyBytes(stream_->sentBytes(), result.bytes));
    return result;
  }

 protected:
  ~Connection() = default;
  virtual void onLevel(bool above) = 0;

  template <typename Codec>
  void step(Codec& codec) {
    const uint8_t what = script_.next();
    switch (what % 8) {
      case 1:
        return drain(what);
      case 2:
        if (pauses_ == 0) static_cast<void>(codec.spliceBody(source()));
        return;
      case 3:
        return;
      default:
        if (stream_ != nullptr) stream_->act();
        return drain(out_.size());
    }
  }
  // After each step. As net::Connection, the level is told afterwards, and not from inside a write.
  void check(bool idle) {
    if (out_.aboveHigh() != above_high_) onLevel(above_high_ = out_.aboveHigh());
    if (stream_ != nullptr && stream_->over()) stream_ = nullptr;
    CONVOY_ASSERT(!idle || pauses_ == 0);
  }
  void drain(size_t bytes) {
    bytes = std::min(bytes, out_.size());
    wire_.read(out_.toString().substr(0, bytes));
    out_.consume(bytes);
  }

  fuzz::Script& script_;
  net::ByteQueue out_;
  WireCheck wire_;
  std::unique_ptr<Exchange> stream_;
  int pauses_ = 0;
  bool above_high_ = false;
  bool error_ = false;
};

class Server final : public Connection<ServerCodecHandler, ServerExchange, fuzz::ResponseCheck> {
 public:
  using Connection::Connection;
  ~Server() {
    drain(out_.size());
    codec_.onConnectionLost(Failure::DownstreamDisconnect);
    CONVOY_ASSERT(codec_.idle() && codec_.mustClose() && pauses_ == 0);
    CONVOY_ASSERT(stream_ == nullptr || stream_->over());
  }

  RequestReceiver& newStream(ResponseSender& sender) override {
    CONVOY_ASSERT(stream_ == nullptr || stream_->over());
    ended_ = std::move(stream_);  // its frames may be on the stack
    stream_ = std::make_unique<ServerExchange>(script_, sender, wire_);
    return *stream_;
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    CONVOY_ASSERT(failure != Failure::None && !error_ && codec_.mustClose());
    CONVOY_ASSERT(h1ErrorOf(detail) != H1Error::None);
    error_ = true;
    if (stream_ != nullptr && !stream_->over()) return stream_->answerError();
    if (ResponseSender* sender = codec_.senderForError()) {
      ResponseHead head;
      head.status = info(failure).status;
      head.body = {BodyLength::Kind::Known, 2};
      wire_.expect("GET");
      sender->sendHead(head, false);
      sender->sendBody(fuzz::bodyBytes(0, 2), true);
    }
  }
  void onStreamComplete(ResponseSender&) override {}

  void run(std::string_view wire) {
    std::string held;
    for (size_t at = 0, idle_steps = 0; (at < wire.size() || !held.empty()) && idle_steps < 64;) {
      const size_t piece = std::min(wire.size() - at, size_t{1} + script_.next());
      held += wire.substr(at, piece);
      at += piece;
      if (pauses_ == 0) {
        const size_t taken = codec_.dispatch(held);
        CONVOY_ASSERT(taken <= held.size() && (!error_ || taken == held.size()));
        held.erase(0, taken);
        idle_steps = taken > 0 ? 0 : idle_steps + 1;
      } else {
        ++idle_steps;
      }
      once();
    }
    if (script_.next() % 2 == 1) codec_.onEndOfStream();
    for (int i = 0; i < 8; ++i) once();
  }

 private:
  void onLevel(bool above) override {
    above ? codec_.onOutputAboveHigh() : codec_.onOutputBelowLow();
  }
  void once() {
    step(codec_);
    check(codec_.idle());
    ended_ = nullptr;
    if (script_.next() == 250) codec_.goAway();
    CONVOY_ASSERT(codec_.protocol() == Protocol::Http11);
    CONVOY_ASSERT(!codec_.receivingHead() || stream_ == nullptr);
  }

  std::unique_ptr<ServerExchange> ended_;
  H1ServerCodec codec_{*this, kLimits};
};

class Client final : public Connection<ClientCodecHandler, ClientExchange, fuzz::RequestCheck> {
 public:
  using Connection::Connection;
  ~Client() {
    drain(out_.size());
    if (script_.next() % 2 == 1) codec_.onEndOfStream();
    codec_.onConnectionLost(Failure::UpstreamReset);
    CONVOY_ASSERT(codec_.idle() && codec_.mustClose() && pauses_ == 0);
    CONVOY_ASSERT(stream_ == nullptr || stream_->over());
  }

  void onStreamComplete(RequestSender&) override { CONVOY_ASSERT(!error_); }
  void onGoAway() override { CONVOY_ASSERT(false); }
  void onProtocolError(Failure failure, std::string_view detail) override {
    CONVOY_ASSERT(failure != Failure::None && !error_ && codec_.mustClose());
    CONVOY_ASSERT(h1ErrorOf(detail) != H1Error::None);
    error_ = true;
  }

  void run(std::string_view wire) {
    request();
    for (size_t at = 0, waits = 0; at < wire.size() && waits < 64;) {
      if (pauses_ == 0) {
        const size_t piece = std::min(wire.size() - at, size_t{1} + script_.next());
        codec_.dispatch(wire.substr(at, piece));
        at += piece;
        waits = 0;
      } else {
        ++waits;
      }
      once();
    }
    for (int i = 0; i < 8; ++i) once();
  }

 private:
  void onLevel(bool above) override {
    above ? codec_.onOutputAboveHigh() : codec_.onOutputBelowLow();
  }
  void request() {
    if (!codec_.idle() || codec_.mustClose()) return;
    stream_ = std::make_unique<ClientExchange>(script_);
    stream_->start(codec_.newStream(*stream_), wire_);
  }
  void once() {
    step(codec_);
    check(codec_.idle());
    if (script_.next() % 2 == 1) request();
    CONVOY_ASSERT(codec_.protocol() == Protocol::Http11);
  }

  H1ClientCodec codec_{*this, kLimits};
};

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  convoy::fuzz::Input input;
  if (!convoy::fuzz::parseInput(data, size, &input)) return 0;
  if (input.script.next() % 2 == 0) {
    convoy::http::Server(input.script).run(input.wire);
  } else {
    convoy::http::Client(input.script).run(input.wire);
  }
  return 0;
}
