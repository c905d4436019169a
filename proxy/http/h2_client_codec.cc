#include "proxy/http/h2_client_codec.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/http/websocket.h"

namespace convoy::http {

class H2ClientCodec::Stream final : public H2Stream, public RequestSender {
 public:
  Stream(H2ClientCodec& codec, ResponseReceiver& response_receiver)
      : H2Stream(codec.options_.stream_send_buffer), receiver(&response_receiver), codec_(codec) {
    listener = &response_receiver;
  }

  void sendHead(const RequestHead& head, bool end_of_stream) override {
    if (closed) return;
    CONVOY_ASSERT(!head_sent);
    is_head = head.method == "HEAD";
    H2Session& session = codec_.session_;
    const bool extended = !head.upgrade.empty();
    is_connect = extended || head.method == "CONNECT";
    session.addField(":method", extended ? "CONNECT" : head.method);
    if (extended || head.method != "CONNECT") {
      session.addField(":scheme", head.scheme.empty() ? "http" : head.scheme);
      session.addField(":path", head.target);
    }
    if (!head.authority.empty()) session.addField(":authority", head.authority);
    if (extended) {
      addUpgrade(head);
    } else {
      session.addFields(head.headers);
    }
    char length[20];
    if (head.body.kind == BodyLength::Kind::Known) {
      const char* const end = std::to_chars(length, length + sizeof(length), head.body.bytes).ptr;
      session.addField("content-length", {length, static_cast<size_t>(end - length)});
    }
    if (!session.submitRequest(*this, end_of_stream)) codec_.must_close_ = true;
  }
  void sendBody(std::string_view bytes, bool end_of_stream) override {
    H2ClientCodec& codec = codec_;  // outlives the stream
    const H2Session::Scope scope(codec.session_);
    if (end_of_stream) forgetReceiverIf(receive_ended);
    codec.session_.sendBody(*this, bytes, end_of_stream);
    codec.endIfAnswered(*this);
  }
  void sendTrailers(const HeaderList& trailers) override {
    H2ClientCodec& codec = codec_;
    const H2Session::Scope scope(codec.session_);
    forgetReceiverIf(receive_ended);
    codec.session_.sendTrailers(*this, trailers);
    codec.endIfAnswered(*this);
  }
  void reset(Failure) override {
    receiver = nullptr;
    codec_.session_.reset(*this, NGHTTP2_CANCEL);
  }
  uint64_t taken() override { return sent + (waits_for_room ? codec_.handler_.acknowledged() : 0); }
  void pauseReceiving() override { codec_.session_.pause(*this); }
  void resumeReceiving() override { codec_.session_.resume(*this); }

  // Behind the response head a lost stream cannot be answered, or retried, any more.
  Failure lossAsSeen(Failure why) const {
    return why == Failure::UpstreamReset && head_received ? Failure::UpstreamAbortedBody : why;
  }

  // The layer above is done with the stream once the response is whole and the request was handed
  // over: it may be gone before the last bytes have left. Until then it hears of a loss.
  void forgetReceiverIf(bool both_ended) {
    if (!both_ended) return;
    receiver = nullptr;
    listener = nullptr;
    codec_.session_.endPauses(*this);
  }

  ResponseReceiver* receiver;  // null once the layer above is done
  // An upgrade that was asked for; what its answer is made of (RFC 8441 5).
  struct Upgrade {
    std::string protocol;
    std::string key;  // Sec-WebSocket-Key; may be empty
  };

  int informational = 0;
  bool is_head = false;
  bool is_connect = false;
  bool is_tunnel = false;  // it was opened
  std::unique_ptr<Upgrade> upgrade;

 private:
  void addUpgrade(const RequestHead& head) {
    upgrade = std::make_unique<Upgrade>();
    // The name that HTTP/2 has registered; Upgrade is compared without regard to case.
    upgrade->protocol = isWebSocket(head.upgrade) ? kWebSocket : head.upgrade;
    codec_.session_.addField(":protocol", upgrade->protocol);
    HeaderList headers = head.headers;
    if (const HeaderField* key = headers.find(kWebSocketKey)) upgrade->key = key->value;
    headers.remove(kWebSocketKey);
    codec_.session_.addFields(headers);
  }

  H2ClientCodec& codec_;
};

H2ClientCodec::H2ClientCodec(ClientCodecHandler& handler, const H2Options& options,
                             const event::Clock& clock, H2Metrics& metrics)
    : handler_(handler),
      options_(options),
      session_(H2Session::Role::Client, *this, options_, clock, metrics) {}

H2ClientCodec::~H2ClientCodec() = default;

RequestSender& H2ClientCodec::newStream(ResponseReceiver& receiver) {
  CONVOY_ASSERT(!must_close_);
  return static_cast<Stream&>(session_.add(std::make_unique<Stream>(*this, receiver)));
}

// --- receiving ---

void H2ClientCodec::dispatch(std::string_view bytes) {
  session_.receive(bytes);
  if (session_.failure() == H2Error::None || std::exchange(told_error_, true)) return;
  must_close_ = true;
  // The owner first: streams that are tried again must not come back here.
  handler_.onProtocolError(Failure::UpstreamProtocolError, info(session_.failure()).detail);
  dropStreams(Failure::UpstreamProtocolError);
}

void H2ClientCodec::onSection(H2Stream& base, H2Section& section, bool end_of_stream) {
  auto& stream = static_cast<Stream&>(base);
  stream.head_received ? onTrailers(stream, section) : onHead(stream, section, end_of_stream);
}

void H2ClientCodec::onHead(Stream& stream, H2Section& section, bool end_of_stream) {
  const H2Error error = section.finishResponse(head_, end_of_stream, stream.is_head);
  if (error != H2Error::None) return refuse(stream, error);
  if (head_.status < 200) {
    if (++stream.informational > options_.max_informational) {
      return refuse(stream, H2Error::TooManyInformational);
    }
    if (stream.receiver != nullptr) stream.receiver->onInformational(head_);
    return;
  }
  stream.head_received = true;
  stream.is_tunnel = stream.is_connect && head_.status / 100 == 2;
  if (stream.upgrade != nullptr && head_.status / 100 == 2) return onTunnel(stream, end_of_stream);
  const bool framed = !stream.is_head && head_.status != 304;
  if (framed && head_.body.kind == BodyLength::Kind::Known) stream.declared = head_.body.bytes;
  ResponseReceiver* const receiver = stream.receiver;
  if (receiver == nullptr) return;
  if (end_of_stream) stream.forgetReceiverIf(stream.send_ended);
  receiver->onResponseHead(head_, end_of_stream);
  endIfAnswered(stream);
}

// The answer as HTTP/1.1 would give it.
void H2ClientCodec::onTunnel(Stream& stream, bool end_of_stream) {
  const WebSocketAccept accept(stream.upgrade->key);
  head_.status = 101;
  head_.upgrade = stream.upgrade->protocol;
  head_.body = {BodyLength::Kind::Unknown, 0};
  if (isWebSocket(head_.upgrade) && !stream.upgrade->key.empty()) {
    head_.headers.set("Sec-WebSocket-Accept", accept.text());
  }
  ResponseReceiver* const receiver = stream.receiver;
  if (receiver == nullptr) return;
  if (end_of_stream) stream.forgetReceiverIf(stream.send_ended);
  receiver->onResponseHead(head_, end_of_stream);
}

void H2ClientCodec::onTrailers(Stream& stream, H2Section& section) {
  HeaderList trailers;
  H2Error error = section.finishTrailers(trailers);
  if (stream.is_tunnel) error = H2Error::MalformedMessage;  // RFC 9113 8.5: nothing but DATA
  if (error != H2Error::None) return refuse(stream, error);
  ResponseReceiver* const receiver = stream.receiver;
  if (receiver == nullptr) return;
  stream.forgetReceiverIf(stream.send_ended);
  receiver->onResponseTrailers(trailers);
  endIfAnswered(stream);
}

void H2ClientCodec::onData(H2Stream& base, std::string_view bytes, bool end_of_stream) {
  auto& stream = static_cast<Stream&>(base);
  ResponseReceiver* const receiver = stream.receiver;
  if (receiver == nullptr) return;
  if (end_of_stream) stream.forgetReceiverIf(stream.send_ended);
  receiver->onResponseBody(bytes, end_of_stream);
  endIfAnswered(stream);
}

// RFC 9113 8.1: the response does not depend on what has not left of the request. The server may
// open no window for that, and nobody above would end the stream.
void H2ClientCodec::endIfAnswered(Stream& stream) {
  if (stream.closed || !stream.receive_ended || !stream.send_ended) return;
  if (stream.end_on_wire || stream.is_tunnel) return;
  session_.reset(stream, NGHTTP2_CANCEL);
  handler_.onStreamComplete(stream);
}

// The response breaks a rule of ours.
void H2ClientCodec::refuse(Stream& stream, H2Error error) {
  session_.countRefusal(error);
  ResponseReceiver* const receiver = stream.receiver;
  stream.receiver = nullptr;
  session_.reset(stream, NGHTTP2_PROTOCOL_ERROR);
  if (receiver != nullptr) receiver->onResponseReset(Failure::UpstreamProtocolError);
  handler_.onStreamReset(stream);
}

void H2ClientCodec::onStreamClosed(H2Stream& base, uint32_t code) {
  auto& stream = static_cast<Stream&>(base);
  if (code == NGHTTP2_NO_ERROR) return handler_.onStreamComplete(stream);
  if (ResponseReceiver* const receiver = std::exchange(stream.receiver, nullptr)) {
    Failure failure = stream.lossAsSeen(Failure::UpstreamReset);
    if (code == NGHTTP2_REFUSED_STREAM) failure = Failure::UpstreamRefusedStream;
    if (code == NGHTTP2_PROTOCOL_ERROR && !stream.head_received) {
      failure = Failure::UpstreamProtocolError;
    }
    receiver->onResponseReset(failure);
  }
  handler_.onStreamReset(stream);
}

void H2ClientCodec::onPeerGoAway(int32_t last_stream) {
  end_is_announced_ = last_stream == INT32_MAX;
  if (std::exchange(must_close_, true)) return;
  handler_.onGoAway();
}

void H2ClientCodec::onPeerSettings() {
  const uint32_t allowed = session_.peerMaxConcurrentStreams();
  handler_.onMaxStreams(std::min(allowed, options_.max_concurrent_streams));
}

// --- endings ---

void H2ClientCodec::dropStreams(Failure why) {
  session_.die();
  while (!session_.streams().empty()) {
    auto& stream = static_cast<Stream&>(session_.streams().front());
    ResponseReceiver* const receiver = std::exchange(stream.receiver, nullptr);
    const Failure failure = stream.lossAsSeen(why);
    session_.abandon(stream);
    if (receiver != nullptr) receiver->onResponseReset(failure);
  }
}

void H2ClientCodec::onConnectionLost(Failure why) {
  must_close_ = true;
  dropStreams(why);
}

}  // namespace convoy::http
