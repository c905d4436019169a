#include "proxy/config/dns.h"

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using upstream::ClusterSpec;
using upstream::DnsFamilies;

constexpr char kApp[] =
    "{lb_endpoints: [{endpoint: {address: {socket_address: {address: App.Example, port_value: "
    "80}}}}]}";

std::string cares(const std::string& fields) {
  return "typed_dns_resolver_config: {name: r, typed_config: {\"@type\": type.googleapis.com/"
         "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig, " +
         fields + "}}";
}
std::string server(const std::string& ip, int port) {
  return "{socket_address: {address: \"" + ip + "\", port_value: " + std::to_string(port) + "}}";
}
std::string policy(const std::string& fields) {
  return "metadata: {typed_filter_metadata: {convoy.ext.DnsPolicy: {\"@type\": "
         "type.googleapis.com/convoy.ext.DnsPolicy, " +
         fields + "}}}";
}

// A cluster with one name, and these fields.
std::string clusterYaml(const std::string& fields, const std::string& endpoints = kApp,
                        const std::string& type = "STRICT_DNS") {
  return "{name: c, type: " + type + ", load_assignment: {cluster_name: c, endpoints: [" +
         endpoints + "]}" + (fields.empty() ? "" : ", " + fields) + "}";
}

auto make(const std::string& yaml) {
  return makeCluster(fromYaml<Cluster>(yaml), testContext());
}
std::shared_ptr<const upstream::DnsSpec> dnsOf(const std::string& fields) {
  const auto result = make(clusterYaml(fields));
  EXPECT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(brief(result.notes), Lines());
  return result.ok() ? result.spec->dns : std::make_shared<const upstream::DnsSpec>();
}

upstream::DnsResolverSpec resolverOf(const std::string& fields) {
  const auto dns = dnsOf(fields);
  EXPECT_TRUE(dns->resolver.has_value());
  return dns->resolver.value_or(upstream::DnsResolverSpec());
}

TEST(Dns, EnvoysDefaults) {
  const auto result = make(clusterYaml(""));
  ASSERT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(result.spec->discovery, ClusterSpec::Discovery::Dns);
  EXPECT_EQ(result.spec->assignment, nullptr);
  EXPECT_TRUE(result.spec->wait_for_warm);
  const upstream::DnsSpec& dns = *result.spec->dns;
  EXPECT_FALSE(dns.logical);
  EXPECT_EQ(dns.families, DnsFamilies::Auto);
  EXPECT_FALSE(dns.resolver.has_value());
  EXPECT_EQ(dns.refresh, seconds(5));
  EXPECT_FALSE(dns.respect_ttl);
  EXPECT_FALSE(dns.failure_refresh.has_value());
  EXPECT_EQ(dns.min_ttl, seconds(1));
  EXPECT_EQ(dns.max_ttl, hours(24));
  EXPECT_EQ(dns.confirmations, 3u);
  EXPECT_EQ(dns.max_addresses, 1000u);
  ASSERT_EQ(dns.named.size(), 1u);
  EXPECT_EQ(dns.named[0].host, "app.example");
  EXPECT_EQ(dns.named[0].port, 80);
}

TEST(Dns, EveryHonouredField) {
  const auto dns = dnsOf(
      "dns_refresh_rate: 7s, respect_dns_ttl: true, dns_lookup_family: ALL, "
      "dns_failure_refresh_rate: {base_interval: 2s, max_interval: 9s}, "
      "wait_for_warm_on_init: false, " +
      policy("min_ttl: 3s, max_ttl: 30s, not_found_confirmations: 5, max_addresses: 7"));
  EXPECT_EQ(dns->refresh, seconds(7));
  EXPECT_TRUE(dns->respect_ttl);
  EXPECT_EQ(dns->families, DnsFamilies::All);
  EXPECT_EQ(dns->failure_refresh->base, seconds(2));
  EXPECT_EQ(dns->failure_refresh->max, seconds(9));
  EXPECT_EQ(dns->min_ttl, seconds(3));
  EXPECT_EQ(dns->max_ttl, seconds(30));
  EXPECT_EQ(dns->confirmations, 5u);
  EXPECT_EQ(dns->max_addresses, 7u);
  EXPECT_FALSE(make(clusterYaml("wait_for_warm_on_init: false")).spec->wait_for_warm);
  const auto failure = dnsOf("dns_failure_refresh_rate: {base_interval: 0.5s}")->failure_refresh;
  EXPECT_EQ(failure->max, seconds(5)) << "ten times as long, as Envoy's";
  EXPECT_EQ(dnsOf("dns_refresh_rate: 315000000000s")->refresh, hours(24 * 365));
}

TEST(Dns, Families) {
  const std::pair<const char*, DnsFamilies> cases[] = {
      {"AUTO", DnsFamilies::Auto},      {"V4_ONLY", DnsFamilies::V4Only},
      {"V6_ONLY", DnsFamilies::V6Only}, {"V4_PREFERRED", DnsFamilies::V4Preferred},
      {"ALL", DnsFamilies::All},
  };
  for (const auto& [name, families] : cases) {
    EXPECT_EQ(dnsOf("dns_lookup_family: " + std::string(name))->families, families) << name;
  }
}

TEST(Dns, Endpoints) {
  const auto result = make(clusterYaml(
      "",
      "{locality: {zone: a}, lb_endpoints: [{endpoint: {address: {socket_address: {address: "
      "10.0.0.1, port_value: 80}}}}, {load_balancing_weight: 4, health_status: DEGRADED, "
      "endpoint: {hostname: other, address: {socket_address: {address: a.example, port_value: "
      "81}}, health_check_config: {port_value: 82}}}]}, "
      "{priority: 1, lb_endpoints: [{endpoint: {address: {socket_address: {address: b.example, "
      "port_value: 83}}}}]}"));
  ASSERT_TRUE(result.ok()) << result.errors.text();
  const upstream::DnsSpec& dns = *result.spec->dns;
  ASSERT_EQ(dns.fixed.localities.size(), 2u);
  EXPECT_EQ(dns.fixed.localities[0].zone, "a");
  ASSERT_EQ(dns.fixed.localities[0].endpoints.size(), 1u);
  EXPECT_EQ(dns.fixed.localities[0].endpoints[0].address.text(), "10.0.0.1:80");
  EXPECT_EQ(dns.fixed.localities[1].priority, 1u);
  ASSERT_EQ(dns.named.size(), 2u);
  EXPECT_EQ(dns.named[0].host, "a.example");
  EXPECT_EQ(dns.named[0].locality, 0u);
  EXPECT_EQ(dns.named[0].health_port, 82);
  EXPECT_EQ(dns.named[0].endpoint.weight, 4u);
  EXPECT_EQ(dns.named[0].endpoint.hostname, "other");
  EXPECT_EQ(dns.named[0].endpoint.health, upstream::HealthStatus::Degraded);
  EXPECT_EQ(dns.named[1].locality, 1u);
  EXPECT_EQ(dns.named[1].port, 83);
}

TEST(Dns, Resolvers) {
  const auto all =
      resolverOf(cares("resolvers: [" + server("10.0.0.53", 5353) + ", " + server("fd00::53", 0) +
                       "], use_resolvers_as_fallback: true, dns_resolver_options: "
                       "{use_tcp_for_dns_lookups: true, no_default_search_domain: true}"));
  ASSERT_EQ(all.servers.size(), 2u);
  EXPECT_EQ(all.servers[0].text(), "10.0.0.53:5353");
  EXPECT_EQ(all.servers[1].text(), "[fd00::53]:0");
  EXPECT_TRUE(all.servers_are_fallback && all.use_tcp && !all.use_search_domains);
  const auto older = resolverOf("dns_resolution_config: {resolvers: [" + server("10.0.0.53", 53) +
                                "], dns_resolver_options: {use_tcp_for_dns_lookups: true}}");
  ASSERT_EQ(older.servers.size(), 1u);
  EXPECT_EQ(older.servers[0].text(), "10.0.0.53:53");
  EXPECT_TRUE(older.use_tcp && older.use_search_domains && !older.servers_are_fallback);
  const auto oldest =
      resolverOf("dns_resolvers: [" + server("10.0.0.53", 53) + "], use_tcp_for_dns_lookups: true");
  EXPECT_EQ(oldest.servers.size(), 1u);
  EXPECT_TRUE(oldest.use_tcp);
  // The newest decides.
  const auto both = resolverOf(cares("resolvers: [" + server("10.0.0.1", 53) + "]") +
                               ", dns_resolvers: [" + server("10.0.0.2", 53) + "]");
  ASSERT_EQ(both.servers.size(), 1u);
  EXPECT_EQ(both.servers[0].text(), "10.0.0.1:53");
}

TEST(Dns, OfTheNode) {
  const auto read = [](const std::string& yaml) {
    base::FieldReport report;
    const auto resolver = toNodeResolver(fromYaml<envoy::config::bootstrap::v3::Bootstrap>(yaml),
                                         testContext(), report);
    EXPECT_TRUE(report.ok());
    return resolver;
  };
  EXPECT_EQ(read("{}"), upstream::DnsResolverSpec());
  EXPECT_TRUE(read("{use_tcp_for_dns_lookups: true}").use_tcp);
  EXPECT_EQ(read("{" + cares("resolvers: [" + server("10.0.0.1", 53) + "]") + "}").servers.size(),
            1u);
}

TEST(Dns, Errors) {
  const std::string address =
      "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.";
  const auto named = [](const std::string& socket) {
    return clusterYaml(
        "", "{lb_endpoints: [{endpoint: {address: {socket_address: {" + socket + "}}}}]}");
  };
  const std::string typed = "typed_dns_resolver_config.typed_config";
  const std::string in_policy = "metadata.typed_filter_metadata[\"convoy.ext.DnsPolicy\"].";
  const ErrorCase cases[] = {
      {named("address: 'a b', port_value: 80"), {address + "address: address: a b"}},
      {named("address: 10.0.0.300, port_value: 80"), {address + "address: address: 10.0.0.300"}},
      {named("address: app, port_value: 0"), {address + "port_value: range: 0"}},
      {named("address: app, port_value: 80, resolver_name: x"),
       {address + "resolver_name: unsupported_field: x"}},
      {clusterYaml("dns_refresh_rate: 0s"), {"dns_refresh_rate: range: 0s"}},
      {clusterYaml("dns_failure_refresh_rate: {base_interval: 2s, max_interval: 1s}"),
       {"dns_failure_refresh_rate.max_interval: range: 1000ms"}},
      {clusterYaml("typed_dns_resolver_config: {name: r, typed_config: {\"@type\": "
                   "type.googleapis.com/google.protobuf.Duration, value: 1s}}"),
       {typed + ": unsupported_extension: google.protobuf.Duration"}},
      {clusterYaml(cares("resolvers: []")), {typed + ".resolvers: required: "}},
      {clusterYaml(cares("resolvers: [" + server("dns.example", 53) + "]")),
       {typed + ".resolvers[0].socket_address.address: address: dns.example"}},
      {clusterYaml(cares("resolvers: [{pipe: {path: /run/dns}}]")),
       {typed + ".resolvers[0]: unsupported_value: "}},
      {clusterYaml(
           cares("resolvers: [" + server("10.0.0.1", 53) + "], filter_unroutable_families: true")),
       {typed + ".filter_unroutable_families: unsupported_field: true"}},
      {clusterYaml(policy("min_ttl: 0.5s")), {in_policy + "min_ttl: range: 500ms"}},
      {clusterYaml(policy("max_ttl: 86401s")), {in_policy + "max_ttl: range: 86401000ms"}},
      {clusterYaml(policy("min_ttl: 10s, max_ttl: 5s")), {in_policy + "max_ttl: range: 5000ms"}},
      {clusterYaml(policy("not_found_confirmations: 101")),
       {in_policy + "not_found_confirmations: range: 101"}},
      {clusterYaml(policy("max_addresses: 10001")), {in_policy + "max_addresses: range: 10001"}},
      {clusterYaml("metadata: {typed_filter_metadata: {convoy.ext.DnsPolicy: {\"@type\": "
                   "type.googleapis.com/google.protobuf.Duration, value: 1s}}}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.DnsPolicy\"]: malformed: "
        "type.googleapis.com/google.protobuf.Duration"}},
      {clusterYaml("", std::string(kApp) + ", " + kApp, "LOGICAL_DNS"),
       {"load_assignment.endpoints: range: 2"}},
      {clusterYaml("", "", "LOGICAL_DNS"), {"load_assignment.endpoints: range: 0"}},
      {clusterYaml("", "{lb_endpoints: [{endpoint: {address: {pipe: {path: /a}}}}]}",
                   "LOGICAL_DNS"),
       {"load_assignment.endpoints: range: 1"}},
  };
  for (const ErrorCase& c : cases) {
    EXPECT_EQ(brief(make(c.yaml).errors.errors), c.errors) << c.yaml;
  }
}

TEST(Dns, ALogicalHostHasOneAddress) {
  const auto result = make(clusterYaml("", kApp, "LOGICAL_DNS"));
  ASSERT_TRUE(result.ok()) << result.errors.text();
  EXPECT_TRUE(result.spec->dns->logical);
  EXPECT_TRUE(result.spec->ignore_health_on_removal);
  EXPECT_FALSE(make(clusterYaml("")).spec->ignore_health_on_removal);
}

TEST(Dns, ThereIsALimitOfServers) {
  std::string servers;
  for (int i = 1; i <= 17; ++i) {
    servers += (i > 1 ? ", " : "") + server("10.0.0." + std::to_string(i), 53);
  }
  EXPECT_EQ(brief(make(clusterYaml(cares("resolvers: [" + servers + "]"))).errors.errors),
            Lines{"typed_dns_resolver_config.typed_config.resolvers: too_many: 17"});
}

}  // namespace
}  // namespace convoy::config
