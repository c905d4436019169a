#pragma once

// Owners of an HTTP/2 codec that write down what it tells them, as h1_recorder.h does; each line
// names its stream, by the order of their appearance.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/http/h2_client_codec.h"
#include "proxy/http/h2_server_codec.h"
#include "test/common/simulated_clock.h"
#include "test/proxy/http/h1_recorder.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::http {

// The receiver of one request.
class H2Request final : public RequestReceiver {
 public:
  using Answer = std::function<void(H2Request&)>;

  H2Request(int number, Transcript& events, ResponseSender& sender, Answer& on_head, Answer& on_end)
      : sender(&sender), number_(number), events_(events), on_head_(on_head), on_end_(on_end) {}

  ResponseSender* sender;  // null once the stream is over
  uint64_t body_bytes = 0;
  bool above_high = false;
  int flow_events = 0;

  void onRequestHead(RequestHead& head, bool end) override {
    say(describe(head));
    if (end) say("end\n");
    if (on_head_) on_head_(*this);
    if (end) answer();
  }
  void onRequestBody(std::string_view bytes, bool end) override {
    body_bytes += bytes.size();
    events_.body(bytes, false);
    if (!end) return;
    say("end\n");
    answer();
  }
  void onRequestTrailers(HeaderList& trailers) override {
    say("trailers\n" + describe(trailers));
    answer();
  }
  void onRequestReset(Failure failure) override {
    say("reset " + std::string(info(failure).code) + "\n");
    sender = nullptr;
  }
  void onSendQueueAboveHigh() override {
    above_high = true;
    ++flow_events;
  }
  void onSendQueueBelowLow() override { above_high = false; }

 private:
  void say(const std::string& text) { events_.add(std::to_string(number_) + ": " + text); }
  void answer() {
    if (on_end_) on_end_(*this);
  }

  const int number_;
  Transcript& events_;
  Answer& on_head_;
  Answer& on_end_;
};

class H2ServerRecorder final : public ServerCodecHandler {
 public:
  explicit H2ServerRecorder(const H2Options& options = {})
      : codec(*this, options, clock, metrics) {}
  ~H2ServerRecorder() { codec.onConnectionLost(Failure::DownstreamDisconnect); }

  test::SimulatedClock clock;
  H2Metrics metrics;
  Transcript events;
  net::ByteQueue out;
  H2Request::Answer on_request_head;
  H2Request::Answer on_request_end;
  std::vector<std::unique_ptr<H2Request>> requests;
  Failure refusal = Failure::None;  // answered with its status
  int pauses = 0;

  net::ByteQueue& output() override { return out; }
  void pauseReading() override { ++pauses; }
  void resumeReading() override { --pauses; }
  RequestReceiver& newStream(ResponseSender& sender) override {
    requests.push_back(std::make_unique<H2Request>(static_cast<int>(requests.size()) + 1, events,
                                                   sender, on_request_head, on_request_end));
    return *requests.back();
  }
  void onProtocolError(Failure failure, std::string_view detail) override {
    events.add("error " + std::string(info(failure).code) + " ");
    events.add(detail);
    events.add("\n");
  }
  void onRequestRefused(ResponseSender* sender, Failure failure, std::string_view detail,
                        std::string_view) override {
    events.add("refused " + std::string(info(failure).code) + " ");
    events.add(detail);
    events.add("\n");
    if (sender == nullptr) return;
    ResponseHead head;
    head.status = info(failure).status;
    sender->sendHead(head, true);
  }
  void onStreamComplete(ResponseSender&) override { events.add("complete\n"); }

  void feed(std::string_view bytes) { CONVOY_ASSERT(codec.dispatch(bytes) == bytes.size()); }
  // What was written since the last time, as frames.
  std::string written() {
    const std::string bytes = out.toString();
    out.clear();
    return frames.read(bytes);
  }

  h2::FrameReader frames;
  H2ServerCodec codec;
};

// The receiver of one response.
class H2Response final : public ResponseReceiver {
 public:
  H2Response(int number, Transcript& events) : number_(number), events_(events) {}

  RequestSender* sender = nullptr;
  uint64_t body_bytes = 0;
  bool above_high = false;
  std::function<void()> on_head;

  void onInformational(ResponseHead& head) override { say("info " + describe(head)); }
  void onResponseHead(ResponseHead& head, bool end) override {
    say(describe(head));
    if (end) say("end\n");
    if (on_head) on_head();
  }
  void onResponseBody(std::string_view bytes, bool end) override {
    body_bytes += bytes.size();
    events_.body(bytes, false);
    if (end) say("end\n");
  }
  void onResponseTrailers(HeaderList& trailers) override { say("trailers\n" + describe(trailers)); }
  void onResponseReset(Failure failure) override {
    say("reset " + std::string(info(failure).code) + "\n");
    sender = nullptr;
  }
  void onSendQueueAboveHigh() override { above_high = true; }
  void onSendQueueBelowLow() override { above_high = false; }

 private:
  void say(const std::string& text) { events_.add(std::to_string(number_) + ": " + text); }

  const int number_;
  Transcript& events_;
};

class H2ClientRecorder final : public ClientCodecHandler {
 public:
  explicit H2ClientRecorder(const H2Options& options = {})
      : codec(*this, options, clock, metrics) {}
  ~H2ClientRecorder() { codec.onConnectionLost(Failure::UpstreamReset); }

  test::SimulatedClock clock;
  H2Metrics metrics;
  Transcript events;
  net::ByteQueue out;
  std::vector<std::unique_ptr<H2Response>> responses;
  uint32_t max_streams = 0;
  int pauses = 0;

  H2Response& newStream() {
    responses.push_back(
        std::make_unique<H2Response>(static_cast<int>(responses.size()) + 1, events));
    responses.back()->sender = &codec.newStream(*responses.back());
    return *responses.back();
  }
  H2Response& request(std::string_view method, bool end = true, BodyLength body = {}) {
    RequestHead head;
    head.method = method;
    head.target = "/";
    head.authority = "a.test";
    head.scheme = "http";
    head.body = body;
    H2Response& response = newStream();
    response.sender->sendHead(head, end);
    return response;
  }

  net::ByteQueue& output() override { return out; }
  void pauseReading() override { ++pauses; }
  void resumeReading() override { --pauses; }
  void onStreamComplete(RequestSender&) override { events.add("complete\n"); }
  void onStreamReset(RequestSender&) override { events.add("stream reset\n"); }
  void onMaxStreams(uint32_t streams) override { max_streams = streams; }
  void onProtocolError(Failure failure, std::string_view detail) override {
    events.add("error " + std::string(info(failure).code) + " ");
    events.add(detail);
    events.add("\n");
  }
  void onGoAway() override { events.add("go away\n"); }

  std::string written() {
    const std::string bytes = out.toString();
    out.clear();
    return frames.read(bytes);
  }

  h2::FrameReader frames;
  H2ClientCodec codec;
};

}  // namespace convoy::http
