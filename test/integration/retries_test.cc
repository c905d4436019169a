// Requests that one upstream fails and another one serves, through the whole proxy.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"
#include "test/integration/http_peers.h"

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

}  // namespace
}  // namespace convoy::test
