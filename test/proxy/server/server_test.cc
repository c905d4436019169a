// The whole data plane in one process, from a static bootstrap: listeners, workers, routes,
// clusters, drain.

#include "proxy/server/server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "proxy/admin/stats.h"
#include "proxy/config/bootstrap_loader.h"
#include "test/common/proxy_harness.h"

namespace convoy::server {
namespace {

using test::FakeUpstream;
using test::ProxyHarness;
using test::RawSocket;

TEST(ServerTest, PassesARequestOnAndItsResponseBack) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  const test::HttpReply reply = proxy.get("/some?thing=1");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "ok");
  const std::string request = web.lastRequest();
  EXPECT_EQ(request.substr(0, request.find("\r\n")), "GET /some?thing=1 HTTP/1.1");
  EXPECT_NE(request.find("x-forwarded-for: 127.0.0.1\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("x-forwarded-proto: http\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("x-request-id: "), std::string::npos) << request;
  EXPECT_EQ(request.find("Connection:"), std::string::npos) << request;
}

TEST(ServerTest, AnswersByItselfWhereNoHostCan) {
  struct Case {
    std::string routes;
    int status;
  };
  FakeUpstream silent("");
  const Case cases[] = {
      {"{match: {path: /elsewhere}, route: {cluster: web}}", 404},
      {"{match: {prefix: /}, direct_response: {status: 418}}", 418},
      {"{match: {prefix: /}, redirect: {host_redirect: other.test}}", 301},
      {"{match: {prefix: /}, route: {cluster: web}}", 502},
  };
  for (const Case& c : cases) {
    ProxyHarness proxy(test::staticBootstrap(silent.address(), c.routes));
    EXPECT_EQ(proxy.get("/").status, c.status) << c.routes;
  }
}

TEST(ServerTest, Answers503WhereNobodyListens) {
  const RawSocket refusing = RawSocket::boundTo(*net::Address::parse("127.0.0.1:0"));
  ProxyHarness proxy(test::staticBootstrap(refusing.localAddress()));
  EXPECT_EQ(proxy.get("/").status, 503);
}

TEST(ServerTest, SaysWhichLineSetTheTimeThatRanOut) {
  const RawSocket mute = RawSocket::listening();  // the kernel accepts, and nobody answers
  const std::string yaml = test::staticBootstrap(
      mute.localAddress(), "{match: {prefix: /}, route: {cluster: web, timeout: 0.05s}}");
  const auto at = yaml.begin() + static_cast<ptrdiff_t>(yaml.find("timeout: 0.05s"));
  const auto line = 1 + std::count(yaml.begin(), at, '\n');
  ProxyHarness proxy(yaml);
  const test::HttpReply reply = proxy.get("/");
  EXPECT_EQ(reply.status, 504);
  EXPECT_NE(reply.body.find("Set by test.yaml:" + std::to_string(line) + "."), std::string::npos)
      << reply.body;
}

TEST(ServerTest, RefusesMalformedRequestsAndCloses) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  const std::string bad[] = {
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (const std::string& request : bad) EXPECT_EQ(proxy.send(request).status, 400) << request;
  const std::string large(100'000, 'x');
  EXPECT_EQ(proxy.send("GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + large + "\r\n\r\n").status, 431);
  EXPECT_EQ(web.requests(), 0);
}

TEST(ServerTest, OpensNoTunnelAndReadsNothingOfOne) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  const std::string tunnelled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string asking[] = {
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
  };
  for (const std::string& request : asking) {
    const RawSocket client = RawSocket::connectedTo(proxy.address());
    client.send(request + tunnelled);
    const std::string answer = client.receiveAll();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << answer;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
  }
  EXPECT_EQ(web.requests(), 0);
}

TEST(ServerTest, IgnoresTheOfferOfH2c) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  const test::HttpReply reply = proxy.send(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  const std::string request = web.lastRequest();
  EXPECT_EQ(request.find("pgrade"), std::string::npos) << request;
  EXPECT_EQ(request.find("Settings"), std::string::npos) << request;
}

TEST(ServerTest, ServesManyRequestsOnOneConnection) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()), /*workers=*/2);
  const RawSocket client = RawSocket::connectedTo(proxy.address());
  std::string pipelined;
  for (int i = 0; i < 9; ++i) pipelined += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(pipelined + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string all = client.receiveAll();
  int answers = 0;
  for (size_t at = all.find("HTTP/1.1 200"); at != std::string::npos;
       at = all.find("HTTP/1.1 200", at + 1)) {
    ++answers;
  }
  EXPECT_EQ(answers, 10);
  EXPECT_EQ(web.requests(), 10);
}

TEST(ServerTest, FinishesWhatRunsWhenItDrains) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  const RawSocket idle = RawSocket::connectedTo(proxy.address());
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(test::parseReply(idle.receive()).status, 200);
  proxy.onMain([](Server& server) { server.drainListeners(); });
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const test::HttpReply last = test::parseReply(idle.receiveAll());
  EXPECT_EQ(last.status, 200);
  EXPECT_NE(last.head.find("Connection: close"), std::string::npos) << last.head;
}

TEST(ServerTest, CountsWhatItServes) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  ASSERT_EQ(proxy.get("/").status, 200);
  std::string stats;
  proxy.onMain([&](Server& server) { stats = admin::renderStats(server.metrics(), "rq_total"); });
  EXPECT_NE(stats.find("http.public.downstream_rq_total: 1\n"), std::string::npos) << stats;
  EXPECT_NE(stats.find("cluster.web.upstream_rq_total: 1\n"), std::string::npos) << stats;
}

// The sockets themselves: test/e2e/node_test.py, since they begin at descriptor 3.
TEST(ServerTest, PassedSocketsThatMakeNoSenseStopTheStart) {
  FakeUpstream web;
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "some", 1);
  EXPECT_EQ(test::startError(test::staticBootstrap(web.address())),
            "LISTEN_FDS is \"some\": it must be the number of passed sockets");
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
}

TEST(ServerTest, SaysWhyAnAddressCannotBeHad) {
  FakeUpstream web;
  const RawSocket taken = RawSocket::listening();
  std::string bootstrap = test::staticBootstrap(web.address());
  const std::string port = "port_value: " + std::to_string(taken.localAddress().port());
  bootstrap.replace(bootstrap.find("port_value: 0"), 13, port);
  auto loaded = config::loadBootstrap(bootstrap, "test.yaml");
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  const event::SystemClock clock;
  Options options;
  options.concurrency = 1;
  Server server(options, *std::move(loaded.spec), clock, event::Random(1));
  const absl::Status status = server.start();
  EXPECT_NE(status.message().find("listener public: cannot listen on 127.0.0.1:"),
            std::string::npos)
      << status;
}

}  // namespace
}  // namespace convoy::server
