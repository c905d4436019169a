// Requests that one upstream fails and another one serves, through the whole proxy.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "test/common/proxy_harness.h"
#include "test/integration/http_peers.h"
#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

// The cluster "web" with these hosts, in turn; `route`: more of the route's action.
std::string bootstrap(const std::vector<net::Address>& hosts, const std::string& route,
                      const std::string& cluster = "") {
  return staticBootstrap(hosts,
                         absl::StrCat("{match: {prefix: /}, route: {cluster: web, ", route, "}}")) +
         cluster;
}

std::string retryOn(const std::string& conditions, const std::string& more = "") {
  return absl::StrCat("retry_policy: {retry_on: \"", conditions,
                      "\", retry_back_off: {base_interval: 0.001s, max_interval: 0.001s}", more,
                      "}");
}

// An address that nobody listens on.
net::Address closedAddress() {
  return RawSocket::listening().localAddress();
}

const std::string kTellsNextHop = routePolicy("retries: {tell_next_hop: true}");

std::string get() {
  return "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
}

TEST(Retries, AnotherHostTakesOverForOneThatIsNotThere) {
  const FakeUpstream web;
  const ProxyHarness proxy(bootstrap({closedAddress(), web.address()}, retryOn("connect-failure")));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.send(get()).status, 200);
  EXPECT_EQ(web.requests(), 4);
}

TEST(Retries, AnotherHostAnswersForOneThatIsBusy) {
  const FakeUpstream busy("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  const FakeUpstream web;
  const ProxyHarness proxy(bootstrap({busy.address(), web.address()}, retryOn("gateway-error")));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.send(get()).body, "ok");
  EXPECT_EQ(web.requests(), 4);
  EXPECT_GT(busy.requests(), 0);
}

TEST(Retries, PostsAreRepeatedOnlyIfAskedFor) {
  const FakeUpstream dies("");
  const FakeUpstream web;
  const std::string post =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
  {
    const ProxyHarness proxy(
        bootstrap({dies.address(), web.address()}, retryOn("connect-failure")));
    EXPECT_EQ(proxy.send(post).status, 502);
    EXPECT_EQ(proxy.send(post).status, 200);
  }
  const ProxyHarness proxy(bootstrap({dies.address(), web.address()}, retryOn("reset")));
  EXPECT_EQ(proxy.send(post).status, 200);
}

// By a status, by a field of the response, or by its gRPC status.
TEST(Retries, AResponseMayAskForIt) {
  struct {
    const char* condition;
    const char* more;
    const char* response;
  } const cases[] = {
      {"5xx", "", "500 Oops\r\n"},
      {"retriable-4xx", "", "409 Conflict\r\n"},
      {"retriable-status-codes", ", retriable_status_codes: [429]", "429 Slowly\r\n"},
      {"retriable-headers", ", retriable_headers: [{name: x-busy, present_match: true}]",
       "200 OK\r\nX-Busy: 1\r\n"},
      {"unavailable", "", "200 OK\r\nContent-Type: application/grpc\r\nGrpc-Status: 14\r\n"},
      {"resource-exhausted", "", "200 OK\r\nContent-Type: application/grpc\r\nGrpc-Status: 8\r\n"},
  };
  for (const auto& c : cases) {
    const FakeUpstream busy(absl::StrCat("HTTP/1.1 ", c.response, "Content-Length: 0\r\n\r\n"));
    const FakeUpstream web;
    const ProxyHarness proxy(
        bootstrap({busy.address(), web.address()}, retryOn(c.condition, c.more)));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.send(get()).body, "ok") << c.condition;
    EXPECT_GT(busy.requests(), 0) << c.condition;
  }
}

TEST(Retries, TheHostSaysWhen) {
  const FakeUpstream busy("HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy");
  const FakeUpstream web;
  SimulatedClock time;
  ProxyHarness proxy(
      bootstrap({busy.address(), web.address()},
                "retry_policy: {retry_on: gateway-error, rate_limited_retry_back_off: "
                "{reset_headers: [{name: Retry-After, format: SECONDS}], max_interval: 10s}}"),
      time);
  const RawSocket client = RawSocket::connectedTo(proxy.address());
  client.send(get());
  ASSERT_TRUE(proxy.becomes("cluster.web.upstream_rq_retry_backoff_ratelimited", 1));
  time.advance(1999ms);
  EXPECT_EQ(web.requests(), 0);
  time.advance(1001ms);  // up to half as much is added
  EXPECT_EQ(parseReply(client.receiveAll()).status, 200);
}

// A third of 300 requests is lost with their host, at once, each the first on its connection. The
// budget has a place for 60.
TEST(Retries, WhatIsLostWithAHostNeedsNoBudget) {
  const std::string lost_is_free = routePolicy(
      "retries: {idempotent_resets: true, unseen_is_free: true, lost_with_host_is_free: true}");
  constexpr size_t kClients = 300;
  Servers servers(3);
  SimulatedClock time;  // so that it is one moment, however long it takes here
  ProxyHarness proxy(
      staticBootstrap(servers.addresses(),
                      absl::StrCat("{match: {prefix: /}, route: {cluster: web, ",
                                   retryOn("connect-failure"), "}", lost_is_free, "}")) +
          "    circuit_breakers: {thresholds: [{retry_budget: {}}]}\n",
      time);
  servers.comeUp();
  Clients clients(proxy, kClients);
  ASSERT_TRUE(servers.comeTo(kClients));
  const size_t lost = servers.underWay(0);
  EXPECT_EQ(lost, kClients / 3);
  servers.die(0);
  EXPECT_TRUE(until([&] {
    servers.take();
    servers.answerAll();
    clients.take();
    return clients.served() + clients.refused() + clients.odd() == kClients;
  }));
  EXPECT_EQ(clients.served(), kClients);
  EXPECT_EQ(proxy.metric("cluster.web.upstream_rq_retry"), lost);
  EXPECT_EQ(proxy.metric("cluster.web.upstream_rq_retry_overflow"), 0u);
}

// All wait for their back-off at the same time: three may, for the others it is over.
TEST(Retries, TheBudgetIsChargedWhenTheyAreScheduled) {
  const FakeUpstream busy("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  SimulatedClock time;
  ProxyHarness proxy(bootstrap({busy.address()},
                               "retry_policy: {retry_on: 5xx, num_retries: 1, retry_back_off: "
                               "{base_interval: 10s, max_interval: 10s}}",
                               "    circuit_breakers: {thresholds: [{retry_budget: {}}]}\n"),
                     time);
  std::vector<RawSocket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(RawSocket::connectedTo(proxy.address()));
    clients.back().send(get());
  }
  ASSERT_TRUE(proxy.becomes("cluster.web.upstream_rq_retry_overflow", 7));
  EXPECT_EQ(proxy.metric("cluster.web.upstream_rq_retry"), 3u);
  EXPECT_EQ(busy.requests(), 10);
  time.advance(10s);
  for (const RawSocket& client : clients) EXPECT_EQ(parseReply(client.receiveAll()).status, 503);
  EXPECT_EQ(busy.requests(), 13);
}

// Three times three times three, unless each tells the next one what is left.
TEST(Retries, ProxiesInARowDoNotMultiplyThem) {
  for (const bool tells : {false, true}) {
    const FakeUpstream busy("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    const auto before = [tells](const net::Address& next) {
      return staticBootstrap(next, absl::StrCat("{match: {prefix: /}, route: {cluster: web, ",
                                                retryOn("5xx", ", num_retries: 2"), "}",
                                                tells ? kTellsNextHop : std::string(), "}"));
    };
    const ProxyHarness third(before(busy.address()));
    const ProxyHarness second(before(third.address()));
    const ProxyHarness first(before(second.address()));
    EXPECT_EQ(first.send(get()).status, 503);
    EXPECT_EQ(busy.requests(), tells ? 3 : 27);
  }
}

// The last one but one gives up when the first one does: nobody works on what nobody waits for.
TEST(Retries, AProxyGivesUpWhenTheOneBeforeItDoes) {
  for (const bool tells : {false, true}) {
    TestUpstream silent(Speaks::Http1);
    SimulatedClock time_of_first, time_of_second;
    const std::string obeys = absl::StrReplaceAll(
        bootstrap({silent.address()}, "timeout: 15s"),
        {{"http.router.v3.Router}", "http.router.v3.Router, respect_expected_rq_timeout: true}"}});
    ProxyHarness second(obeys, time_of_second);
    ProxyHarness first(
        staticBootstrap(second.address(),
                        absl::StrCat("{match: {prefix: /}, route: {cluster: web, timeout: 2s}",
                                     tells ? kTellsNextHop : std::string(), "}")),
        time_of_first);
    const RawSocket client = RawSocket::connectedTo(first.address());
    client.send(get());
    EXPECT_EQ(silent.receive().field("x-envoy-expected-rq-timeout-ms"), "");
    // The first one's time stands still: nobody resets anything.
    time_of_second.advance(1999ms);
    EXPECT_EQ(second.metric("cluster.web.upstream_rq_timeout"), 0u);
    time_of_second.advance(tells ? 1ms : 13'000ms);
    EXPECT_EQ(second.metric("cluster.web.upstream_rq_timeout"), tells ? 1u : 0u);
    if (tells) {
      EXPECT_EQ(parseReply(client.receiveAll()).status, 504);
    } else {
      time_of_first.advance(2s);
      EXPECT_EQ(parseReply(client.receiveAll()).status, 504);
    }
    EXPECT_EQ(first.metric("cluster.web.upstream_rq_timeout"), tells ? 0u : 1u);
  }
}

// Nobody can tell whether a POST may be repeated that meets a connection in the moment in which its
// host closes it. So it meets none, once it is known when that is.
TEST(Retries, AConnectionIsGivenUpBeforeItsHostDoesIt) {
  TestUpstream web(Speaks::Http1);
  SimulatedClock time;
  ProxyHarness proxy(bootstrap({web.address()}, "timeout: 15s"), time);
  const auto post = [&] {
    TestClient client(Speaks::Http1, proxy.address());
    client.send(
        {.head = {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
         .body = "abc"});
    EXPECT_EQ(web.receive().body, "abc");
    web.answer({.head = {{":status", "200"}}, .body = "ok"});
    EXPECT_EQ(client.receive().body, "ok");
  };
  for (uint64_t closed = 1; closed <= 2; ++closed) {
    post();
    time.advance(5s);
    EXPECT_EQ(proxy.metric("cluster.web.upstream_cx_active"), 1u);
    web.breakOff();
    ASSERT_TRUE(proxy.becomes("cluster.web.upstream_cx_destroy", closed));
  }
  post();
  time.advance(4s);
  EXPECT_EQ(proxy.metric("cluster.web.upstream_cx_active"), 1u);
  time.advance(200ms);
  EXPECT_EQ(proxy.metric("cluster.web.upstream_cx_active"), 0u);
  EXPECT_EQ(proxy.metric("cluster.web.upstream_cx_idle_timeout"), 1u);
}

TEST(Retries, BothMayFail) {
  const FakeUpstream busy("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  const ProxyHarness proxy(
      bootstrap({busy.address(), closedAddress()}, retryOn("5xx", ", num_retries: 3")));
  EXPECT_EQ(proxy.send(get()).status, 503);
}

// The host has not looked at it (RFC 9113 8.7): the body goes to another one, whatever the method.
TEST(Retries, ARefusedStreamGoesToAnotherHostWithItsBody) {
  TestUpstream refuses(Speaks::Http2);
  TestUpstream serves(Speaks::Http2);
  ProxyHarness proxy(bootstrap({refuses.address(), serves.address()}, retryOn("refused-stream"),
                               "    http2_protocol_options: {}\n"));
  TestClient client(Speaks::Http1, proxy.address());
  client.send(
      {.head = {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
       .body = "kept"});
  EXPECT_EQ(refuses.receive().body, "kept");
  refuses.h2().reset(refuses.id(), NGHTTP2_REFUSED_STREAM);
  refuses.h2().exchange();
  EXPECT_EQ(serves.receive().body, "kept");
  serves.answer({.head = {{":status", "200"}}, .body = "done"});
  EXPECT_EQ(client.receive().body, "done");
}

TEST(Retries, ASlowHostIsGivenUp) {
  TestUpstream silent(Speaks::Http1);
  const FakeUpstream web;
  SimulatedClock time;
  ProxyHarness proxy(
      bootstrap({silent.address(), web.address()}, retryOn("reset", ", per_try_timeout: 0.05s")),
      time);
  const RawSocket client = RawSocket::connectedTo(proxy.address());
  client.send(get());
  EXPECT_EQ(silent.receive().body, "");
  time.advance(49ms);
  EXPECT_EQ(web.requests(), 0);
  time.advance(1ms);
  time.advance(1ms);  // the back-off
  EXPECT_EQ(parseReply(client.receiveAll()).status, 200);
}

TEST(Retries, AndAHedgeOvertakesIt) {
  TestUpstream silent(Speaks::Http1);
  const FakeUpstream web;
  SimulatedClock time;
  ProxyHarness proxy(bootstrap({silent.address(), web.address()},
                               retryOn("reset", ", per_try_timeout: 0.05s") +
                                   ", hedge_policy: {hedge_on_per_try_timeout: true}"),
                     time);
  const RawSocket client = RawSocket::connectedTo(proxy.address());
  client.send(get());
  EXPECT_EQ(silent.receive().body, "");
  time.advance(50ms);
  time.advance(1ms);
  EXPECT_EQ(parseReply(client.receiveAll()).status, 200);
}

// Unlike one that was given up for a retry.
TEST(Retries, AHostMayStillAnswerBesideItsHedge) {
  TestUpstream slow(Speaks::Http1), hedge(Speaks::Http1);
  SimulatedClock time;
  ProxyHarness proxy(bootstrap({slow.address(), hedge.address()},
                               retryOn("reset", ", per_try_timeout: 0.05s") +
                                   ", hedge_policy: {hedge_on_per_try_timeout: true}"),
                     time);
  const RawSocket client = RawSocket::connectedTo(proxy.address());
  client.send(get());
  EXPECT_EQ(slow.receive().body, "");
  time.advance(50ms);
  time.advance(1ms);
  EXPECT_EQ(hedge.receive().field(":path"), "/");
  ASSERT_EQ(proxy.metric("cluster.web.upstream_rq_active"), 2u) << "nobody was given up";
  slow.answer({.head = {{":status", "200"}}, .body = "slow", .chunked = false});
  EXPECT_EQ(parseReply(client.receiveAll()).body, "slow");
  proxy.untilWorkersKnow();
  EXPECT_EQ(proxy.metric("cluster.web.upstream_rq_active"), 0u) << "nobody waits for the other";
}

// A body of as many bytes as are kept is sent again, and not of one more.
TEST(Retries, ABodyIsSentAgainUpToTheLimitToTheByte) {
  constexpr size_t kLimit = 65'536;
  for (const size_t size : {kLimit, kLimit + 1}) {
    for (const bool chunked : {false, true}) {
      TestUpstream busy(Speaks::Http1), web(Speaks::Http1);
      ProxyHarness proxy(staticBootstrap(
          {busy.address(), web.address()},
          absl::StrCat("{match: {prefix: /}, per_request_buffer_limit_bytes: ", kLimit,
                       ", route: {cluster: web, ", retryOn("5xx"), "}}")));
      const std::string body(size, 'b');
      TestClient client(Speaks::Http1, proxy.address());
      client.send(
          {.head = {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
           .body = body,
           .chunked = chunked});
      EXPECT_TRUE(busy.receive().body == body);
      busy.answer({.head = {{":status", "503"}}, .body = "busy"});
      const bool kept = size == kLimit;
      if (kept) {
        ASSERT_TRUE(proxy.becomes("cluster.web.upstream_rq_retry", 1));
        EXPECT_TRUE(web.receive().body == body);
        web.answer({.head = {{":status", "200"}}, .body = "ok"});
      }
      EXPECT_EQ(client.receive().field(":status"), kept ? "200" : "503") << size << chunked;
      EXPECT_EQ(proxy.metric("cluster.web.upstream_rq_retry"), kept ? 1u : 0u);
      EXPECT_EQ(proxy.metric("cluster.web.retry_or_shadow_abandoned"), kept ? 0u : 1u);
    }
  }
}

}  // namespace
}  // namespace convoy::test
