// HTTP/1.x through the whole proxy: what is kept, what is changed, and what the settings of the
// connection manager make of a request before it is routed.

#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"
#include "test/integration/recording_upstream.h"

namespace convoy::test {
namespace {

using Lines = std::vector<std::string>;

class Http1Test : public testing::Test {
 protected:
  static constexpr char kToWeb[] = "{match: {prefix: /}, route: {cluster: web}}";

  void start(const Lines& manager, const std::string& routes = kToWeb) {
    proxy_ = std::make_unique<ProxyHarness>(staticBootstrap(upstream_.address(), routes, manager));
  }
  std::string exchange(const std::string& bytes) const {
    const RawSocket client = RawSocket::connectedTo(proxy_->address());
    client.send(bytes);
    client.shutdownSending();
    return client.receiveAll();
  }
  HttpReply get(const std::string& target, const std::string& fields = "") const {
    return proxy_->send(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: a.test:81\r\n", fields,
                                     "Connection: close\r\n\r\n"));
  }
  // The one request that the upstream has received.
  WireMessage received() {
    const Received all = upstream_.take();
    EXPECT_EQ(all.requests.size(), 1U);
    return all.requests.empty() ? WireMessage() : all.requests[0];
  }
  size_t requestsReceived() { return upstream_.take().requests.size(); }

  RecordingUpstream upstream_;
  std::unique_ptr<ProxyHarness> proxy_;
};

Lines names(const WireMessage& message) {
  Lines all;
  for (const auto& [name, value] : message.fields) all.push_back(name);
  return all;
}

TEST_F(Http1Test, HeadersKeepCaseAndOrderBothWays) {
  start({"generate_request_id: false"});
  upstream_.script(
      "HTTP/1.1 200 Very OK\r\nX-CamelCase: 1\r\nlower: 2\r\nSet-COOKIE: a\r\nx-camelcase: 3\r\n"
      "Content-Length: 0\r\n\r\n",
      false);
  const std::string reply = exchange(
      "GET /scripted HTTP/1.1\r\nX-MiXeD: 1\r\nHOST: a.test\r\nuser-AGENT: me\r\nx-mixed: "
      "2\r\n\r\n");
  EXPECT_EQ(names(received()).size(), 6U);
  EXPECT_TRUE(absl::StartsWith(reply, "HTTP/1.1 200 Very OK\r\n")) << reply;
  EXPECT_TRUE(
      absl::StrContains(reply, "X-CamelCase: 1\r\nlower: 2\r\nSet-COOKIE: a\r\nx-camelcase: 3\r\n"))
      << reply;
}

TEST_F(Http1Test, RequestNamesKeepTheirCase) {
  start({"generate_request_id: false"});
  exchange("GET / HTTP/1.1\r\nHost: a\r\nX-MiXeD: 1\r\nuser-AGENT: me\r\nx-mixed: 2\r\n\r\n");
  const Lines sent = names(received());
  EXPECT_EQ(Lines(sent.begin() + 1, sent.begin() + 4), Lines({"X-MiXeD", "user-AGENT", "x-mixed"}));
}

TEST_F(Http1Test, Http10IsSwitchedOn) {
  start({});
  const HttpReply reply = parseReply(exchange("GET / HTTP/1.0\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(reply.status, 426);
  EXPECT_TRUE(absl::StrContains(reply.body, "accept_http_10")) << reply.body;
  EXPECT_EQ(requestsReceived(), 0U);
}

TEST_F(Http1Test, Http10ClosesUnlessAskedToKeepAlive) {
  start({"http_protocol_options: {accept_http_10: true}"});
  const std::string one = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
  const std::string kept = "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
  // The second request is behind the end of the connection.
  EXPECT_EQ(parseReply(exchange(one + one)).body, "ok");
  EXPECT_EQ(requestsReceived(), 1U);
  const RawSocket client = RawSocket::connectedTo(proxy_->address());
  client.send(kept + one);
  const std::string both = client.receiveAll();
  EXPECT_TRUE(absl::StrContains(both, "Connection: keep-alive\r\n")) << both;
  EXPECT_EQ(requestsReceived(), 2U);
}

TEST_F(Http1Test, Http10ClientsGetNoChunks) {
  start({"http_protocol_options: {accept_http_10: true}"});
  upstream_.script(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n",
      false);
  const HttpReply reply =
      proxy_->send("GET /scripted HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(reply.body, "abc");
  EXPECT_FALSE(absl::StrContains(reply.head, "chunked")) << reply.head;
}

TEST_F(Http1Test, Http10WithoutAHostNeedsOneByConfiguration) {
  start({"http_protocol_options: {accept_http_10: true}"});
  EXPECT_EQ(proxy_->send("GET / HTTP/1.0\r\n\r\n").status, 400);
  start({"http_protocol_options: {accept_http_10: true, default_host_for_http_10: old.test}"});
  EXPECT_EQ(proxy_->send("GET / HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_EQ(received().field("host"), "old.test");
}

TEST_F(Http1Test, Http10UpstreamsAreUnderstood) {
  start({});
  upstream_.script("HTTP/1.0 200 OK\r\n\r\nold", true);
  EXPECT_EQ(get("/scripted").body, "3\r\nold\r\n0\r\n\r\n");
  upstream_.script("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold",
                   false);
  EXPECT_EQ(get("/scripted").body, "old");
  EXPECT_EQ(get("/scripted").body, "old");
}

TEST_F(Http1Test, PathsAreNormalizedBeforeRoutesAndAsForwarded) {
  start({"normalize_path: true", "merge_slashes: true",
         "path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT"},
        "{match: {prefix: /admin}, direct_response: {status: 403}}, " + std::string(kToWeb));
  for (const std::string target :
       {"/admin", "/public/../admin", "//admin", "/%61dmin", "/public/%2e%2e/admin", "/.//admin",
        "/public\\..\\admin", "http://a.test/x/..//admin"}) {
    EXPECT_EQ(get(target).status, 403) << target;
  }
  EXPECT_EQ(requestsReceived(), 0U);
  EXPECT_EQ(get("/a/./b//c?x=/../").status, 200);
  EXPECT_EQ(received().start, "GET /a/b/c?x=/../ HTTP/1.1");
  const HttpReply redirect = get("/public%2f..%2fadmin?x");
  EXPECT_EQ(redirect.status, 307);
  EXPECT_TRUE(absl::StrContains(redirect.head, "location: /admin?x")) << redirect.head;
  EXPECT_EQ(get("/%00").status, 400);
  EXPECT_EQ(get("/%zz").status, 400);
  EXPECT_EQ(requestsReceived(), 0U);
}

// An open redirect: "//evil.test" in a Location is another host.
TEST_F(Http1Test, ARedirectToThePathWithSlashesStaysAtItsHost) {
  const std::string redirect = "path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT";
  start({"normalize_path: true", redirect});
  for (const std::string target : {"/%2fevil.test", "/%5Cevil.test", "//evil.test%2f..",
                                   "/x/..%2f%2fevil.test", "http://a.test/%2fevil.test"}) {
    const HttpReply reply = get(target);
    EXPECT_EQ(reply.status, 307) << target;
    EXPECT_TRUE(absl::StrContains(reply.head, "\r\nlocation: /.//")) << target << reply.head;
  }
  // Whoever follows it literally is understood.
  EXPECT_EQ(get("/.//evil.test").status, 200);
  EXPECT_EQ(received().start, "GET //evil.test HTTP/1.1");
  start({redirect, "merge_slashes: true"});
  const HttpReply reply = get("/%5cevil.test");
  EXPECT_TRUE(absl::StrContains(reply.head, "\r\nlocation: /./\\evil.test\r\n")) << reply.head;
}

TEST_F(Http1Test, UnderscoresAreRefusedOrDropped) {
  start({"common_http_protocol_options: {headers_with_underscores_action: REJECT_REQUEST}"});
  EXPECT_EQ(get("/", "X_A: 1\r\n").status, 400);
  EXPECT_EQ(get("/", "X-A: _\r\n").status, 200);
  EXPECT_EQ(requestsReceived(), 1U);
  start({"common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}"});
  EXPECT_EQ(get("/", "X_A: 1\r\nContent_Length: 9\r\n").status, 200);
  const WireMessage sent = received();
  EXPECT_FALSE(sent.has("x_a") || sent.has("content_length"));
}

// A body that nobody wants must not become a request.
TEST_F(Http1Test, ARefusedRequestsBodyIsNoRequest) {
  start({"common_http_protocol_options: {headers_with_underscores_action: REJECT_REQUEST}"});
  const std::string inner = "GET /inner HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string reply =
      proxy_
          ->send(absl::StrCat(
              "POST / HTTP/1.1\r\nHost: a\r\nX_A: 1\r\nContent-Length: ", inner.size(), "\r\n\r\n",
              inner, "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
          .head;
  EXPECT_TRUE(absl::StartsWith(reply, "HTTP/1.1 400")) << reply;
  const Received all = upstream_.take();
  ASSERT_EQ(all.requests.size(), 1U);
  EXPECT_EQ(all.requests[0].start, "GET /last HTTP/1.1");
}

TEST_F(Http1Test, TheNextHopIsToldOfTheClient) {
  start({"via: \"1.1 edge\"", "server_header_transformation: PASS_THROUGH",
         "strip_any_host_port: true",
         "early_header_mutation_extensions: [{name: f, typed_config: {\"@type\": "
         "type.googleapis.com/convoy.ext.ForwardedHeader}}]"});
  upstream_.script("HTTP/1.1 200 OK\r\nServer: theirs\r\nContent-Length: 0\r\n\r\n", false);
  const HttpReply reply = get("/scripted", "Forwarded: for=1.1.1.1\r\n");
  EXPECT_TRUE(absl::StrContains(reply.head, "Server: theirs")) << reply.head;
  EXPECT_TRUE(absl::StrContains(reply.head, "via: 1.1 edge")) << reply.head;
  const WireMessage sent = received();
  EXPECT_EQ(sent.field("forwarded"), "for=1.1.1.1, for=127.0.0.1;proto=http;host=\"a.test:81\"");
  EXPECT_EQ(sent.field("via"), "1.1 edge");
  EXPECT_EQ(sent.field("host"), "a.test");
}

}  // namespace
}  // namespace convoy::test
