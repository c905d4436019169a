#include "proxy/grpc/stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "test/proxy/grpc/wire.h"

namespace convoy::grpc {
namespace {

TEST(StreamTest, DestroyingItCancels) {
  Wire wire;
  RecordingStream handler;
  wire.start(handler);
  wire.carry();
  const int32_t id = wire.peer.calls().at(0);
  handler.stream.reset();
  EXPECT_TRUE(wire.output_due);
  wire.peer.send(id, "too late");
  wire.carry();
  EXPECT_EQ(wire.peer.call(id).reset, uint32_t{NGHTTP2_CANCEL});
  EXPECT_EQ(handler.statuses, 0);
  EXPECT_TRUE(handler.messages.empty());
  EXPECT_EQ(wire.session.calls(), 0u);
}

TEST(StreamTest, DestroyingItBeforeItsRequestWasSentCancelsToo) {
  Wire wire;
  RecordingStream handler;
  wire.carry();
  wire.start(handler);
  handler.stream.reset();
  wire.carry();
  EXPECT_EQ(handler.statuses, 0);
  EXPECT_EQ(wire.session.calls(), 0u);
}

TEST(StreamTest, ItMayBeDestroyedFromItsOwnHandler) {
  using Hook = std::function<void()> RecordingStream::*;
  const struct {
    const char* what;
    Hook hook;
  } kCases[] = {
      {"in onMessage", &RecordingStream::when_message},
      {"in onStatus", &RecordingStream::when_status},
      {"in onWritable", &RecordingStream::when_writable},
  };
  for (const auto& c : kCases) {
    Wire wire;
    RecordingStream handler;
    wire.start(handler, {.path = "/s/m", .send_high_watermark = 10});
    int calls = 0;
    handler.*c.hook = [&] {
      ++calls;
      handler.stream.reset();
    };
    handler.stream->send("more than the watermark");
    wire.carry();
    const int32_t id = wire.peer.calls().at(0);
    wire.peer.send(id, "one");
    wire.peer.send(id, "two");
    wire.peer.finish(id, 0);
    wire.carry();
    EXPECT_EQ(calls, 1) << c.what;
    EXPECT_EQ(wire.session.calls(), 0u) << c.what;
  }
}

TEST(StreamTest, NothingHappensOnAnEndedStream) {
  Wire wire;
  RecordingStream handler;
  wire.start(handler);
  wire.carry();
  wire.peer.finish(wire.peer.calls()[0], 0);
  wire.carry();
  ASSERT_TRUE(handler.stream->ended());
  handler.stream->send("x");
  handler.stream->finish();
  EXPECT_FALSE(handler.stream->aboveHigh());
  wire.carry();
  EXPECT_TRUE(wire.peer.onlyCall().messages.empty());
}

TEST(StreamTest, ItMayOutliveItsCall) {
  RecordingStream handler;
  auto call = std::make_unique<Call>(CallOptions{.path = "/s/m"}, handler);
  Stream stream(*call);
  call.reset();
  EXPECT_TRUE(stream.ended());
  EXPECT_EQ(handler.statuses, 0);
}

}  // namespace
}  // namespace convoy::grpc
