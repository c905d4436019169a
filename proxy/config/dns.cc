#include "proxy/config/dns.h"

#include <algorithm>
#include <string>

#include "api/convoy/ext/dns.pb.h"
#include "proxy/config/assignment.h"
#include "proxy/config/cluster_policy.h"
#include "proxy/config/registry.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using upstream::DnsFamilies;
using upstream::DnsResolverSpec;
using upstream::DnsSpec;
namespace core = envoy::config::core::v3;

constexpr char kPolicy[] = "convoy.ext.DnsPolicy";
// Longer ones, which are as good as never, could not be counted in nanoseconds.
constexpr Milliseconds kLongest = std::chrono::hours(24 * 365);
constexpr int64_t kShortestTtlMs = 1000;
constexpr int64_t kLongestTtlMs = 24 * 3600 * 1000;
constexpr uint32_t kMostConfirmations = 100;
constexpr uint32_t kMostAddresses = 10'000;
constexpr int kMostServers = 16;

Milliseconds toRate(const google::protobuf::Duration& proto, std::string_view field,
                    base::FieldReport& report) {
  return std::min(kLongest, toMilliseconds(proto, field, report));
}

// A DNS server: an IP address, with either protocol, since both are spoken.
std::optional<net::Address> toServer(const core::Address& proto, base::FieldReport& report) {
  if (!proto.has_socket_address()) {
    report.error("unsupported_value", "", "a DNS server is named by socket_address");
    return std::nullopt;
  }
  auto at = report.in("socket_address");
  const core::SocketAddress& socket = proto.socket_address();
  const auto address =
      net::Address::fromIp(socket.address(), static_cast<uint16_t>(socket.port_value()));
  if (!address.ok()) {
    report.error("address", "address", socket.address(), "a DNS server is named by IP address");
    return std::nullopt;
  }
  return *address;
}

template <typename Addresses>
std::vector<net::Address> toServers(const Addresses& protos, std::string_view field,
                                    base::FieldReport& report) {
  std::vector<net::Address> servers;
  if (protos.size() > kMostServers) {
    report.error(field, "too_many", std::to_string(protos.size()),
                 "there may be at most 16 DNS servers");
  }
  for (int i = 0; i < protos.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    if (auto server = toServer(protos[i], report); server.has_value()) {
      servers.push_back(*std::move(server));
    }
  }
  return servers;
}

// The fields that a cluster and the bootstrap have in common, from the newest to the oldest: the
// newest that is set decides.
template <typename Proto>
std::optional<DnsResolverSpec> toResolver(const Proto& proto, const Context& context,
                                          base::FieldReport& report) {
  if (proto.has_typed_dns_resolver_config()) {
    auto at = report.in("typed_dns_resolver_config");
    auto in = report.in("typed_config");
    return context.registry->dns_resolvers.make(proto.typed_dns_resolver_config().typed_config(),
                                                context, report);
  }
  if (proto.has_dns_resolution_config()) {
    auto at = report.in("dns_resolution_config");
    const core::DnsResolutionConfig& config = proto.dns_resolution_config();
    return DnsResolverSpec{
        .servers = toServers(config.resolvers(), "resolvers", report),
        .use_tcp = config.dns_resolver_options().use_tcp_for_dns_lookups(),
        .use_search_domains = !config.dns_resolver_options().no_default_search_domain()};
  }
  if (!proto.use_tcp_for_dns_lookups()) return std::nullopt;
  return DnsResolverSpec{.use_tcp = true};
}

std::optional<DnsResolverSpec> toClusterResolver(const Cluster& proto, const Context& context,
                                                 base::FieldReport& report) {
  std::optional<DnsResolverSpec> resolver = toResolver(proto, context, report);
  const bool newer = proto.has_typed_dns_resolver_config() || proto.has_dns_resolution_config();
  if (newer || proto.dns_resolvers().empty()) return resolver;
  if (!resolver.has_value()) resolver.emplace();
  resolver->servers = toServers(proto.dns_resolvers(), "dns_resolvers", report);
  return resolver;
}

DnsFamilies toFamilies(Cluster::DnsLookupFamily family) {
  switch (family) {
    case Cluster::V4_ONLY:
      return DnsFamilies::V4Only;
    case Cluster::V6_ONLY:
      return DnsFamilies::V6Only;
    case Cluster::V4_PREFERRED:
      return DnsFamilies::V4Preferred;
    case Cluster::ALL:
      return DnsFamilies::All;
    default:
      return DnsFamilies::Auto;
  }
}

void setRates(const Cluster& proto, DnsSpec* spec, base::FieldReport& report) {
  if (proto.has_dns_refresh_rate()) {
    spec->refresh = toRate(proto.dns_refresh_rate(), "dns_refresh_rate", report);
  }
  spec->respect_ttl = proto.respect_dns_ttl();
  if (!proto.has_dns_failure_refresh_rate()) return;
  auto at = report.in("dns_failure_refresh_rate");
  const Cluster::RefreshRate& rate = proto.dns_failure_refresh_rate();
  DnsSpec::FailureRefresh failure;
  failure.base = toRate(rate.base_interval(), "base_interval", report);
  failure.max = rate.has_max_interval() ? toRate(rate.max_interval(), "max_interval", report)
                                        : std::min(kLongest, 10 * failure.base);
  if (failure.max < failure.base) {
    report.error("max_interval", "range", std::to_string(failure.max.count()) + "ms",
                 "must be at least base_interval");
  }
  spec->failure_refresh = failure;
}

Milliseconds toTtl(const google::protobuf::Duration& proto, std::string_view field,
                   base::FieldReport& report) {
  const Milliseconds ttl = toMilliseconds(proto, field, report);
  if (ttl.count() < kShortestTtlMs || ttl.count() > kLongestTtlMs) {
    report.error(field, "range", std::to_string(ttl.count()) + "ms", "must be from 1 s to 24 h");
  }
  return ttl;
}

uint32_t toCount(uint32_t value, uint32_t most, std::string_view field, base::FieldReport& report) {
  if (value > most) {
    report.error(field, "range", std::to_string(value),
                 "must be from 1 to " + std::to_string(most));
  }
  return value;
}

void setPolicy(const Cluster& proto, DnsSpec* spec, base::FieldReport& report) {
  const auto policy = clusterPolicy<ext::DnsPolicy>(proto, report);
  auto at = report.in("metadata");
  auto in = report.in("typed_filter_metadata", std::string_view(kPolicy));
  if (policy.has_min_ttl()) spec->min_ttl = toTtl(policy.min_ttl(), "min_ttl", report);
  if (policy.has_max_ttl()) spec->max_ttl = toTtl(policy.max_ttl(), "max_ttl", report);
  if (spec->max_ttl < spec->min_ttl) {
    report.error("max_ttl", "range", std::to_string(spec->max_ttl.count()) + "ms",
                 "must be at least min_ttl");
    spec->max_ttl = spec->min_ttl;
  }
  if (policy.not_found_confirmations() != 0) {
    spec->confirmations = toCount(policy.not_found_confirmations(), kMostConfirmations,
                                  "not_found_confirmations", report);
  }
  if (policy.max_addresses() != 0) {
    spec->max_addresses = toCount(policy.max_addresses(), kMostAddresses, "max_addresses", report);
  }
}

void checkLogical(const DnsSpec& spec, base::FieldReport& report) {
  size_t addresses = 0;
  for (const auto& locality : spec.fixed.localities) addresses += locality.endpoints.size();
  if (spec.named.size() == 1 && addresses == 0) return;
  report.error("endpoints", "range", std::to_string(spec.named.size() + addresses),
               "a cluster of type LOGICAL_DNS has one endpoint, which is the name of a host; write "
               "STRICT_DNS");
}

}  // namespace

std::shared_ptr<const DnsSpec> toDns(const Cluster& proto, const Context& context,
                                     base::FieldReport& report) {
  auto spec = std::make_shared<DnsSpec>();
  spec->logical = proto.type() == Cluster::LOGICAL_DNS;
  spec->families = toFamilies(proto.dns_lookup_family());
  spec->resolver = toClusterResolver(proto, context, report);
  setRates(proto, spec.get(), report);
  setPolicy(proto, spec.get(), report);
  auto at = report.in("load_assignment");
  if (!proto.has_load_assignment()) {
    report.error("required", "", "a cluster of this type needs its endpoints");
    return spec;
  }
  const uint64_t errors = report.errorCount();
  setDnsEndpoints(proto.load_assignment(), context, spec.get(), report);
  if (spec->logical && report.errorCount() == errors) checkLogical(*spec, report);
  return spec;
}

DnsResolverSpec toNodeResolver(const envoy::config::bootstrap::v3::Bootstrap& proto,
                               const Context& context, base::FieldReport& report) {
  return toResolver(proto, context, report).value_or(DnsResolverSpec{});
}

std::optional<DnsResolverSpec> makeCaresResolver(
    const envoy::extensions::network::dns_resolver::cares::v3::CaresDnsResolverConfig& proto,
    const Context&, base::FieldReport& report) {
  return DnsResolverSpec{
      .servers = toServers(proto.resolvers(), "resolvers", report),
      .servers_are_fallback = proto.use_resolvers_as_fallback(),
      .use_tcp = proto.dns_resolver_options().use_tcp_for_dns_lookups(),
      .use_search_domains = !proto.dns_resolver_options().no_default_search_domain()};
}

}  // namespace convoy::config
