// The filter in a whole proxy: sessions of each kind, per route, on several workers and nodes, and
// what happens when a host goes.

#include "proxy/filter/stateful_session/stateful_session_filter.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "proxy/admin/stats.h"
#include "test/common/proxy_harness.h"
#include "test/common/simulated_clock.h"

namespace convoy::filter::stateful_session {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::HttpReply;
using test::ProxyHarness;

constexpr char kFilterType[] =
    "\"@type\": type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.";
constexpr char kSigned[] =
    "{name: s, typed_config: {\"@type\": type.googleapis.com/convoy.ext.SignedCookie, name: sid, "
    "path: /, ttl: 60s, keys: [{inline_bytes: "
    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=}]}}";

std::string learnedBy(const std::string& key) {
  return absl::StrCat(
      "{name: s, typed_config: {\"@type\": type.googleapis.com/convoy.ext.LearnedSession, "
      "table: web, ",
      key, "}}");
}

// Three hosts that answer with their names, and one of a cluster of its own.
class StatefulSessionFilterTest : public testing::Test {
 protected:
  StatefulSessionFilterTest() {
    for (const char* name : {"a", "b", "c"}) add(name);
  }
  void add(const std::string& name, const std::string& fields = "") {
    hosts_.push_back(std::make_unique<FakeUpstream>(absl::StrCat(
        "HTTP/1.1 200 OK\r\n", fields, "Content-Length: ", name.size(), "\r\n\r\n", name)));
  }
  // The filter with this configuration, and these routes.
  std::string bootstrap(const std::string& filter,
                        const std::string& routes = "{match: {prefix: /}, route: {cluster: web}}",
                        const std::string& health = "") const {
    std::string text = absl::StrReplaceAll(
        test::staticBootstrap(hosts_[0]->address(), routes),
        {{"          http_filters:\n",
          absl::StrCat("          http_filters:\n          - name: sessions\n            "
                       "typed_config: {",
                       kFilterType, "StatefulSession", filter, "}\n")}});
    for (size_t i = 1; i < hosts_.size(); ++i) {
      absl::StrAppend(&text,
                      "        - endpoint: {address: {socket_address: {address: 127.0.0.1, "
                      "port_value: ",
                      hosts_[i]->address().port(), "}}}\n", i + 1 == hosts_.size() ? health : "");
    }
    return text;
  }
  static HttpReply get(const ProxyHarness& proxy, const std::string& fields = "",
                       const std::string& path = "/") {
    return proxy.send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: h\r\n", fields,
                                   "Connection: close\r\n\r\n"));
  }
  // "Cookie: ..." of the Set-Cookie that a reply has; empty without.
  static std::string cookieOf(const HttpReply& reply) {
    const size_t at = reply.head.find("set-cookie: ");
    if (at == std::string::npos) return "";
    const size_t begin = at + 12;
    return absl::StrCat("Cookie: ", reply.head.substr(begin, reply.head.find(';', begin) - begin),
                        "\r\n");
  }
  static std::string stats(ProxyHarness& proxy) {
    std::string text;
    proxy.onMain([&](server::Server& server) {
      text = admin::renderStats(server.metrics(), "cluster.web.sticky_");
    });
    return text;
  }

  std::vector<std::unique_ptr<FakeUpstream>> hosts_;
};

TEST_F(StatefulSessionFilterTest, ASignedCookieKeepsAClientOnItsHost) {
  ProxyHarness proxy(bootstrap(absl::StrCat(", session_state: ", kSigned)), /*workers=*/2);
  const HttpReply first = get(proxy);
  const std::string cookie = cookieOf(first);
  ASSERT_NE(cookie, "");
  EXPECT_NE(first.head.find("; Max-Age=60; Path=/; HttpOnly"), std::string::npos) << first.head;
  for (int i = 0; i < 8; ++i) {
    const HttpReply next = get(proxy, cookie);
    EXPECT_EQ(next.body, first.body);
    EXPECT_EQ(cookieOf(next), "") << "told once";
  }
  std::string forged = cookie;
  forged[20] = forged[20] == 'A' ? 'B' : 'A';
  EXPECT_NE(cookieOf(get(proxy, forged)), "") << "ignored, and replaced";
  const std::string counters = stats(proxy);
  EXPECT_NE(counters.find("cluster.web.sticky_hit: 8\n"), std::string::npos) << counters;
  EXPECT_NE(counters.find("cluster.web.sticky_miss: 1\n"), std::string::npos) << counters;
  EXPECT_NE(counters.find("cluster.web.sticky_tampered: 1\n"), std::string::npos) << counters;
}

TEST_F(StatefulSessionFilterTest, ACookieHoldsUntilItsTimeIsOver) {
  test::SimulatedClock time;
  ProxyHarness proxy(bootstrap(absl::StrCat(", session_state: ", kSigned)), time);
  const HttpReply first = get(proxy);
  const std::string cookie = cookieOf(first);
  time.advance(29s);
  EXPECT_EQ(get(proxy, cookie).body, first.body);
  time.advance(30s);
  const HttpReply renewed = get(proxy, cookie);
  EXPECT_EQ(renewed.body, first.body);
  time.advance(1s);
  const HttpReply expired = get(proxy, cookie);
  EXPECT_EQ(expired.status, 200);
  EXPECT_NE(expired.body, first.body) << "the next in turn";
  EXPECT_EQ(get(proxy, cookieOf(expired)).body, expired.body);
  EXPECT_EQ(get(proxy, cookieOf(renewed)).body, first.body) << "made anew in its second half";
  EXPECT_EQ(proxy.metric("cluster.web.sticky_expired"), 1u);
  EXPECT_EQ(proxy.metric("cluster.web.sticky_hit"), 4u);
  EXPECT_EQ(proxy.metric("cluster.web.sticky_tampered"), 0u);
}

TEST_F(StatefulSessionFilterTest, AnotherNodeAndAnotherStartTakeItToo) {
  const std::string text = bootstrap(absl::StrCat(", session_state: ", kSigned));
  std::map<std::string, std::string> cookies;  // by host
  {
    ProxyHarness first(text);
    for (int i = 0; i < 3; ++i) {
      const HttpReply reply = get(first);
      cookies[reply.body] = cookieOf(reply);
    }
  }
  ASSERT_EQ(cookies.size(), 3u);
  ProxyHarness second(text);
  for (int i = 0; i < 2; ++i) {
    for (const auto& [host, cookie] : cookies) EXPECT_EQ(get(second, cookie).body, host);
  }
}

TEST_F(StatefulSessionFilterTest, AHostThatLeavesIsReplacedAndTheCookieWithIt) {
  add("d");
  const std::string state = absl::StrCat(", session_state: ", kSigned);
  std::string cookie;
  {
    ProxyHarness before(bootstrap(state));
    HttpReply reply;
    while ((reply = get(before)).body != "d") {
    }
    cookie = cookieOf(reply);
  }
  ProxyHarness after(bootstrap(state, "{match: {prefix: /}, route: {cluster: web}}",
                               "          health_status: DRAINING\n"));
  const HttpReply moved = get(after, cookie);
  EXPECT_NE(moved.body, "d");
  const std::string fresh = cookieOf(moved);
  ASSERT_NE(fresh, "");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get(after, fresh).body, moved.body);
  EXPECT_NE(stats(after).find("cluster.web.sticky_repicked: 1\n"), std::string::npos);
}

TEST_F(StatefulSessionFilterTest, StrictAnswers503Instead) {
  ProxyHarness proxy(
      bootstrap(", strict: true, session_state: {name: s, typed_config: {\"@type\": "
                "type.googleapis.com/envoy.extensions.http.stateful_session.header.v3."
                "HeaderBasedSessionState, name: session-header}}"));
  const HttpReply first = get(proxy);
  EXPECT_EQ(first.status, 200);
  EXPECT_NE(first.head.find("session-header: "), std::string::npos);
  // "1.2.3.4:80"
  const HttpReply none = get(proxy, "session-header: MS4yLjMuNDo4MA==\r\n");
  EXPECT_EQ(none.status, 503);
  EXPECT_EQ(none.head.find("session-header"), std::string::npos) << "no host has answered";
}

TEST_F(StatefulSessionFilterTest, ARouteHasItsOwnOrNone) {
  const auto perRoute = [](const std::string& config) {
    return absl::StrCat("typed_per_filter_config: {sessions: {", kFilterType,
                        "StatefulSessionPerRoute, ", config, "}}");
  };
  ProxyHarness proxy(bootstrap(
      absl::StrCat(", session_state: ", kSigned),
      absl::StrCat("{match: {prefix: /off}, route: {cluster: web}, ", perRoute("disabled: true"),
                   "}, {match: {prefix: /own}, route: {cluster: web}, ",
                   perRoute("stateful_session: {session_state: {name: s, typed_config: "
                            "{\"@type\": type.googleapis.com/envoy.extensions.http."
                            "stateful_session.cookie.v3.CookieBasedSessionState, cookie: {name: "
                            "own, path: /own/a}}}}"),
                   "}, {match: {prefix: /direct}, direct_response: {status: 200}}, "
                   "{match: {prefix: /}, route: {cluster: web}}")));
  EXPECT_EQ(cookieOf(get(proxy, "", "/off")), "");
  EXPECT_EQ(cookieOf(get(proxy, "", "/direct")), "");
  EXPECT_EQ(cookieOf(get(proxy, "", "/own/b")), "") << "the cookie is not for this path";
  EXPECT_EQ(cookieOf(get(proxy, "", "/own/a?b")).substr(0, 12), "Cookie: own=");
  EXPECT_EQ(cookieOf(get(proxy)).substr(0, 12), "Cookie: sid=");
}

TEST_F(StatefulSessionFilterTest, ASessionOfTheHostsIsLearned) {
  hosts_.clear();
  for (const std::string name : {"a", "b"}) {
    add(name, absl::StrCat("Set-Cookie: JSESSIONID=of-", name, "; Path=/\r\n"));
  }
  ProxyHarness proxy(
      bootstrap(absl::StrCat(", session_state: ", learnedBy("cookie: {name: JSESSIONID}"))),
      /*workers=*/2);
  for (int i = 0; i < 4; ++i) get(proxy);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(get(proxy, "Cookie: JSESSIONID=of-a\r\n").body, "a");
    EXPECT_EQ(get(proxy, "Cookie: JSESSIONID=of-b\r\n").body, "b");
  }
  EXPECT_NE(stats(proxy).find("cluster.web.sticky_entries: 2\n"), std::string::npos);
}

TEST_F(StatefulSessionFilterTest, ClientsAreKnownByAHeaderOrTheirAddress) {
  ProxyHarness by_header(
      bootstrap(absl::StrCat(", session_state: ", learnedBy("header: {name: x-user}"))));
  const std::string of_one = get(by_header, "x-user: 1\r\n").body;
  const std::string of_two = get(by_header, "X-User: 2\r\n").body;
  EXPECT_NE(of_one, of_two);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(get(by_header, "x-user: 1\r\n").body, of_one);
    EXPECT_EQ(get(by_header, "x-user: 2\r\n").body, of_two);
  }
  ProxyHarness by_address(
      bootstrap(absl::StrCat(", session_state: ", learnedBy("source_ip: {}, ttl: 60s"))));
  const std::string host = get(by_address).body;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(by_address).body, host);
}

}  // namespace
}  // namespace convoy::filter::stateful_session
