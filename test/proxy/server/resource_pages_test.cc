#include "proxy/server/resource_pages.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "envoy/admin/v3/clusters.pb.h"
#include "envoy/admin/v3/config_dump.pb.h"
#include "envoy/admin/v3/listeners.pb.h"
#include "test/common/ads_bootstrap.h"
#include "test/common/xds_server.h"
#include "test/proxy/server/pages.h"
#include "test/proxy/xds/resources.h"

namespace convoy::server {
namespace {

using admin::Response;
using test::FakeUpstream;
using test::ProxyHarness;

TEST(ResourcePagesTest, ClustersShowEachHost) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  ASSERT_EQ(proxy.get("/").status, 200);
  const std::string text = ask(proxy, "/clusters").body;
  const std::string host = absl::StrCat("web::", web.address().text(), "::");
  for (const std::string& line :
       {std::string("web::default_priority::max_connections::1024\n"),
        std::string("web::added_via_api::false\n"), host + "rq_total::1\n",
        host + "rq_success::1\n", host + "cx_total::1\n", host + "health_flags::healthy\n",
        host + "state::healthy\n", host + "weight::1\n", host + "priority::0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in:\n" << text;
  }
}

TEST(ResourcePagesTest, ClustersAsJsonAreEnvoys) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  ASSERT_EQ(proxy.get("/").status, 200);
  const auto all = readJson<envoy::admin::v3::Clusters>(ask(proxy, "/clusters?format=json"));
  ASSERT_EQ(all.cluster_statuses_size(), 1);
  const auto& cluster = all.cluster_statuses(0);
  EXPECT_EQ(cluster.name(), "web");
  EXPECT_EQ(cluster.circuit_breakers().thresholds(0).max_connections().value(), 1024u);
  ASSERT_EQ(cluster.host_statuses_size(), 1);
  const auto& host = cluster.host_statuses(0);
  EXPECT_EQ(host.address().socket_address().address(), "127.0.0.1");
  EXPECT_EQ(host.address().socket_address().port_value(), web.address().port());
  EXPECT_EQ(host.weight(), 1u);
  EXPECT_EQ(host.health_status().eds_health_status(), envoy::config::core::v3::HEALTHY);
  uint64_t requests = 0, healthy = 0;
  for (const auto& stat : host.stats()) {
    requests += stat.name() == "rq_total" ? stat.value() : 0;
    healthy += stat.name() == "state.healthy" ? stat.value() : 0;
  }
  EXPECT_EQ(requests, 1u);
  EXPECT_EQ(healthy, 1u);
}

TEST(ResourcePagesTest, ListenersHaveTheAddressesThatTheyGot) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  EXPECT_EQ(ask(proxy, "/listeners").body, absl::StrCat("public::", proxy.address().text(), "\n"));
  const auto all = readJson<envoy::admin::v3::Listeners>(ask(proxy, "/listeners?format=json"));
  ASSERT_EQ(all.listener_statuses_size(), 1);
  EXPECT_EQ(all.listener_statuses(0).name(), "public");
  EXPECT_EQ(all.listener_statuses(0).local_address().socket_address().port_value(),
            proxy.address().port());
}

TEST(ResourcePagesTest, ListenersOnUnixSocketsAreShown) {
  FakeUpstream web;
  std::string bootstrap = test::staticBootstrap(web.address());
  const net::Address path = test::uniqueUnixAddress();
  const std::string ip = "{socket_address: {address: 127.0.0.1, port_value: 0}}";
  bootstrap.replace(bootstrap.find(ip), ip.size(),
                    absl::StrCat("{pipe: {path: \"", std::string(path.unixPath()), "\"}}"));
  ProxyHarness proxy(bootstrap);
  const auto all = readJson<envoy::admin::v3::Listeners>(ask(proxy, "/listeners?format=json"));
  ASSERT_EQ(all.listener_statuses_size(), 1);
  EXPECT_EQ(all.listener_statuses(0).local_address().pipe().path(), path.unixPath());
}

TEST(ResourcePagesTest, AnotherFormatIsRefused) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  EXPECT_EQ(ask(proxy, "/clusters?format=xml").body,
            "?format=xml: write json, or text (the default)\n");
  EXPECT_EQ(ask(proxy, "/listeners?format=xml").status, 400);
}

TEST(ResourcePagesTest, TheConfigDumpHasTheBootstrap) {
  FakeUpstream web;
  ProxyHarness proxy(test::staticBootstrap(web.address()));
  const auto dump =
      readJson<envoy::admin::v3::ConfigDump>(ask(proxy, "/config_dump?resource=static_clusters"));
  ASSERT_EQ(dump.configs_size(), 1);
  envoy::admin::v3::ClustersConfigDump::StaticCluster cluster;
  ASSERT_TRUE(dump.configs(0).UnpackTo(&cluster));
  EXPECT_GT(cluster.last_updated().seconds(), 0);
}

TEST(ResourcePagesTest, TheConfigDumpHasWhatTheControlPlaneSent) {
  test::ThreadedXdsServer control;
  control.run([](test::XdsServer& server) {
    server.set("web", xds::edsCluster("web"));
    server.set("web", xds::assignment("web", {8001}));
    server.set("public", xds::rdsListener("public", "table"));
    server.set("table", xds::routesTo("table", {"web"}));
  });
  ProxyHarness proxy(test::adsBootstrap(control.address()));
  const auto dump = readJson<envoy::admin::v3::ConfigDump>(ask(proxy, "/config_dump?include_eds"));
  ASSERT_EQ(dump.configs_size(), 6);  // the last: secrets
  envoy::admin::v3::ClustersConfigDump clusters;
  envoy::admin::v3::EndpointsConfigDump endpoints;
  envoy::admin::v3::ListenersConfigDump listeners;
  envoy::admin::v3::RoutesConfigDump routes;
  ASSERT_TRUE(dump.configs(1).UnpackTo(&clusters));
  ASSERT_TRUE(dump.configs(2).UnpackTo(&endpoints));
  ASSERT_TRUE(dump.configs(3).UnpackTo(&listeners));
  ASSERT_TRUE(dump.configs(4).UnpackTo(&routes));
  EXPECT_EQ(clusters.static_clusters_size(), 1);
  ASSERT_EQ(clusters.dynamic_active_clusters_size(), 1);
  EXPECT_NE(clusters.dynamic_active_clusters(0).version_info(), "");
  EXPECT_EQ(endpoints.dynamic_endpoint_configs_size(), 1);
  ASSERT_EQ(listeners.dynamic_listeners_size(), 1);
  EXPECT_TRUE(listeners.dynamic_listeners(0).has_active_state());
  EXPECT_EQ(routes.dynamic_route_configs_size(), 1);
  // Such clusters are told apart in /clusters too.
  EXPECT_NE(ask(proxy, "/clusters").body.find("web::added_via_api::true\n"), std::string::npos);
}

}  // namespace
}  // namespace convoy::server
