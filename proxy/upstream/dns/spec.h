#pragma once

// What a cluster of type STRICT_DNS or LOGICAL_DNS looks up, when, and what it makes of the answers
// (envoy.config.cluster.v3.Cluster, convoy.ext.DnsPolicy). Plain data.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/address.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// Envoy's dns_lookup_family.
enum class DnsFamilies : uint8_t {
  Auto,  // IPv6; IPv4 if there is none
  V4Only,
  V6Only,
  V4Preferred,  // IPv4; IPv6 if there is none
  All,          // both
};

// Who is asked, and how.
struct DnsResolverSpec {
  std::vector<net::Address> servers = {};  // empty: those of /etc/resolv.conf
  bool servers_are_fallback = false;       // only if /etc/resolv.conf names none
  bool use_tcp = false;
  bool use_search_domains = true;

  friend bool operator==(const DnsResolverSpec&, const DnsResolverSpec&) = default;
};

// An endpoint whose address is a name.
struct DnsEndpoint {
  std::string host;
  uint16_t port = 0;
  size_t locality = 0;       // an index of DnsSpec::fixed.localities
  EndpointSpec endpoint;     // all but the address
  uint16_t health_port = 0;  // 0: where requests go
};

struct DnsSpec {
  bool logical = false;  // LOGICAL_DNS: one address of the one name
  AssignmentSpec fixed;  // the localities, with the endpoints that are addresses already
  std::vector<DnsEndpoint> named;
  DnsFamilies families = DnsFamilies::Auto;
  std::optional<DnsResolverSpec> resolver;  // unset: the node's
  Milliseconds refresh{5000};
  bool respect_ttl = false;  // refresh by the TTL, between these bounds, unless it is 0
  Milliseconds min_ttl{1000};
  Milliseconds max_ttl{86'400'000};
  // After failures: doubled from the first to the second. Unset: `refresh`.
  struct FailureRefresh {
    Milliseconds base{0};
    Milliseconds max{0};
  };
  std::optional<FailureRefresh> failure_refresh;
  // So many answers in a row that a name does not exist, or has no address, are needed before its
  // hosts go.
  uint32_t confirmations = 3;
  // Of one name in one family; what is beyond is left out and counted.
  size_t max_addresses = 1000;
};

}  // namespace convoy::upstream
