// Tunnels from a client's bytes to a host's and back: WebSocket and other upgrades, and CONNECT
// (RFC 9110 7.8 and 9.3.6), on in-memory connections and simulated time.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "proxy/filter/router/router_filter.h"
#include "test/proxy/http/manager_fixture.h"
#include "test/proxy/route/requests.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::filter::router {
namespace {

using http::Client;
using http::ConnectionManagerSpec;
using test::Peer;
using namespace std::chrono_literals;

constexpr std::string_view kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr std::string_view kAnswer =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
constexpr std::string_view kConnect = "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n";

std::string firstLine(const std::string& text) {
  return text.substr(0, text.find("\r\n"));
}
bool saysClose(const std::string& text) {
  return text.find("\r\nConnection: close\r\n") != std::string::npos;
}

class TunnelTest : public test::UpstreamTest {
 protected:
  TunnelTest() {
    http_.terminal = [this] {
      return makeRouterFactory(std::make_shared<RouterSpec>(), services_);
    };
    http_.routes = [this] { return event::LocalRef<http::RouteMatcher>(table_); };
    route({});
    allow({{"websocket"}, {"CONNECT"}});
  }
  void TearDown() override {
    http_.expectAllDone();
    EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
    EXPECT_EQ(metrics().upstream_cx_upgrades_active.value(), 0);
    EXPECT_EQ(http_.metrics_.downstream_cx_upgrades_active.value(), 0);
  }
  // What the listener lets through.
  void allow(std::vector<route::Upgrade> upgrades,
             const std::function<void(ConnectionManagerSpec&)>& more = nullptr) {
    http_.configure([&](ConnectionManagerSpec& spec) {
      spec.upgrades = std::move(upgrades);
      if (more) more(spec);
    });
  }
  // All paths, and CONNECT, go to "web".
  void route(route::Forward forward) {
    route::Route paths = test::prefixTo("web", "/");
    forward.cluster = "web";
    paths.action = forward;
    route::Route connect = paths;
    connect.match.path.kind = route::PathMatch::Kind::Connect;
    auto table = route::RouteTable::compile(
        test::tableOf({test::virtualHost("v", {"*"}, {paths, connect})}));
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *std::move(table);
  }
  Client& sent(std::string_view bytes) {
    Client& client = http_.connect();
    http_.send(client, bytes);
    return client;
  }
  // A tunnel that both sides have seen open.
  Client& opened() {
    if (find() == nullptr) makeCluster();
    Client& client = sent(kUpgrade);
    Peer& host = lastPeer();
    host.take();
    host.send(kAnswer);
    run();
    EXPECT_EQ(firstLine(client.take()), "HTTP/1.1 101 Switching Protocols");
    return client;
  }
  Peer& lastPeer() { return *io_.peers.back(); }
  void toClient(std::string_view bytes) {
    lastPeer().send(bytes);
    run();
  }
  static bool gone(const Peer& peer) {
    return peer.handler.ended || peer.handler.closed.has_value();
  }

  WorkerServices services_{loop_.loop(), manager_->worker(0), 0};
  std::shared_ptr<const http::RouteMatcher> table_;
  http::ManagerHarness http_{loop_, clock_};
};

TEST_F(TunnelTest, AWebSocketIsJoinedAndCarriesBytesBothWays) {
  http_.log_format_ = "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION%\n";
  allow({{"websocket"}});
  makeCluster();
  Client& client = sent(kUpgrade);
  const std::string head = lastPeer().take();
  EXPECT_EQ(firstLine(head), "GET /chat HTTP/1.1");
  EXPECT_NE(head.find("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(head.find("Sec-WebSocket-Key: dGhl"), std::string::npos);
  toClient(std::string(kAnswer) + "hello");
  const std::string answer = client.take();
  EXPECT_EQ(firstLine(answer), "HTTP/1.1 101 Switching Protocols");
  EXPECT_NE(answer.find("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Sec-WebSocket-Accept: s3pP"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello"));
  http_.send(client, "GET / HTTP/1.1\r\n\r\n");  // just bytes
  EXPECT_EQ(lastPeer().take(), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(http_.metrics_.downstream_cx_upgrades_active.value(), 1);
  EXPECT_EQ(metrics().upstream_cx_upgrades_active.value(), 1);
  http_.advance(2s);
  client.finish();
  run();
  EXPECT_TRUE(lastPeer().handler.ended);
  lastPeer().connection->close(net::CloseMode::Flush);
  run();
  EXPECT_EQ(http_.log(), "101 - 18 5 2000\n");
  EXPECT_EQ(http_.metrics_.downstream_cx_upgrades_total.value(), 1u);
  EXPECT_EQ(metrics().upstream_cx_upgrades_total.value(), 1u);
}

TEST_F(TunnelTest, WhatIsNotAllowedIsRefusedAndTheHostHearsNothing) {
  makeCluster();
  route::Forward no;
  no.upgrades = {{"WebSocket", false}};
  const struct {
    std::vector<route::Upgrade> listener;
    route::Forward route;
    std::string_view request;
  } cases[] = {
      {{}, {}, kUpgrade},
      {{{"websocket", false}}, {}, kUpgrade},
      {{{"CONNECT"}, {"other"}}, {}, kUpgrade},
      {{{"websocket"}}, no, kUpgrade},
      {{{"websocket"}}, {}, kConnect},
      {{{"websocket"}},
       {},
       "POST /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Content-Length: 1\r\n\r\nx"},
      {{{"websocket"}},
       {},
       "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {{{"websocket"}},
       {},
       "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n"},
  };
  for (const auto& c : cases) {
    allow(c.listener);
    route(c.route);
    Client& client = sent(c.request);
    const std::string text = client.take();
    EXPECT_EQ(firstLine(text), "HTTP/1.1 403 Forbidden") << c.request;
    EXPECT_TRUE(saysClose(text) && client.ended()) << c.request;
  }
  EXPECT_TRUE(io_.peers.empty());
}

// Some clients say of every request how long its body is.
TEST_F(TunnelTest, AnUpgradeThatSaysItHasNoBodyHasNone) {
  makeCluster();
  std::string request(kUpgrade);
  Client& client = sent(request.insert(request.find("Sec-"), "Content-Length: 0\r\n"));
  ASSERT_EQ(client.take(), "");
  const std::string head = lastPeer().take();
  EXPECT_EQ(firstLine(head), "GET /chat HTTP/1.1");
  EXPECT_EQ(head.find("ontent-"), std::string::npos) << head;
  toClient(kAnswer);
  EXPECT_EQ(firstLine(client.take()), "HTTP/1.1 101 Switching Protocols");
  http_.send(client, "up");
  EXPECT_EQ(lastPeer().take(), "up");
  toClient("down");
  EXPECT_EQ(client.take(), "down");
  lastPeer().connection->endSending();
  client.connection->endSending();
  run();
}

TEST_F(TunnelTest, ARouteAllowsWhatItsListenerDoesNot) {
  allow({});
  route::Forward yes;
  yes.upgrades = {{"WEBSOCKET"}};
  route(yes);
  opened();
}

TEST_F(TunnelTest, WithoutARouteThereIsNoTunnelToOpen) {
  makeCluster();
  table_ = nullptr;
  Client& client = sent(kUpgrade);
  EXPECT_EQ(firstLine(client.take()), "HTTP/1.1 404 Not Found");
  EXPECT_TRUE(client.ended());
}

TEST_F(TunnelTest, EarlyBytesWaitForTheAnswer) {
  makeCluster();
  Client& client = sent(std::string(kUpgrade) + "early");
  EXPECT_TRUE(lastPeer().take().ends_with("\r\n\r\n"));
  http_.send(client, " birds");
  EXPECT_EQ(lastPeer().take(), "");
  toClient(kAnswer);
  EXPECT_EQ(lastPeer().take(), "early birds");
}

// Or they would be requests to the host, which nobody has checked.
TEST_F(TunnelTest, EarlyBytesNeverReachAHostThatDeclines) {
  makeCluster();
  Client& client = sent(std::string(kUpgrade) + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(lastPeer().take().ends_with("\r\n\r\n"));
  answer(lastPeer(), "plain");
  const std::string text = client.take();
  EXPECT_EQ(firstLine(text), "HTTP/1.1 200 OK");
  EXPECT_TRUE(saysClose(text) && text.ends_with("plain"));
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(lastPeer().take(), "");
  EXPECT_TRUE(gone(lastPeer())) << "and it is asked nothing else on this connection";
  EXPECT_EQ(http_.metrics_.downstream_cx_upgrades_total.value(), 0u);
}

TEST_F(TunnelTest, TooManyEarlyBytesMakeTheClientWait) {
  http_.buffer_limit_ = 10'000;
  http_.pipe_.max_read_bytes = 5'000;
  allow({{"websocket"}});
  makeCluster();
  Client& client = sent(kUpgrade);
  http_.send(client, std::string(500'000, 'x'));
  EXPECT_LT(http_.metrics_.downstream_cx_rx_bytes_total.value(), 30'000u);
  toClient(kAnswer);
  ASSERT_TRUE(loop_.runUntil([&] { return lastPeer().handler.received.size() > 500'000; }));
}

TEST_F(TunnelTest, AnAnswerThatOpensAnotherProtocolIsRefused) {
  makeCluster();
  Client& client = sent(kUpgrade);
  toClient("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_EQ(firstLine(client.take()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(gone(lastPeer()));
}

TEST_F(TunnelTest, TheClientMayEndItsDirectionFirst) {
  Client& client = opened();
  client.send("last words");
  client.connection->endSending();
  run();
  EXPECT_EQ(lastPeer().take(), "last words");
  EXPECT_TRUE(lastPeer().handler.ended);
  toClient("and the answer to them");
  EXPECT_EQ(client.take(), "and the answer to them");
  EXPECT_TRUE(client.open());
  lastPeer().connection->endSending();
  run();
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(http_.log(), "101 - via_upstream\n");
}

// The host's connection used to be closed with bytes still in its queue.
TEST_F(TunnelTest, TheHostMayEndItsDirectionFirstAndStillGetsEverything) {
  io_.options.pipe_bytes = 1'000;
  Client& client = opened();
  toClient("bye");
  lastPeer().connection->endSending();
  run();
  EXPECT_EQ(client.take(), "bye");
  EXPECT_TRUE(client.ended());
  lastPeer().connection->pauseReading();
  client.send(std::string(50'000, 'x'));
  client.connection->endSending();
  run();
  EXPECT_EQ(http_.log(), "101 - via_upstream\n");
  lastPeer().connection->resumeReading();
  ASSERT_TRUE(loop_.runUntil([&] { return gone(lastPeer()); }));
  EXPECT_EQ(lastPeer().take().size(), 50'000u);
}

TEST_F(TunnelTest, AnAbruptEndOfOneSideIsOneOfTheOther) {
  Client& first = opened();
  lastPeer().connection->close(net::CloseMode::Reset);
  run();
  EXPECT_TRUE(first.aborted());
  Client& second = opened();
  second.reset();
  run();
  EXPECT_TRUE(gone(lastPeer()));
  EXPECT_EQ(http_.log(), "101 UC upstream_aborted_body\n101 DC downstream_disconnect\n");
}

TEST_F(TunnelTest, ItsConnectionServesNothingElse) {
  Client& client = opened();
  sent("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(io_.peers.size(), 2u);
  answer(peer(1));
  peer(0).connection->close(net::CloseMode::Flush);
  client.finish();
  run();
  sent("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(io_.peers.size(), 2u);
  EXPECT_EQ(firstLine(peer(1).take()), "GET /a HTTP/1.1");
  answer(peer(1));
}

TEST_F(TunnelTest, SlowSidesStopTheOther) {
  constexpr size_t kBytes = 2'000'000;
  auto spec = clusterSpec();
  spec->per_connection_buffer_limit_bytes = 10'000;
  makeCluster(std::move(spec));
  http_.buffer_limit_ = 10'000;
  http_.pipe_.max_read_bytes = 5'000;
  io_.options.pipe_bytes = http_.pipe_.pipe_bytes = 1'000;
  allow({{"websocket"}});
  Client& client = opened();
  Peer& host = lastPeer();
  client.connection->pauseReading();
  host.connection->pauseReading();
  client.send(std::string(kBytes, 'u'));
  host.send(std::string(kBytes, 'd'));
  run();
  EXPECT_LT(http_.metrics_.downstream_cx_rx_bytes_total.value(), 40'000u);
  EXPECT_LT(metrics().upstream_cx_rx_bytes_total.value(), 100'000u);
  client.connection->resumeReading();
  host.connection->resumeReading();
  ASSERT_TRUE(loop_.runUntil([&] {
    return host.handler.received.size() == kBytes && client.on.received.size() == kBytes;
  }));
}

TEST_F(TunnelTest, OnlySilenceEndsIt) {
  route::Forward forward;
  forward.timeout = 5s;
  forward.first_byte_timeout = 5s;
  forward.idle_timeout = 7s;
  forward.tunnel_idle_timeout = 60s;
  forward.origins = base::TimerOrigins("envoy.yaml");
  forward.origins.setInFile(base::Timer::TunnelIdle, 12);
  route(forward);
  allow({{"websocket"}}, [](ConnectionManagerSpec& spec) { spec.request_timeout = 5s; });
  Client& client = opened();
  for (int i = 0; i < 4; ++i) {
    http_.advance(50s);
    i % 2 == 0 ? toClient("x") : http_.send(client, "x");
  }
  EXPECT_EQ(client.take(), "xx");
  client.connection->endSending();
  run();
  http_.advance(59s);
  EXPECT_TRUE(client.open());
  http_.advance(1s);
  EXPECT_FALSE(client.open());
  EXPECT_TRUE(gone(lastPeer()));
  EXPECT_EQ(http_.log(), "101 SI tunnel_idle_timeout{envoy.yaml:12}\n");
}

TEST_F(TunnelTest, AHostThatDoesNotAnswerIsNotWaitedForForEver) {
  route::Forward forward;
  forward.first_byte_timeout = 5s;
  route(forward);
  makeCluster();
  Client& client = sent(kUpgrade);
  http_.advance(5s);
  EXPECT_EQ(firstLine(client.take()), "HTTP/1.1 504 Gateway Timeout");
  EXPECT_TRUE(client.ended());
}

TEST_F(TunnelTest, MaxStreamDurationCountsForTunnels) {
  allow({{"websocket"}}, [](ConnectionManagerSpec& spec) { spec.max_stream_duration = 10s; });
  Client& client = opened();
  route::Forward for_ever;
  for_ever.max_stream_duration = 0s;
  route(for_ever);
  Client& other = opened();
  http_.advance(10s);
  EXPECT_FALSE(client.open());
  EXPECT_TRUE(other.open());
  EXPECT_EQ(http_.log(), "101 UMSDR max_stream_duration{default}\n");
}

TEST_F(TunnelTest, NoChangeOfConfigurationEndsIt) {
  Client& client = opened();
  route::Forward other;
  other.upgrades = {{"websocket", false}};
  route(other);
  allow({});
  auto spec = clusterSpec();
  spec->connect_timeout = 1s;
  apply({.clusters = {spec}});
  http_.send(client, "still");
  EXPECT_EQ(lastPeer().take(), "still");
  toClient("here");
  EXPECT_EQ(client.take(), "here");
  EXPECT_EQ(firstLine(sent(kUpgrade).take()), "HTTP/1.1 403 Forbidden");
}

TEST_F(TunnelTest, DrainingLeavesItUntilItsTimeIsOver) {
  Client& client = opened();
  client.manager->drain();
  http_.advance(200s);
  http_.send(client, "still");
  EXPECT_EQ(lastPeer().take(), "still");
  EXPECT_TRUE(client.open());
  client.manager->closeNow();  // by whoever keeps that time (worker_listeners.h)
  run();
  EXPECT_FALSE(client.open());
  EXPECT_TRUE(gone(lastPeer()));
}

TEST_F(TunnelTest, ConnectIsForwardedAsSuch) {
  makeCluster();
  Client& client = sent(kConnect);
  EXPECT_EQ(firstLine(lastPeer().take()), "CONNECT b:443 HTTP/1.1");
  toClient("HTTP/1.1 200 OK\r\n\r\ndown");
  EXPECT_TRUE(client.take().ends_with("\r\n\r\ndown"));
  http_.send(client, "up");
  EXPECT_EQ(lastPeer().take(), "up");
}

TEST_F(TunnelTest, ConnectThatEndsHereGivesTheHostTheBytesAlone) {
  route::Forward forward;
  forward.terminates_connect = true;
  route(forward);
  makeCluster();
  Client& client = sent(std::string(kConnect) + "early ");
  const std::string text = client.take();
  EXPECT_EQ(firstLine(text), "HTTP/1.1 200 OK");
  EXPECT_FALSE(saysClose(text));
  http_.send(client, "up");
  EXPECT_EQ(lastPeer().take(), "early up");
  toClient("down");
  EXPECT_EQ(client.take(), "down");
  client.connection->endSending();
  run();
  EXPECT_TRUE(lastPeer().handler.ended);
  lastPeer().connection->close(net::CloseMode::Flush);
  run();
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(http_.log(), "200 - via_upstream\n");
}

TEST_F(TunnelTest, ConnectToAHostThatIsNotThere) {
  route::Forward forward;
  forward.terminates_connect = true;
  route(forward);
  io_.refuse = true;
  makeCluster();
  Client& client = sent(kConnect);
  const std::string text = client.take();
  EXPECT_EQ(firstLine(text), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(saysClose(text) && client.ended());
}

}  // namespace
}  // namespace convoy::filter::router
