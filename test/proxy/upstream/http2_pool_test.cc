// Pools whose connections speak HTTP/2: how many streams they carry, and where requests go when one
// of them takes no more.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "test/proxy/http/h2_frames.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

namespace h2 = http::h2;
using http::Failure;
using namespace std::chrono_literals;
using test::Peer;
using test::TestRequest;

class Http2PoolTest : public test::UpstreamTest {
 public:
  using test::UpstreamTest::peer;

 protected:
  void makeHttp2(int hosts = 1) {
    auto spec = clusterSpec();
    spec->protocol = UpstreamProtocol::Http2;
    makeCluster(spec, hosts);
  }
  // What the upstream has received since it was asked last.
  std::string frames(size_t index) {
    run();
    return readers_[index].read(peer(index).take());
  }
  void giveUpFourAsTheyBegin(uint32_t streams);
  void say(size_t index, const std::string& bytes) {
    peer(index).send(bytes);
    run();
  }
  void settle(size_t index, uint32_t streams) {
    say(index, h2::settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams}}));
  }
  void answer(size_t index, uint32_t id) {
    say(index, h2::headers(id, {{":status", "200"}}, h2::kEndStream));
  }

 private:
  std::map<size_t, h2::FrameReader> readers_;
};

constexpr std::string_view kGet = " end :method=GET :scheme=http :path=/ :authority=upstream\n";

TEST_F(Http2PoolTest, CarriesRequestsSideBySide) {
  makeHttp2();
  TestRequest requests[3];
  for (TestRequest& request : requests) send(request);
  settle(0, 100);
  EXPECT_EQ(io_.peers.size(), 1U);
  EXPECT_EQ(frames(0), "HEADERS 1" + std::string(kGet) + "HEADERS 3" + std::string(kGet) +
                           "HEADERS 5" + std::string(kGet));
  answer(0, 3);
  EXPECT_EQ(requests[1].status, 200);
  EXPECT_EQ(requests[1].ends, 1);
  EXPECT_EQ(requests[0].status, 0);
  say(0, h2::rstStream(1, NGHTTP2_INTERNAL_ERROR));
  EXPECT_EQ(requests[0].reset, Failure::UpstreamReset);
  answer(0, 5);
  EXPECT_EQ(requests[2].status, 200);
  EXPECT_EQ(counts(requests[2].host).idle, 1U);
  EXPECT_EQ(metrics().upstream_cx_http2_total.value(), 1U);
  EXPECT_EQ(metrics().upstream_cx_http1_total.value(), 0U);
  EXPECT_EQ(metrics().upstream_rq_rx_reset.value(), 1U);
  EXPECT_EQ(metrics().http2.rx_reset.value(), 1U);
  EXPECT_EQ(metrics().http2.streams_active.value(), 0);
}

TEST_F(Http2PoolTest, OpensAnotherConnectionWhenStreamsRunOut) {
  makeHttp2();
  TestRequest requests[4];
  send(requests[0]);
  settle(0, 2);
  for (int i = 1; i < 4; ++i) send(requests[i]);
  EXPECT_EQ(io_.peers.size(), 2U) << "the second one is thought to carry two as well";
  settle(1, 2);
  EXPECT_EQ(counts(requests[0].host).busy, 2U);
  answer(0, 1);
  answer(0, 3);
  answer(1, 1);
  answer(1, 3);
  for (const TestRequest& request : requests) EXPECT_EQ(request.status, 200);
}

// What goes beyond the limit would wait in the codec, though another connection has room.
TEST_F(Http2PoolTest, NothingIsSentBeforeTheUpstreamHasSaidHowMuchItTakes) {
  makeHttp2();
  TestRequest requests[3];
  for (TestRequest& request : requests) send(request);
  EXPECT_EQ(frames(0), "");
  EXPECT_EQ(io_.peers.size(), 1U) << "it is thought to carry them all";
  settle(0, 1);
  EXPECT_EQ(frames(0), "HEADERS 1" + std::string(kGet));
  EXPECT_EQ(io_.peers.size(), 3U) << "they are thought to carry one as well";
  settle(1, 2);
  EXPECT_EQ(frames(1), "HEADERS 1" + std::string(kGet) + "HEADERS 3" + std::string(kGet));
  settle(2, 1);
  EXPECT_EQ(frames(2), "");
  answer(0, 1);
  answer(1, 1);
  answer(1, 3);
  for (const TestRequest& request : requests) EXPECT_EQ(request.status, 200);
}

TEST_F(Http2PoolTest, AnUpstreamThatDoesNotSayItIsNotThere) {
  struct Case {
    std::string says;
    bool ends;
    Failure failure;
  };
  const Case cases[] = {
      {"", false, Failure::UpstreamConnectTimeout},
      {h2::settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0}}), false,
       Failure::UpstreamConnectTimeout},
      {"", true, Failure::UpstreamConnectFailure},
      {h2::settings({}) + h2::goAway(0, NGHTTP2_NO_ERROR), false, Failure::UpstreamConnectFailure},
      {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", false,
       Failure::UpstreamProtocolError},
  };
  makeHttp2();
  for (size_t i = 0; i < std::size(cases); ++i) {
    TestRequest request;
    send(request);
    if (!cases[i].says.empty()) say(i, cases[i].says);
    if (cases[i].ends) peer(i).connection->close(net::CloseMode::Flush);
    run();
    clock_.advance(std::chrono::seconds(5));
    run();
    EXPECT_EQ(request.failed, cases[i].failure) << i;
    EXPECT_EQ(metrics().upstream_cx_connect_fail.value(), i + 1);
    EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
  }
}

// As a Convoy says it that drains and still takes connections.
TEST_F(Http2PoolTest, AnUpstreamThatGoesAwayAtOnceHasNotFailed) {
  makeHttp2();
  TestRequest requests[2];
  for (TestRequest& request : requests) send(request);
  say(0, h2::settings({}) + h2::goAway(INT32_MAX, NGHTTP2_NO_ERROR));
  for (const TestRequest& request : requests) {
    EXPECT_EQ(request.failed, Failure::UpstreamRefusedStream);
  }
  EXPECT_EQ(metrics().upstream_cx_connect_fail.value(), 0U);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
}

TEST_F(Http2PoolTest, AnUpstreamThatTakesNoMoreStreamsForNowGetsAnotherConnection) {
  makeHttp2();
  TestRequest requests[2];
  send(requests[0]);
  settle(0, 100);
  settle(0, 0);
  send(requests[1]);
  ASSERT_EQ(io_.peers.size(), 2U);
  settle(1, 0);
  EXPECT_TRUE(requests[1].waiting());
  settle(1, 1);
  answer(0, 1);
  answer(1, 1);
  for (const TestRequest& request : requests) EXPECT_EQ(request.status, 200);
}

TEST_F(Http2PoolTest, ANewConnectionIsThoughtToCarryAsManyAsTheLastOne) {
  makeHttp2();
  TestRequest requests[5];
  send(requests[0]);
  settle(0, 2);
  for (int i = 1; i < 5; ++i) send(requests[i]);
  EXPECT_EQ(io_.peers.size(), 3U);
  settle(1, 2);
  EXPECT_EQ(frames(1), "HEADERS 1" + std::string(kGet) + "HEADERS 3" + std::string(kGet));
  settle(2, 5);
  EXPECT_EQ(frames(2), "HEADERS 1" + std::string(kGet));
  TestRequest more[4];
  for (TestRequest& request : more) send(request);
  EXPECT_EQ(io_.peers.size(), 3U);
  for (size_t connection = 0; connection < 2; ++connection) {
    answer(connection, 1);
    answer(connection, 3);
  }
  for (uint32_t id = 1; id < 10; id += 2) answer(2, id);
  for (const TestRequest& request : requests) EXPECT_EQ(request.status, 200);
  for (const TestRequest& request : more) EXPECT_EQ(request.status, 200);
}

TEST_F(Http2PoolTest, ALimitMayComeDownAndGoUp) {
  makeHttp2();
  TestRequest requests[4];
  for (int i = 0; i < 3; ++i) send(requests[i]);
  settle(0, 3);
  settle(0, 1);
  EXPECT_EQ(counts(requests[0].host).busy, 1U);
  answer(0, 1);
  answer(0, 3);
  send(requests[3]);
  EXPECT_EQ(io_.peers.size(), 2U) << "the first one is full";
  settle(0, 2);
  TestRequest another;
  send(another);
  EXPECT_EQ(io_.peers.size(), 2U);
  answer(0, 5);
  answer(0, 7);
  EXPECT_EQ(requests[3].status, 200) << "what waited for the second one";
  answer(0, 9);
  EXPECT_EQ(another.status, 200);
  settle(1, 2);
  EXPECT_EQ(frames(1), "");
}

TEST_F(Http2PoolTest, AnUpstreamThatGoesAwayFinishesWhatItHas) {
  makeHttp2();
  TestRequest requests[3];
  send(requests[0]);
  settle(0, 100);
  say(0, h2::goAway(1, NGHTTP2_NO_ERROR));
  send(requests[1]);
  EXPECT_EQ(io_.peers.size(), 2U);
  answer(0, 1);
  EXPECT_EQ(requests[0].status, 200);
  EXPECT_TRUE(peer(0).handler.ended || peer(0).handler.closed.has_value());
  settle(1, 100);
  answer(1, 1);
  // One that is idle is closed at once.
  say(1, h2::goAway(1, NGHTTP2_NO_ERROR));
  EXPECT_EQ(counts(requests[1].host).idle, 0U);
}

TEST_F(Http2PoolTest, WhatTheUpstreamHasNotLookedAtIsRefused) {
  makeHttp2();
  TestRequest requests[2];
  for (TestRequest& request : requests) send(request);
  settle(0, 100);
  TestRequest again;
  requests[1].when_reset = [&] { again.start(cluster()); };
  say(0, h2::goAway(1, NGHTTP2_NO_ERROR));
  EXPECT_EQ(requests[1].reset, Failure::UpstreamRefusedStream);
  EXPECT_EQ(io_.peers.size(), 2U) << "not to the one that goes";
  answer(0, 1);
  EXPECT_EQ(requests[0].status, 200);
  settle(1, 100);
  answer(1, 1);
  EXPECT_EQ(again.status, 200);
}

TEST_F(Http2PoolTest, WhatIsTriedAgainDoesNotGoToTheConnectionThatIsLost) {
  struct Case {
    const char* name;
    std::function<void(Http2PoolTest&)> lose;
    Failure failure;
  };
  const Case cases[] = {
      {"closed", [](Http2PoolTest& t) { t.peer(0).connection->close(net::CloseMode::Flush); },
       Failure::UpstreamReset},
      {"reset", [](Http2PoolTest& t) { t.peer(0).connection->close(net::CloseMode::Reset); },
       Failure::UpstreamReset},
      {"broken", [](Http2PoolTest& t) { t.peer(0).send(h2::data(0, "x")); },
       Failure::UpstreamProtocolError},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    io_.peers.clear();
    makeHttp2();
    TestRequest requests[2];
    for (TestRequest& request : requests) send(request);
    settle(0, 100);
    TestRequest again;
    requests[0].when_reset = [&] { again.start(cluster()); };
    c.lose(*this);
    run();
    EXPECT_EQ(requests[0].reset, c.failure);
    EXPECT_EQ(requests[1].reset, c.failure);
    ASSERT_EQ(io_.peers.size(), 2U);
    settle(1, 100);
    answer(1, 1);
    EXPECT_EQ(again.status, 200);
    apply({.removed = {"web"}});
  }
}

// One that always has a stream would never be idle.
TEST_F(Http2PoolTest, AConnectionThatAnotherHostNeedsTakesNoMoreStreams) {
  auto spec = clusterSpec();
  spec->protocol = UpstreamProtocol::Http2;
  spec->breakers.max_connections = 1;
  makeCluster(spec, 2);
  TestRequest one, other, two, third;
  send(one);
  settle(0, 100);
  send(other);
  send(two);
  EXPECT_NE(two.sender, nullptr);
  EXPECT_TRUE(other.waiting()) << "its host has none";
  answer(0, 1);
  EXPECT_EQ(counts(two.host).busy, 1U);
  send(third);
  answer(0, 3);
  EXPECT_EQ(two.status, 200);
  ASSERT_EQ(io_.peers.size(), 2U);
  EXPECT_EQ(cluster().breakers().connections.used(), 1U);
  settle(1, 100);
  EXPECT_NE(other.sender, nullptr);
  EXPECT_EQ(&third.host.host(), &other.host.host());
  answer(1, 1);
  answer(1, 3);
  EXPECT_EQ(third.status, 200);
}

// What came meanwhile was another stream's: whoever waits still may be sent again.
TEST_F(Http2PoolTest, StreamsOfALostConnectionHaveGotNothing) {
  for (const bool half : {true, false}) {
    makeHttp2();
    const size_t index = io_.peers.size();
    TestRequest requests[3];
    for (TestRequest& request : requests) send(request);
    settle(index, 100);
    answer(index, 3);
    EXPECT_EQ(requests[1].status, 200);
    say(index, h2::rstStream(5, NGHTTP2_INTERNAL_ERROR));
    EXPECT_EQ(requests[2].reset, Failure::UpstreamReset);
    EXPECT_TRUE(requests[2].bytes_received) << "the host has said something about it";
    half ? peer(index).connection->endSending()
         : peer(index).connection->close(net::CloseMode::Now);
    run();
    EXPECT_EQ(requests[0].reset, Failure::UpstreamReset);
    EXPECT_FALSE(requests[0].bytes_received);
  }
}

TEST_F(Http2PoolTest, ACallerThatGivesUpEndsItsStreamOnly) {
  makeHttp2();
  TestRequest requests[2];
  for (TestRequest& request : requests) send(request);
  settle(0, 100);
  frames(0);
  requests[0].giveUp();
  EXPECT_EQ(frames(0), "RST_STREAM 1 CANCEL\n");
  answer(0, 3);
  EXPECT_EQ(requests[1].status, 200);
  EXPECT_EQ(counts(requests[1].host).idle, 1U);
  EXPECT_EQ(metrics().upstream_rq_tx_reset.value(), 1U);
}

// Else all that wait come to be on the stack.
void Http2PoolTest::giveUpFourAsTheyBegin(uint32_t streams) {
  makeHttp2();
  int depth = 0;
  int begun = 0;
  TestRequest requests[4];
  for (TestRequest& request : requests) {
    request.when_ready = [&] {
      EXPECT_EQ(++depth, 1);
      ++begun;
      request.giveUp();
      --depth;
    };
    send(request);
  }
  settle(0, streams);
  EXPECT_EQ(begun, 4);
  EXPECT_EQ(counts(requests[0].host).idle, 1U);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
}

TEST_F(Http2PoolTest, StreamsThatAreGivenUpAsTheyBeginAreServedOneAfterTheOther) {
  giveUpFourAsTheyBegin(100);
}

TEST_F(Http2PoolTest, SoAreThoseThatNeedTheWholeConnection) {
  giveUpFourAsTheyBegin(1);
}

TEST_F(Http2PoolTest, AConnectionWhoseLastStreamIsGivenUpAsItBeginsMakesWayForAnother) {
  auto spec = clusterSpec();
  spec->protocol = UpstreamProtocol::Http2;
  spec->max_requests_per_connection = 1;
  makeCluster(spec, 1);
  TestRequest first;
  TestRequest second;
  first.when_ready = [&] { first.giveUp(); };
  send(first);
  send(second);
  settle(0, 100);
  ASSERT_EQ(io_.peers.size(), 2U);
  settle(1, 100);
  EXPECT_EQ(frames(1), "HEADERS 1" + std::string(kGet));
}

TEST_F(Http2PoolTest, ASlowClientStopsItsStreamOnly) {
  makeHttp2();
  TestRequest slow;
  TestRequest quick;
  send(slow);
  settle(0, 100);
  send(quick);
  say(0, h2::headers(1, {{":status", "200"}}, 0));
  slow.sender->pauseReceiving();
  EXPECT_EQ(metrics().upstream_flow_control_paused_reading_total.value(), 1U);
  answer(0, 3);
  EXPECT_EQ(quick.ends, 1);
  slow.sender->resumeReceiving();
  EXPECT_EQ(metrics().upstream_flow_control_resumed_reading_total.value(), 1U);
  slow.sender->resumeReceiving();
  slow.sender->pauseReceiving();
  slow.giveUp();
  EXPECT_EQ(metrics().upstream_flow_control_paused_reading_total.value(), 2U);
  EXPECT_EQ(metrics().upstream_flow_control_resumed_reading_total.value(), 2U)
      << "what has ended is paused no more";
}

// It opens no window for the rest, and says no word about it.
TEST_F(Http2PoolTest, AnUpstreamThatAnswersWhatItHasNotReadKeepsNoStream) {
  makeHttp2();
  TestRequest request;
  request.when_ready = [&] { request.sendPostHead(); };
  send(request);
  settle(0, 1);
  request.sender->sendBody(std::string(100 * 1024, 'x'), /*end_of_stream=*/true);
  frames(0);
  answer(0, 1);
  EXPECT_EQ(request.ends, 1);
  EXPECT_EQ(frames(0), "RST_STREAM 1 CANCEL\n");
  EXPECT_EQ(counts(request.host).idle, 1U);
  EXPECT_EQ(metrics().http2.streams_active.value(), 0);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
  TestRequest next;
  send(next);
  answer(0, 3);
  EXPECT_EQ(next.status, 200);
  EXPECT_EQ(io_.peers.size(), 1U);
}

class KeepaliveTest : public Http2PoolTest {
 protected:
  void makeWatched(KeepaliveSpec keepalive = {.interval = 30s, .jitter_percent = 0, .timeout = 10s},
                   UpstreamProtocol protocol = UpstreamProtocol::Http2) {
    auto spec = clusterSpec();
    spec->protocol = protocol;
    spec->http2_keepalive = keepalive;
    makeCluster(spec);
  }
  void pass(event::Duration time) {
    clock_.advanceInSteps(time, 100ms);
    run();
  }
  uint64_t timeouts() { return metrics().http2.keepalive_timeout.value(); }
};

TEST_F(KeepaliveTest, ASilentPeerLosesItsStreamsAndNewOnesGoElsewhere) {
  makeWatched();
  TestRequest requests[2];
  for (TestRequest& request : requests) send(request);
  settle(0, 100);
  frames(0);
  TestRequest again;
  requests[0].when_reset = [&] { again.start(cluster()); };
  pass(39s);
  EXPECT_EQ(frames(0), "PING convoyka\n");
  EXPECT_FALSE(requests[0].reset.has_value());
  pass(2s);
  for (const TestRequest& request : requests) {
    EXPECT_EQ(request.reset, Failure::UpstreamReset);
    EXPECT_FALSE(request.bytes_received) << "it may be sent again, as what is lost with its host";
  }
  EXPECT_EQ(timeouts(), 1U);
  EXPECT_EQ(metrics().upstream_cx_destroy_local_with_active_rq.value(), 1U);
  ASSERT_EQ(io_.peers.size(), 2U);
  settle(1, 100);
  answer(1, 1);
  EXPECT_EQ(again.status, 200);
}

TEST_F(KeepaliveTest, APeerThatAnswersPingsLives) {
  makeWatched();
  TestRequest request;
  send(request);
  settle(0, 100);
  frames(0);
  for (int i = 0; i < 2; ++i) {
    pass(30s);
    EXPECT_EQ(frames(0), "PING convoyka\n");
    say(0, h2::ping("convoyka", h2::kAck));
  }
  pass(20s);
  answer(0, 1);
  EXPECT_EQ(request.status, 200);
  EXPECT_EQ(timeouts(), 0U);
}

TEST_F(KeepaliveTest, APeerThatSendsSomethingIsNotAsked) {
  makeWatched();
  TestRequest request;
  send(request);
  settle(0, 100);
  frames(0);
  say(0, h2::headers(1, {{":status", "200"}}, 0));
  for (int i = 0; i < 20; ++i) {
    pass(25s);
    say(0, h2::data(1, "x"));
  }
  EXPECT_EQ(frames(0), "");
  say(0, h2::data(1, "", h2::kEndStream));
  EXPECT_EQ(request.body, std::string(20, 'x'));
}

TEST_F(KeepaliveTest, AConnectionWithoutStreamsIsFoundToo) {
  makeWatched();
  TestRequest request;
  send(request);
  settle(0, 100);
  answer(0, 1);
  EXPECT_EQ(counts(request.host).idle, 1U);
  pass(71s);
  EXPECT_EQ(counts(request.host).idle, 0U);
  EXPECT_EQ(timeouts(), 1U);
  EXPECT_TRUE(peer(0).handler.ended || peer(0).handler.closed.has_value());
}

TEST_F(KeepaliveTest, OneThatWasIdleIsAskedAheadOfTheNextStream) {
  makeWatched({.timeout = 10s, .idle_interval = 20s});
  TestRequest first, soon, late;
  send(first);
  settle(0, 100);
  answer(0, 1);
  pass(19s);
  frames(0);
  send(soon);
  EXPECT_EQ(frames(0), "HEADERS 3" + std::string(kGet));
  answer(0, 3);
  pass(21s);
  send(late);
  EXPECT_EQ(frames(0), "PING convoyka\nHEADERS 5" + std::string(kGet));
  pass(11s);
  EXPECT_EQ(late.reset, Failure::UpstreamReset);
  EXPECT_EQ(timeouts(), 1U);
}

TEST_F(KeepaliveTest, OneThatIsDrainedIsWatchedToItsEnd) {
  makeWatched();
  TestRequest request;
  send(request);
  settle(0, 100);
  say(0, h2::goAway(1, NGHTTP2_NO_ERROR));
  pass(75s);
  EXPECT_EQ(request.reset, Failure::UpstreamReset);
  EXPECT_EQ(timeouts(), 1U);
}

TEST_F(KeepaliveTest, Http1HasNoPing) {
  makeWatched({.interval = 30s, .jitter_percent = 0, .timeout = 10s}, UpstreamProtocol::Http1);
  TestRequest request;
  send(request);
  pass(10min);
  EXPECT_FALSE(request.reset.has_value());
  test::UpstreamTest::answer(peer(0));
  EXPECT_EQ(request.status, 200);
}

TEST_F(Http2PoolTest, WithoutTlsTheProtocolThatTlsWouldChooseIsHttp1) {
  auto spec = clusterSpec();
  spec->protocol = UpstreamProtocol::Auto;
  makeCluster(spec);
  TestRequest request;
  send(request);
  EXPECT_EQ(peer(0).take().substr(0, 16), "GET / HTTP/1.1\r\n");
  test::UpstreamTest::answer(peer(0));
  EXPECT_EQ(request.status, 200);
  EXPECT_EQ(metrics().upstream_cx_http1_total.value(), 1U);
}

}  // namespace
}  // namespace convoy::upstream
