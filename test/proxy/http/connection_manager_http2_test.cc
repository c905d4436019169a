// A connection that speaks HTTP/2: how that is found out, what its streams have to do with one
// another, and why and how it ends.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "proxy/http/connection_manager.h"
#include "test/proxy/http/h2_frames.h"
#include "test/proxy/http/h2_recorder.h"
#include "test/proxy/http/manager_fixture.h"

namespace convoy::http {
namespace {

using namespace std::chrono_literals;

class ConnectionManagerHttp2Test : public ManagerTest {
 protected:
  Client& connectHttp2(const std::vector<std::pair<uint16_t, uint32_t>>& settings = {}) {
    Client& client = connect();
    send(client, h2::clientStart(settings));
    EXPECT_EQ(frames(client), "");
    return client;
  }
  // What the client has received since it was asked last, without Date.
  std::string frames(Client& client) {
    run();
    std::string text = readers_[&client].read(client.take());
    constexpr size_t kDate = 6 + 29;
    for (size_t at; (at = text.find(" date=")) != std::string::npos;) text.erase(at, kDate);
    return text;
  }
  void answerByHand() {
    router.on_end = [](Exchange&) { return FilterVerdict::Pause; };
  }
  Exchange& exchange(size_t index) { return *router.exchanges.at(index); }
  const std::string long_path_ = "/" + std::string(2000, 'x');

 private:
  std::map<Client*, h2::FrameReader> readers_;
};

constexpr std::string_view kOk1 =
    "HEADERS 1 :status=200 server=convoy content-length=1\nDATA 1 1 end\n";

TEST_F(ConnectionManagerHttp2Test, IsFoundOutByThePrefaceHoweverItArrives) {
  const std::string start = h2::clientStart() + h2::get(1);
  for (size_t split = 1; split < h2::kPreface.size() + 5; ++split) {
    Client& client = connect();
    send(client, start.substr(0, split));
    send(client, start.substr(split));
    EXPECT_EQ(frames(client), kOk1) << split;
  }
  EXPECT_EQ(metrics_.downstream_cx_http2_total.value(), h2::kPreface.size() + 4);
  EXPECT_EQ(metrics_.downstream_rq_http2_total.value(), h2::kPreface.size() + 4);
  EXPECT_EQ(metrics_.downstream_cx_http1_total.value(), 0U);
}

TEST_F(ConnectionManagerHttp2Test, WhatOnlyBeginsLikeThePrefaceIsHttp1) {
  const std::string post = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
  for (size_t split = 1; split < 4; ++split) {
    Client& client = connect();
    send(client, post.substr(0, split));
    send(client, post.substr(split));
    EXPECT_EQ(received(client).substr(0, 15), "HTTP/1.1 200 OK") << split;
  }
  Client& client = connect();
  send(client, "PRI * HTTP/2.0\r\n\r\nX");
  EXPECT_EQ(received(client).substr(0, 12), "HTTP/1.1 505");
}

TEST_F(ConnectionManagerHttp2Test, HalfAPrefaceIsAHeadThatDoesNotArrive) {
  Client& client = connect();
  send(client, "PRI * ");
  advance(5min);
  EXPECT_EQ(received(client).substr(0, 12), "HTTP/1.1 408");
  EXPECT_TRUE(client.ended());
  // Behind the preface SETTINGS are missing.
  Client& other = connect();
  send(other, h2::kPreface);
  EXPECT_EQ(frames(other), "");
  advance(5min);
  EXPECT_EQ(frames(other), "GOAWAY 0 NO_ERROR\n");
  EXPECT_TRUE(other.ended());
  EXPECT_EQ(metrics_.downstream_rq_idle_timeout.value(), 2U);
}

TEST_F(ConnectionManagerHttp2Test, AHeaderBlockWithoutAnEndHasTheTimeOfAHead) {
  configure([](ConnectionManagerSpec& spec) { spec.request_headers_timeout = 10s; });
  Client& client = connectHttp2();
  send(client, h2::frame(NGHTTP2_HEADERS, h2::kEndStream, 1, h2::hpack(h2::requestFields())));
  advance(9s);
  send(client, h2::frame(NGHTTP2_CONTINUATION, 0, 1, h2::hpack({{"a", "b"}})));
  advance(1s);
  EXPECT_EQ(frames(client).substr(0, 7), "GOAWAY ");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(metrics_.downstream_rq_header_timeout.value(), 1U);
}

// Trailers of a stream that was reset meanwhile are nobody's; they end all the same.
TEST_F(ConnectionManagerHttp2Test, TrailersOfAStreamThatIsOverAreWaitedForToTheirEnd) {
  for (const bool complete : {true, false}) {
    router.on_head = [](Exchange&) { return FilterVerdict::Continue; };
    Client& client = connectHttp2();
    send(client, h2::post(1));
    send(client, h2::frame(NGHTTP2_HEADERS, h2::kEndStream, 1, h2::hpack({{"a", "b"}})));
    Exchange& exchange = *router.exchanges.back();
    exchange.sendHead(200, {BodyLength::Kind::Unknown});
    exchange.context->abort(Failure::UpstreamAbortedBody);
    run();
    EXPECT_EQ(frames(client), "HEADERS 1 :status=200 server=convoy\nRST_STREAM 1 INTERNAL_ERROR\n");
    if (complete) {
      send(client, h2::frame(NGHTTP2_CONTINUATION, h2::kEndHeaders, 1, h2::hpack({{"c", "d"}})));
    }
    advance(5min);
    EXPECT_EQ(client.open(), complete) << frames(client);
  }
}

TEST_F(ConnectionManagerHttp2Test, IsSpokenWithoutAskingWhereItIsConfigured) {
  configure([](ConnectionManagerSpec& spec) { spec.codec = ConnectionManagerSpec::Codec::Http2; });
  Client& client = connect();
  send(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(frames(client), "GOAWAY 0 PROTOCOL_ERROR\n");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(metrics_.downstream_cx_protocol_error.value(), 1U);
  configure([](ConnectionManagerSpec& spec) { spec.codec = ConnectionManagerSpec::Codec::Http1; });
  Client& plain = connect();
  send(plain, h2::clientStart());
  EXPECT_EQ(received(plain).substr(0, 12), "HTTP/1.1 505");
}

TEST_F(ConnectionManagerHttp2Test, StreamsEndOneByOne) {
  answerByHand();
  Client& client = connectHttp2();
  send(client, h2::get(1) + h2::get(3) + h2::get(5) + h2::get(7));
  ASSERT_EQ(router.exchanges.size(), 4U);
  exchange(1).answer(200, "b");
  EXPECT_EQ(frames(client), "HEADERS 3 :status=200 server=convoy content-length=1\nDATA 3 1 end\n");
  send(client, h2::rstStream(1, NGHTTP2_CANCEL));
  EXPECT_TRUE(exchange(0).over);
  EXPECT_EQ(exchange(0).info.failure, Failure::DownstreamDisconnect);
  exchange(2).sendHead(200, {BodyLength::Kind::Unknown});
  exchange(2).context->abort(Failure::UpstreamAbortedBody);
  EXPECT_EQ(frames(client), "HEADERS 5 :status=200 server=convoy\nRST_STREAM 5 INTERNAL_ERROR\n");
  exchange(3).answer(200, "d");
  EXPECT_EQ(frames(client), "HEADERS 7 :status=200 server=convoy content-length=1\nDATA 7 1 end\n");
  EXPECT_TRUE(client.open());
  EXPECT_EQ(metrics_.downstream_rq_rx_reset.value(), 1U);
}

TEST_F(ConnectionManagerHttp2Test, AMalformedRequestIsAnsweredAndLogged) {
  Client& client = connectHttp2();
  send(client, h2::get(1, {{"host", "b.test"}}) + h2::get(3));
  const std::string text = frames(client);
  EXPECT_NE(text.find("HEADERS 1 :status=400"), std::string::npos) << text;
  EXPECT_NE(text.find("HEADERS 3 :status=200"), std::string::npos) << text;
  EXPECT_TRUE(client.open());
  EXPECT_EQ(log(), "400 DPE h2_authority_mismatch\n200 - via_upstream\n");
  EXPECT_EQ(slot_->current->h2_metrics->rx_messaging_error.value(), 1U);
}

TEST_F(ConnectionManagerHttp2Test, AMalformedHeadIsAnsweredWithoutABody) {
  const h2::Fields wrong[] = {
      h2::requestFields("HEAD", "/", {{"host", "b.test"}}),
      h2::requestFields("HEAD", "/", {{"x", "\1"}}),
      // The limit is passed before the method is there.
      {{":path", long_path_}, {":method", "HEAD"}, {":scheme", "http"}, {":authority", "a"}},
  };
  configure([](ConnectionManagerSpec& spec) { spec.max_request_headers_kb = 1; });
  for (const h2::Fields& fields : wrong) {
    Client& client = connectHttp2();
    send(client, h2::headers(1, fields, h2::kEndStream));
    const std::string text = frames(client);
    EXPECT_TRUE(text.starts_with("HEADERS 1 end :status=4")) << text;
    EXPECT_EQ(text.find("DATA"), std::string::npos) << text;
  }
}

TEST_F(ConnectionManagerHttp2Test, ABrokenConnectionEndsAllStreams) {
  answerByHand();
  Client& client = connectHttp2();
  send(client, h2::get(1) + h2::get(3));
  send(client, h2::data(0, "x"));
  EXPECT_EQ(frames(client), "GOAWAY 3 PROTOCOL_ERROR\n");
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(exchange(0).over && exchange(1).over);
  EXPECT_EQ(metrics_.downstream_cx_protocol_error.value(), 1U);
}

TEST_F(ConnectionManagerHttp2Test, NothingMayFollowOnAStreamThatTheClientClosed) {
  answerByHand();
  for (const std::string& after : {h2::data(1, "x"), h2::post(1)}) {
    Client& client = connectHttp2();
    send(client, h2::post(1) + h2::rstStream(1, NGHTTP2_CANCEL) + after);
    EXPECT_EQ(frames(client), "GOAWAY 1 STREAM_CLOSED\n");
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(ConnectionManagerHttp2Test, ARequestThatNobodyReadsEndsItsStreamOnly) {
  router.on_head = [](Exchange& exchange) {
    exchange.answer(200, "x");
    return FilterVerdict::Pause;
  };
  Client& client = connectHttp2();
  send(client, h2::post(1));
  EXPECT_EQ(frames(client), std::string(kOk1) + "RST_STREAM 1 NO_ERROR\n");
  EXPECT_EQ(metrics_.downstream_rq_body_unread.value(), 1U);
  send(client, h2::data(1, "on its way", h2::kEndStream));
  EXPECT_EQ(frames(client), "");
  EXPECT_TRUE(client.open());
}

// As the router does: it takes its pause back when the stream ends. The codec's is no more then.
TEST_F(ConnectionManagerHttp2Test, AFilterMayTakeItsPauseBackWhenTheClientIsLost) {
  class Resumes final : public Filter {
   public:
    FilterVerdict onRequestHead(RequestHead&, bool) override {
      context().pauseRequestBody();
      return FilterVerdict::Continue;
    }
    void onStreamEnd() override { context().resumeRequestBody(); }
  };
  class Factory final : public FilterFactory {
   public:
    Filter* create(base::Arena& arena) override { return arena.make<Resumes>(); }
  };
  terminal = [] { return std::make_unique<Factory>(); };
  configure();
  Client& client = connectHttp2();
  send(client, h2::post(1));
  client.reset();
  run();
  EXPECT_EQ(metrics_.downstream_rq_rx_reset.value(), 1U);
  EXPECT_EQ(slot_->current->h2_metrics->streams_active.value(), 0);
}

// The body has come, its taker has not: the client may send as much again once it is taken.
TEST_F(ConnectionManagerHttp2Test, ABodyThatIsTakenBehindItsEndOpensTheWindowAgain) {
  router.on_head = [](Exchange& exchange) {
    exchange.context->pauseRequestBody();
    return FilterVerdict::Continue;
  };
  router.on_end = [](Exchange&) { return FilterVerdict::Continue; };
  Client& client = connectHttp2();
  const std::string frame(16384, 'x');
  const H2Options options;
  const uint32_t frames_each = options.stream_window / 16384;
  const uint32_t bodies = 3 * options.connection_window / options.stream_window;
  for (uint32_t i = 0; i < bodies; ++i) {
    send(client, h2::post(2 * i + 1));
    for (uint32_t sent = 1; sent <= frames_each; ++sent) {
      send(client, h2::data(2 * i + 1, frame, sent == frames_each ? h2::kEndStream : 0));
    }
    ASSERT_EQ(exchange(i).body.size(), options.stream_window) << frames(client);
    exchange(i).context->resumeRequestBody();
  }
  EXPECT_TRUE(client.open());
}

TEST_F(ConnectionManagerHttp2Test, AClientThatReadsLateIsReadAgainWhateverTheLimit) {
  constexpr uint32_t kWindow = 6 * 1024 * 1024;
  const std::string body(5 * 1024 * 1024, 'x');
  router.on_end = [&body](Exchange& exchange) {
    exchange.answer(200, body);
    return FilterVerdict::Pause;
  };
  for (const size_t limit : {size_t{0}, size_t{64 * 1024}, size_t{8 * 1024 * 1024}}) {
    buffer_limit_ = limit;
    configure();
    Client& client = connectHttp2({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow}});
    client.connection->pauseReading();
    send(client, h2::windowUpdate(0, kWindow) + h2::get(1));
    send(client, h2::ping("12345678"));
    client.connection->resumeReading();
    ASSERT_TRUE(test_loop_.runUntil([&] { return client.on.received.size() > body.size(); }));
    send(client, h2::ping("ABCDEFGH"));
    EXPECT_TRUE(frames(client).ends_with("PONG ABCDEFGH\n")) << limit;
  }
}

// Each of its streams may fill a window of its own; all of them what paused streams may hold, and
// the connection's.
TEST_F(ConnectionManagerHttp2Test, WhatIsHeldForManyStreamsHasABound) {
  router.on_head = [](Exchange&) { return FilterVerdict::Pause; };
  Client& client = connect();
  H2ClientRecorder peer;
  // Until the client may send no more.
  const auto move = [&] {
    for (std::string answers = " "; !answers.empty() || !peer.out.empty();) {
      send(client, peer.out.toString());
      peer.out.clear();
      EXPECT_TRUE(test_loop_.runUntil([&] { return !client.connection->unsent(); }));
      answers = client.take();
      peer.codec.dispatch(answers);
    }
  };
  constexpr size_t kStreams = 64;
  const std::string body(256 * 1024, 'x');
  for (size_t i = 0; i < kStreams; ++i) peer.request("POST", false).sender->sendBody(body, true);
  move();
  ASSERT_EQ(router.exchanges.size(), kStreams);
  uint64_t held = 0;
  for (const auto& exchange : router.exchanges) held += exchange->context->info().bytes_received;
  const H2Options limits;
  EXPECT_GT(held, limits.paused_bytes);
  EXPECT_LE(held, limits.paused_bytes + limits.connection_window);
  for (const auto& exchange : router.exchanges) {
    exchange->context->continueRequest();
    move();
  }
  for (const auto& exchange : router.exchanges) EXPECT_EQ(exchange->body.size(), body.size());
  EXPECT_TRUE(peer.codec.idle());
}

// --- the end ---

TEST_F(ConnectionManagerHttp2Test, IdleForTooLongWhateverIsPinged) {
  Client& client = connectHttp2();
  send(client, h2::get(1));
  EXPECT_EQ(frames(client), kOk1);
  advance(50min);
  send(client, h2::ping("12345678"));
  EXPECT_EQ(frames(client), "PONG 12345678\n");
  EXPECT_TRUE(client.open());
  advance(10min);
  EXPECT_EQ(frames(client), "GOAWAY 1 NO_ERROR idle_timeout{default}\n");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(metrics_.downstream_cx_idle_timeout.value(), 1U);
}

TEST_F(ConnectionManagerHttp2Test, DrainsInTwoSteps) {
  answerByHand();
  Client& client = connectHttp2();
  send(client, h2::get(1));
  client.manager->drain();
  EXPECT_EQ(frames(client), "GOAWAY 2147483647 NO_ERROR\nPING convoydr\n");
  // It was on its way.
  send(client, h2::get(3));
  ASSERT_EQ(router.exchanges.size(), 2U);
  send(client, h2::ping("convoydr", h2::kAck));
  EXPECT_EQ(frames(client), "GOAWAY 3 NO_ERROR\n");
  exchange(0).answer(200, "a");
  run();
  EXPECT_TRUE(client.open());
  exchange(1).answer(200, "b");
  run();
  EXPECT_TRUE(client.ended());
}

TEST_F(ConnectionManagerHttp2Test, AClientThatIsSilentGetsTheLastWordAfterTheDrainTimeout) {
  answerByHand();
  Client& client = connectHttp2();
  send(client, h2::get(1));
  client.manager->drain();
  EXPECT_EQ(frames(client), "GOAWAY 2147483647 NO_ERROR\nPING convoydr\n");
  advance(5s);
  EXPECT_EQ(frames(client), "GOAWAY 1 NO_ERROR\n");
  EXPECT_TRUE(client.open());
  exchange(0).answer(200, "a");
  run();
  EXPECT_TRUE(client.ended());
}

TEST_F(ConnectionManagerHttp2Test, AnIdleConnectionDrainsWhenTheClientAgrees) {
  Client& client = connectHttp2();
  client.manager->drain();
  EXPECT_EQ(frames(client), "GOAWAY 2147483647 NO_ERROR\nPING convoydr\n");
  EXPECT_TRUE(client.open());
  send(client, h2::ping("convoydr", h2::kAck));
  EXPECT_EQ(frames(client), "GOAWAY 0 NO_ERROR\n");
  EXPECT_TRUE(client.ended());
}

TEST_F(ConnectionManagerHttp2Test, EndsAfterItsNumberOfRequests) {
  configure([](ConnectionManagerSpec& spec) { spec.max_requests_per_connection = 2; });
  Client& client = connectHttp2();
  send(client, h2::get(1));
  EXPECT_EQ(frames(client), kOk1);
  send(client, h2::get(3));
  EXPECT_NE(frames(client).find("GOAWAY 2147483647 NO_ERROR\n"), std::string::npos);
  send(client, h2::ping("convoydr", h2::kAck));
  EXPECT_EQ(frames(client), "GOAWAY 3 NO_ERROR\n");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(metrics_.downstream_cx_max_requests_reached.value(), 1U);
}

// The client is told that nobody has looked at it, and sends it elsewhere: it must be so.
TEST_F(ConnectionManagerHttp2Test, ARequestBehindTheLastWordIsNotServedFromTheSameRead) {
  Client& client = connectHttp2();
  client.manager->drain();
  EXPECT_EQ(frames(client), "GOAWAY 2147483647 NO_ERROR\nPING convoydr\n");
  send(client, h2::ping("convoydr", h2::kAck) + h2::post(1) + h2::data(1, "x", h2::kEndStream));
  EXPECT_EQ(frames(client), "GOAWAY 0 NO_ERROR\n");
  EXPECT_TRUE(router.exchanges.empty());
  EXPECT_TRUE(client.ended());
}

// RFC 9113 6.8: what will be served must not grow.
TEST_F(ConnectionManagerHttp2Test, AnErrorBehindTheLastWordDoesNotTakeItBack) {
  Client& client = connectHttp2();
  client.manager->drain();
  EXPECT_EQ(frames(client), "GOAWAY 2147483647 NO_ERROR\nPING convoydr\n");
  const std::string unreadable =
      h2::frame(NGHTTP2_HEADERS, h2::kEndHeaders, 1, "\xff\xff\xff\xff\xff");
  send(client, h2::ping("convoydr", h2::kAck) + unreadable);
  EXPECT_EQ(frames(client), "GOAWAY 0 NO_ERROR\nGOAWAY 0 COMPRESSION_ERROR\n");
}

TEST_F(ConnectionManagerHttp2Test, ARequestBehindTheLastOneIsNotServedFromTheSameRead) {
  answerByHand();
  configure([](ConnectionManagerSpec& spec) {
    spec.max_requests_per_connection = 1;
    spec.drain_timeout = 0s;
  });
  Client& client = connectHttp2();
  send(client, h2::get(1) + h2::get(3));
  EXPECT_EQ(frames(client), "GOAWAY 2147483647 NO_ERROR\nGOAWAY 1 NO_ERROR\n");
  ASSERT_EQ(router.exchanges.size(), 1U);
  exchange(0).answer(200, "a");
  EXPECT_EQ(frames(client), kOk1);
  EXPECT_TRUE(client.ended());
}

TEST_F(ConnectionManagerHttp2Test, DrainsAtItsAge) {
  configure([](ConnectionManagerSpec& spec) {
    spec.max_connection_duration = 1min;
    spec.origins = base::TimerOrigins("envoy.yaml");
    spec.origins.setInFile(base::Timer::ConnectionAge, 9);
  });
  Client& client = connectHttp2();
  advance(1min);
  EXPECT_EQ(frames(client), "GOAWAY 2147483647 NO_ERROR\nPING convoydr\n");
  advance(5s);
  EXPECT_EQ(frames(client), "GOAWAY 0 NO_ERROR max_connection_duration{envoy.yaml:9}\n");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(metrics_.downstream_cx_max_duration_reached.value(), 1U);
}

TEST_F(ConnectionManagerHttp2Test, AClientThatGoesAwayIsLetGo) {
  answerByHand();
  Client& client = connectHttp2();
  send(client, h2::get(1) + h2::goAway(0, NGHTTP2_NO_ERROR));
  EXPECT_TRUE(client.open());
  exchange(0).answer(200, "a");
  EXPECT_EQ(frames(client), kOk1);
  EXPECT_TRUE(client.ended());
}

// The window is open, the connection is full: it takes a hundred bytes every four minutes.
TEST_F(ConnectionManagerHttp2Test, AResponseThatTheClientTakesSlowlyIsNotGivenUp) {
  pipe_ = {.pipe_bytes = 1000, .max_read_bytes = 100};
  buffer_limit_ = 10'000;
  configure();
  answerByHand();
  Client& client = connectHttp2({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 24}});
  client.connection->pauseReading();
  send(client, h2::windowUpdate(0, 1 << 24) + h2::get(1));
  exchange(0).answer(200, std::string(100'000, 'x'));
  run();
  ASSERT_TRUE(exchange(0).over);
  for (int i = 0; i < 10; ++i) {
    const size_t before = client.on.received.size();
    client.connection->resumeReading();
    ASSERT_TRUE(test_loop_.runUntil([&] { return client.on.received.size() > before; }));
    client.connection->pauseReading();
    advance(4min);
  }
  const auto& given_up = slot_->current->h2_metrics->tx_flush_timeout;
  EXPECT_EQ(given_up.value(), 0U);
  for (int i = 0; i < 3; ++i) advance(5min);
  EXPECT_EQ(given_up.value(), 1U);
}

TEST_F(ConnectionManagerHttp2Test, AResponseThatTheClientDoesNotTakeIsGivenUpInTheEnd) {
  Client& client = connectHttp2({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  send(client, h2::get(1));
  EXPECT_EQ(frames(client), "HEADERS 1 :status=200 server=convoy content-length=1\n");
  EXPECT_TRUE(exchange(0).over) << "all that it said is with the codec";
  advance(5min);
  EXPECT_EQ(frames(client), "") << "first it is looked at";
  advance(5min);
  EXPECT_EQ(frames(client), "RST_STREAM 1 CANCEL\n");
  EXPECT_EQ(slot_->current->h2_metrics->tx_flush_timeout.value(), 1U);
  EXPECT_TRUE(client.open());
}

TEST_F(ConnectionManagerHttp2Test, TheLastResponseIsSentBeforeADrainedConnectionCloses) {
  Client& client = connectHttp2({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  send(client, h2::get(1));
  EXPECT_EQ(frames(client), "HEADERS 1 :status=200 server=convoy content-length=1\n");
  client.manager->drain();
  send(client, h2::ping("convoydr", h2::kAck));
  advance(1min);
  EXPECT_TRUE(client.open());
  send(client, h2::windowUpdate(1, 100));
  EXPECT_NE(frames(client).find("DATA 1 1 end\n"), std::string::npos);
  EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace convoy::http
