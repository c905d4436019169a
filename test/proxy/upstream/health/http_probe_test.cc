#include "proxy/upstream/health/http_probe.h"

#include "test/common/grpc_server.h"
#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

std::string text(const ProbeResult& result) {
  constexpr const char* kKinds[] = {"Pass", "Degraded", "Fail", "FailAtOnce", "Network", "Skipped"};
  const std::string kind = kKinds[static_cast<size_t>(result.kind)];
  return result.reason.empty() ? kind : kind + ": " + result.reason;
}

HttpCheckSpec httpSpec() {
  HttpCheckSpec spec;
  spec.path = "/health";
  spec.expected = {{200, 300}};
  spec.retriable = {{500, 600}};
  return spec;
}

TEST(JudgeHttpTest, Answers) {
  HttpCheckSpec plain = httpSpec();
  HttpCheckSpec body = plain;
  body.receive = {"DB_", "OK"};
  HttpCheckSpec body_counts = body;
  body_counts.retriable = {{100, 600}};
  HttpCheckSpec json = body_counts;
  json.receive.clear();
  json.json = true;
  struct Case {
    const HttpCheckSpec& spec;
    CheckAnswer answer;
    const char* expected;
  };
  const Case cases[] = {
      {plain, {.status = 204}, "Pass"},
      {plain, {.error = "lost"}, "Network: lost"},
      {plain, {.status = 404}, "FailAtOnce: status 404"},  // explicit codes: no 404 passes
      {plain, {.status = 503}, "Fail: status 503"},        // retriable
      {plain, {.status = 200, .headers = {{"x-envoy-degraded", ""}}}, "Degraded"},
      {plain,
       {.status = 200, .headers = {{"x-envoy-immediate-health-check-fail", "true"}}},
       "FailAtOnce: the host said x-envoy-immediate-health-check-fail"},
      {body, {.status = 200, .body = "DB_1_OK"}, "Pass"},
      {body, {.status = 200, .body = "DB_"}, "FailAtOnce: the body does not have what is expected"},
      {body_counts, {.status = 200, .body = ""}, "Fail: the body does not have what is expected"},
      {json, {.status = 200, .body = R"({"status":"healthy","checks":{"db":"ok"}})"}, "Pass"},
      {json,
       {.status = 200, .body = R"({"status":"healthy","checks":{"db":"slow"}})"},
       "Fail: the body says that check db is not ok"},
      {json, {.status = 503, .body = R"({"status":"healthy"})"}, "Fail: status 503"},
  };
  for (const Case& c : cases) EXPECT_EQ(text(judgeHttp(c.spec, nullptr, c.answer)), c.expected);
}

TEST(JudgeHttpTest, TheServiceNameMustFit) {
  const route::StringMatch match{route::StringMatch::Kind::Prefix, "shop", false};
  const route::TextMatcher matcher = *route::TextMatcher::compile(match);
  const HttpCheckSpec spec = httpSpec();
  constexpr char kHeader[] = "x-envoy-upstream-healthchecked-cluster";
  EXPECT_EQ(text(judgeHttp(spec, &matcher, {.status = 200, .headers = {{kHeader, "shop-1"}}})),
            "Pass");
  EXPECT_EQ(text(judgeHttp(spec, &matcher, {.status = 200, .headers = {{kHeader, "bank"}}})),
            "FailAtOnce: the host belongs to another service: bank");
  EXPECT_EQ(text(judgeHttp(spec, &matcher, {.status = 200})),
            "FailAtOnce: the host belongs to another service: it does not say which");
}

TEST(JudgeGrpcTest, Answers) {
  const std::vector<Header> grpc{{"content-type", "application/grpc"}};
  const std::vector<Header> ok{{"grpc-status", "0"}};
  const std::string serving("\0\0\0\0\2\x08\x01", 7);
  const std::string not_serving("\0\0\0\0\2\x08\x02", 7);
  const std::pair<CheckAnswer, const char*> cases[] = {
      {{.status = 200, .headers = grpc, .body = serving, .trailers = ok}, "Pass"},
      {{.error = "lost"}, "Network: lost"},
      {{.status = 200, .headers = grpc, .body = not_serving, .trailers = ok},
       "Fail: the service is not SERVING (status 2)"},
      {{.status = 404}, "Fail: HTTP status 404"},
      {{.status = 200, .headers = {{"content-type", "text/html"}}},
       "Fail: the host does not answer in gRPC"},
      {{.status = 200, .headers = grpc}, "Fail: the answer has no grpc-status"},
      {{.status = 200,
        .headers = {{"content-type", "application/grpc"},
                    {"grpc-status", "5"},
                    {"grpc-message", "unknown%20service"}}},
       "Fail: gRPC status 5: unknown service"},
      {{.status = 200, .headers = grpc, .body = "", .trailers = ok},
       "Fail: the answer has no message"},
      {{.status = 200, .headers = grpc, .body = std::string("\0\0\0\0\1\x08", 6), .trailers = ok},
       "Fail: the answer is no HealthCheckResponse"},
  };
  for (const auto& [answer, expected] : cases) EXPECT_EQ(text(judgeGrpc(answer)), expected);
}

class HttpProbeTest : public test::HealthTest {
 protected:
  void makeHttp(HttpCheckSpec spec, ProbeTarget at = target()) {
    auto check = test::tcpCheck();
    check->checker = std::move(spec);
    make(owner(check), at);
  }
};

TEST_F(HttpProbeTest, AsksAsConfigured) {
  HttpCheckSpec spec = httpSpec();
  spec.method = "HEAD";
  spec.headers = {{"x-check", "1"}};
  makeHttp(spec);
  start();
  run();
  const std::string request = peer().take();
  EXPECT_TRUE(request.starts_with("HEAD /health HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find(": web\r\n"), std::string::npos) << request;  // the cluster's name
  EXPECT_NE(request.find("x-check: 1\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("Convoy/HC\r\n"), std::string::npos) << request;
  peer().send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  run();
  EXPECT_EQ(result(), "Pass");
}

TEST_F(HttpProbeTest, TheHostCanBeNamedByCheckAndByEndpoint) {
  HttpCheckSpec spec = httpSpec();
  spec.host = "health.test";
  spec.removed = {"user-agent"};
  makeHttp(spec);
  start();
  run();
  std::string request = peer().take();
  EXPECT_NE(request.find(": health.test\r\n"), std::string::npos) << request;
  EXPECT_EQ(request.find("Convoy"), std::string::npos) << request;
  ProbeTarget at = target();
  at.hostname = "one.test";
  makeHttp(spec, at);
  start();
  run();
  request = peer().take();
  EXPECT_NE(request.find(": one.test\r\n"), std::string::npos) << request;
}

// Over sockets, against a peer that speaks HTTP/2 by nghttp2.
class Http2ProbeTest : public test::HealthTest {
 protected:
  Http2ProbeTest()
      : server_(loop_.loop()),
        real_{.loop = loop_.loop(), .io = sockets_, .commands = commands_, .transport_slot = 0} {}
  ~Http2ProbeTest() override { probe_.reset(); }

  void makeAt(std::variant<TcpCheckSpec, HttpCheckSpec, GrpcCheckSpec, CommandCheckSpec> spec) {
    auto check = test::tcpCheck();
    check->checker = std::move(spec);
    probe_ = makeProbe(real_, owner(check), {server_.address(), server_.address(), ""},
                       [this](ProbeResult result) { result_ = std::move(result); });
  }
  // The peer and its newest call, whose request is complete.
  test::GrpcPeer& untilAsked(size_t calls) {
    start();
    EXPECT_TRUE(loop_.runUntil([&] {
      return server_.accepted() > 0 && server_.lastPeer().calls().size() == calls &&
             server_.lastPeer().call(server_.lastPeer().calls().back()).ended;
    }));
    return server_.lastPeer();
  }
  std::string answered() {
    server_.flush();
    EXPECT_TRUE(loop_.runUntil([&] { return result_.has_value(); }));
    return result();
  }

  SocketIo sockets_;
  test::GrpcServer server_;
  ProbeServices real_;
};

TEST_F(Http2ProbeTest, HttpOverHttp2) {
  HttpCheckSpec spec = httpSpec();
  spec.http2 = true;
  spec.host = "h2.test";
  makeAt(spec);
  test::GrpcPeer& peer = untilAsked(1);
  const int32_t first = peer.calls().back();
  EXPECT_EQ(peer.call(first).headers.at(":path"), "/health");
  EXPECT_EQ(peer.call(first).headers.at(":authority"), "h2.test");
  peer.answer(first, {{":status", "200"}}, /*end_stream=*/true);
  EXPECT_EQ(answered(), "Pass");
  // The next one is on the same connection.
  untilAsked(2);
  peer.answer(peer.calls().back(), {{":status", "503"}}, /*end_stream=*/true);
  EXPECT_EQ(answered(), "Fail: status 503");
  EXPECT_EQ(server_.accepted(), 1u);
}

TEST_F(Http2ProbeTest, GrpcHealth) {
  makeAt(GrpcCheckSpec{.service = "shop", .authority = "", .metadata = {{"x-a", "1"}}});
  test::GrpcPeer& peer = untilAsked(1);
  const int32_t first = peer.calls().back();
  EXPECT_EQ(peer.call(first).headers.at(":path"), "/grpc.health.v1.Health/Check");
  EXPECT_EQ(peer.call(first).headers.at(":authority"), "web");
  EXPECT_EQ(peer.call(first).headers.at("te"), "trailers");
  EXPECT_EQ(peer.call(first).headers.at("x-a"), "1");
  EXPECT_EQ(peer.call(first).messages, std::vector<std::string>{"\x0a\x04shop"});
  peer.send(first, "\x08\x01");
  peer.finish(first, 0);
  EXPECT_EQ(answered(), "Pass");

  untilAsked(2);
  peer.send(peer.calls().back(), "\x08\x02");
  peer.finish(peer.calls().back(), 0);
  EXPECT_EQ(answered(), "Fail: the service is not SERVING (status 2)");

  untilAsked(3);
  peer.finish(peer.calls().back(), 5, "no such service");
  EXPECT_EQ(answered(), "Fail: gRPC status 5: no such service");

  untilAsked(4);
  peer.reset(peer.calls().back(), 2);
  EXPECT_EQ(answered(), "Network: the host broke the request off");
  EXPECT_EQ(server_.accepted(), 1u);
}

TEST_F(Http2ProbeTest, AServerThatLeavesIsAskedAgainOnAnotherConnection) {
  makeAt(GrpcCheckSpec{});
  test::GrpcPeer& peer = untilAsked(1);
  peer.send(peer.calls().back(), "\x08\x01");
  peer.finish(peer.calls().back(), 0);
  EXPECT_EQ(answered(), "Pass");
  server_.closeConnection(0);
  start();
  ASSERT_TRUE(loop_.runUntil([&] {
    return server_.accepted() == 2 && !server_.lastPeer().calls().empty() &&
           server_.lastPeer().onlyCall().ended;
  }));
  server_.lastPeer().send(server_.lastPeer().calls().back(), "\x08\x01");
  server_.lastPeer().finish(server_.lastPeer().calls().back(), 0);
  EXPECT_EQ(answered(), "Pass");
}

}  // namespace
}  // namespace convoy::upstream
