#include "proxy/grpc/session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/grpc/status.h"
#include "test/proxy/grpc/wire.h"

namespace convoy::grpc {
namespace {

TEST(SessionTest, ARequestHasGrpcsHeaders) {
  Wire wire;
  RecordingStream handler;
  wire.start(handler, {.path = "/pkg.Service/Method",
                       .timeout = std::chrono::seconds(2),
                       .metadata = {{"x-node", "a"}}});
  handler.stream->send("question");
  EXPECT_TRUE(wire.output_due);
  wire.carry();
  const test::GrpcPeer::Call& call = wire.peer.onlyCall();
  EXPECT_EQ(call.headers.at(":method"), "POST");
  EXPECT_EQ(call.headers.at(":path"), "/pkg.Service/Method");
  EXPECT_EQ(call.headers.at(":scheme"), "http");
  EXPECT_EQ(call.headers.at(":authority"), "control");
  EXPECT_EQ(call.headers.at("te"), "trailers");
  EXPECT_EQ(call.headers.at("content-type"), "application/grpc");
  EXPECT_EQ(call.headers.at("grpc-timeout"), "2000m");
  EXPECT_EQ(call.headers.at("x-node"), "a");
  EXPECT_EQ(call.messages, std::vector<std::string>{"question"});
  EXPECT_FALSE(call.ended);
}

TEST(SessionTest, MessagesGoBothWaysWhereverTheBytesAreSplit) {
  for (const size_t piece : {1, 7, 16384, 1'000'000}) {
    Wire wire;
    RecordingStream handler;
    wire.start(handler);
    handler.stream->send("a");
    wire.carry(piece);
    const int32_t id = wire.peer.calls().at(0);
    const std::string large(300'000, 'L');
    wire.peer.send(id, "b");
    wire.peer.send(id, large);
    wire.carry(piece);
    handler.stream->send("c");
    wire.carry(piece);
    EXPECT_EQ(handler.messages, (std::vector<std::string>{"b", large})) << piece;
    EXPECT_EQ(wire.peer.call(id).messages, (std::vector<std::string>{"a", "c"})) << piece;
    EXPECT_FALSE(handler.status.has_value());
    wire.peer.finish(id, 0);
    wire.carry(piece);
    ASSERT_TRUE(handler.status.has_value());
    EXPECT_TRUE(handler.status->ok());
    EXPECT_EQ(wire.session.calls(), 0u);
  }
}

TEST(SessionTest, TheWindowLimitsWhatIsNotYetHandledAndLargePushesFit) {
  Wire wire({.authority = "c", .stream_window = 100'000, .connection_window = 1 << 20});
  RecordingStream handler;
  wire.start(handler, {.path = "/s/m", .max_message_bytes = 10 << 20});
  wire.carry();
  const int32_t id = wire.peer.calls().at(0);
  wire.peer.send(id, std::string(5 << 20, 'x'));
  // Without an answer from us the peer may send only what the window allows.
  EXPECT_LT(wire.peer.takeOutput().size(), 130'000u);

  Wire other;
  RecordingStream second;
  other.start(second, {.path = "/s/m", .max_message_bytes = 10 << 20});
  other.carry();
  other.peer.send(other.peer.calls().at(0), std::string(5 << 20, 'x'));
  other.carry();
  ASSERT_EQ(second.messages.size(), 1u);
  EXPECT_EQ(second.messages[0].size(), 5u << 20);
}

TEST(SessionTest, ThePeersWindowHoldsBackWhatWeSend) {
  Wire wire({.authority = "c"}, {.initial_window = 10'000});
  RecordingStream handler;
  wire.start(handler, {.path = "/s/m", .send_high_watermark = 50'000});
  wire.carry();
  const std::string large(200'000, 'x');
  handler.stream->send(large);
  EXPECT_TRUE(handler.stream->aboveHigh());
  net::ByteQueue out;
  ASSERT_TRUE(wire.session.produce(out, SIZE_MAX).ok());
  EXPECT_LT(out.size(), 11'000u);
  EXPECT_EQ(handler.writable, 0);
  EXPECT_TRUE(wire.peer.receive(out.toString()));
  wire.carry();  // the peer opens its window again and again
  EXPECT_EQ(wire.peer.onlyCall().messages, std::vector<std::string>{large});
  EXPECT_EQ(handler.writable, 1);
  EXPECT_FALSE(handler.stream->aboveHigh());
}

TEST(SessionTest, OutputStopsAtTheLimit) {
  Wire wire;
  RecordingStream handler;
  wire.start(handler);
  wire.carry();
  handler.stream->send(std::string(60'000, 'x'));
  net::ByteQueue out;
  ASSERT_TRUE(wire.session.produce(out, 1000).ok());
  EXPECT_GE(out.size(), 1000u);
  EXPECT_LT(out.size(), 1000u + 17'000u);
}

TEST(SessionTest, CallsBeyondThePeersLimitWait) {
  Wire wire({.authority = "c"}, {.max_concurrent_streams = 1});
  RecordingStream first;
  RecordingStream second;
  wire.start(first);
  wire.carry();  // the peer's settings are known from here
  wire.start(second);
  wire.carry();
  ASSERT_EQ(wire.peer.calls().size(), 1u);
  wire.peer.finish(wire.peer.calls()[0], 0);
  wire.carry();
  EXPECT_TRUE(first.status.has_value());
  EXPECT_EQ(wire.peer.calls().size(), 2u);
}

TEST(SessionTest, GoAwayLetsKnownCallsFinishAndRefusesOthers) {
  Wire wire;
  RecordingStream known;
  RecordingStream unknown;
  wire.start(known);
  wire.carry();
  wire.start(unknown);  // crosses the GOAWAY
  wire.peer.goAwayRefusing(wire.peer.calls()[0]);
  ASSERT_TRUE(wire.session.receive(wire.peer.takeOutput()).ok());
  EXPECT_EQ(wire.session.leaving(), Session::Leaving::Gracefully);
  wire.carry();
  ASSERT_TRUE(unknown.status.has_value());
  EXPECT_EQ(unknown.status->code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(known.status.has_value());
  wire.peer.finish(wire.peer.calls()[0], 0);
  wire.carry();
  EXPECT_TRUE(known.status.value().ok());
}

TEST(SessionTest, TooManyPingsIsRecognised) {
  const struct {
    uint32_t error;
    const char* debug;
    Session::Leaving leaving;
  } kCases[] = {
      {NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings", Session::Leaving::TooManyPings},
      {NGHTTP2_ENHANCE_YOUR_CALM, "other", Session::Leaving::Gracefully},
      {NGHTTP2_NO_ERROR, "too_many_pings", Session::Leaving::Gracefully},
  };
  for (const auto& c : kCases) {
    Wire wire;
    wire.carry();
    wire.peer.goAway(c.error, c.debug);
    ASSERT_TRUE(wire.session.receive(wire.peer.takeOutput()).ok());
    EXPECT_EQ(wire.session.leaving(), c.leaving) << c.debug;
  }
}

TEST(SessionTest, PingsAreSent) {
  Wire wire;
  wire.carry();
  wire.session.ping();
  EXPECT_TRUE(wire.output_due);
  wire.carry();
  EXPECT_EQ(wire.peer.pings(), 1);
}

TEST(SessionTest, BytesThatAreNoHttp2EndTheSession) {
  Wire wire;
  RecordingStream handler;
  wire.start(handler);
  wire.toPeer();
  const absl::Status status = wire.session.receive("HTTP/1.1 400 Bad Request\r\n\r\nno gRPC here");
  net::ByteQueue out;
  ASSERT_TRUE(wire.session.produce(out, SIZE_MAX).ok());
  EXPECT_TRUE(!status.ok() || wire.session.finished());
  EXPECT_TRUE(isFoundInBytes(status.ok() ? wire.session.lastError() : status));
  EXPECT_FALSE(handler.status.has_value()) << *handler.status;
  wire.session.fail(absl::UnavailableError("closed"));
  ASSERT_TRUE(handler.status.has_value());
  EXPECT_EQ(handler.status->code(), absl::StatusCode::kUnavailable);
}

TEST(SessionTest, FailingEndsEveryCallOnce) {
  Wire wire;
  RecordingStream first;
  RecordingStream second;
  wire.start(first);
  wire.start(second);
  wire.carry();
  // Ending one destroys the other, as an owner of both would.
  first.when_status = [&] { second.stream.reset(); };
  second.when_status = [&] { first.stream.reset(); };
  wire.session.fail(absl::UnavailableError("gone"));
  EXPECT_EQ(first.statuses + second.statuses, 1);
  EXPECT_EQ(wire.session.calls(), 0u);
}

TEST(SessionTest, AHandlerMayStartACallWhenOneEnds) {
  Wire wire;
  RecordingStream first;
  RecordingStream second;
  wire.start(first);
  wire.carry();
  first.when_status = [&] { wire.start(second); };
  wire.peer.finish(wire.peer.calls()[0], 14, "later");
  wire.carry();
  EXPECT_EQ(first.status.value().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(wire.peer.calls().size(), 2u);
}

}  // namespace
}  // namespace convoy::grpc
