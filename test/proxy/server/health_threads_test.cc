// Health threads, and with them whole proxies whose clusters are checked.

#include "proxy/server/health_threads.h"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proxy/admin/stats.h"
#include "proxy/server/node_report.h"
#include "test/common/tls_bootstrap.h"
#include "test/proxy/server/pages.h"

namespace convoy::server {
namespace {

using test::FakeUpstream;
using test::ProxyHarness;

constexpr char kHttp[] = "http_health_check: {path: /health}";

TEST(HealthThreadsTest, RunOnceTheyAreStarted) {
  const event::SystemClock clock;
  event::Random random(1);
  HealthThreads threads(2, clock, random);
  ASSERT_EQ(threads.loops().size(), 2u);
  std::latch ran(2);
  for (event::Loop* const loop : threads.loops()) loop->post([&ran] { ran.count_down(); });
  EXPECT_FALSE(ran.try_wait());
  EXPECT_FALSE(threads.started());
  threads.start();
  EXPECT_TRUE(threads.started());
  ran.wait();
  threads.stopAndJoin();
  threads.stopAndJoin();
}

// Checked every 20 ms; one failure takes a host out.
std::string checked(std::string cluster, const std::string& check) {
  cluster.pop_back();
  return absl::StrCat(cluster,
                      ", health_checks: [{timeout: 10s, interval: 0.02s, no_traffic_interval: "
                      "0.02s, unhealthy_threshold: 1, healthy_threshold: 1, ",
                      check, "}]}");
}

std::string statsOf(ProxyHarness& proxy, const std::string& filter) {
  std::string stats;
  proxy.onMain([&](Server& server) { stats = admin::renderStats(server.metrics(), filter); });
  return stats;
}

// Asks until the page has the text. False: it never did.
bool untilClustersHave(ProxyHarness& proxy, const std::string& text) {
  const event::SystemClock clock;
  const event::MonotonicTime end = clock.monotonicNow() + std::chrono::seconds(20);
  while (clock.monotonicNow() < end) {
    if (absl::StrContains(ask(proxy, "/clusters").body, text)) return true;
  }
  ADD_FAILURE() << ask(proxy, "/clusters").body;
  return false;
}

TEST(HealthOfAServerTest, AHostThatDiesIsOutAndItsReasonIsShown) {
  auto web = std::make_unique<FakeUpstream>();
  const std::string host = absl::StrCat("web::", web->address().text(), "::");
  ProxyHarness proxy(
      test::tlsBootstrap(test::chain(""), checked(test::cluster("web", web->address()), kHttp)));
  // Served before the first check has told anything.
  EXPECT_EQ(proxy.get("/").status, 200);
  ASSERT_TRUE(untilClustersHave(proxy, host + "health_flags::healthy\n"));
  EXPECT_TRUE(
      absl::StrContains(statsOf(proxy, "health_check"), "cluster.web.health_check.healthy: 1\n"));
  EXPECT_EQ(proxy.get("/").status, 200);
  web.reset();
  ASSERT_TRUE(untilClustersHave(proxy, host + "health_flags::/failed_active_hc\n"));
  EXPECT_TRUE(absl::StrContains(ask(proxy, "/clusters").body, host + "health_check_failure::"));
  EXPECT_EQ(proxy.get("/").status, 503);
  const auto all = ask(proxy, "/clusters?format=json").body;
  EXPECT_TRUE(absl::StrContains(all, "\"failed_active_health_check\": true")) << all;
  proxy.onMain([&](Server& server) {
    ext::NodeReport report;
    addHosts(server.clusters(), &report);
    ASSERT_EQ(report.unhealthy_hosts_size(), 1);
    EXPECT_EQ(report.unhealthy_host_count(), 1u);
    EXPECT_EQ(report.unhealthy_hosts(0).cluster(), "web");
    EXPECT_EQ(absl::StrCat("web::", report.unhealthy_hosts(0).address(), "::"), host);
    EXPECT_NE(report.unhealthy_hosts(0).reason(), "");
  });
}

TEST(HealthOfAServerTest, ChecksSpeakTlsAsTheClusterDoes) {
  const std::string made_first = test::caPath("ca.pem");
  FakeUpstream web;
  ProxyHarness far(test::tlsBootstrap(test::chain(test::downstreamTls(absl::StrCat(
                                          "tls_certificates: [", test::certificateFiles("ecdsa"),
                                          "], "
                                          "alpn_protocols: [h2, http/1.1]"))),
                                      test::cluster("web", web.address())));
  const auto trusting = [](const std::string& ca) {
    return test::upstreamTls(absl::StrCat("alpn_protocols: [h2, http/1.1], validation_context: "
                                          "{trusted_ca: {filename: ",
                                          test::caPath(ca), "}}"),
                             "sni: example.com");
  };
  const std::string host = absl::StrCat("web::", far.address().text(), "::");
  for (const char* check :
       {kHttp, "http_health_check: {path: /, codec_client_type: HTTP2}", "tcp_health_check: {}"}) {
    ProxyHarness proxy(test::tlsBootstrap(
        test::chain(""), checked(test::cluster("web", far.address(), trusting("ca.pem")), check)));
    EXPECT_TRUE(untilClustersHave(proxy, host + "health_flags::healthy\n")) << check;
    EXPECT_TRUE(absl::StrContains(statsOf(proxy, "web.ssl"), "cluster.web.ssl.handshake: "));
  }
  ProxyHarness distrusts(test::tlsBootstrap(
      test::chain(""),
      checked(test::cluster("web", far.address(), trusting("other_ca.pem")), kHttp)));
  EXPECT_TRUE(untilClustersHave(distrusts, host + "health_check_failure::TLS failed: "));
}

TEST(HealthOfAServerTest, WithoutALeaveNoCommandsAreTaken) {
  FakeUpstream web;
  EXPECT_EQ(test::startError(test::tlsBootstrap(
                test::chain(""),
                checked(test::cluster("web", web.address()),
                        "custom_health_check: {name: c, typed_config: {\"@type\": "
                        "type.googleapis.com/convoy.ext.CommandHealthCheck, command: c}}"))),
            "cluster web: its health check names a command, and this node runs none: it was "
            "started without --health-command-dir");
}

}  // namespace
}  // namespace convoy::server
