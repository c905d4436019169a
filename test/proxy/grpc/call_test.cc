#include "proxy/grpc/call.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "test/proxy/grpc/wire.h"

namespace convoy::grpc {
namespace {

using Headers = test::GrpcPeer::Headers;
using std::string_literals::operator""s;

const Headers kHead = {{":status", "200"}, {"content-type", "application/grpc"}};

Headers headWith(std::string status, Headers more) {
  Headers headers = {{":status", std::move(status)}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

TEST(CallTest, EveryWayToEndHasItsStatus) {
  using Act = std::function<void(test::GrpcPeer&, int32_t)>;
  const struct {
    const char* what;
    Act act;
    absl::StatusCode code;
    const char* words;
    size_t messages;
  } kCases[] = {
      {"OK", [](auto& peer, int32_t id) { peer.answer(id), peer.finish(id, 0); },
       absl::StatusCode::kOk, "", 0},
      {"OK after messages",
       [](auto& peer, int32_t id) { peer.send(id, "a"), peer.send(id, ""), peer.finish(id, 0); },
       absl::StatusCode::kOk, "", 2},
      {"an error in trailers",
       [](auto& peer, int32_t id) { peer.answer(id), peer.finish(id, 7, "no%20entry%21"); },
       absl::StatusCode::kPermissionDenied, "no entry!", 0},
      {"trailers only", [](auto& peer, int32_t id) { peer.finish(id, 12, "what?"); },
       absl::StatusCode::kUnimplemented, "what?", 0},
      {"trailers only with an HTTP error: gRPC's status wins",
       [](auto& peer, int32_t id) {
         peer.answer(id, headWith("503", {{"grpc-status", "8"}, {"grpc-message", "full"}}), true);
       },
       absl::StatusCode::kResourceExhausted, "full", 0},
      {"a status that is no number",
       [](auto& peer, int32_t id) {
         peer.answer(
             id, headWith("200", {{"content-type", "application/grpc"}, {"grpc-status", "fine"}}),
             true);
       },
       absl::StatusCode::kUnknown, "", 0},
      {"no status", [](auto& peer, int32_t id) { peer.send(id, "a"), peer.endWithoutStatus(id); },
       absl::StatusCode::kUnknown, "without a grpc-status", 1},
      {"a message that stops",
       [](auto& peer, int32_t id) { peer.sendRaw(id, "\0\0\0\0\5abc"s), peer.finish(id, 0); },
       absl::StatusCode::kInternal, "inside a message", 0},
      {"a message that stops, with an error: the error wins",
       [](auto& peer, int32_t id) { peer.sendRaw(id, "\0\0\0\0\5abc"s), peer.finish(id, 4, "x"); },
       absl::StatusCode::kDeadlineExceeded, "x", 0},
      {"HTTP 404", [](auto& peer, int32_t id) { peer.answer(id, headWith("404", {}), true); },
       absl::StatusCode::kUnimplemented, "HTTP status 404", 0},
      {"HTTP 503 with a body",
       [](auto& peer, int32_t id) {
         peer.answer(id, headWith("503", {{"content-type", "text/html"}}));
         peer.sendRaw(id, "<html>");
         peer.endWithoutStatus(id);
       },
       absl::StatusCode::kUnavailable, "HTTP status 503", 0},
      {"HTTP 200 that is no gRPC",
       [](auto& peer, int32_t id) {
         peer.answer(id, headWith("200", {{"content-type", "text/html"}}));
         peer.sendRaw(id, "<html>");
       },
       absl::StatusCode::kUnknown, "no gRPC server", 0},
      {"a message too large",
       [](auto& peer, int32_t id) { peer.send(id, "a"), peer.send(id, std::string(2000, 'x')); },
       absl::StatusCode::kResourceExhausted, "2000 bytes; at most 1000", 1},
      {"a compressed message", [](auto& peer, int32_t id) { peer.sendRaw(id, "\1\0\0\0\1x"s); },
       absl::StatusCode::kInternal, "compressed", 0},
      {"refused", [](auto& peer, int32_t id) { peer.reset(id, NGHTTP2_REFUSED_STREAM); },
       absl::StatusCode::kUnavailable, "REFUSED_STREAM", 0},
      {"reset",
       [](auto& peer, int32_t id) { peer.send(id, "a"), peer.reset(id, NGHTTP2_INTERNAL_ERROR); },
       absl::StatusCode::kInternal, "INTERNAL_ERROR", 0},
  };
  for (const auto& c : kCases) {
    Wire wire;
    RecordingStream handler;
    wire.start(handler, {.path = "/s/m", .max_message_bytes = 1000});
    wire.carry();
    const int32_t id = wire.peer.calls().at(0);
    c.act(wire.peer, id);
    wire.carry();
    ASSERT_TRUE(handler.status.has_value()) << c.what;
    EXPECT_EQ(handler.statuses, 1) << c.what;
    EXPECT_EQ(handler.status->code(), c.code) << c.what << ": " << *handler.status;
    EXPECT_NE(handler.status->message().find(c.words), absl::string_view::npos)
        << c.what << ": " << *handler.status;
    EXPECT_EQ(handler.messages.size(), c.messages) << c.what;
    EXPECT_TRUE(handler.stream->ended()) << c.what;
    // Both sides have let go of the stream, though ours had not finished.
    EXPECT_EQ(wire.session.calls(), 0u) << c.what;
    EXPECT_TRUE(wire.peer.call(id).reset.has_value()) << c.what;
    EXPECT_TRUE(wire.peer_ok && wire.failure.ok()) << c.what;
  }
}

TEST(CallTest, AFinishedCallIsNotReset) {
  Wire wire;
  RecordingStream handler;
  wire.start(handler);
  handler.stream->send("a");
  handler.stream->finish();
  wire.carry();
  const int32_t id = wire.peer.calls().at(0);
  EXPECT_TRUE(wire.peer.call(id).ended);
  wire.peer.send(id, "b");
  wire.peer.finish(id, 0);
  wire.carry();
  EXPECT_TRUE(handler.status.value().ok());
  EXPECT_EQ(wire.peer.call(id).reset, uint32_t{NGHTTP2_NO_ERROR});
}

TEST(CallTest, InterimResponsesAreSkipped) {
  Wire wire;
  RecordingStream handler;
  wire.start(handler);
  wire.carry();
  const int32_t id = wire.peer.calls().at(0);
  wire.peer.informational(id, "103");
  wire.carry();
  EXPECT_FALSE(handler.status.has_value());
  wire.peer.send(id, "a");
  wire.carry();
  EXPECT_EQ(handler.messages.size(), 1u);
}

TEST(CallTest, WhatWasSentBeforeTheConnectionIsKept) {
  Wire wire;
  RecordingStream handler;
  auto call = std::make_unique<Call>(CallOptions{.path = "/s/m"}, handler);
  Stream stream(*call);
  EXPECT_EQ(call->state(), Call::State::Waiting);
  stream.send("early");
  stream.finish();
  EXPECT_EQ(call->state(), Call::State::Waiting);
  Call& waiting = *call;
  wire.session.start(std::move(call));
  EXPECT_EQ(waiting.state(), Call::State::HalfClosed);
  wire.carry();
  EXPECT_EQ(wire.peer.onlyCall().messages, std::vector<std::string>{"early"});
  EXPECT_TRUE(wire.peer.onlyCall().ended);
}

}  // namespace
}  // namespace convoy::grpc
