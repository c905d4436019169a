// The whole data plane in one process, with clusters whose hosts are found by a real DNS server.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver.pb.h"
#include "proxy/config/bootstrap_loader.h"
#include "test/common/ads_bootstrap.h"
#include "test/common/dns_server.h"
#include "test/common/proxy_harness.h"
#include "test/common/simulated_clock.h"
#include "test/common/xds_server.h"
#include "test/proxy/server/pages.h"
#include "test/proxy/xds/resources.h"

namespace convoy::server {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::ProxyHarness;
using test::XdsServer;

class DnsClustersTest : public testing::Test {
 protected:
  // The cluster "web" at a name, with these fields.
  std::string bootstrap(const std::string& host, const std::string& type = "STRICT_DNS",
                        const std::string& fields = "") const {
    std::string text = test::staticBootstrap(web_.address());
    const auto replace = [&text](const std::string& what, const std::string& by) {
      text.replace(text.rfind(what), what.size(), by);
    };
    replace("address: 127.0.0.1", "address: " + host);
    replace("connect_timeout: 5s",
            absl::StrCat("type: ", type, "\n    dns_lookup_family: V4_ONLY\n",
                         "    dns_refresh_rate: 0.02s\n    typed_dns_resolver_config: ",
                         dns_.asResolver(), fields.empty() ? "" : "\n    ", fields));
    return text;
  }
  // Requests until one is answered so.
  static bool becomes(const ProxyHarness& proxy, int status) {
    for (int i = 0; i < 10'000; ++i) {
      if (proxy.get("/").status == status) return true;
    }
    return false;
  }
  // Fields of convoy.ext.DnsPolicy, as one of the cluster's.
  static std::string policy(const std::string& fields) {
    return absl::StrCat(
        "metadata: {typed_filter_metadata: {convoy.ext.DnsPolicy: {'@type': "
        "type.googleapis.com/convoy.ext.DnsPolicy, ",
        fields, "}}}");
  }
  // One more look-up, which comes to this within so much simulated time.
  void lookedUp(ProxyHarness& proxy, const std::string& result, event::Duration within) {
    const std::string name = "cluster.web." + result;
    const uint64_t before = proxy.metric(name);
    time_.advance(within);
    ASSERT_TRUE(proxy.becomes(name, before + 1));
    proxy.untilWorkersKnow();
  }
  FakeUpstream web_;
  test::DnsServer dns_;
  test::SimulatedClock time_;
};

TEST_F(DnsClustersTest, AStockBootstrapServesByName) {
  dns_.set("web.test", {.v4 = {"127.0.0.1"}});
  for (const char* type : {"STRICT_DNS", "LOGICAL_DNS"}) {
    ProxyHarness proxy(bootstrap("web.test", type));
    EXPECT_EQ(proxy.get("/").status, 200) << "the first request has its host";
    const std::string page = ask(proxy, "/clusters").body;
    EXPECT_NE(page.find("web::dns::web.test::addresses::1\n"), std::string::npos) << page;
    EXPECT_NE(page.find(absl::StrCat("web::", web_.address().text(), "::hostname::web.test\n")),
              std::string::npos)
        << page;
    EXPECT_NE(ask(proxy, "/stats").body.find("cluster.web.dns.age_seconds: "), std::string::npos);
  }
}

TEST_F(DnsClustersTest, TheStartWaitsForTheFirstAnswer) {
  dns_.set("web.test", {.v4 = {"127.0.0.1"}, .lost = 1});
  ProxyHarness proxy(bootstrap("web.test"));
  EXPECT_EQ(dns_.questions("web.test"), 2);
  EXPECT_EQ(proxy.get("/").status, 200);
}

TEST_F(DnsClustersTest, NobodyWaitsForAClusterThatSaysSo) {
  dns_.set("web.test", {.silent = true});
  ProxyHarness proxy(bootstrap("web.test", "STRICT_DNS", "wait_for_warm_on_init: false"));
  EXPECT_EQ(proxy.get("/").status, 503);
}

TEST_F(DnsClustersTest, ANameThatDoesNotExistIsAPoolWithoutHosts) {
  ProxyHarness proxy(bootstrap("web.test"));
  EXPECT_EQ(proxy.get("/").status, 503);
  const std::string page = ask(proxy, "/clusters").body;
  EXPECT_NE(page.find("web::dns::web.test::problem::NXDOMAIN: there is no such name\n"),
            std::string::npos)
      << page;
  dns_.set("web.test", {.v4 = {"127.0.0.1"}});
  EXPECT_TRUE(becomes(proxy, 200));
}

TEST_F(DnsClustersTest, HostsFollowTheAnswersAndOutliveFailures) {
  dns_.set("web.test", {.v4 = {"127.0.0.1"}});
  ProxyHarness proxy(bootstrap("web.test"));
  dns_.set("web.test", {.rcode = 2});
  ASSERT_TRUE(dns_.untilAsked("web.test", dns_.questions("web.test") + 10));
  EXPECT_EQ(proxy.get("/").status, 200);
  // Nobody listens there.
  dns_.set("web.test", {.v4 = {"127.0.0.9"}});
  EXPECT_TRUE(becomes(proxy, 503));
  dns_.set("web.test", {.v4 = {"127.0.0.1"}});
  EXPECT_TRUE(becomes(proxy, 200));
  // The name is gone, and after some answers the host is, too.
  dns_.set("web.test", {.rcode = 3});
  EXPECT_TRUE(becomes(proxy, 503));
}

TEST_F(DnsClustersTest, HostsGoWithTheLastConfirmationThatTheNameIsGone) {
  for (const int needed : {3, 5}) {
    dns_.set("web.test", {.v4 = {"127.0.0.1"}});
    const std::string said = needed == 3 ? "" : policy("not_found_confirmations: 5");
    ProxyHarness proxy(bootstrap("web.test", "STRICT_DNS", said), time_);
    dns_.set("web.test", {.rcode = 3});
    for (int i = 1; i < needed; ++i) {
      lookedUp(proxy, "dns.not_found", 1s);
      ASSERT_EQ(proxy.get("/").status, 200) << i << " of " << needed;
    }
    lookedUp(proxy, "dns.not_found", 1s);
    EXPECT_EQ(proxy.get("/").status, 503) << needed;
    EXPECT_EQ(proxy.metric("cluster.web.membership_total"), 0u);
  }
}

TEST_F(DnsClustersTest, TheTtlHasAFloorAndACeiling) {
  dns_.set("web.test", {.v4 = {"127.0.0.1"}, .ttl = 1});
  ProxyHarness proxy(
      bootstrap("web.test", "STRICT_DNS",
                absl::StrCat("respect_dns_ttl: true\n    ", policy("min_ttl: 5s, max_ttl: 60s"))),
      time_);
  // Up to a tenth is added. No answer is taken meanwhile, so a question would be a second one.
  time_.advance(4900ms);
  EXPECT_EQ(proxy.metric("cluster.web.update_attempt"), 1u);
  dns_.set("web.test", {.v4 = {"127.0.0.1"}, .ttl = 86'400});
  lookedUp(proxy, "update_success", 600ms);
  EXPECT_EQ(dns_.questions("web.test"), 2);
  time_.advance(59'900ms);
  EXPECT_EQ(proxy.metric("cluster.web.update_attempt"), 2u);
  lookedUp(proxy, "update_success", 6100ms);
  EXPECT_EQ(dns_.questions("web.test"), 3);
}

TEST_F(DnsClustersTest, TheLastAnswerOutlivesServersThatAreSilentOrFail) {
  dns_.set("web.test", {.v4 = {"127.0.0.1"}});
  ProxyHarness proxy(bootstrap("web.test"), time_);
  // More often than confirmations take.
  for (int i = 0; i < 5; ++i) {
    dns_.set("web.test", {.silent = true});
    time_.advance(1s);  // is asked, and has 8 s
    lookedUp(proxy, "dns.timeout", 8s);
    EXPECT_EQ(proxy.get("/").status, 200);
    dns_.set("web.test", {.rcode = 2});
    lookedUp(proxy, "dns.failed", 1s);
    EXPECT_EQ(proxy.get("/").status, 200);
  }
  EXPECT_EQ(proxy.metric("cluster.web.dns.not_found"), 0u);
  EXPECT_EQ(proxy.metric("cluster.web.membership_total"), 1u);
}

TEST_F(DnsClustersTest, AnEjectedHostStaysOutHoweverOftenDnsNamesIt) {
  dns_.set("web.test", {.v4 = {"127.0.0.1", "127.0.0.9"}});  // nobody listens at the second
  ProxyHarness proxy(
      bootstrap("web.test", "STRICT_DNS",
                "outlier_detection: {consecutive_5xx: 1, max_ejection_percent: 50}"));
  ASSERT_TRUE(becomes(proxy, 503));
  ASSERT_TRUE(proxy.becomes("cluster.web.outlier_detection.ejections_active", 1));
  ASSERT_TRUE(dns_.untilAsked("web.test", dns_.questions("web.test") + 10));
  for (int i = 0; i < 4; ++i) proxy.get("/");  // by then the worker has heard of it
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.get("/").status, 200);
  const std::string page = ask(proxy, "/clusters").body;
  EXPECT_NE(page.find("::health_flags::/failed_outlier_check\n"), std::string::npos) << page;
}

TEST_F(DnsClustersTest, AServerMayBeStoppedWhileItWaitsForDns) {
  dns_.set("web.test", {.silent = true});
  config::LoadedBootstrap loaded = config::loadBootstrap(bootstrap("web.test"), "test.yaml");
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  const event::SystemClock clock;
  Options options;
  options.concurrency = 1;
  Server server(options, *std::move(loaded.spec), clock, event::Random(1));
  ASSERT_TRUE(server.start().ok());
  EXPECT_EQ(server.state(), Server::State::Initializing);
  server.loop().post([&server] { server.drainAndStop(); });
  server.run();
  EXPECT_EQ(server.state(), Server::State::Stopped);
}

TEST_F(DnsClustersTest, TheControlPlaneAndWhatItSendsMayBeNamed) {
  test::ThreadedXdsServer control_plane;
  dns_.set("control.test", {.v4 = {"127.0.0.1"}});
  dns_.set("web.test", {.v4 = {"127.0.0.1"}, .lost = 1});
  xds::ClusterProto web = xds::staticCluster("web", web_.address().port());
  web.set_type(xds::ClusterProto::STRICT_DNS);
  web.set_dns_lookup_family(xds::ClusterProto::V4_ONLY);
  web.mutable_load_assignment()
      ->mutable_endpoints(0)
      ->mutable_lb_endpoints(0)
      ->mutable_endpoint()
      ->mutable_address()
      ->mutable_socket_address()
      ->set_address("web.test");
  control_plane.run([&](XdsServer& server) {
    server.set("web", web);
    xds::ListenerProto listener = xds::rdsListener("public", "table");
    listener.mutable_address()->mutable_socket_address()->set_port_value(0);
    server.set("public", listener);
    server.set("table", xds::routesTo("table", {"web"}));
  });
  // The resolver is the node's.
  const ProxyHarness proxy(
      test::adsBootstrap(control_plane.address(),
                         {.host = "control.test",
                          .cluster = "type: STRICT_DNS\n    dns_lookup_family: V4_ONLY",
                          .node = absl::StrCat("typed_dns_resolver_config: ", dns_.asResolver())}));
  EXPECT_EQ(dns_.questions("web.test"), 2) << "the cluster waited for its name";
  EXPECT_EQ(proxy.send("GET /web HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").status, 200);
}

}  // namespace
}  // namespace convoy::server
