#include "proxy/config/origins.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"
#include "proxy/config/bootstrap_loader.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using base::Timer;

constexpr std::string_view kManager = R"(
    name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: s
      stream_idle_timeout: 61s
      request_timeout: 62s
      common_http_protocol_options:
        max_stream_duration: 63s
        idle_timeout: 60s
        max_connection_duration: 59s
      route_config:
        name: inline
        virtual_hosts:
        - name: a
          domains: ["*"]
          routes:
          - match: {path: /no}
            direct_response: {status: 204}
          - match: {prefix: /}
            metadata:
              typed_filter_metadata:
                convoy.ext.RoutePolicy:
                  "@type": type.googleapis.com/convoy.ext.RoutePolicy
                  first_byte_timeout: 64s
                  tunnel_idle_timeout: 65s
            route:
              cluster: web
              timeout: 66s
              idle_timeout: 67s
              max_stream_duration:
                max_stream_duration: 68s
              retry_policy:
                retry_on: reset
                per_try_timeout: 57s
                per_try_idle_timeout: 56s
      http_filters:
      - name: envoy.filters.http.router
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
)";

std::string listener() {
  return "name: public\naddress: {socket_address: {address: 127.0.0.1, port_value: 0}}\n"
         "filter_chains:\n- filters:\n  -" +
         std::string(kManager.substr(kManager.find("name:") - 1));
}

constexpr std::string_view kCluster =
    "name: web\ntype: STATIC\nconnect_timeout: 69s\nload_assignment: {cluster_name: web}\n";

// As an element of a list.
std::string element(std::string_view yaml) {
  std::string out = "  - ";
  for (const char c : yaml) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out + "\n";
}

class OriginsTest : public testing::Test {
 protected:
  std::string of(const base::TimerOrigins& origins, Timer timer) {
    return std::string(origins.text(timer, arena_));
  }
  static const http::ConnectionManagerSpec& managerOf(const net::ListenerSpec& spec) {
    return dynamic_cast<const http::ConnectionManagerSpec&>(
        *spec.filter_chains.at(0)->filters.at(0));
  }
  static const base::TimerOrigins& routeOf(const route::RouteTableSpec& table) {
    return std::get<route::Forward>(table.virtual_hosts.at(0).routes.at(1).action).origins;
  }
  static const base::TimerOrigins& retriesOf(const route::RouteTableSpec& table) {
    const auto& action = table.virtual_hosts.at(0).routes.at(1).action;
    return std::get<route::Forward>(action).retries->origins;
  }

  base::Arena arena_;
};

TEST_F(OriginsTest, AStaticFileHasLines) {
  const std::string text = "static_resources:\n  listeners:\n" + element(listener()) +
                           "  clusters:\n" + element(kCluster);
  const LoadedBootstrap loaded = loadBootstrap(text, "/etc/convoy/envoy.yaml", {});
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  const auto line = [&text](const std::string& value) {
    const auto end = text.begin() + static_cast<ptrdiff_t>(text.find(value));
    return "envoy.yaml:" + std::to_string(1 + std::count(text.begin(), end, '\n'));
  };
  const http::ConnectionManagerSpec& manager = managerOf(*loaded.spec->listeners.at(0));
  EXPECT_EQ(of(manager.origins, Timer::StreamIdle), line("61s"));
  EXPECT_EQ(of(manager.origins, Timer::Request), line("62s"));
  EXPECT_EQ(of(manager.origins, Timer::ManagerStreamDuration), line("63s"));
  EXPECT_EQ(of(manager.origins, Timer::ConnectionIdle), line("60s"));
  EXPECT_EQ(of(manager.origins, Timer::ConnectionAge), line("59s"));
  EXPECT_EQ(of(manager.origins, Timer::RequestHeaders), "default");
  const base::TimerOrigins& route = routeOf(*manager.routes);
  EXPECT_EQ(of(route, Timer::FirstByte), line("64s"));
  EXPECT_EQ(of(route, Timer::TunnelIdle), line("65s"));
  EXPECT_EQ(of(route, Timer::Response), line("66s"));
  EXPECT_EQ(of(route, Timer::RouteIdle), line("67s"));
  EXPECT_EQ(of(route, Timer::RouteStreamDuration), line("68s"));
  EXPECT_EQ(of(retriesOf(*manager.routes), Timer::PerTry), line("57s"));
  EXPECT_EQ(of(retriesOf(*manager.routes), Timer::PerTryIdle), line("56s"));
  EXPECT_EQ(of(loaded.spec->clusters.at(0)->origins, Timer::Connect), line("69s"));
}

TEST_F(OriginsTest, AResourceOfTheControlPlaneHasFields) {
  const auto made =
      makeListener(fromYaml<envoy::config::listener::v3::Listener>(listener()), testContext());
  ASSERT_NE(made.spec, nullptr) << made.errors.text();
  const http::ConnectionManagerSpec& manager = managerOf(*made.spec);
  const std::string at = "Listener/public:filter_chains[0].filters[0].typed_config.";
  EXPECT_EQ(of(manager.origins, Timer::StreamIdle), at + "stream_idle_timeout");
  EXPECT_EQ(of(manager.origins, Timer::ManagerStreamDuration),
            at + "common_http_protocol_options.max_stream_duration");
  const std::string route = at + "route_config.virtual_hosts[0].routes[1].";
  EXPECT_EQ(of(routeOf(*manager.routes), Timer::Response), route + "route.timeout");
  EXPECT_EQ(
      of(routeOf(*manager.routes), Timer::FirstByte),
      route + R"(metadata.typed_filter_metadata["convoy.ext.RoutePolicy"].first_byte_timeout)");
  EXPECT_EQ(of(retriesOf(*manager.routes), Timer::PerTry),
            route + "route.retry_policy.per_try_timeout");
  const auto cluster =
      makeCluster(fromYaml<envoy::config::cluster::v3::Cluster>(kCluster), testContext());
  ASSERT_NE(cluster.spec, nullptr) << cluster.errors.text();
  EXPECT_EQ(of(cluster.spec->origins, Timer::Connect), "Cluster/web:connect_timeout");
}

}  // namespace
}  // namespace convoy::config
