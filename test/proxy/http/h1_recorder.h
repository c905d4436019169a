#pragma once

// Receivers that write down what an HTTP/1.x codec tells them, as text, so that tests compare one
// string with another. Consecutive pieces of a body are joined: how bytes were cut does not show.

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/http/codec.h"
#include "proxy/http/failure.h"
#include "proxy/http/h1_client_codec.h"
#include "proxy/http/h1_server_codec.h"
#include "proxy/http/message.h"

namespace convoy::http {

inline std::string describe(BodyLength body) {
  switch (body.kind) {
    case BodyLength::Kind::None:
      return "none";
    case BodyLength::Kind::Known:
      return std::to_string(body.bytes);
    case BodyLength::Kind::Unknown:
      return "unknown";
  }
  return "?";
}

inline std::string describe(const HeaderList& headers) {
  std::string out;
  for (const HeaderField& field : headers) {
    out.append("  ").append(field.name).append(": ").append(field.value).append("\n");
  }
  return out;
}

// "GET / a.test HTTP/1.1 body=none keep-alive" and its fields.
inline std::string describe(const RequestHead& head) {
  std::string out;
  out.append(head.method).append(" ").append(head.target).append(" ").append(head.authority);
  out.append(" ").append(text(head.protocol)).append(" body=").append(describe(head.body));
  out.append(head.wants_keep_alive ? " keep-alive" : " close");
  if (head.scheme != "http") out.append(" scheme=").append(head.scheme);
  if (head.expects_continue) out.append(" continue");
  if (!head.upgrade.empty()) out.append(" upgrade=").append(head.upgrade);
  if (head.te_trailers) out.append(" te-trailers");
  return out.append("\n").append(describe(head.headers));
}

// "200 OK HTTP/1.1 body=5" and its fields.
inline std::string describe(const ResponseHead& head) {
  std::string out = std::to_string(head.status);
  out.append(" ").append(head.reason).append(" ").append(text(head.protocol));
  out.append(" body=").append(describe(head.body));
  if (!head.upgrade.empty()) out.append(" upgrade=").append(head.upgrade);
  return out.append("\n").append(describe(head.headers));
}

// The events of one connection.
class Transcript {
 public:
  void add(std::string_view line) {
    closeBody();
    text_.append(line);
  }
  void body(std::string_view bytes, bool end) {
    if (!bytes.empty()) {
      if (!in_body_) text_.append("body ");
      in_body_ = true;
      text_.append(bytes);
    }
    if (end) add("end\n");
  }
  std::string take() {
    closeBody();
    return std::exchange(text_, {});
  }
  // What has been written down so far.
  std::string_view soFar() const { return text_; }

 private:
  void closeBody() {
    if (in_body_) text_.append("\n");
    in_body_ = false;
  }

  std::string text_;
  bool in_body_ = false;
};

// What a codec asks of sockets, as a test wants it answered.
struct Direct {
  int bodies_expected = 0;
  size_t takes = 0;  // of a piece that is to be sent at once
  std::string sent;  // so
  // Of this many bytes that are left of a body; null: they are to be copied.
  std::function<net::SpliceResult(uint64_t most)> splice;

  size_t sendNow(std::string_view bytes) {
    sent += bytes.substr(0, takes);
    return std::min(bytes.size(), takes);
  }
  net::SpliceResult spliced(uint64_t most) { return splice ? splice(most) : net::SpliceResult(); }
};

// A connection's owner and the receiver of all its requests. Each request is answered as
// `on_request_end` says, from inside the callback that ends it.
class ServerRecorder final : public ServerCodecHandler, public RequestReceiver {
 public:
  using Answer = std::function<void(ResponseSender&)>;

  explicit ServerRecorder(const H1Limits& limits = {}, std::string_view scheme = "http")
      : limits_(limits), codec(*this, limits_, scheme) {}

  Transcript events;
  net::ByteQueue out;
  Answer on_request_head;
  Answer on_request_end;
  ResponseSender* sender = nullptr;
  int pauses = 0;
  Direct direct;

  net::ByteQueue& output() override { return out; }
  void pauseReading() override { ++pauses; }
  void resumeReading() override { --pauses; }
  void endSending() override { events.add("end sending\n"); }
  void expectBody() override { ++direct.bodies_expected; }
  size_t sendNow(std::string_view bytes) override { return direct.sendNow(bytes); }
  net::SpliceResult spliceFrom(net::Connection&, uint64_t most) override {
    return direct.spliced(most);
  }
  net::SpliceResult spliceRequestBody(net::Connection&, uint64_t most) override {
    return direct.spliced(most);
  }
  RequestReceiver& newStream(ResponseSender& stream) override {
    sender = &stream;
    return *this;
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    events.add("error ");
    events.add(info(failure).code);
    events.add(" ");
    events.add(detail);
    events.add("\n");
  }
  void onStreamComplete(ResponseSender&) override { events.add("complete\n"); }
  void onRequestHead(RequestHead& head, bool end) override {
    events.add(describe(head));
    if (end) events.add("end\n");
    if (on_request_head) on_request_head(*sender);
    if (end) answer();
  }
  void onRequestBody(std::string_view bytes, bool end) override {
    events.body(bytes, end);
    if (end) answer();
  }
  void onRequestTrailers(HeaderList& trailers) override {
    events.add("trailers\n" + describe(trailers));
    answer();
  }
  void onRequestReset(Failure failure) override {
    events.add("reset ");
    events.add(info(failure).code);
    events.add("\n");
  }
  void onSendQueueAboveHigh() override { events.add("above high\n"); }
  void onSendQueueBelowLow() override { events.add("below low\n"); }

  // Feeds all bytes, as a connection would: what is not taken is offered again later.
  void feed(std::string_view bytes) {
    held_.append(bytes);
    held_.erase(0, codec.dispatch(held_));
  }
  std::string_view held() const { return held_; }
  std::string written() {
    std::string bytes = out.toString();
    out.clear();
    return bytes;
  }

 private:
  void answer() {
    if (on_request_end) on_request_end(*sender);
  }

  const H1Limits limits_;
  std::string held_;

 public:
  H1ServerCodec codec;
};

// A connection's owner and the receiver of the response to one request after the other.
class ClientRecorder final : public ClientCodecHandler, public ResponseReceiver {
 public:
  explicit ClientRecorder(const H1Limits& limits = {}) : limits_(limits), codec(*this, limits_) {}

  Transcript events;
  net::ByteQueue out;
  RequestSender* sender = nullptr;
  std::function<void()> on_response_end;
  std::function<void()> on_stream_complete;
  int pauses = 0;
  Direct direct;

  // Starts a stream and sends a head for it.
  RequestSender& request(std::string_view method, bool end = true, BodyLength body = {},
                         std::string_view upgrade = {}) {
    RequestHead head;
    head.method = method;
    head.target = method == "CONNECT" ? "a.test:443" : "/";
    head.authority = "a.test";
    head.body = body;
    head.upgrade = upgrade;
    sender = &codec.newStream(*this);
    sender->sendHead(head, end);
    return *sender;
  }

  net::ByteQueue& output() override { return out; }
  void pauseReading() override { ++pauses; }
  void resumeReading() override { --pauses; }
  void endSending() override { events.add("end sending\n"); }
  void expectBody() override { ++direct.bodies_expected; }
  size_t sendNow(std::string_view bytes) override { return direct.sendNow(bytes); }
  net::SpliceResult spliceFrom(net::Connection&, uint64_t most) override {
    return direct.spliced(most);
  }
  net::SpliceResult spliceResponseBody(net::Connection&, uint64_t most) override {
    return direct.spliced(most);
  }
  void onStreamComplete(RequestSender&) override {
    events.add(codec.mustClose() ? "complete, close\n" : "complete\n");
    if (on_stream_complete) on_stream_complete();
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    events.add("error ");
    events.add(info(failure).code);
    events.add(" ");
    events.add(detail);
    events.add("\n");
  }
  void onGoAway() override { events.add("go away\n"); }
  void onInformational(ResponseHead& head) override { events.add("info " + describe(head)); }
  void onResponseHead(ResponseHead& head, bool end) override {
    events.add(describe(head));
    if (!end) return;
    events.add("end\n");
    if (on_response_end) on_response_end();
  }
  void onResponseBody(std::string_view bytes, bool end) override {
    events.body(bytes, end);
    if (end && on_response_end) on_response_end();
  }
  void onResponseTrailers(HeaderList& trailers) override {
    events.add("trailers\n" + describe(trailers));
    if (on_response_end) on_response_end();
  }
  void onResponseReset(Failure failure) override {
    events.add("reset ");
    events.add(info(failure).code);
    events.add("\n");
  }
  void onSendQueueAboveHigh() override { events.add("above high\n"); }
  void onSendQueueBelowLow() override { events.add("below low\n"); }

  std::string written() {
    std::string bytes = out.toString();
    out.clear();
    return bytes;
  }

 private:
  const H1Limits limits_;

 public:
  H1ClientCodec codec;
};

// Ways to cut bytes into reads: whole, in two at every place, and byte by byte.
template <typename Run>
void forEachSplit(std::string_view bytes, Run&& run) {
  run(std::string_view("whole"), [bytes](auto&& feed) { feed(bytes); });
  for (size_t at = 1; at < bytes.size(); ++at) {
    run("cut at " + std::to_string(at), [bytes, at](auto&& feed) {
      feed(bytes.substr(0, at));
      feed(bytes.substr(at));
    });
  }
  run(std::string_view("byte by byte"), [bytes](auto&& feed) {
    for (size_t i = 0; i < bytes.size(); ++i) feed(bytes.substr(i, 1));
  });
}

}  // namespace convoy::http
