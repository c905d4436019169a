#include "controlplane/compile/dns.h"

#include <gtest/gtest.h>

#include <string>

#include "api/convoy/ext/dns.pb.h"
#include "envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

using envoy::config::cluster::v3::Cluster;

BackendPtr backend(const std::string& address) {
  auto backend = std::make_shared<v1::Backend>();
  backend->set_address(address);
  backend->set_weight(1);
  return backend;
}

Cluster compile(const std::string& pool, const std::vector<BackendPtr>& backends) {
  const auto parsed = parse<v1::Pool>("name: \"web\" " + pool);
  Cluster cluster = compileCluster(parsed);
  resolveByDns(parsed, backends, &cluster);
  return cluster;
}

std::string policyOf(const Cluster& cluster) {
  ext::DnsPolicy policy;
  EXPECT_TRUE(
      cluster.metadata().typed_filter_metadata().at("convoy.ext.DnsPolicy").UnpackTo(&policy));
  return shortText(policy);
}

TEST(DnsTest, WhatIsAName) {
  EXPECT_TRUE(isNamed(*backend("app.example:80")));
  EXPECT_TRUE(hasNames({backend("10.0.0.1:80"), backend("localhost:80")}));
  EXPECT_FALSE(hasNames({backend("10.0.0.1:80"), backend("[::1]:80"), backend("unix:/run/a")}));
}

TEST(DnsTest, DefaultsAreWrittenOut) {
  const Cluster cluster = compile("", {backend("app.example:80"), backend("10.0.0.1:80")});
  EXPECT_EQ(cluster.type(), Cluster::STRICT_DNS);
  EXPECT_FALSE(cluster.has_eds_cluster_config());
  EXPECT_TRUE(cluster.respect_dns_ttl());
  EXPECT_EQ(cluster.dns_lookup_family(), Cluster::V4_PREFERRED);
  EXPECT_EQ(cluster.dns_refresh_rate().seconds(), 5);
  EXPECT_EQ(shortText(cluster.dns_failure_refresh_rate()),
            "base_interval { seconds: 2 } max_interval { seconds: 30 }");
  EXPECT_EQ(policyOf(cluster),
            "min_ttl { seconds: 5 } max_ttl { seconds: 60 } not_found_confirmations: 3");
  EXPECT_FALSE(cluster.has_typed_dns_resolver_config());
  EXPECT_EQ(shortText(cluster.load_assignment()),
            R"(cluster_name: "web" endpoints { lb_endpoints { endpoint { address { socket_address )"
            R"({ address: "app.example" port_value: 80 } } } load_balancing_weight { value: 1 } } )"
            R"(lb_endpoints { endpoint { address { socket_address { address: "10.0.0.1" )"
            R"(port_value: 80 } } } load_balancing_weight { value: 1 } } })");
}

TEST(DnsTest, Fields) {
  const Cluster cluster =
      compile(R"(dns { families: FAMILIES_ALL min_refresh { seconds: 1 } max_refresh { seconds: 9 }
                       not_found_confirmations: 7 servers: "10.0.0.53:53" })",
              {backend("app.example:80")});
  EXPECT_EQ(cluster.dns_lookup_family(), Cluster::ALL);
  EXPECT_EQ(cluster.dns_refresh_rate().seconds(), 1);
  EXPECT_EQ(policyOf(cluster),
            "min_ttl { seconds: 1 } max_ttl { seconds: 9 } not_found_confirmations: 7");
  envoy::extensions::network::dns_resolver::cares::v3::CaresDnsResolverConfig resolver;
  ASSERT_TRUE(cluster.typed_dns_resolver_config().typed_config().UnpackTo(&resolver));
  EXPECT_EQ(shortText(resolver),
            R"(resolvers { socket_address { address: "10.0.0.53" port_value: 53 } })");
}

TEST(DnsTest, Families) {
  const std::pair<const char*, Cluster::DnsLookupFamily> cases[] = {
      {"FAMILIES_V4_PREFERRED", Cluster::V4_PREFERRED},
      {"FAMILIES_V6_PREFERRED", Cluster::AUTO},
      {"FAMILIES_V4", Cluster::V4_ONLY},
      {"FAMILIES_V6", Cluster::V6_ONLY},
  };
  for (const auto& [families, expected] : cases) {
    const std::string pool = std::string("dns { families: ") + families + " }";
    EXPECT_EQ(compile(pool, {backend("a:80")}).dns_lookup_family(), expected) << families;
  }
}

TEST(DnsTest, OneAddress) {
  EXPECT_EQ(compile("dns { one_address: true }", {backend("a:80")}).type(), Cluster::LOGICAL_DNS);
  // A node that the backend does not select.
  EXPECT_EQ(compile("dns { one_address: true }", {}).type(), Cluster::STRICT_DNS);
}

}  // namespace
}  // namespace convoy::controlplane::compile
