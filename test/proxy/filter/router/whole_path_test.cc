// From a client's bytes to a host's and back: connection manager, router, cluster and pool, on
// in-memory connections and simulated time. router_filter_test.cc has the router alone.

#include <gtest/gtest.h>

#include <string>

#include "proxy/filter/router/router_filter.h"
#include "proxy/route/retry_on.h"
#include "test/proxy/http/manager_fixture.h"
#include "test/proxy/route/requests.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::filter::router {
namespace {

using http::Client;
using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

std::string post(size_t length, std::string_view body) {
  return "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" +
         std::string(body);
}
std::string firstLine(const std::string& text) {
  return text.substr(0, text.find("\r\n"));
}
std::string bodyOf(const std::string& response) {
  const size_t end = response.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : response.substr(end + 4);
}

class WholePathTest : public test::UpstreamTest {
 protected:
  WholePathTest() {
    http_.terminal = [this] {
      return makeRouterFactory(std::make_shared<RouterSpec>(), services_);
    };
    http_.routes = [this] { return event::LocalRef<http::RouteMatcher>(table_); };
    http_.log_format_ =
        "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_SENT% %UPSTREAM_HOST%\n";
    route({});
    http_.configure();
  }
  void TearDown() override {
    http_.expectAllDone();
    EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
  }
  // All paths go to "web".
  void route(route::Forward forward) {
    route::Route all = test::prefixTo("web", "/");
    forward.cluster = std::get<route::Forward>(all.action).cluster;
    all.action = std::move(forward);
    compile({all});
  }
  void compile(std::vector<route::Route> routes) {
    auto table = route::RouteTable::compile(
        test::tableOf({test::virtualHost("v", {"*"}, std::move(routes))}));
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *std::move(table);
  }
  Client& sent(std::string_view bytes) {
    Client& client = http_.connect();
    http_.send(client, bytes);
    return client;
  }
  // " downstream_rq_response_flag.FLAG=count" is what the metrics say.
  bool counts(const std::string& flag, int count) {
    const std::string told =
        " downstream_rq_response_flag." + flag + "=" + std::to_string(count) + " ";
    return (" " + http_.counters() + " ").find(told) != std::string::npos;
  }
  bool receivedBody(Client& client, size_t bytes) {
    return loop_.runUntil([&] { return bodyOf(client.on.received).size() >= bytes; });
  }

  // Takes about 100 bytes of what has arrived at a connection that is paused.
  bool takesALittle(net::Connection& connection, const std::string& received) {
    const size_t before = received.size();
    connection.resumeReading();
    const bool took = loop_.runUntil([&] { return received.size() > before; });
    connection.pauseReading();
    return took;
  }

  WorkerServices services_{loop_.loop(), manager_->worker(0), 0};
  std::shared_ptr<const http::RouteMatcher> table_;
  http::ManagerHarness http_{loop_, clock_};
};

TEST_F(WholePathTest, ARequestAndItsResponse) {
  makeCluster();
  Client& client = sent(kGet);
  EXPECT_EQ(firstLine(peer(0).take()), "GET /a HTTP/1.1");
  answer(peer(0), "hello");
  const std::string text = client.take();
  EXPECT_EQ(firstLine(text), "HTTP/1.1 200 OK");
  EXPECT_EQ(bodyOf(text), "hello");
  EXPECT_EQ(http_.log(), "200 - via_upstream 5 10.0.0.1:80\n");
  EXPECT_EQ(metrics().upstream_rq_completed.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_2xx.value(), 1u);
}

TEST_F(WholePathTest, AHostThatBreaksBeforeItsHead) {
  makeCluster();
  Client& client = sent(kGet);
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  const std::string text = client.take();
  EXPECT_EQ(firstLine(text), "HTTP/1.1 502 Bad Gateway");
  EXPECT_TRUE(client.open());
  EXPECT_EQ(http_.log(),
            "502 UC upstream_reset " + std::to_string(bodyOf(text).size()) + " 10.0.0.1:80\n");
  EXPECT_TRUE(counts("UC", 1)) << http_.counters();
}

TEST_F(WholePathTest, AHostThatBreaksInItsBody) {
  makeCluster();
  Client& client = sent(kGet);
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  run();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(bodyOf(client.take()), "half");
  EXPECT_TRUE(client.aborted());
  EXPECT_EQ(http_.log(), "200 UC upstream_aborted_body 4 10.0.0.1:80\n");
  EXPECT_TRUE(counts("UC", 1)) << http_.counters();
}

TEST_F(WholePathTest, WhatTheProxyAnswersItself) {
  http_.log_format_ = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n";
  http_.configure();
  makeCluster(/*count=*/0);
  Client& empty = sent(kGet);
  EXPECT_EQ(firstLine(empty.take()), "HTTP/1.1 503 Service Unavailable");
  setHosts({endpoint(1)});
  io_.refuse = true;
  Client& refused = sent(kGet);
  EXPECT_EQ(firstLine(refused.take()), "HTTP/1.1 503 Service Unavailable");
  compile({});
  Client& unrouted = sent(kGet);
  EXPECT_EQ(firstLine(unrouted.take()), "HTTP/1.1 404 Not Found");
  EXPECT_TRUE(empty.open() && refused.open() && unrouted.open());
  EXPECT_EQ(http_.log(),
            "503 UH no_healthy_upstream\n503 UF upstream_connect_failure\n404 NR "
            "route_not_found\n");
  EXPECT_EQ(http_.metrics_.no_route.value(), 1u);
  for (const char* flag : {"UH", "UF", "NR"}) EXPECT_TRUE(counts(flag, 1)) << http_.counters();
}

TEST_F(WholePathTest, TheRoutesTimeOuts) {
  struct Case {
    route::Forward forward;
    std::string log;
  };
  Case cases[2];
  cases[0].forward.timeout = 5s;
  cases[0].log = "504 UT upstream_response_timeout{default}\n";
  cases[1].forward.first_byte_timeout = 5s;
  cases[1].log = "504 UT upstream_first_byte_timeout{default}\n";
  http_.log_format_ = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n";
  http_.configure();
  makeCluster();
  std::string lines;
  for (const Case& c : cases) {
    route(c.forward);
    Client& client = sent(kGet);
    http_.advance(4s);
    EXPECT_EQ(client.take(), "");
    http_.advance(1s);
    EXPECT_EQ(firstLine(client.take()), "HTTP/1.1 504 Gateway Timeout");
    lines += c.log;
    EXPECT_EQ(http_.log(), lines);
  }
  EXPECT_EQ(metrics().upstream_rq_timeout.value(), 2u);
  EXPECT_TRUE(counts("UT", 2)) << http_.counters();
}

// Envoy's URX comes beside the flag of the last attempt.
TEST_F(WholePathTest, RetriesThatAreUsedUpHaveAFlagOfTheirOwn) {
  http_.log_format_ = "%RESPONSE_CODE% %RESPONSE_FLAGS%\n";
  http_.configure();
  route::Forward forward;
  forward.retries =
      std::make_shared<const route::RetryPolicy>(route::RetryPolicy{.on = route::RetryOn::Reset});
  route(forward);
  makeCluster();
  Client& client = sent(kGet);
  for (size_t i = 0; i < 2; ++i) {
    peer(i).connection->close(net::CloseMode::Reset);
    run();
    http_.advance(1s);
  }
  EXPECT_EQ(firstLine(client.take()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(http_.log(), "502 UC,URX\n");
  EXPECT_TRUE(counts("UC", 1) && counts("URX", 1)) << http_.counters();
}

TEST_F(WholePathTest, ASlowClientStopsTheHostAtTheMarks) {
  makeCluster();
  http_.buffer_limit_ = 10'000;
  http_.pipe_.pipe_bytes = 1000;
  http_.configure();
  Client& client = http_.connect();
  client.connection->pauseReading();
  http_.send(client, kGet);
  constexpr size_t kBody = 2'000'000;
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBody) + "\r\n\r\n");
  peer(0).send(std::string(kBody, 'x'));
  run();
  EXPECT_EQ(metrics().upstream_flow_control_paused_reading_total.value(), 1u);
  EXPECT_LT(metrics().upstream_cx_rx_bytes_total.value(), 200'000u);
  client.connection->resumeReading();
  ASSERT_TRUE(receivedBody(client, kBody));
  EXPECT_EQ(bodyOf(client.take()).size(), kBody);
  EXPECT_EQ(metrics().upstream_flow_control_resumed_reading_total.value(),
            metrics().upstream_flow_control_paused_reading_total.value());
  EXPECT_TRUE(client.open());
}

TEST_F(WholePathTest, LessThanAMebibyteOfABodyIsHeldByDefault) {
  constexpr uint64_t kMost = 1024 * 1024;
  const std::string much(4 * kMost, 'x');
  makeCluster();
  io_.options.pipe_bytes = http_.pipe_.pipe_bytes = 1000;
  http_.configure();
  Client& reader = http_.connect();
  reader.connection->pauseReading();
  http_.send(reader, kGet);
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(much.size()) + "\r\n\r\n");
  peer(0).send(much);
  run();
  EXPECT_LT(metrics().upstream_cx_rx_bytes_total.value(), kMost);

  const uint64_t before = http_.metrics_.downstream_cx_rx_bytes_total.value();
  Client& writer = sent(post(much.size(), {}));
  peer(1).connection->pauseReading();
  http_.send(writer, much);
  EXPECT_LT(http_.metrics_.downstream_cx_rx_bytes_total.value() - before, kMost);
}

// While the queue between them is above its low mark the host may send nothing, so the bytes that
// the client takes are all that moves.
TEST_F(WholePathTest, AClientThatTakesItsResponseSlowlyIsNotIdle) {
  route::Forward forward;
  forward.timeout = 0s;
  route(forward);
  makeCluster();
  http_.buffer_limit_ = 10'000;
  http_.pipe_ = {.pipe_bytes = 1000, .max_read_bytes = 100};
  http_.configure([](http::ConnectionManagerSpec& spec) { spec.stream_idle_timeout = 10s; });
  Client& client = http_.connect();
  client.connection->pauseReading();
  http_.send(client, kGet);
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + std::string(100'000, 'x'));
  run();
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(takesALittle(*client.connection, client.on.received)) << i;
    http_.advance(9s);
  }
  EXPECT_EQ(http_.metrics_.downstream_rq_idle_timeout.value(), 0u);
  EXPECT_EQ(metrics().upstream_flow_control_resumed_reading_total.value(), 0u);
  http_.advance(20s);
  EXPECT_EQ(http_.metrics_.downstream_rq_idle_timeout.value(), 1u);
}

TEST_F(WholePathTest, AHostThatTakesItsRequestSlowlyIsNotIdle) {
  auto spec = clusterSpec();
  spec->per_connection_buffer_limit_bytes = 10'000;
  makeCluster(std::move(spec));
  io_.options = {.pipe_bytes = 1000, .max_read_bytes = 100};
  http_.pipe_.pipe_bytes = 20'000;
  http_.configure([](http::ConnectionManagerSpec& s) { s.stream_idle_timeout = 10s; });
  Client& client = sent(post(2'000'000, {}));
  peer(0).connection->pauseReading();
  http_.send(client, std::string(100'000, 'x'));
  const int64_t paused = http_.metrics_.downstream_flow_control_paused_reading_total.value();
  EXPECT_GT(paused, 0);
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(takesALittle(*peer(0).connection, peer(0).handler.received)) << i;
    http_.advance(9s);
  }
  EXPECT_EQ(http_.metrics_.downstream_rq_idle_timeout.value(), 0u);
  http_.advance(20s);
  EXPECT_EQ(http_.metrics_.downstream_rq_idle_timeout.value(), 1u);
}

TEST_F(WholePathTest, AHostThatIsNotKnownYetStopsTheClient) {
  http_.buffer_limit_ = 10'000;
  http_.pipe_.pipe_bytes = 20'000;
  http_.pipe_.max_read_bytes = 5'000;
  http_.configure();
  makeCluster();
  test::LatePolicy& policy = pickLate();
  constexpr size_t kBody = 2'000'000;
  Client& client = sent(post(kBody, std::string(kBody, 'x')));
  EXPECT_EQ(http_.metrics_.downstream_flow_control_paused_reading_total.value(), 1u);
  EXPECT_LT(http_.metrics_.downstream_cx_rx_bytes_total.value(), 40'000u);
  answer(policy);
  ASSERT_TRUE(loop_.runUntil([&] { return bodyOf(peer(0).handler.received).size() == kBody; }));
  answer(peer(0));
  EXPECT_EQ(bodyOf(client.take()), "ok");
  EXPECT_TRUE(client.open());
}

// The client goes, and what it had sent with it.
TEST_F(WholePathTest, AClientGoesThatWaitsForItsHost) {
  makeCluster();
  test::LatePolicy& policy = pickLate();
  Client& client = sent(post(100, "half"));
  EXPECT_TRUE(policy.hasWaiters());
  client.connection->close(net::CloseMode::Reset);
  run();
  EXPECT_FALSE(policy.hasWaiters());
  answer(policy);
  EXPECT_TRUE(io_.peers.empty());
}

TEST_F(WholePathTest, ASlowHostStopsTheClient) {
  auto spec = clusterSpec();
  spec->per_connection_buffer_limit_bytes = 10'000;
  makeCluster(std::move(spec));
  io_.options.pipe_bytes = 1000;
  http_.pipe_.pipe_bytes = 20'000;
  http_.pipe_.max_read_bytes = 5'000;
  constexpr size_t kBody = 2'000'000;
  Client& client = sent(post(kBody, {}));
  peer(0).connection->pauseReading();
  http_.send(client, std::string(kBody, 'x'));
  EXPECT_EQ(http_.metrics_.downstream_flow_control_paused_reading_total.value(), 1u);
  EXPECT_LT(http_.metrics_.downstream_cx_rx_bytes_total.value(), 40'000u);
  peer(0).connection->resumeReading();
  ASSERT_TRUE(loop_.runUntil([&] { return bodyOf(peer(0).handler.received).size() == kBody; }));
  answer(peer(0));
  EXPECT_EQ(bodyOf(client.take()), "ok");
  EXPECT_TRUE(client.open());
}

TEST_F(WholePathTest, AHostThatAnswersEarlyAndGoesDoesNotTakeTheAnswerBack) {
  makeCluster();
  Client& client = sent(post(1000, "some"));
  answer(peer(0), "too much");
  EXPECT_EQ(bodyOf(client.take()), "too much");
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_TRUE(client.open());
  http_.send(client, std::string(996, 'x') + std::string(kGet));
  ASSERT_EQ(io_.peers.size(), 2u);
  answer(peer(1), "next");
  EXPECT_EQ(bodyOf(client.take()), "next");
  EXPECT_EQ(http_.log(), "200 - via_upstream 8 10.0.0.1:80\n200 - via_upstream 4 10.0.0.1:80\n");
}

TEST_F(WholePathTest, AClientThatGoesTakesItsRequestAlong) {
  makeCluster();
  Client& client = sent(kGet);
  client.reset();
  run();
  EXPECT_TRUE(peer(0).handler.closed.has_value() || peer(0).handler.ended);
  EXPECT_EQ(metrics().upstream_rq_tx_reset.value(), 1u);
  EXPECT_EQ(http_.log(), "0 DC downstream_disconnect 0 10.0.0.1:80\n");
}

constexpr std::string_view kGrpc =
    "POST /s/M HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc\r\nTE: trailers\r\n"
    "grpc-timeout: 3S\r\nContent-Length: 0\r\n\r\n";

TEST_F(WholePathTest, AGrpcClientsDeadlineEndsItsStream) {
  http_.log_format_ = "%RESPONSE_CODE% %RESPONSE_FLAGS% %GRPC_STATUS%\n";
  route::Forward forward;
  forward.grpc_timeout_header_max = 0s;
  route(forward);
  http_.configure();
  makeCluster();
  Client& client = sent(kGrpc);
  http_.advance(2s);
  EXPECT_EQ(client.take(), "");
  http_.advance(1s);
  const std::string text = client.take();
  EXPECT_EQ(firstLine(text), "HTTP/1.1 200 OK");
  EXPECT_NE(text.find("\r\ngrpc-status: 4\r\n"), std::string::npos) << text;
  EXPECT_EQ(bodyOf(text), "");
  EXPECT_TRUE(peer(0).handler.ended || peer(0).handler.closed.has_value());
  EXPECT_EQ(http_.log(), "200 UMSDR DeadlineExceeded\n");
}

TEST_F(WholePathTest, TheLogKnowsTheStatusOfAGrpcCall) {
  http_.log_format_ = "%GRPC_STATUS_NUMBER%\n";
  http_.configure();
  makeCluster();
  sent(kGrpc);
  peer(0).send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n"
      "1\r\nx\r\n0\r\ngrpc-status: 5\r\n\r\n");
  run();
  sent(kGrpc);
  peer(0).send("HTTP/1.1 200 OK\r\ngrpc-status: 7\r\nContent-Length: 0\r\n\r\n");
  run();
  setHosts({});
  sent(kGrpc);
  EXPECT_EQ(http_.log(), "5\n7\n14\n");
}

}  // namespace
}  // namespace convoy::filter::router
