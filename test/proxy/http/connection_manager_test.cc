// One connection's life: what it serves, and why and how it ends.

#include "proxy/http/connection_manager.h"

#include <gtest/gtest.h>

#include <string>

#include "test/proxy/http/manager_fixture.h"

namespace convoy::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nserver: convoy\r\n\r\n/a";
constexpr std::string_view kOkAndClose =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nserver: convoy\r\n\r\n/a";

class ConnectionManagerTest : public ManagerTest {
 protected:
  // A router that does not answer by itself.
  void answerByHand() {
    router.on_end = [](Exchange&) { return FilterVerdict::Pause; };
  }
};

TEST_F(ConnectionManagerTest, KeepsAConnectionForRequestAfterRequest) {
  Client& client = connect();
  for (int i = 0; i < 3; ++i) {
    send(client, kGet);
    EXPECT_EQ(received(client), kOk);
  }
  EXPECT_EQ(counters(),
            "downstream_cx_total=1 downstream_cx_active=1 downstream_rq_total=3 "
            "downstream_rq_completed=3 downstream_rq_2xx=3 no_route=3");
  EXPECT_EQ(log(), "200 - via_upstream\n200 - via_upstream\n200 - via_upstream\n");
}

TEST_F(ConnectionManagerTest, AnswersPipelinedRequestsInOrder) {
  Client& client = connect();
  send(client,
       "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: "
       "3\r\n\r\nxyz"
       "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string text = received(client);
  EXPECT_LT(text.find("/1"), text.find("/2"));
  EXPECT_LT(text.find("/2"), text.find("/3"));
  EXPECT_EQ(text.substr(text.size() - 2), "/3");
  ASSERT_EQ(router.exchanges.size(), 3U);
  EXPECT_EQ(router.exchanges[1]->body, "xyz");
}

TEST_F(ConnectionManagerTest, PipelinedRequestsWaitForASlowAnswer) {
  answerByHand();
  Client& client = connect();
  send(client, std::string(kGet) + std::string(kGet));
  send(client, kGet);
  ASSERT_EQ(router.exchanges.size(), 1U);
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(router.exchanges.size(), i + 1);
    router.exchanges[i]->answer(200, "/a");
    EXPECT_EQ(received(client), kOk);
  }
}

TEST_F(ConnectionManagerTest, RefusesWhatIsMalformedAndCloses) {
  struct Case {
    std::string request;
    std::string status;
    std::string log;
    std::string counter;
  };
  const std::string large(61 * 1024, 'x');
  const Case cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request", "400 DPE missing_host\n",
       "downstream_rq_failed_bad_request=1"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + large + "\r\n\r\n",
       "431 Request Header Fields Too Large", "431 DPE head_too_large\n",
       "downstream_rq_failed_head_too_large=1"},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", "505 HTTP Version Not Supported",
       "505 DPE unsupported_version\n", "downstream_rq_failed_unsupported_version=1"},
  };
  std::string lines;
  for (const Case& c : cases) {
    Client& client = connect();
    send(client, c.request);
    const std::string text = received(client);
    EXPECT_EQ(text.substr(0, text.find("\r\n")), "HTTP/1.1 " + c.status);
    EXPECT_NE(text.find("\r\nConnection: close\r\n"), std::string::npos) << text;
    EXPECT_TRUE(client.ended());
    EXPECT_NE(counters().find(c.counter), std::string::npos) << counters();
    lines += c.log;
    EXPECT_EQ(log(), lines);
  }
  for (const H1Error error :
       {H1Error::MissingHost, H1Error::HeadTooLarge, H1Error::UnsupportedVersion}) {
    EXPECT_EQ(metrics_.h1_errors[static_cast<size_t>(error)].value(), 1U) << info(error).detail;
  }
  EXPECT_EQ(metrics_.downstream_cx_protocol_error.value(), 3U);
  EXPECT_TRUE(router.exchanges.empty());
}

// What is as large as it may be passes; a byte or a field more is answered, cut off and counted.
TEST_F(ConnectionManagerTest, LimitsOfHeadsAndBodies) {
  const auto repeat = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  // With Host, 60 KiB and a hundred fields.
  const auto head = [](size_t bytes) {
    const std::string begin = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
    return begin + std::string(bytes - begin.size() - 4, 'x') + "\r\n\r\n";
  };
  const auto fields = [&](int count) {
    return "GET / HTTP/1.1\r\nHost: h\r\n" + repeat("X: 1\r\n", count - 1) + "\r\n";
  };
  const auto chunked = [](const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
  };
  const auto extension = [&](int bytes) {
    return chunked("1;" + std::string(bytes, 'e') + "\r\nx\r\n0\r\n\r\n");
  };
  // 16 chunks with an extension of 1 KiB and a byte that pays for one of its bytes; 17 are left.
  const auto extensions = [&](int more) {
    return chunked(repeat("1;" + std::string(1024, 'e') + "\r\nx\r\n", 16) + "1;" +
                   std::string(17 + more, 'e') + "\r\nx\r\n0\r\n\r\n");
  };
  const auto trailers = [&](int bytes) {
    return chunked("0\r\nX: " + std::string(bytes - 7, 'x') + "\r\n\r\n");
  };
  struct Case {
    std::string passes;
    std::string refused;
    std::string status;
    Failure counted;
  };
  const std::string length = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ";
  const Case cases[] = {
      {head(60 * 1024), head(60 * 1024 + 1), "431", Failure::HeadTooLarge},
      {fields(100), fields(101), "431", Failure::HeadTooLarge},
      {extension(1024), extension(1025), "400", Failure::BadBody},
      {extensions(0), extensions(1), "400", Failure::BadBody},
      {"", chunked("8000000000000000\r\n"), "400", Failure::BadBody},
      {"", length + "9223372036854775808\r\n\r\n", "400", Failure::BadRequest},
      {trailers(8 * 1024), trailers(8 * 1024 + 1), "400", Failure::BadBody},
      {chunked("0\r\n" + repeat("X: 1\r\n", 50) + "\r\n"),
       chunked("0\r\n" + repeat("X: 1\r\n", 51) + "\r\n"), "400", Failure::BadBody},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.refused.substr(0, 100));
    Client& client = connect();
    if (!c.passes.empty()) {
      send(client, c.passes);
      EXPECT_EQ(received(client).substr(0, 12), "HTTP/1.1 200");
    }
    const observe::Counter& counter = metrics_.failures[static_cast<size_t>(c.counted)];
    const uint64_t before = counter.value();
    send(client, c.refused);
    EXPECT_EQ(received(client).substr(0, 12), "HTTP/1.1 " + c.status);
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(counter.value(), before + 1);
  }
}

TEST_F(ConnectionManagerTest, AnswersWhatCameBeforeTheMalformedRequest) {
  Client& client = connect();
  send(client, std::string(kGet) + "bad\r\n\r\n" + std::string(kGet));
  const std::string text = received(client);
  EXPECT_EQ(text.find(kOk), 0U) << text;
  EXPECT_EQ(text.find("HTTP/1.1 400 Bad Request\r\n", 1), kOk.size()) << text;
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(router.exchanges.size(), 1U);
}

TEST_F(ConnectionManagerTest, AClientMayEndItsSideWhileTheAnswerIsComing) {
  answerByHand();
  Client& client = connect();
  send(client, kGet);
  client.manager->onEndOfStream();
  run();
  EXPECT_FALSE(client.ended());
  router.exchanges[0]->answer(200, "/a");
  EXPECT_EQ(received(client), kOkAndClose);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(log(), "200 - via_upstream\n");
}

TEST_F(ConnectionManagerTest, AClientThatLeavesIsCountedAndItsFilterTold) {
  struct Case {
    std::string_view sent;
    bool head;  // of the response
    std::string log;
  };
  const Case cases[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nxyz", false, "0 DC "},
      {kGet, false, "0 DC "},
      {kGet, true, "200 DC "},
  };
  answerByHand();
  size_t at = 0;
  std::string lines;
  for (const Case& c : cases) {
    Client& client = connect();
    send(client, c.sent);
    Exchange& exchange = *router.exchanges[at++];
    if (c.head) exchange.sendHead(200, {BodyLength::Kind::Known, 5});
    client.reset();
    run();
    EXPECT_TRUE(exchange.over);
    EXPECT_EQ(exchange.info.failure, Failure::DownstreamDisconnect);
    lines += c.log + "downstream_disconnect\n";
    EXPECT_EQ(log(), lines);
  }
  EXPECT_EQ(openConnections(), 0U);
  EXPECT_EQ(counters(),
            "downstream_cx_total=3 downstream_cx_destroy=3 downstream_rq_total=3 "
            "downstream_rq_completed=3 downstream_rq_2xx=1 downstream_rq_rx_reset=3 no_route=3 "
            "downstream_rq_failed_downstream_disconnect=3 downstream_rq_response_flag.DC=3");
}

TEST_F(ConnectionManagerTest, ClosesAnIdleConnection) {
  configure([](ConnectionManagerSpec& spec) { spec.idle_timeout = 10s; });
  Client& client = connect();
  advance(9s);
  send(client, kGet);
  advance(9s);
  EXPECT_FALSE(client.ended());
  advance(1s);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(received(client), kOk);
  EXPECT_EQ(metrics_.downstream_cx_idle_timeout.value(), 1U);
}

TEST_F(ConnectionManagerTest, AHeadMustArriveInTime) {
  configure([](ConnectionManagerSpec& spec) { spec.request_headers_timeout = 10s; });
  Client& client = connect();
  send(client, "GET / HTTP/1.1\r\n");
  advance(9s);
  send(client, "Host: h\r\n");  // moves nothing
  advance(1s);
  EXPECT_EQ(received(client).find("HTTP/1.1 408 Request Timeout\r\n"), 0U);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(log(), "408 - request_header_timeout{default}\n");
  EXPECT_EQ(counters(),
            "downstream_cx_total=1 downstream_cx_active=1 downstream_rq_total=1 "
            "downstream_rq_completed=1 downstream_rq_4xx=1 downstream_rq_header_timeout=1 "
            "downstream_rq_failed_request_header_timeout=1");
}

TEST_F(ConnectionManagerTest, AnOldConnectionIsDrained) {
  configure([](ConnectionManagerSpec& spec) {
    spec.max_connection_duration = 60s;
    spec.drain_timeout = 5s;
  });
  Client& idle = connect();
  Client& busy = connect();
  advance(60s);
  EXPECT_EQ(metrics_.downstream_cx_max_duration_reached.value(), 2U);
  EXPECT_FALSE(idle.ended());
  send(busy, kGet);
  EXPECT_EQ(received(busy), kOkAndClose);
  EXPECT_TRUE(busy.ended());
  advance(5s);
  EXPECT_TRUE(idle.ended());
  EXPECT_EQ(metrics_.downstream_cx_drain_close.value(), 1U);
}

TEST_F(ConnectionManagerTest, DrainingLetsARunningRequestFinish) {
  answerByHand();
  configure([](ConnectionManagerSpec& spec) { spec.drain_timeout = 5s; });
  Client& client = connect();
  send(client, kGet);
  client.manager->drain();
  advance(60s);
  EXPECT_FALSE(client.ended());
  router.exchanges[0]->answer(200, "/a");
  EXPECT_EQ(received(client), kOkAndClose);
  EXPECT_TRUE(client.ended());
}

TEST_F(ConnectionManagerTest, WithoutADrainTimeIdleConnectionsCloseAtOnce) {
  configure([](ConnectionManagerSpec& spec) { spec.drain_timeout = 0s; });
  Client& client = connect();
  client.manager->drain();
  run();
  EXPECT_TRUE(client.ended());
}

TEST_F(ConnectionManagerTest, AConnectionThatComesWhileDrainingIsToldSo) {
  slot_->draining = true;
  Client& client = connect();
  send(client, kGet);
  EXPECT_EQ(received(client), kOkAndClose);
  EXPECT_TRUE(client.ended());
}

// It used to lose its time-out, and stayed for as long as the client liked.
TEST_F(ConnectionManagerTest, DrainingKeepsTheTimeOfAHeadThatIsHalfHere) {
  configure([](ConnectionManagerSpec& spec) { spec.request_headers_timeout = 10s; });
  Client& client = connect();
  send(client, "GET / HTTP/1.1\r\n");
  client.manager->drain();
  advance(10s);
  EXPECT_EQ(received(client).find("HTTP/1.1 408 Request Timeout\r\n"), 0U);
  EXPECT_TRUE(client.ended());
}

TEST_F(ConnectionManagerTest, ClosesAfterAsManyRequestsAsConfigured) {
  configure([](ConnectionManagerSpec& spec) { spec.max_requests_per_connection = 2; });
  Client& client = connect();
  send(client, kGet);
  EXPECT_EQ(received(client), kOk);
  send(client, kGet);
  EXPECT_EQ(received(client), kOkAndClose);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(metrics_.downstream_cx_max_requests_reached.value(), 1U);
}

TEST_F(ConnectionManagerTest, ARequestKeepsTheConfigurationThatItBeganWith) {
  answerByHand();
  Client& client = connect();
  send(client, kGet);
  const std::weak_ptr<ManagerRuntime> old = slot_->current;
  configure([](ConnectionManagerSpec& spec) { spec.server_name = "new"; });
  EXPECT_FALSE(old.expired());
  router.exchanges[0]->answer(200, "/a");
  EXPECT_EQ(received(client), kOk);
  EXPECT_TRUE(old.expired()) << "its last request is over";
  send(client, kGet);
  router.exchanges[1]->answer(200, "/a");
  EXPECT_NE(received(client).find("server: new\r\n"), std::string::npos);
}

// --- a client that asks for more than it reads ---

class SlowReaderTest : public ConnectionManagerTest {
 protected:
  static constexpr size_t kRequests = 20;
  SlowReaderTest() {
    buffer_limit_ = 2000;
    pipe_.pipe_bytes = 1000;
    router.on_end = [](Exchange& exchange) {
      exchange.answer(200, std::string(500, 'x'));
      return FilterVerdict::Pause;
    };
  }
  Client& connectReadingNothing() {
    Client& client = connect();
    client.connection->pauseReading();
    return client;
  }
  static std::string requests() {
    std::string text;
    for (size_t i = 0; i < kRequests; ++i) text += kGet;
    return text;
  }
  // What the pipe and the queue take, and one more.
  static constexpr size_t kMost = 6;
};

// Its answers used to pile up without a limit.
TEST_F(SlowReaderTest, IsServedNoFasterThanItReads) {
  configure();
  Client& client = connectReadingNothing();
  send(client, requests());
  EXPECT_LE(router.exchanges.size(), kMost);
  client.connection->resumeReading();
  EXPECT_TRUE(test_loop_.runUntil([&] { return router.exchanges.size() == kRequests; }));
  run();
  EXPECT_EQ(metrics_.downstream_rq_completed.value(), kRequests);
  EXPECT_TRUE(client.open());
  EXPECT_EQ(client.on.received.size() % kRequests, 0U);
}

TEST_F(SlowReaderTest, IsServedNoFasterWhenItAsksBitByBit) {
  configure();
  Client& client = connectReadingNothing();
  for (size_t i = 0; i < kRequests; ++i) {
    client.send(kGet);
    if (i < kMost) run();  // then its own way is full, too
  }
  run();
  EXPECT_LE(router.exchanges.size(), kMost);
  client.connection->resumeReading();
  EXPECT_TRUE(test_loop_.runUntil([&] { return router.exchanges.size() == kRequests; }));
}

TEST_F(SlowReaderTest, GetsItsAnswersWhileDraining) {
  configure([](ConnectionManagerSpec& spec) { spec.drain_timeout = 0s; });
  Client& client = connectReadingNothing();
  send(client, std::string(kGet) + requests());
  const size_t before = router.exchanges.size();
  client.manager->drain();
  run();
  EXPECT_FALSE(client.ended());
  client.connection->resumeReading();
  EXPECT_TRUE(test_loop_.runUntil([&] { return client.ended(); }));
  // One more, and it says that it is the last.
  EXPECT_EQ(router.exchanges.size(), before + 1);
  EXPECT_NE(client.on.received.find("\r\nConnection: close\r\n"), std::string::npos);
}

TEST_F(SlowReaderTest, HasTheTimeOfAnIdleConnection) {
  configure([](ConnectionManagerSpec& spec) { spec.idle_timeout = 10s; });
  Client& client = connectReadingNothing();
  send(client, requests());
  advance(9s);
  EXPECT_EQ(metrics_.downstream_cx_idle_timeout.value(), 0U);
  advance(1s);
  EXPECT_EQ(metrics_.downstream_cx_idle_timeout.value(), 1U);
}

// Only a codec made for this request can know the limit that came while the connection was idle.
TEST_F(ConnectionManagerTest, AnIdleConnectionHasNoCodec) {
  Client& client = connect();
  send(client, kGet);
  EXPECT_EQ(received(client), kOk);
  configure([](ConnectionManagerSpec& spec) { spec.max_headers_count = 1; });
  send(client, "GET /a HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n");
  EXPECT_EQ(received(client).find("HTTP/1.1 431 "), 0U);
}

TEST_F(ConnectionManagerTest, ClosingNowEndsWhatRuns) {
  answerByHand();
  Client& client = connect();
  send(client, kGet);
  client.manager->closeNow();
  run();
  EXPECT_TRUE(router.exchanges[0]->over);
  EXPECT_EQ(openConnections(), 0U);
}

}  // namespace
}  // namespace convoy::http
