#include "controlplane/compile/dns.h"

#include <algorithm>

#include "api/convoy/ext/dns.pb.h"
#include "controlplane/compile/addresses.h"
#include "envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver.pb.h"
#include "proxy/net/address.h"

namespace convoy::controlplane::compile {

namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::extensions::network::dns_resolver::cares::v3::CaresDnsResolverConfig;

constexpr int64_t kMinRefreshSeconds = 5;
constexpr int64_t kMaxRefreshSeconds = 60;
constexpr int64_t kFailureBaseSeconds = 2;
constexpr int64_t kFailureMaxSeconds = 30;
constexpr uint32_t kConfirmations = 3;
constexpr char kPolicy[] = "convoy.ext.DnsPolicy";
constexpr char kResolver[] = "envoy.network.dns_resolver.cares";

Cluster::DnsLookupFamily toFamily(v1::PoolDns::Families families) {
  switch (families) {
    case v1::PoolDns::FAMILIES_V4:
      return Cluster::V4_ONLY;
    case v1::PoolDns::FAMILIES_V6:
      return Cluster::V6_ONLY;
    case v1::PoolDns::FAMILIES_V6_PREFERRED:
      return Cluster::AUTO;
    case v1::PoolDns::FAMILIES_ALL:
      return Cluster::ALL;
    default:
      return Cluster::V4_PREFERRED;
  }
}

void setPolicy(const v1::PoolDns& dns, Cluster* cluster) {
  ext::DnsPolicy policy;
  if (dns.has_min_refresh()) {
    *policy.mutable_min_ttl() = dns.min_refresh();
  } else {
    policy.mutable_min_ttl()->set_seconds(kMinRefreshSeconds);
  }
  if (dns.has_max_refresh()) {
    *policy.mutable_max_ttl() = dns.max_refresh();
  } else {
    policy.mutable_max_ttl()->set_seconds(kMaxRefreshSeconds);
  }
  policy.set_not_found_confirmations(
      dns.has_not_found_confirmations() ? dns.not_found_confirmations() : kConfirmations);
  // Without a TTL, and for clients that do not know of the bounds.
  *cluster->mutable_dns_refresh_rate() = policy.min_ttl();
  cluster->set_respect_dns_ttl(true);
  (*cluster->mutable_metadata()->mutable_typed_filter_metadata())[kPolicy].PackFrom(policy);
}

void setResolver(const v1::PoolDns& dns, Cluster* cluster) {
  if (dns.servers().empty()) return;
  CaresDnsResolverConfig config;
  for (const std::string& server : dns.servers()) {
    *config.add_resolvers() = compileAddress(server);
  }
  auto* resolver = cluster->mutable_typed_dns_resolver_config();
  resolver->set_name(kResolver);
  resolver->mutable_typed_config()->PackFrom(config);
}

}  // namespace

bool isNamed(const v1::Backend& backend) {
  return !net::Address::parse(backend.address()).ok();
}

bool hasNames(const std::vector<BackendPtr>& backends) {
  return std::any_of(backends.begin(), backends.end(),
                     [](const BackendPtr& backend) { return isNamed(*backend); });
}

void resolveByDns(const v1::Pool& pool, const std::vector<BackendPtr>& backends, Cluster* cluster) {
  const v1::PoolDns& dns = pool.dns();
  cluster->clear_eds_cluster_config();
  // References have been checked: it is the pool's only backend. A node that it does not select has
  // none, which LOGICAL_DNS cannot say.
  const bool logical = dns.one_address() && backends.size() == 1;
  cluster->set_type(logical ? Cluster::LOGICAL_DNS : Cluster::STRICT_DNS);
  cluster->set_dns_lookup_family(toFamily(dns.families()));
  auto* failure = cluster->mutable_dns_failure_refresh_rate();
  failure->mutable_base_interval()->set_seconds(kFailureBaseSeconds);
  failure->mutable_max_interval()->set_seconds(kFailureMaxSeconds);
  setPolicy(dns, cluster);
  setResolver(dns, cluster);
  *cluster->mutable_load_assignment() = compileAssignment(pool.name(), backends);
}

}  // namespace convoy::controlplane::compile
