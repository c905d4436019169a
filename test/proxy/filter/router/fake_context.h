#pragma once

// A filter's context without a stream: writes down what the filter asks for, and lets a test decide
// what the stream is like.

#include <optional>
#include <string>
#include <vector>

#include "proxy/http/filter.h"

namespace convoy::test {

class FakeContext final : public http::FilterContext {
 public:
  explicit FakeContext(event::Loop& loop) : loop_(loop) {}

  void continueRequest() override { ++continued_requests; }
  void continueResponse() override { ++continued_responses; }
  void reply(const http::LocalReply& with) override {
    replied = with.failure;
    reply_status = with.status;
    reply_body = with.body;
    reply_location = with.location;
    reply_empty = with.empty_body;
    if (with.edit_head == nullptr) return;
    http::ResponseHead edited;
    with.edit_head(with.edit_self, edited);
    for (const http::HeaderField& field : edited.headers) {
      reply_fields += std::string(field.name) + ": " + std::string(field.value) + "\n";
    }
  }
  void sendInformational(http::ResponseHead& head) override {
    informational.push_back(head.status);
  }
  void sendResponseHead(http::ResponseHead& head, bool end_of_stream) override {
    status = head.status;
    for (const http::HeaderField& field : head.headers) {
      fields += std::string(field.name) + ": " + std::string(field.value) + "\n";
    }
    ended = end_of_stream;
  }
  void sendResponseBody(std::string_view bytes, bool end_of_stream) override {
    body += bytes;
    ended = end_of_stream;
  }
  void sendResponseTrailers(http::HeaderList& trailers) override {
    trailer_count = trailers.size();
    ended = true;
  }
  net::SpliceResult spliceResponseBody(net::Connection&, uint64_t most) override {
    return {.kind = net::SpliceResult::Kind::Moved, .bytes = most};
  }
  void abort(http::Failure failure) override { aborted = failure; }
  void pauseRequestBody() override { ++pauses; }
  void resumeRequestBody() override { --pauses; }
  void setResponseFlowListener(http::FlowListener* listener) override { flow = listener; }
  void setStreamIdleTimeout(event::Duration timeout, http::Failure failure) override {
    idle_timeout = timeout;
    idle_failure = failure;
  }
  void setMaxStreamDuration(std::optional<event::Duration> duration, bool client) override {
    max_stream_duration = duration;
    limited_by_client = client;
    ++stream_limits;
  }
  size_t bufferLimit() const override { return buffer_limit; }
  bool fromInside(Origin origin) const override {
    return origin == Origin::Hop ? hop_from_inside : from_inside;
  }
  event::Loop& loop() override { return loop_; }
  base::Arena& arena() override { return arena_; }
  http::StreamInfo& info() override { return info_; }
  const http::RequestHead& requestHead() const override { return *head; }
  const route::CompiledRoute* route() const override { return matched; }

  const route::CompiledRoute* matched = nullptr;
  const http::RequestHead* head = nullptr;
  size_t buffer_limit = 64 * 1024;
  bool from_inside = false;
  bool hop_from_inside = false;
  int continued_requests = 0;
  int continued_responses = 0;
  std::optional<http::Failure> replied;
  uint16_t reply_status = 0;
  std::string reply_body;
  std::string reply_location;
  bool reply_empty = false;
  std::string reply_fields;  // what edit_head added
  std::vector<int> informational;
  int status = 0;
  std::string fields;  // of the response, a line each
  std::string body;
  size_t trailer_count = 0;
  bool ended = false;
  std::optional<http::Failure> aborted;
  int pauses = 0;  // of the request body, now
  http::FlowListener* flow = nullptr;
  std::optional<event::Duration> idle_timeout;
  http::Failure idle_failure = http::Failure::None;
  int stream_limits = 0;  // calls of setMaxStreamDuration(), and what the last one said
  std::optional<event::Duration> max_stream_duration;
  bool limited_by_client = false;

 private:
  event::Loop& loop_;
  base::Arena arena_;
  http::StreamInfo info_;
};

}  // namespace convoy::test
