// Back-pressure through an HTTP/2 codec, both ways: windows open only for what was taken, a slow
// peer pauses the far side, and a connection without streams holds nothing.

#include <string>

#include "gtest/gtest.h"
#include "test/proxy/http/h2_recorder.h"

namespace convoy::http {
namespace {

using namespace h2;

const std::string kFrame(16384, 'x');

H2Options smallWindows() {
  H2Options options;
  options.stream_window = 64 * 1024;
  options.connection_window = 128 * 1024;
  options.paused_bytes = 0;
  options.stream_send_buffer = 32 * 1024;
  return options;
}

TEST(H2FlowControlTest, APausedStreamGetsNoWindow) {
  H2ServerRecorder server(smallWindows());
  server.feed(clientStart() + post(1) + post(3));
  ResponseSender& sender = *server.requests[0]->sender;
  sender.pauseReceiving();
  sender.pauseReceiving();
  server.written();
  for (int i = 0; i < 4; ++i) server.feed(data(1, kFrame));
  EXPECT_EQ(server.requests[0]->body_bytes, 4 * kFrame.size());
  EXPECT_EQ(server.written(), "");
  // The other stream goes on.
  for (int i = 0; i < 3; ++i) server.feed(data(3, kFrame));
  EXPECT_NE(server.written().find("WINDOW 3 "), std::string::npos);
  sender.resumeReceiving();
  EXPECT_EQ(server.written(), "");
  sender.resumeReceiving();
  EXPECT_EQ(server.written(), "WINDOW 1 65536\n");
  server.events.take();
}

TEST(H2FlowControlTest, MoreThanTheWindowEndsTheStreamOrTheConnection) {
  H2Options options = smallWindows();
  for (const bool of_stream : {true, false}) {
    if (!of_stream) options.stream_window = 256 * 1024;
    H2ServerRecorder server(options);
    server.feed(clientStart() + post(1));
    server.requests[0]->sender->pauseReceiving();
    server.written();
    const size_t window = of_stream ? options.stream_window : options.connection_window;
    for (size_t sent = 0; sent < window; sent += kFrame.size()) server.feed(data(1, kFrame));
    EXPECT_EQ(server.written(), "");
    server.feed(data(1, "x"));
    EXPECT_EQ(server.written(),
              of_stream ? "RST_STREAM 1 FLOW_CONTROL_ERROR\n" : "GOAWAY 1 FLOW_CONTROL_ERROR\n");
    EXPECT_EQ(server.metrics.tx_reset.value(), of_stream ? 1U : 0U);
    EXPECT_EQ(server.metrics.goaway_sent.value(), of_stream ? 0U : 1U);
    server.events.take();
  }
}

// Uploads that wait, for a host say, must not stop the others: they may wait for one of them.
TEST(H2FlowControlTest, PausedStreamsLeaveTheConnectionsWindowToOthers) {
  H2Options options = smallWindows();
  options.paused_bytes = 3 * options.stream_window;
  H2ServerRecorder server(options);
  server.feed(clientStart());
  const auto fill = [&](uint32_t id) {
    for (size_t sent = 0; sent < options.stream_window; sent += kFrame.size()) {
      server.feed(data(id, kFrame));
    }
  };
  for (const uint32_t id : {1, 3, 5}) {
    server.feed(post(id));
    server.requests.back()->sender->pauseReceiving();
    fill(id);
  }
  server.feed(post(7));
  for (int i = 0; i < 10; ++i) fill(7);
  EXPECT_EQ(server.requests.back()->body_bytes, 10 * options.stream_window);
  // Beyond that, the connection's window is all that there is.
  for (const uint32_t id : {9, 11}) {
    server.feed(post(id));
    server.requests.back()->sender->pauseReceiving();
    fill(id);
  }
  EXPECT_FALSE(server.codec.mustClose());
  server.feed(data(7, "x"));
  EXPECT_TRUE(server.codec.mustClose()) << "more than the client may send";
  server.events.take();
}

TEST(H2FlowControlTest, WhatPausedStreamsHeldIsForOthersAgain) {
  H2Options options = smallWindows();
  options.paused_bytes = options.stream_window;
  H2ServerRecorder server(options);
  server.feed(clientStart());
  for (uint32_t i = 0; i < 20; ++i) {
    const uint32_t id = 2 * i + 1;
    server.feed(post(id));
    server.requests.back()->sender->pauseReceiving();
    while (server.requests.back()->body_bytes < options.stream_window)
      server.feed(data(id, kFrame));
    EXPECT_EQ(server.codec.session().streams().back().unconsumed, 0U) << i;
    if (i % 3 == 0) server.requests.back()->sender->resumeReceiving();
    if (i % 3 == 1) server.requests.back()->sender->reset(Failure::None);
    if (i % 3 == 2) server.feed(rstStream(id, 8));
  }
  EXPECT_FALSE(server.codec.mustClose());
  server.events.take();
}

TEST(H2FlowControlTest, AStreamThatEndsPausedGivesBackTheConnectionsWindow) {
  H2ServerRecorder server(smallWindows());
  server.feed(clientStart());
  for (uint32_t i = 0; i < 100; ++i) {
    const uint32_t id = 2 * i + 1;
    server.feed(post(id));
    server.requests.back()->sender->pauseReceiving();
    server.feed(data(id, kFrame) + data(id, kFrame));
    if (i % 2 == 0) {
      server.requests.back()->sender->reset(Failure::None);
    } else {
      server.feed(rstStream(id, 8));
    }
  }
  EXPECT_FALSE(server.codec.mustClose());
  EXPECT_TRUE(server.codec.idle());
  server.events.take();
}

// A pause outlives the body, whose last bytes are withheld, too; not the stream.
TEST(H2FlowControlTest, APauseEndsWithTheStream) {
  for (const bool answered : {true, false}) {
    H2ServerRecorder server(smallWindows());
    server.on_request_end = [](H2Request& request) { request.sender->pauseReceiving(); };
    server.feed(clientStart({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}}));
    // More than the connection's window, each piece given back before the next is sent.
    for (uint32_t i = 0; i < 10; ++i) {
      server.feed(post(2 * i + 1));
      server.feed(data(2 * i + 1, kFrame, kEndStream));
      H2Request& request = *server.requests.back();
      ASSERT_EQ(request.body_bytes, kFrame.size()) << server.written();
      H2Stream& stream = server.codec.session().streams().back();
      EXPECT_EQ(stream.unconsumed, kFrame.size());
      if (answered) {
        // It waits for the client's window.
        ResponseHead head;
        head.status = 200;
        request.sender->sendHead(head, false);
        request.sender->sendBody("x", true);
      } else {
        request.sender->resumeReceiving();
      }
      EXPECT_EQ(stream.unconsumed, 0U);
    }
    EXPECT_EQ(server.codec.session().streamCount(), 10U);
    server.events.take();
  }
}

TEST(H2FlowControlTest, APauseEndsWithATunnelThatHasYetToSend) {
  H2ClientRecorder client(smallWindows());
  RequestSender& sender = *client.request("CONNECT", false).sender;
  client.codec.dispatch(settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}}) + settingsAck() +
                        headers(1, {{":status", "200"}}, 0));
  sender.pauseReceiving();
  client.codec.dispatch(data(1, kFrame, kEndStream));
  H2Stream& stream = client.codec.session().streams().back();
  EXPECT_EQ(stream.unconsumed, kFrame.size());
  sender.sendBody("x", true);
  EXPECT_EQ(stream.unconsumed, 0U);
  EXPECT_EQ(client.codec.session().streamCount(), 1U);
  client.events.take();
}

TEST(H2FlowControlTest, AClosedPeerWindowPausesTheFarSide) {
  H2ServerRecorder server(smallWindows());
  server.feed(clientStart({{4, 100}}) + get(1));
  H2Request& request = *server.requests[0];
  ResponseHead head;
  head.status = 200;
  request.sender->sendHead(head, false);
  request.sender->sendBody(kFrame, false);
  EXPECT_EQ(server.written(), "HEADERS 1 :status=200\nDATA 1 100\n");
  EXPECT_FALSE(request.above_high);
  request.sender->sendBody(kFrame, false);
  request.sender->sendBody(kFrame, false);
  EXPECT_TRUE(request.above_high);
  server.feed(windowUpdate(1, 20'000));
  EXPECT_TRUE(request.above_high);  // not before half of the mark
  server.feed(windowUpdate(1, 20'000));
  EXPECT_FALSE(request.above_high);
  server.feed(windowUpdate(1, 20'000));
  request.sender->sendBody("", true);
  EXPECT_TRUE(server.written().ends_with("DATA 1 0 end\n"));
  EXPECT_EQ(server.frames.body(), kFrame + kFrame + kFrame);
  EXPECT_EQ(request.flow_events, 1);
  server.events.take();
}

// The layer above is done, and may be gone, though the end of its request has not left.
TEST(H2FlowControlTest, NobodyHearsOfRoomBehindBothEnds) {
  for (const bool response_first : {true, false}) {
    H2ClientRecorder client(smallWindows());
    H2Response& response = client.request("POST", false);
    client.codec.dispatch(settings({{4, 100}}) + settingsAck());
    const std::string answer = headers(1, {{":status", "413"}}, kEndStream);
    for (int i = 0; i < 3; ++i) response.sender->sendBody(kFrame, false);
    EXPECT_TRUE(response.above_high);
    if (response_first) client.codec.dispatch(answer);
    response.sender->sendBody("", true);
    if (!response_first) client.codec.dispatch(answer);
    client.codec.dispatch(windowUpdate(1, 60'000));
    EXPECT_TRUE(response.above_high) << response_first;
    EXPECT_TRUE(client.codec.idle());
    client.events.take();
  }
}

TEST(H2FlowControlTest, TrailersWaitForTheBody) {
  H2ServerRecorder server(smallWindows());
  server.feed(clientStart({{4, 3}}) + get(1));
  ResponseSender& sender = *server.requests[0]->sender;
  ResponseHead head;
  head.status = 200;
  sender.sendHead(head, false);
  sender.sendBody("hello", false);
  {
    HeaderList trailers;
    const std::string value = "gone when they leave";
    trailers.add("x-t", value);
    sender.sendTrailers(trailers);
  }
  EXPECT_EQ(server.written(), "HEADERS 1 :status=200\nDATA 1 3\n");
  server.feed(windowUpdate(1, 100));
  EXPECT_EQ(server.written(), "DATA 1 2\nHEADERS 1 end x-t=gone when they leave\n");
  EXPECT_TRUE(server.codec.idle());
  server.events.take();
}

struct Output {
  explicit Output(H2ServerRecorder& server, size_t high = 40'000) {
    server.out.setWatermarks(
        high,
        {.below_low =
             [](void* self) { static_cast<H2ServerRecorder*>(self)->codec.onOutputBelowLow(); },
         .context = &server});
  }
};

TEST(H2FlowControlTest, AFullSocketHoldsDataInItsStream) {
  H2Options options = smallWindows();
  H2ServerRecorder server(options);
  const Output limit(server);
  server.feed(clientStart({{4, 1 << 24}}) + windowUpdate(0, 1 << 24) + get(1) + get(3));
  for (const auto& request : server.requests) {
    ResponseHead head;
    head.status = 200;
    request->sender->sendHead(head, false);
  }
  H2Request& first = *server.requests[0];
  for (int i = 0; i < 6 && !first.above_high; ++i) first.sender->sendBody(kFrame, false);
  EXPECT_TRUE(first.above_high);
  EXPECT_LT(server.out.size(), 60'000U);
  // The other stream's head went out, its body waits too.
  server.requests[1]->sender->sendBody("second", true);
  first.sender->sendBody("", true);
  for (int i = 0; i < 20 && !server.codec.idle(); ++i) server.written();
  server.written();
  EXPECT_TRUE(server.codec.idle());
  EXPECT_EQ(server.frames.body().size(), first.flow_events > 0 ? server.frames.body().size() : 0);
  EXPECT_NE(server.frames.body().find("second"), std::string::npos);
  server.out.setWatermarks(0, {});
  server.events.take();
}

TEST(H2FlowControlTest, AClientThatReadsNothingIsNotReadForever) {
  H2ServerRecorder server;
  const Output limit(server);
  server.on_request_end = [](H2Request& request) {
    ResponseHead head;
    head.status = 200;
    static const std::string kLarge(8000, 'v');
    head.headers.add("x-large", kLarge);
    request.sender->sendHead(head, true);
  };
  server.feed(clientStart());
  uint32_t id = 1;
  for (; server.pauses == 0 && id < 20'000; id += 2) server.feed(get(id));
  EXPECT_EQ(server.pauses, 1);
  EXPECT_EQ(server.metrics.output_paused_reading.value(), 1U);
  EXPECT_LT(server.out.size(), 5U * 1024 * 1024);
  server.out.clear();
  EXPECT_EQ(server.pauses, 0);
  server.out.setWatermarks(0, {});
  server.events.take();
}

// What is held back is read again when the output falls below its low mark: it must have been above
// the high one.
TEST(H2FlowControlTest, NobodyIsHeldBackBelowTheConnectionsMark) {
  H2ServerRecorder server;
  const size_t most = H2Options().max_output;
  const Output limit(server, 2 * most);
  server.feed(clientStart());
  server.out.append(std::string(most + 1, 'x'));
  server.feed(ping("12345678"));
  EXPECT_EQ(server.pauses, 0);
  server.out.append(std::string(most, 'x'));
  server.feed(ping("12345678"));
  EXPECT_EQ(server.pauses, 1);
  server.out.clear();
  EXPECT_EQ(server.pauses, 0);
  server.out.setWatermarks(0, {});
}

TEST(H2FlowControlTest, ALargeBodyPassesWithLittleHeld) {
  // A client codec sends to a server codec whose stream pauses now and then.
  H2ClientRecorder client;
  H2ServerRecorder server;
  auto move = [&] {
    while (!client.out.empty() || !server.out.empty()) {
      const std::string up = client.out.toString();
      client.out.clear();
      if (!up.empty()) server.feed(up);
      const std::string down = server.out.toString();
      server.out.clear();
      if (!down.empty()) client.codec.dispatch(down);
    }
  };
  H2Response& response = client.request("POST", false);
  move();
  H2Request& request = *server.requests[0];
  server.events.take();
  constexpr uint64_t kTotal = 64 * 1024 * 1024;
  uint64_t sent = 0;
  uint64_t most_held = 0;
  for (int turn = 0; sent < kTotal; ++turn) {
    if (turn % 3 == 0) request.sender->pauseReceiving();
    const uint64_t before = request.body_bytes;
    while (!response.above_high && sent < kTotal) {
      response.sender->sendBody(kFrame, false);
      sent += kFrame.size();
      move();
      if (turn % 3 == 0 && request.body_bytes - before > 4 * H2Options().stream_window) break;
    }
    most_held = std::max(most_held, sent - before);
    if (turn % 3 == 0) {
      // A paused stream receives at most its window.
      EXPECT_LE(request.body_bytes - before, H2Options().stream_window);
      request.sender->resumeReceiving();
    }
    move();
    server.events.take();
    ASSERT_LT(turn, 10'000);
  }
  response.sender->sendBody("", true);
  move();
  EXPECT_EQ(request.body_bytes, kTotal);
  server.events.take();
  client.events.take();
}

TEST(H2FlowControlTest, NothingIsHeldAfterStreams) {
  H2ServerRecorder server;
  server.on_request_end = [](H2Request& request) {
    ResponseHead head;
    head.status = 200;
    request.sender->sendHead(head, false);
    request.sender->sendBody(kFrame, true);
  };
  server.feed(clientStart({{4, 1 << 24}}) + windowUpdate(0, 1 << 30));
  for (uint32_t i = 0; i < 500; ++i) {
    EXPECT_TRUE(server.codec.idle());
    server.feed(post(2 * i + 1));
    EXPECT_FALSE(server.codec.idle());
    server.feed(data(2 * i + 1, kFrame, kEndStream));
    EXPECT_EQ(server.codec.session().streamCount(), 0U);
    server.written();
    server.requests.clear();
    server.events.take();
  }
}

}  // namespace
}  // namespace convoy::http
