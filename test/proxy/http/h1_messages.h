#pragma once

// Whole HTTP/1.x messages, collected from a codec and sent again through another one: what passes a
// proxy must arrive as one message and as the same. Used by the round-trip test and the fuzz
// targets.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/http/h1_client_codec.h"
#include "proxy/http/h1_server_codec.h"
#include "proxy/http/hop_by_hop.h"
#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {

template <typename Head>
struct Message {
  Head head;
  std::string body;
  HeaderList trailers;
  bool complete = false;
  base::Arena arena;

  void keepHead(const Head& received) {
    head = received;
    head.copyInto(arena);
  }
  void keepTrailers(const HeaderList& received) {
    trailers = received;
    trailers.copyInto(arena);
    complete = true;
  }
  void keepBody(std::string_view bytes, bool end) {
    body.append(bytes);
    complete = end;
  }
};
using Request = Message<RequestHead>;
using Response = Message<ResponseHead>;

inline std::string endToEndFields(HeaderList headers) {
  removeHopByHop(headers);
  return describe(headers);
}

// What has to survive a proxy.
inline std::string essence(const Request& request) {
  std::string out;
  out.append(request.head.method).append(" ").append(request.head.target);
  out.append(" ").append(request.head.authority).append("\n");
  out.append(endToEndFields(request.head.headers));
  out.append("body ").append(request.body).append("\n").append(describe(request.trailers));
  return out.append(request.complete ? "complete\n" : "incomplete\n");
}

inline std::string essence(const Response& response) {
  const ResponseHead& head = response.head;
  std::string out = std::to_string(head.status) + " ";
  out.append(head.reason.empty() ? reasonPhrase(head.status) : head.reason).append("\n");
  out.append(endToEndFields(head.headers));
  out.append("length ").append(describe(head.body)).append("\n");
  out.append("body ").append(response.body).append("\n").append(describe(response.trailers));
  return out.append(response.complete ? "complete\n" : "incomplete\n");
}

// Keeps every request that arrives, and answers each as soon as it is complete.
class RequestCollector final : public ServerCodecHandler, public RequestReceiver {
 public:
  explicit RequestCollector(const H1Limits& limits = {}) : limits_(limits), codec(*this, limits_) {}

  std::vector<std::unique_ptr<Request>> requests;
  bool failed = false;
  std::string_view detail;  // of a protocol error
  net::ByteQueue out;

  net::ByteQueue& output() override { return out; }
  void pauseReading() override {}
  void resumeReading() override {}
  RequestReceiver& newStream(ResponseSender& sender) override {
    sender_ = &sender;
    requests.push_back(std::make_unique<Request>());
    return *this;
  }
  void onProtocolError(Failure, std::string_view why) override {
    failed = true;
    detail = why;
  }
  void onStreamComplete(ResponseSender&) override {}
  void onRequestHead(RequestHead& head, bool end) override {
    requests.back()->keepHead(head);
    requests.back()->complete = end;
    if (end) answer();
  }
  void onRequestBody(std::string_view bytes, bool end) override {
    requests.back()->keepBody(bytes, end);
    if (end) answer();
  }
  void onRequestTrailers(HeaderList& trailers) override {
    requests.back()->keepTrailers(trailers);
    answer();
  }
  void onRequestReset(Failure) override { failed = true; }
  void onSendQueueAboveHigh() override {}
  void onSendQueueBelowLow() override {}

 private:
  void answer() {
    ResponseHead head;
    head.status = 200;
    sender_->sendHead(head, true);
    out.clear();
  }

  const H1Limits limits_;
  ResponseSender* sender_ = nullptr;

 public:
  H1ServerCodec codec;
};

// Keeps the final response to one request, which it has sent.
class ResponseCollector final : public ClientCodecHandler, public ResponseReceiver {
 public:
  explicit ResponseCollector(std::string_view method, const H1Limits& limits = {})
      : limits_(limits), codec(*this, limits_) {
    RequestHead head;
    head.method = method;
    head.target = method == "CONNECT" ? "a.test:443" : "/";
    codec.newStream(*this).sendHead(head, true);
  }

  Response response;
  int heads = 0;
  bool failed = false;
  net::ByteQueue out;

  net::ByteQueue& output() override { return out; }
  void pauseReading() override {}
  void resumeReading() override {}
  void onStreamComplete(RequestSender&) override {}
  void onProtocolError(Failure, std::string_view) override { failed = true; }
  void onGoAway() override {}
  void onInformational(ResponseHead&) override {}
  void onResponseHead(ResponseHead& head, bool end) override {
    ++heads;
    response.keepHead(head);
    response.complete = end;
  }
  void onResponseBody(std::string_view bytes, bool end) override { response.keepBody(bytes, end); }
  void onResponseTrailers(HeaderList& trailers) override { response.keepTrailers(trailers); }
  void onResponseReset(Failure) override { failed = true; }
  void onSendQueueAboveHigh() override {}
  void onSendQueueBelowLow() override {}

 private:
  const H1Limits limits_;

 public:
  H1ClientCodec codec;
};

// Sends the rest of a message whose head is out.
template <typename Head>
void sendRest(StreamSender& sender, const Message<Head>& message) {
  if (!message.body.empty() || message.trailers.empty()) {
    sender.sendBody(message.body, message.trailers.empty());
  }
  if (!message.trailers.empty()) sender.sendTrailers(message.trailers);
}

// The bytes that a proxy sends for a complete request that it forwards.
inline std::string forwarded(const Request& request) {
  RequestHead head = request.head;
  removeHopByHop(head.headers);
  head.upgrade = {};
  head.expects_continue = false;
  ClientRecorder upstream;
  RequestSender& sender = upstream.codec.newStream(upstream);
  const bool has_body = head.body.kind == BodyLength::Kind::Unknown || head.body.bytes > 0;
  sender.sendHead(head, !has_body);
  if (has_body) sendRest(sender, request);
  return upstream.written();
}

// The bytes that a proxy sends for a complete response to `method` that it forwards.
inline std::string forwarded(const Response& response, std::string_view method) {
  ServerRecorder downstream;
  downstream.feed(std::string(method) + " / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  ResponseHead head = response.head;
  removeHopByHop(head.headers);
  const bool has_body = method != "HEAD" && head.status != 204 && head.status != 304 &&
                        (head.body.kind == BodyLength::Kind::Unknown || head.body.bytes > 0);
  downstream.sender->sendHead(head, !has_body);
  if (has_body) sendRest(*downstream.sender, response);
  return downstream.written();
}

}  // namespace convoy::http
