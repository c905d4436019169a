#include "proxy/http/h2_server_codec.h"

#include <charconv>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/http/websocket.h"

namespace convoy::http {

namespace {

uint32_t resetCode(Failure failure) {
  switch (failure) {
    case Failure::None:
      return NGHTTP2_NO_ERROR;
    case Failure::BadRequest:
    case Failure::BadBody:
      return NGHTTP2_PROTOCOL_ERROR;
    default:
      return NGHTTP2_INTERNAL_ERROR;
  }
}

// A number as text, without allocation.
class Decimal {
 public:
  explicit Decimal(uint64_t number)
      : end_(std::to_chars(text_, text_ + sizeof(text_), number).ptr) {}
  std::string_view view() const { return {text_, static_cast<size_t>(end_ - text_)}; }

 private:
  char text_[20];
  char* end_;
};

}  // namespace

class H2ServerCodec::Stream final : public H2Stream, public ResponseSender {
 public:
  explicit Stream(H2ServerCodec& codec)
      : H2Stream(codec.options_.stream_send_buffer), codec_(codec) {}

  void sendInformational(const ResponseHead& head) override {
    if (closed || head_sent) return;
    addHead(head);
    codec_.session_.submitInformational(*this);
  }
  void sendHead(const ResponseHead& head, bool end_of_stream) override {
    if (closed) return;
    CONVOY_ASSERT(!head_sent);
    if (is_upgrade && head.status == 101) return openTunnel(head, end_of_stream);
    addHead(head);
    const Decimal length(head.body.bytes);
    const bool says_length = head.body.kind == BodyLength::Kind::Known && head.status != 204;
    if (says_length) codec_.session_.addField("content-length", length.view());
    if (end_of_stream) noteSendEnd();
    codec_.session_.submitResponse(*this, end_of_stream);
  }
  void sendBody(std::string_view bytes, bool end_of_stream) override {
    H2ServerCodec& codec = codec_;  // outlives the stream
    if (end_of_stream) noteSendEnd();
    codec.session_.sendBody(*this, bytes, end_of_stream);
    if (end_of_stream) codec.dropUnsendable();
  }
  void sendTrailers(const HeaderList& trailers) override {
    H2ServerCodec& codec = codec_;
    noteSendEnd();
    codec.session_.sendTrailers(*this, trailers);
    codec.dropUnsendable();
  }
  void reset(Failure failure) override {
    receiver = nullptr;
    codec_.session_.reset(*this, resetCode(failure));
  }
  uint64_t taken() override { return sent + (waits_for_room ? codec_.handler_.acknowledged() : 0); }
  void leaveRequestUnread() override {}
  void pauseReceiving() override { codec_.session_.pause(*this); }
  void resumeReceiving() override { codec_.session_.resume(*this); }

  // The layer above is done with the stream once both ends were told: it may be gone before the
  // last bytes have left.
  void forgetReceiverIfDone(bool sent_all) {
    if (!sent_all || !receive_ended) return;
    receiver = nullptr;
    listener = nullptr;
    codec_.session_.endPauses(*this);
  }

  RequestReceiver* receiver = nullptr;
  bool is_tunnel = false;   // asked for by CONNECT
  bool is_upgrade = false;  // by extended CONNECT

 private:
  // RFC 8441 5: 200, without what belongs to HTTP/1.1's handshake.
  void openTunnel(const ResponseHead& head, bool end_of_stream) {
    ResponseHead opening;
    opening.status = 200;
    opening.headers = head.headers;
    opening.headers.remove(kWebSocketAccept);
    addHead(opening);
    if (end_of_stream) noteSendEnd();
    codec_.session_.submitResponse(*this, end_of_stream);
  }
  void addHead(const ResponseHead& head) {
    status_[0] = static_cast<char>('0' + head.status / 100 % 10);
    status_[1] = static_cast<char>('0' + head.status / 10 % 10);
    status_[2] = static_cast<char>('0' + head.status % 10);
    codec_.session_.addField(":status", {status_, sizeof(status_)});
    codec_.session_.addFields(head.headers);
  }
  void noteSendEnd() { forgetReceiverIfDone(true); }

  H2ServerCodec& codec_;
  char status_[3];
};

H2ServerCodec::H2ServerCodec(ServerCodecHandler& handler, const H2Options& options,
                             const event::Clock& clock, H2Metrics& metrics)
    : handler_(handler),
      options_(options),
      metrics_(metrics),
      session_(H2Session::Role::Server, *this, options_, clock, metrics) {}

H2ServerCodec::~H2ServerCodec() = default;

// --- receiving ---

size_t H2ServerCodec::dispatch(std::string_view bytes) {
  session_.receive(bytes);
  if (session_.failure() != H2Error::None) {
    endConnection(session_.failure());
  } else {
    holdBack();
  }
  return bytes.size();
}

// Only above the mark of the output is the codec told when it has fallen.
void H2ServerCodec::holdBack() {
  const net::ByteQueue& output = handler_.output();
  if (holding_back_ || !output.aboveHigh() || output.size() < options_.max_output) return;
  holding_back_ = true;
  metrics_.output_paused_reading.add();
  handler_.pauseReading();
}

void H2ServerCodec::onOutputBelowLow() {
  if (std::exchange(holding_back_, false)) handler_.resumeReading();
  session_.onOutputBelowLow();
}

std::unique_ptr<H2Stream> H2ServerCodec::onStreamOpened(int32_t) {
  return std::make_unique<Stream>(*this);
}

void H2ServerCodec::onSection(H2Stream& base, H2Section& section, bool end_of_stream) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.head_received) return onTrailers(stream, section);
  stream.head_received = true;
  onRequest(stream, section, end_of_stream);
}

void H2ServerCodec::onRequest(Stream& stream, H2Section& section, bool end_of_stream) {
  const H2Error error = section.finishRequest(head_, end_of_stream);
  if (error != H2Error::None) {
    session_.countRefusal(error);
    handler_.onRequestRefused(&stream, info(error).request_failure, info(error).detail,
                              section.method());
    // Nobody reads the rest of the request.
    if (!stream.receive_ended) session_.reset(stream, NGHTTP2_NO_ERROR);
    return;
  }
  if (head_.method == "CONNECT") {
    asUpgrade(stream);
  } else if (head_.body.kind == BodyLength::Kind::Known) {
    stream.declared = head_.body.bytes;
  }
  RequestReceiver& receiver = handler_.newStream(stream);
  stream.receiver = &receiver;
  stream.listener = &receiver;
  receiver.onRequestHead(head_, end_of_stream);
  if (end_of_stream) stream.forgetReceiverIfDone(stream.send_ended);
}

// What follows is no body; RFC 8441's upgrade becomes HTTP/1.1's.
void H2ServerCodec::asUpgrade(Stream& stream) {
  head_.body = {};
  head_.expects_continue = false;
  stream.is_tunnel = true;
  stream.is_upgrade = !head_.upgrade.empty();
  if (!stream.is_upgrade) return;
  head_.method = "GET";
  head_.wire = {};  // it does not lie there
}

void H2ServerCodec::onTrailers(Stream& stream, H2Section& section) {
  HeaderList trailers;
  H2Error error = section.finishTrailers(trailers);
  if (stream.is_tunnel) error = H2Error::MalformedMessage;  // RFC 9113 8.5: nothing but DATA
  RequestReceiver* const receiver = stream.receiver;
  if (receiver == nullptr) return;
  if (error != H2Error::None) {
    session_.countRefusal(error);
    handler_.onRequestRefused(nullptr, info(error).request_failure, info(error).detail, {});
    stream.reset(Failure::BadBody);
    return receiver->onRequestReset(Failure::BadBody);
  }
  receiver->onRequestTrailers(trailers);
  stream.forgetReceiverIfDone(stream.send_ended);
}

void H2ServerCodec::onData(H2Stream& base, std::string_view bytes, bool end_of_stream) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.receiver == nullptr) return;
  stream.receiver->onRequestBody(bytes, end_of_stream);
  if (end_of_stream) stream.forgetReceiverIfDone(stream.send_ended);
}

void H2ServerCodec::onStreamClosed(H2Stream& base, uint32_t code) {
  auto& stream = static_cast<Stream&>(base);
  RequestReceiver* const receiver = std::exchange(stream.receiver, nullptr);
  if (code == NGHTTP2_NO_ERROR) return handler_.onStreamComplete(stream);
  if (receiver != nullptr) {
    // nghttp2's own verdict on the message comes as PROTOCOL_ERROR, as does a client's complaint.
    receiver->onRequestReset(code == NGHTTP2_PROTOCOL_ERROR ? Failure::BadBody
                                                            : Failure::DownstreamDisconnect);
  }
}

void H2ServerCodec::onMessageRefused(H2Error error) {
  handler_.onRequestRefused(nullptr, info(error).request_failure, info(error).detail, {});
}

// --- endings ---

void H2ServerCodec::dropStreams(Failure why) {
  session_.die();
  while (!session_.streams().empty()) {
    auto& stream = static_cast<Stream&>(session_.streams().front());
    RequestReceiver* const receiver = std::exchange(stream.receiver, nullptr);
    session_.abandon(stream);
    if (receiver != nullptr) receiver->onRequestReset(why);
  }
}

void H2ServerCodec::endConnection(H2Error error) {
  if (std::exchange(told_error_, true)) return;
  dropStreams(info(error).request_failure);
  handler_.onProtocolError(info(error).request_failure, info(error).detail);
}

// Those streams for which it is true, to be ended one by one: what is sent for one may close
// others, which are on no list then, but not destroyed while there is a Scope.
template <typename Condition>
std::vector<H2ServerCodec::Stream*> H2ServerCodec::streamsThat(Condition condition) {
  std::vector<Stream*> found;
  session_.streams().forEach([&](H2Stream& base) {
    auto& stream = static_cast<Stream&>(base);
    if (condition(stream)) found.push_back(&stream);
  });
  return found;
}

void H2ServerCodec::onEndOfStream() {
  const H2Session::Scope scope(session_);
  peer_ended_ = true;
  for (Stream* stream : streamsThat([](const Stream& s) { return !s.receive_ended; })) {
    if (stream->closed) continue;
    RequestReceiver* const receiver = std::exchange(stream->receiver, nullptr);
    session_.reset(*stream, NGHTTP2_CANCEL);
    if (receiver != nullptr) receiver->onRequestReset(Failure::DownstreamDisconnect);
  }
  dropUnsendable();
}

// After the peer's end its windows open no more: what is complete above and waits for them would
// wait until it counts as stalled.
void H2ServerCodec::dropUnsendable() {
  if (!peer_ended_) return;
  const H2Session::Scope scope(session_);
  const auto unsendable = [this](const Stream& stream) {
    return stream.receiver == nullptr && stream.send_ended && session_.windowIsShut(stream);
  };
  for (Stream* stream : streamsThat(unsendable)) {
    if (stream->closed) continue;
    handler_.onStreamComplete(*stream);
    session_.reset(*stream, NGHTTP2_CANCEL);
  }
}

void H2ServerCodec::onConnectionLost(Failure why) {
  dropStreams(why);
}

bool H2ServerCodec::mustClose() const {
  if (session_.failure() != H2Error::None || told_error_) return true;
  const bool no_more = peer_ended_ || peer_went_away_ || session_.goAwaySent();
  return no_more && session_.streamCount() == 0;
}

}  // namespace convoy::http
