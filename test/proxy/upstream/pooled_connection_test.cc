#include "proxy/upstream/pooled_connection.h"

#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using http::Failure;
using test::Peer;
using test::TestRequest;
using namespace std::chrono_literals;

class PooledConnectionTest : public test::UpstreamTest {
 protected:
  // A request whose connection has served one before.
  void sendOnUsedConnection(TestRequest& request) {
    TestRequest before;
    send(before);
    answer(*io_.peers.back());
    send(request);
    io_.peers.back()->take();
  }
  uint32_t open() { return static_cast<uint32_t>(metrics().upstream_cx_active.value()); }
};

// --- the upstream ends it ---

TEST_F(PooledConnectionTest, ClosedWhileIdleLeavesWithoutAWord) {
  makeCluster();
  TestRequest request;
  send(request);
  answer(peer(0));
  peer(0).connection->close(net::CloseMode::Flush);
  run();
  EXPECT_EQ(counts(request.host).idle, 0u);
  EXPECT_EQ(request.reset, std::nullopt);
  EXPECT_EQ(metrics().upstream_cx_destroy_remote.value(), 1u);
  EXPECT_EQ(metrics().upstream_cx_destroy_with_active_rq.value(), 0u);
  TestRequest next;
  send(next);
  EXPECT_EQ(io_.peers.size(), 2u);
  EXPECT_EQ(next.streams_before, 0u);
}

TEST_F(PooledConnectionTest, ResetWhileIdleLeavesWithoutAWord) {
  makeCluster();
  TestRequest request;
  send(request);
  answer(peer(0));
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(counts(request.host).idle, 0u);
  EXPECT_EQ(open(), 0u);
}

struct EndCase {
  const char* name;
  const char* bytes;  // sent before the end
  net::CloseMode mode;
  Failure failure;
  bool bytes_received;
};

TEST_F(PooledConnectionTest, EndsUnderARequest) {
  const EndCase cases[] = {
      {"before any byte", "", net::CloseMode::Flush, Failure::UpstreamReset, false},
      {"reset before any byte", "", net::CloseMode::Reset, Failure::UpstreamReset, false},
      {"inside the head", "HTTP/1.1 200 OK\r\nContent-", net::CloseMode::Flush,
       Failure::UpstreamReset, true},
      {"after a 1xx", "HTTP/1.1 103 Early Hints\r\n\r\n", net::CloseMode::Flush,
       Failure::UpstreamReset, true},
      {"inside the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", net::CloseMode::Flush,
       Failure::UpstreamAbortedBody, true},
      {"reset inside the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
       net::CloseMode::Reset, Failure::UpstreamAbortedBody, true},
  };
  makeCluster();
  for (const EndCase& c : cases) {
    TestRequest request;
    sendOnUsedConnection(request);
    EXPECT_EQ(request.streams_before, 1u) << c.name;
    if (*c.bytes != 0) io_.peers.back()->send(c.bytes);
    run();
    io_.peers.back()->connection->close(c.mode);
    run();
    EXPECT_EQ(request.reset, c.failure) << c.name;
    EXPECT_EQ(request.bytes_received, c.bytes_received) << c.name;
    EXPECT_EQ(request.ends, 0) << c.name;
    EXPECT_EQ(open(), 0u) << c.name;
    EXPECT_EQ(metrics().upstream_rq_active.value(), 0) << c.name;
  }
  EXPECT_EQ(metrics().upstream_rq_rx_reset.value(), std::size(cases));
  EXPECT_EQ(metrics().upstream_cx_destroy_remote_with_active_rq.value(), std::size(cases));
}

TEST_F(PooledConnectionTest, ABodyThatEndsWithTheConnectionIsComplete) {
  makeCluster();
  TestRequest request;
  send(request);
  peer(0).send("HTTP/1.1 200 OK\r\n\r\nall of it");
  run();
  EXPECT_EQ(request.ends, 0);
  peer(0).connection->close(net::CloseMode::Flush);
  run();
  EXPECT_EQ(request.body, "all of it");
  EXPECT_EQ(request.ends, 1);
  EXPECT_EQ(request.reset, std::nullopt);
  EXPECT_EQ(open(), 0u);
  EXPECT_EQ(metrics().upstream_rq_rx_reset.value(), 0u);
}

TEST_F(PooledConnectionTest, ClosesAfterAResponseThatSaysSo) {
  makeCluster();
  TestRequest request;
  send(request);
  peer(0).send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nha");
  run();
  EXPECT_EQ(counts(request.host).busy, 1u);
  peer(0).send("lf");
  run();
  EXPECT_EQ(request.ends, 1);
  EXPECT_EQ(open(), 0u);
  EXPECT_TRUE(peer(0).handler.ended);
  EXPECT_EQ(metrics().upstream_cx_destroy_local.value(), 1u);
  EXPECT_EQ(metrics().upstream_cx_destroy_with_active_rq.value(), 0u);
}

struct BadCase {
  const char* name;
  const char* bytes;
};

TEST_F(PooledConnectionTest, AnUpstreamThatBreaksTheProtocolIsLeft) {
  const BadCase cases[] = {
      {"no status line", "nonsense\r\n\r\n"},
      {"a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"},
      {"101 unasked", "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
      {"a chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
  };
  makeCluster();
  uint64_t seen = 0;
  for (const BadCase& c : cases) {
    TestRequest request;
    send(request);
    io_.peers.back()->send(c.bytes);
    run();
    EXPECT_EQ(request.reset, Failure::UpstreamProtocolError) << c.name;
    EXPECT_TRUE(request.bytes_received) << c.name;
    EXPECT_EQ(metrics().upstream_cx_protocol_error.value(), ++seen) << c.name;
    EXPECT_EQ(open(), 0u) << c.name;
  }
}

TEST_F(PooledConnectionTest, BytesThatNobodyAskedForEndAnIdleConnection) {
  makeCluster();
  TestRequest request;
  send(request);
  answer(peer(0));
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  run();
  EXPECT_EQ(open(), 0u);
  EXPECT_EQ(metrics().upstream_cx_protocol_error.value(), 1u);
}

TEST_F(PooledConnectionTest, BytesBehindTheResponseReachNobody) {
  makeCluster();
  TestRequest request;
  send(request);
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
  run();
  EXPECT_EQ(request.ends, 1);
  EXPECT_EQ(open(), 0u) << "the next request must never get another's bytes";
}

// --- the caller ends it ---

TEST_F(PooledConnectionTest, ARequestGivenUpClosesItsConnection) {
  makeCluster();
  TestRequest request;
  send(request);
  request.giveUp();
  EXPECT_EQ(open(), 0u);
  EXPECT_EQ(metrics().upstream_rq_tx_reset.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
  run();
  EXPECT_TRUE(peer(0).handler.ended || peer(0).handler.closed.has_value());
  EXPECT_EQ(request.reset, std::nullopt) << "who gives up hears nothing more";
}

TEST_F(PooledConnectionTest, AReadyRequestMayBeGivenUpInItsCallback) {
  makeCluster();
  TestRequest request;
  request.when_ready = [&] { request.giveUp(); };
  send(request);
  EXPECT_EQ(open(), 0u);
  TestRequest other;
  send(other);
  EXPECT_NE(other.sender, nullptr);
}

TEST_F(PooledConnectionTest, ARequestMayBeGivenUpInsideItsResponse) {
  makeCluster();
  TestRequest request;
  send(request);
  request.when_head = [&] { request.giveUp(); };
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  run();
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(open(), 0u);
}

TEST_F(PooledConnectionTest, AResetMayBeAnsweredByAnotherRequest) {
  makeCluster();
  TestRequest request;
  TestRequest again;
  sendOnUsedConnection(request);
  request.when_reset = [&] { again.start(cluster()); };
  peer(0).connection->close(net::CloseMode::Flush);
  run();
  EXPECT_EQ(request.reset, Failure::UpstreamReset);
  ASSERT_NE(again.sender, nullptr);
  EXPECT_EQ(again.streams_before, 0u);
  answer(peer(1));
  EXPECT_EQ(again.status, 200);
}

TEST_F(PooledConnectionTest, AResponseBeforeTheRequestsEndLeavesNoReuse) {
  makeCluster();
  TestRequest request;
  request.when_ready = [&] { request.sendPostHead(); };
  request.keep_sender = true;
  send(request);
  answer(peer(0), "no need");
  EXPECT_EQ(request.ends, 1);
  EXPECT_EQ(counts(request.host).busy, 1u) << "the request goes on";
  request.sender->sendBody("rest", /*end_of_stream=*/true);
  request.sender = nullptr;
  EXPECT_EQ(open(), 0u);
  EXPECT_EQ(metrics().upstream_rq_tx_reset.value(), 0u);
}

TEST_F(PooledConnectionTest, SendsBodiesAndTrailers) {
  makeCluster();
  TestRequest request;
  request.when_ready = [&] { request.sendPostHead(); };
  request.keep_sender = true;
  send(request);
  request.sender->sendBody("abc", /*end_of_stream=*/false);
  http::HeaderList trailers;
  trailers.add("x-sum", "1");
  request.sender->sendTrailers(trailers);
  run();
  const std::string sent = peer(0).take();
  EXPECT_NE(sent.find("3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"), std::string::npos) << sent;
  peer(0).send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\na: b\r\n\r\n");
  run();
  request.sender = nullptr;
  EXPECT_EQ(request.body, "hi");
  EXPECT_EQ(request.trailer_count, 1u);
  EXPECT_EQ(counts(request.host).idle, 1u);
}

TEST_F(PooledConnectionTest, AnInformationalResponseIsPassedOn) {
  makeCluster();
  TestRequest request;
  send(request);
  peer(0).send("HTTP/1.1 103 Early Hints\r\n\r\n");
  answer(peer(0));
  EXPECT_EQ(request.informational, std::vector<int>{103});
  EXPECT_EQ(request.status, 200);
}

// --- time ---

TEST_F(PooledConnectionTest, ClosesWhatIsIdleForTooLong) {
  auto spec = clusterSpec();
  spec->idle_timeout = 10s;
  makeCluster(spec);
  TestRequest request;
  send(request);
  answer(peer(0));
  clock_.advance(9s);
  TestRequest second;
  send(second);
  clock_.advance(30s);
  run();
  EXPECT_EQ(open(), 1u) << "a request is no idleness";
  answer(peer(0));
  clock_.advance(9s);
  EXPECT_EQ(open(), 1u);
  clock_.advance(2s);
  EXPECT_EQ(open(), 0u);
  EXPECT_EQ(metrics().upstream_cx_idle_timeout.value(), 1u);
  run();
  EXPECT_TRUE(peer(0).handler.ended);
}

TEST_F(PooledConnectionTest, AnHourUnlessSaidOtherwise) {
  makeCluster();
  TestRequest request;
  send(request);
  answer(peer(0));
  clock_.advance(59min);
  EXPECT_EQ(open(), 1u);
  clock_.advance(2min);
  EXPECT_EQ(open(), 0u);
}

TEST_F(PooledConnectionTest, ZeroMeansForEver) {
  auto spec = clusterSpec();
  spec->idle_timeout = 0ms;
  makeCluster(spec);
  TestRequest request;
  send(request);
  answer(peer(0));
  clock_.advance(1000h);
  EXPECT_EQ(open(), 1u);
}

TEST_F(PooledConnectionTest, AnOldConnectionGoesWhenItIsIdle) {
  auto spec = clusterSpec();
  spec->max_connection_duration = 60s;
  makeCluster(spec);
  TestRequest request;
  send(request);
  answer(peer(0));
  clock_.advance(61s);
  EXPECT_EQ(open(), 0u);
  EXPECT_EQ(metrics().upstream_cx_max_duration_reached.value(), 1u);
}

TEST_F(PooledConnectionTest, AnOldConnectionFinishesItsRequest) {
  auto spec = clusterSpec();
  spec->max_connection_duration = 60s;
  makeCluster(spec);
  TestRequest request;
  send(request);
  clock_.advance(61s);
  EXPECT_EQ(open(), 1u);
  TestRequest other;
  send(other);
  EXPECT_EQ(io_.peers.size(), 2u);
  answer(peer(0), "late");
  EXPECT_EQ(request.body, "late");
  EXPECT_EQ(open(), 1u) << "the other's";
}

TEST_F(PooledConnectionTest, CarriesSoManyRequestsAndNoMore) {
  auto spec = clusterSpec();
  spec->max_requests_per_connection = 2;
  makeCluster(spec);
  for (int i = 0; i < 6; ++i) {
    TestRequest request;
    send(request);
    EXPECT_EQ(request.streams_before, static_cast<uint64_t>(i % 2));
    answer(*io_.peers.back());
    EXPECT_EQ(request.status, 200);
  }
  EXPECT_EQ(io_.peers.size(), 3u);
  EXPECT_EQ(metrics().upstream_cx_max_requests.value(), 3u);
  EXPECT_EQ(open(), 0u);
}

TEST_F(PooledConnectionTest, RecordsHowLongAConnectTook) {
  makeCluster();
  TestRequest request;
  request.start(cluster());
  clock_.advance(70ms);
  run();
  EXPECT_EQ(metrics().upstream_cx_connect_ms.count(), 1u);
  EXPECT_EQ(metrics().upstream_cx_connect_ms.sum(), 70'000u);
}

// --- back-pressure ---

TEST_F(PooledConnectionTest, ASlowUpstreamStopsItsRequest) {
  auto spec = clusterSpec();
  spec->per_connection_buffer_limit_bytes = 64 * 1024;
  makeCluster(spec);
  io_.options.pipe_bytes = 16 * 1024;
  TestRequest request;
  request.when_ready = [&] { request.sendPostHead(); };
  send(request);
  peer(0).connection->pauseReading();
  const std::string block(32 * 1024, 'x');
  for (int i = 0; i < 4; ++i) request.sender->sendBody(block, /*end_of_stream=*/false);
  run();
  EXPECT_EQ(request.above_high, 1);
  EXPECT_EQ(request.below_low, 0);
  peer(0).connection->resumeReading();
  EXPECT_TRUE(loop_.runUntil([&] { return request.below_low == 1; }));
  EXPECT_EQ(request.above_high, 1);
  EXPECT_EQ(metrics().upstream_flow_control_backed_up_total.value(), 1u);
  EXPECT_EQ(metrics().upstream_flow_control_drained_total.value(), 1u);
}

// The server answers and does not read: what is left of the request would be in the next one's way.
TEST_F(PooledConnectionTest, AResponseBeforeTheRequestHasLeftLeavesNoReuse) {
  makeCluster();
  io_.options.pipe_bytes = 16 * 1024;
  TestRequest first;
  first.when_ready = [&] { first.sendPostHead(); };
  send(first);
  peer(0).connection->pauseReading();
  first.sender->sendBody(std::string(128 * 1024, 'x'), /*end_of_stream=*/true);
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  run();
  ASSERT_EQ(first.ends, 1);
  EXPECT_EQ(open(), 0u);
  TestRequest second;
  send(second);
  ASSERT_EQ(io_.peers.size(), 2u);
  answer(peer(1));
  EXPECT_EQ(second.status, 200);
}

TEST_F(PooledConnectionTest, ASlowClientStopsTheUpstream) {
  makeCluster();
  io_.options.pipe_bytes = 16 * 1024;
  TestRequest request;
  send(request);
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
  run();
  request.sender->pauseReceiving();
  peer(0).send(std::string(100'000, 'y'));
  run();
  EXPECT_LT(request.body.size(), 100'000u);
  EXPECT_EQ(metrics().upstream_flow_control_paused_reading_total.value(), 1u);
  request.sender->resumeReceiving();
  EXPECT_TRUE(loop_.runUntil([&] { return request.ends == 1; }));
  EXPECT_EQ(request.body.size(), 100'000u);
  EXPECT_EQ(metrics().upstream_flow_control_resumed_reading_total.value(), 1u);
  EXPECT_EQ(counts(request.host).idle, 1u);
}

TEST_F(PooledConnectionTest, APauseDoesNotOutliveItsRequest) {
  makeCluster();
  TestRequest request;
  send(request);
  request.when_head = [&] { request.info = nullptr; };
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  run();
  request.sender->pauseReceiving();
  request.giveUp();
  TestRequest next;
  send(next);
  answer(*io_.peers.back());
  EXPECT_EQ(next.status, 200);
}

// --- the rest ---

TEST_F(PooledConnectionTest, BindsToTheConfiguredAddress) {
  auto spec = clusterSpec();
  spec->bind_to = net::Address::parse("127.0.0.9:0").value();
  makeCluster(spec);
  TestRequest request;
  send(request);
  EXPECT_EQ(io_.last_bind_to, spec->bind_to);
}

TEST_F(PooledConnectionTest, TellsAboutItself) {
  makeCluster();
  TestRequest request;
  send(request);
  ASSERT_NE(request.info, nullptr);
  EXPECT_EQ(request.info->remoteAddress(), address(1));
  EXPECT_EQ(request.info->localAddress(), peer(0).connection->remoteAddress());
  EXPECT_FALSE(request.info->bytesReceived());
  peer(0).send("HTTP/1.1 ");
  run();
  EXPECT_TRUE(request.info->bytesReceived());
  EXPECT_EQ(metrics().upstream_cx_rx_bytes_total.value(), 9u);
}

// --- connections that carry several streams ---

// A codec of many streams at once: a response is the text "N:end" of the stream with number N.
class ManyStreams final : public http::ClientCodec {
 public:
  explicit ManyStreams(http::ClientCodecHandler& handler) : handler_(handler) {}

  struct Stream final : http::RequestSender {
    void sendHead(const http::RequestHead&, bool) override {}
    void sendBody(std::string_view, bool) override {}
    void sendTrailers(const http::HeaderList&) override {}
    uint64_t taken() override { return 0; }
    void reset(Failure) override { receiver = nullptr; }
    void pauseReceiving() override {}
    void resumeReceiving() override {}
    http::ResponseReceiver* receiver = nullptr;
  };

  http::RequestSender& newStream(http::ResponseReceiver& receiver) override {
    streams_.push_back(std::make_unique<Stream>());
    streams_.back()->receiver = &receiver;
    return *streams_.back();
  }
  void dispatch(std::string_view bytes) override {
    for (const char c : bytes) {
      Stream& stream = *streams_.at(static_cast<size_t>(c - '0'));
      if (stream.receiver == nullptr) continue;
      http::ResponseReceiver& receiver = *std::exchange(stream.receiver, nullptr);
      http::ResponseHead head;
      head.status = 200;
      receiver.onResponseHead(head, /*end_of_stream=*/true);
      handler_.onStreamComplete(stream);
    }
  }
  void onEndOfStream() override { onConnectionLost(Failure::UpstreamReset); }
  void onConnectionLost(Failure why) override {
    for (const auto& stream : streams_) {
      if (stream->receiver != nullptr) {
        std::exchange(stream->receiver, nullptr)->onResponseReset(why);
      }
    }
  }
  bool mustClose() const override { return false; }
  bool idle() const override {
    for (const auto& stream : streams_) {
      if (stream->receiver != nullptr) return false;
    }
    return true;
  }
  void onOutputAboveHigh() override {}
  void onOutputBelowLow() override {}
  http::Protocol protocol() const override { return http::Protocol::Http2; }
  void goAway() { handler_.onGoAway(); }

 private:
  http::ClientCodecHandler& handler_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

class ManyStreamsTest : public PooledConnectionTest {
 protected:
  ManyStreamsTest() {
    io_.make_codec = [this](http::ClientCodecHandler& handler) {
      auto codec = std::make_unique<ManyStreams>(handler);
      codec_ = codec.get();
      return UpstreamCodec{.codec = std::move(codec), .max_streams = 2};
    };
  }
  void makeCluster() {
    auto spec = clusterSpec();
    spec->protocol = UpstreamProtocol::Http2;
    spec->http2.max_concurrent_streams = 2;
    PooledConnectionTest::makeCluster(spec);
  }
  // Requests without a request: the codec sends nothing.
  void begin(TestRequest& request) {
    request.send_at_once = false;
    request.start(cluster());
  }
  ManyStreams* codec_ = nullptr;  // of the connection made last
};

TEST_F(ManyStreamsTest, FillsAConnectionBeforeItOpensAnother) {
  makeCluster();
  TestRequest requests[4];
  begin(requests[0]);
  begin(requests[1]);
  EXPECT_EQ(counts(requests[0].host).connecting, 1u) << "one for both";
  begin(requests[2]);
  EXPECT_EQ(counts(requests[0].host).connecting, 2u);
  run();
  EXPECT_EQ(counts(requests[0].host).busy, 2u);
  EXPECT_EQ(counts(requests[0].host).pending, 0u);
  begin(requests[3]);
  EXPECT_FALSE(requests[3].waiting()) << "the second connection has room";
  EXPECT_EQ(io_.peers.size(), 2u);
}

TEST_F(ManyStreamsTest, StreamsEndOneByOne) {
  makeCluster();
  TestRequest requests[3];
  for (TestRequest& request : requests) begin(request);
  run();
  // The connection with two streams is the one that the first two went to.
  Peer& full =
      requests[0].info->localAddress() == peer(0).connection->remoteAddress() ? peer(0) : peer(1);
  full.send("1");
  run();
  EXPECT_EQ(counts(requests[0].host).idle, 0u) << "the other stream runs on";
  full.send("0");
  run();
  EXPECT_EQ(counts(requests[0].host).idle, 1u);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 1);
}

TEST_F(ManyStreamsTest, AStreamGivenUpLeavesItsConnectionToTheOthers) {
  makeCluster();
  TestRequest first;
  TestRequest second;
  begin(first);
  begin(second);
  run();
  first.giveUp();
  EXPECT_EQ(open(), 1u);
  TestRequest third;
  begin(third);
  EXPECT_FALSE(third.waiting()) << "its place is free";
  peer(0).send("1");
  run();
  EXPECT_EQ(second.status, 200);
}

TEST_F(ManyStreamsTest, GoesAwayAfterTheLastStream) {
  makeCluster();
  TestRequest first;
  TestRequest second;
  begin(first);
  run();
  codec_->goAway();
  begin(second);
  EXPECT_TRUE(second.waiting()) << "not there";
  run();
  EXPECT_EQ(io_.peers.size(), 2u);
  peer(0).send("0");
  run();
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(open(), 1u);
}

TEST_F(ManyStreamsTest, AllStreamsHearOfTheLoss) {
  makeCluster();
  TestRequest first;
  TestRequest second;
  begin(first);
  begin(second);
  run();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(first.reset, Failure::UpstreamReset);
  EXPECT_EQ(second.reset, Failure::UpstreamReset);
  EXPECT_EQ(metrics().upstream_rq_rx_reset.value(), 2u);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
}

}  // namespace
}  // namespace convoy::upstream
