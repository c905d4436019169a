#include "proxy/config/cross_check.h"

#include "proxy/filter/stateful_session/spec.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using upstream::ClusterSpec;
namespace session = filter::stateful_session;

std::shared_ptr<const ClusterSpec> cluster(
    const std::string& name, ClusterSpec::Discovery discovery = ClusterSpec::Discovery::Static) {
  auto spec = std::make_shared<ClusterSpec>();
  spec->name = name;
  spec->discovery = discovery;
  return spec;
}

std::shared_ptr<const net::ListenerSpec> listener(
    const std::string& name, const std::string& address,
    std::shared_ptr<const net::NetworkFilterSpec> filter = nullptr) {
  auto spec = std::make_shared<net::ListenerSpec>();
  spec->name = name;
  spec->addresses.push_back(*net::Address::parse(address));
  auto chain = std::make_shared<net::FilterChainSpec>();
  if (filter != nullptr) chain->filters.push_back(std::move(filter));
  spec->filter_chains.push_back(std::move(chain));
  return spec;
}

// A manager whose only route goes to these clusters.
std::shared_ptr<const http::ConnectionManagerSpec> managerTo(
    std::vector<std::string> clusters, std::optional<bool> validate = std::nullopt) {
  route::Forward forward;
  if (clusters.size() == 1) {
    forward.cluster = clusters[0];
  } else {
    for (const std::string& name : clusters) forward.weighted.push_back({name, 1});
  }
  route::Route redirect;
  redirect.action = route::Redirect();
  route::Route route;
  route.action = forward;
  auto table = std::make_shared<route::RouteTableSpec>();
  table->virtual_hosts.push_back({"h", {"*"}, {redirect, route}, {}, {}});
  table->validate_clusters = validate;
  auto spec = std::make_shared<http::ConnectionManagerSpec>();
  spec->routes = std::move(table);
  return spec;
}

Lines check(const BootstrapSpec& spec) {
  base::FieldReport report;
  crossCheck(spec, report);
  return brief(report.errors());
}

TEST(CrossCheck, NamesAndAddressesAreUnique) {
  BootstrapSpec spec;
  spec.clusters = {cluster("a"), cluster("b"), cluster("a")};
  spec.listeners = {listener("x", "127.0.0.1:80"), listener("x", "127.0.0.1:81"),
                    listener("y", "127.0.0.1:80"), listener("z", "127.0.0.1:0"),
                    listener("w", "127.0.0.1:0")};
  EXPECT_EQ(check(spec), Lines({"static_resources.clusters[2].name: duplicate: a",
                                "static_resources.listeners[1].name: duplicate: x",
                                "static_resources.listeners[2].address: duplicate: 127.0.0.1:80"}));
}

const std::string kRoute =
    "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config."
    "virtual_hosts[0].routes[1].route.";

TEST(CrossCheck, RoutesNameClusters) {
  BootstrapSpec spec;
  spec.clusters = {cluster("a")};
  spec.listeners = {listener("x", "127.0.0.1:80", managerTo({"a"}))};
  EXPECT_EQ(check(spec), Lines());
  spec.listeners = {listener("x", "127.0.0.1:80", managerTo({"b"}))};
  EXPECT_EQ(check(spec), Lines({kRoute + "cluster: not_found: b"}));
  spec.listeners = {listener("x", "127.0.0.1:80", managerTo({"a", "b"}))};
  EXPECT_EQ(check(spec), Lines({kRoute + "weighted_clusters.clusters[1].name: not_found: b"}));
}

TEST(CrossCheck, ConnectThatEndsHereNeedsHttp1) {
  const auto terminating = [](std::vector<std::string> clusters) {
    auto manager = std::make_shared<http::ConnectionManagerSpec>(*managerTo(std::move(clusters)));
    auto table = std::make_shared<route::RouteTableSpec>(*manager->routes);
    std::get<route::Forward>(table->virtual_hosts[0].routes[1].action).terminates_connect = true;
    manager->routes = std::move(table);
    return manager;
  };
  const auto speaks = [](const std::string& name, upstream::UpstreamProtocol protocol) {
    auto spec = std::make_shared<ClusterSpec>(*cluster(name));
    spec->protocol = protocol;
    return spec;
  };
  BootstrapSpec spec;
  spec.clusters = {speaks("a", upstream::UpstreamProtocol::Http1),
                   speaks("b", upstream::UpstreamProtocol::Http2),
                   speaks("c", upstream::UpstreamProtocol::Auto)};
  spec.listeners = {listener("x", "127.0.0.1:80", terminating({"a"}))};
  EXPECT_EQ(check(spec), Lines());
  spec.listeners = {listener("x", "127.0.0.1:80", terminating({"b"}))};
  EXPECT_EQ(check(spec), Lines({kRoute + "upgrade_configs: conflict: b"}));
  spec.listeners = {listener("x", "127.0.0.1:80", terminating({"a", "c"}))};
  EXPECT_EQ(check(spec), Lines({kRoute + "upgrade_configs: conflict: c"}));
  spec.listeners = {listener("x", "127.0.0.1:80", managerTo({"b"}))};
  EXPECT_EQ(check(spec), Lines());
}

TEST(CrossCheck, ClustersMayComeLater) {
  BootstrapSpec spec;
  spec.listeners = {listener("x", "127.0.0.1:80", managerTo({"b"}, false))};
  EXPECT_EQ(check(spec), Lines());
  spec.listeners = {listener("x", "127.0.0.1:80", managerTo({"b"}))};
  spec.cds = true;
  EXPECT_EQ(check(spec), Lines());
  spec.listeners = {listener("x", "127.0.0.1:80", managerTo({"b"}, true))};
  EXPECT_EQ(check(spec), Lines({kRoute + "cluster: not_found: b"}));
}

TEST(CrossCheck, ClustersOfSessionsExist) {
  session::Learned learned;
  learned.shared = session::SharedIn{.server = {.cluster = "r"}};
  auto filter = std::make_shared<session::StatefulSessionSpec>();
  filter->session.state = learned;
  const auto of_route = std::make_shared<session::PerRouteSpec>();
  of_route->session.state = learned;
  auto table = std::make_shared<route::RouteTableSpec>();
  table->virtual_hosts.push_back({"h", {"*"}, {route::Route()}, {}, {}});
  table->filters["s"] = of_route;
  table->virtual_hosts[0].filters["s"] = of_route;
  table->virtual_hosts[0].routes[0].filters["s"] = of_route;
  auto manager = std::make_shared<http::ConnectionManagerSpec>();
  manager->filters = {filter};
  manager->routes = table;
  BootstrapSpec spec;
  spec.clusters = {cluster("")};  // of the route
  spec.listeners = {listener("x", "127.0.0.1:80", manager)};
  const std::string at = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.";
  const std::string per_route = "typed_per_filter_config[\"s\"].stateful_session.";
  const std::string end = "session_state.typed_config.redis.cluster: not_found: r";
  EXPECT_EQ(
      check(spec),
      Lines({at + "http_filters[0].typed_config." + end, at + "route_config." + per_route + end,
             at + "route_config.virtual_hosts[0]." + per_route + end,
             at + "route_config.virtual_hosts[0].routes[0]." + per_route + end}));
  spec.clusters.push_back(cluster("r"));
  EXPECT_EQ(check(spec), Lines());
  spec.clusters.pop_back();
  spec.cds = true;
  EXPECT_EQ(check(spec), Lines()) << "they may come later";
}

TEST(CrossCheck, TheDefaultFilterChainIsLookedAtToo) {
  BootstrapSpec spec;
  auto changed = std::make_shared<net::ListenerSpec>(*listener("x", "127.0.0.1:80"));
  changed->filter_chains.clear();
  changed->default_filter_chain = listener("y", "127.0.0.1:80", managerTo({"b"}))->filter_chains[0];
  spec.listeners = {changed};
  EXPECT_EQ(check(spec),
            Lines({"static_resources.listeners[0].default_filter_chain.filters[0].typed_config."
                   "route_config.virtual_hosts[0].routes[1].route.cluster: not_found: b"}));
}

TEST(CrossCheck, DynamicResourcesNeedAds) {
  BootstrapSpec spec;
  spec.clusters = {cluster("e", ClusterSpec::Discovery::Eds)};
  auto manager = std::make_shared<http::ConnectionManagerSpec>();
  manager->rds_name = "r";
  spec.listeners = {listener("x", "127.0.0.1:80", manager)};
  EXPECT_EQ(check(spec),
            Lines({"static_resources.clusters[0].eds_cluster_config.eds_config: required: e",
                   "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.rds."
                   "config_source: required: "}));
  spec.ads = AdsSpec{"control", "", true};
  EXPECT_EQ(check(spec),
            Lines({"dynamic_resources.ads_config.grpc_services[0].envoy_grpc.cluster_name: "
                   "not_found: control"}));
  spec.clusters.push_back(cluster("control"));
  EXPECT_EQ(check(spec), Lines());
  spec.clusters.push_back(cluster("named", ClusterSpec::Discovery::Dns));
  spec.ads = AdsSpec{"named", "", true};
  EXPECT_EQ(check(spec), Lines());
  spec.ads = AdsSpec{"e", "", true};
  EXPECT_EQ(check(spec),
            Lines({"dynamic_resources.ads_config.grpc_services[0].envoy_grpc.cluster_name: "
                   "unsupported_value: e"}));
}

TEST(CrossCheck, TheSecretsOfTheControlPlanesClusterDoNotComeFromIt) {
  BootstrapSpec spec;
  spec.ads = AdsSpec{"control", "", true};
  const auto with = [&spec](tls::SecretRef certificate, std::optional<tls::SecretRef> validation) {
    auto transport = std::make_shared<tls::ClientSpec>();
    transport->common.certificates = {std::move(certificate)};
    transport->common.validation = std::move(validation);
    auto changed = std::make_shared<ClusterSpec>(*cluster("control"));
    changed->transport = transport;
    spec.clusters = {changed};
    return check(spec);
  };
  const tls::SecretRef in_place{.value = std::make_shared<tls::SecretSpec>()};
  const tls::SecretRef by_sds{.name = "s", .by_sds = true};
  const std::string at = "dynamic_resources.ads_config.grpc_services[0].envoy_grpc.cluster_name: ";
  EXPECT_EQ(with(in_place, in_place), Lines());
  EXPECT_EQ(with(by_sds, std::nullopt), Lines({at + "unsupported_value: control"}));
  EXPECT_EQ(with(in_place, by_sds), Lines({at + "unsupported_value: control"}));
}

}  // namespace
}  // namespace convoy::config
