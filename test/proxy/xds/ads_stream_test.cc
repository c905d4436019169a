#include "proxy/xds/ads_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "test/common/grpc_server.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::xds {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = AdsStream::State;

struct Handler final : AdsStreamHandler {
  void onStreamStarted() override {
    ++started;
    DeltaRequest hello;
    hello.set_type_url("hello");
    stream->send(hello);
  }
  absl::Status onResponse(const DeltaResponse& response) override {
    responses.push_back(response.nonce());
    if (response.nonce() == "stop") stream->stop();
    return response.nonce() == "nonsense" ? absl::InvalidArgumentError("nonsense")
                                          : absl::OkStatus();
  }
  void onStreamWritable() override { ++writable; }
  void onStreamEnded() override { ++ended; }

  AdsStream* stream = nullptr;
  int started = 0;
  int ended = 0;
  int writable = 0;
  std::vector<std::string> responses;
};

class AdsStreamTest : public testing::Test {
 protected:
  AdsStreamTest() {
    clock.attach(test_loop.loop());
    handler.stream = &stream;
  }
  ~AdsStreamTest() override {
    stream.stop();
    client.reset();
    server.reset();
    test_loop.runReady();
    clock.detach(test_loop.loop());
  }
  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    server->flush();
    return test_loop.runUntil(condition);
  }
  // Every stream that was started has said hello, in the order of starting.
  [[nodiscard]] bool untilHello() {
    return until([this] {
      int said = 0;
      for (size_t i = 0; i < server->accepted(); ++i) {
        for (const int32_t id : server->peer(i).calls()) {
          said += static_cast<int>(server->peer(i).call(id).messages.size());
        }
      }
      return said == handler.started;
    });
  }
  void respond(const std::string& nonce) {
    DeltaResponse response;
    response.set_nonce(nonce);
    server->lastPeer().send(server->lastPeer().calls().back(), response.SerializeAsString());
  }
  [[nodiscard]] bool active() {
    stream.start();
    if (!untilHello()) return false;
    respond("n");
    return until([this] { return stream.state() == State::Active; });
  }

  test::SimulatedClock clock;
  test::TestLoop test_loop{clock};
  event::Loop& loop = test_loop.loop();
  std::unique_ptr<test::GrpcServer> server = std::make_unique<test::GrpcServer>(loop);
  std::unique_ptr<grpc::Client> client = std::make_unique<grpc::Client>(
      loop, grpc::ClientOptions{.addresses = {server->address()}, .authority = "xds"});
  Handler handler;
  ControlPlaneMetrics metrics;
  AdsStream stream{
      loop,
      *client,
      {.backoff_base = milliseconds(500), .backoff_cap = seconds(30), .max_response_bytes = 1000},
      handler,
      metrics};
};

TEST_F(AdsStreamTest, ItIsActiveOnceTheControlPlaneAnswers) {
  stream.start();
  stream.start();  // once is enough
  EXPECT_EQ(stream.state(), State::Opening);
  ASSERT_TRUE(untilHello());
  const auto& call = server->lastPeer().onlyCall();
  EXPECT_EQ(call.headers.at(":path"),
            "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources");
  EXPECT_EQ(metrics.connected_state.value(), 0);
  respond("n");
  ASSERT_TRUE(until([&] { return stream.state() == State::Active; }));
  EXPECT_EQ(metrics.connected_state.value(), 1);
  EXPECT_EQ(metrics.connect_attempt.value(), 1u);
  EXPECT_EQ(handler.responses, std::vector<std::string>{"n"});
}

TEST_F(AdsStreamTest, EveryFailureIsFollowedByAnotherAttempt) {
  const struct {
    const char* what;
    std::function<void()> act;
    absl::StatusCode code;
    uint64_t garbage;
    milliseconds wait_below = milliseconds(500);  // after 30 s of service
  } kCases[] = {
      {"an error",
       [&] { server->lastPeer().finish(server->lastPeer().calls().back(), 14, "full"); },
       absl::StatusCode::kUnavailable, 0},
      {"an end in good order",
       [&] { server->lastPeer().finish(server->lastPeer().calls().back(), 0); },
       absl::StatusCode::kUnavailable, 0},
      {"a reset stream",
       [&] { server->lastPeer().reset(server->lastPeer().calls().back(), NGHTTP2_INTERNAL_ERROR); },
       absl::StatusCode::kInternal, 0},
      {"a lost connection", [&] { server->closeConnection(server->accepted() - 1, true); },
       absl::StatusCode::kUnavailable, 0},
      {"what is no message",
       [&] { server->lastPeer().send(server->lastPeer().calls().back(), "\xff\xff\xff"); },
       absl::StatusCode::kInvalidArgument, 1, seconds(1)},
      {"a message without sense", [&] { respond("nonsense"); }, absl::StatusCode::kInvalidArgument,
       2, seconds(2)},
      {"a message too large",
       [&] { server->lastPeer().send(server->lastPeer().calls().back(), std::string(2000, 'x')); },
       absl::StatusCode::kResourceExhausted, 3, seconds(4)},
      {"a server's quota",
       [&] { server->lastPeer().finish(server->lastPeer().calls().back(), 8, "quota"); },
       absl::StatusCode::kResourceExhausted, 3},
  };
  int ended = 0;
  ASSERT_TRUE(active());
  for (const auto& c : kCases) {
    clock.advance(seconds(30));
    c.act();
    ASSERT_TRUE(until([&] { return stream.state() == State::Backoff; })) << c.what;
    EXPECT_EQ(handler.ended, ++ended) << c.what;
    EXPECT_EQ(metrics.connected_state.value(), 0) << c.what;
    EXPECT_EQ(metrics.last_error_code.value(), static_cast<int64_t>(c.code)) << c.what;
    EXPECT_EQ(metrics.garbage.value(), c.garbage) << c.what;
    EXPECT_NE(stream.lastError(), "") << c.what;
    clock.advance(c.wait_below);
    EXPECT_EQ(stream.state(), State::Opening) << c.what;
    ASSERT_TRUE(untilHello()) << c.what;
    respond("n");
    ASSERT_TRUE(until([&] { return stream.state() == State::Active; })) << c.what;
    EXPECT_EQ(stream.lastError(), "") << c.what;
    EXPECT_EQ(metrics.last_error_code.value(), 0) << c.what;
  }
  EXPECT_EQ(handler.started, ended + 1);
  EXPECT_EQ(metrics.stream_failure.value(), static_cast<uint64_t>(ended));
  EXPECT_EQ(metrics.response_too_large.value(), 1u);
}

TEST_F(AdsStreamTest, WhoGreetsAndDiesIsAskedLessAndLessOften) {
  event::Duration longest{0};
  ASSERT_TRUE(active());
  for (int i = 0; i < 12; ++i) {
    server->closeConnection(server->accepted() - 1);
    ASSERT_TRUE(until([&] { return stream.state() == State::Backoff; }));
    event::Duration waited{0};
    while (stream.state() == State::Backoff) {
      clock.advance(milliseconds(100));
      waited += milliseconds(100);
    }
    longest = std::max(longest, waited);
    ASSERT_TRUE(untilHello());
    respond("n");
    ASSERT_TRUE(until([&] { return stream.state() == State::Active; }));
  }
  EXPECT_GT(longest, seconds(10));
  // One that serves for as long as the next wait may be is asked again soon.
  clock.advance(seconds(30));
  server->closeConnection(server->accepted() - 1);
  ASSERT_TRUE(until([&] { return stream.state() == State::Backoff; }));
  clock.advance(milliseconds(500));
  EXPECT_EQ(stream.state(), State::Opening);
}

TEST_F(AdsStreamTest, WaitsGrowWhileNobodyAnswers) {
  server->stopListening();
  stream.start();
  event::Duration longest{0};
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(until([&] { return stream.state() == State::Backoff; }));
    event::Duration waited{0};
    while (stream.state() == State::Backoff) {
      clock.advance(milliseconds(100));
      waited += milliseconds(100);
    }
    longest = std::max(longest, waited);
    EXPECT_LE(waited, seconds(30) + milliseconds(100));
  }
  EXPECT_GT(longest, seconds(15));
  EXPECT_EQ(metrics.connect_attempt.value(), 31u);
  EXPECT_EQ(handler.started, 31);
}

TEST_F(AdsStreamTest, StoppingIsQuietAndStartingAgainWorks) {
  ASSERT_TRUE(active());
  stream.stop();
  stream.stop();
  EXPECT_EQ(stream.state(), State::Stopped);
  EXPECT_EQ(handler.ended, 0);
  EXPECT_EQ(metrics.connected_state.value(), 0);
  ASSERT_TRUE(until([&] { return server->lastPeer().onlyCall().reset.has_value(); }));
  ASSERT_TRUE(active());

  server->closeConnection(server->accepted() - 1);
  ASSERT_TRUE(until([&] { return stream.state() == State::Backoff; }));
  stream.stop();
  clock.advance(seconds(60));
  EXPECT_EQ(stream.state(), State::Stopped);
}

TEST_F(AdsStreamTest, ItMayBeStoppedFromItsHandler) {
  ASSERT_TRUE(active());
  respond("stop");
  ASSERT_TRUE(until([&] { return stream.state() == State::Stopped; }));
  EXPECT_EQ(metrics.stream_failure.value(), 0u);
}

TEST_F(AdsStreamTest, WhatThePeerDoesNotReadFillsUp) {
  ASSERT_TRUE(active());
  DeltaRequest large;
  large.set_type_url(std::string(3 << 20, 'x'));
  stream.send(large);
  EXPECT_TRUE(stream.aboveHigh());
  ASSERT_TRUE(until([&] { return handler.writable > 0; }));
  EXPECT_FALSE(stream.aboveHigh());
}

}  // namespace
}  // namespace convoy::xds
