#include "proxy/config/bootstrap_loader.h"

#include "gtest/gtest.h"

namespace convoy::config {
namespace {

const std::string kTestdata = "test/proxy/config/testdata/";

TEST(BootstrapLoader, AStaticBootstrap) {
  const LoadedBootstrap loaded = loadBootstrapFile(kTestdata + "good/static_http.yaml");
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  const BootstrapSpec& spec = *loaded.spec;
  ASSERT_TRUE(spec.admin.has_value());
  EXPECT_EQ(spec.admin->address.text(), "127.0.0.1:9901");

  ASSERT_EQ(spec.clusters.size(), 1u);
  const upstream::ClusterSpec& cluster = *spec.clusters[0];
  EXPECT_EQ(cluster.name, "service");
  EXPECT_EQ(cluster.connect_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(cluster.algorithm, upstream::Algorithm::RoundRobin);
  ASSERT_NE(cluster.assignment, nullptr);
  ASSERT_EQ(cluster.assignment->localities.size(), 1u);
  const auto& endpoints = cluster.assignment->localities[0].endpoints;
  ASSERT_EQ(endpoints.size(), 2u);
  EXPECT_EQ(endpoints[0].address.text(), "127.0.0.1:8081");
  EXPECT_EQ(endpoints[0].weight, 1u);
  EXPECT_EQ(endpoints[1].weight, 3u);

  ASSERT_EQ(spec.listeners.size(), 1u);
  const net::ListenerSpec& listener = *spec.listeners[0];
  EXPECT_EQ(listener.name, "web");
  ASSERT_EQ(listener.filter_chains.size(), 1u);
  ASSERT_EQ(listener.filter_chains[0]->filters.size(), 1u);
  const auto* manager =
      dynamic_cast<const http::ConnectionManagerSpec*>(listener.filter_chains[0]->filters[0].get());
  ASSERT_NE(manager, nullptr);
  ASSERT_EQ(manager->access_logs.size(), 1u);
  EXPECT_EQ(manager->access_logs[0].path, "/dev/stdout");
  ASSERT_EQ(manager->filters.size(), 1u);
  EXPECT_EQ(manager->filters[0]->kind, "envoy.filters.http.router");
  ASSERT_NE(manager->routes, nullptr);
  const route::Route& route = manager->routes->virtual_hosts.at(0).routes.at(0);
  EXPECT_EQ(std::get<route::Forward>(route.action).cluster, "service");
}

}  // namespace
}  // namespace convoy::config
