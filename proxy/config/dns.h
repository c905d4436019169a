#pragma once

// What clusters of type STRICT_DNS and LOGICAL_DNS say about DNS, and what the bootstrap says for
// all of them.

#include <memory>
#include <optional>

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/upstream/dns/spec.h"

namespace convoy::config {

// REQUIRES: proto.type() is STRICT_DNS or LOGICAL_DNS.
std::shared_ptr<const upstream::DnsSpec> toDns(const envoy::config::cluster::v3::Cluster& proto,
                                               const Context& context, base::FieldReport& report);

// For clusters that say nothing of their own.
upstream::DnsResolverSpec toNodeResolver(const envoy::config::bootstrap::v3::Bootstrap& proto,
                                         const Context& context, base::FieldReport& report);

// Factory, for the registry.
std::optional<upstream::DnsResolverSpec> makeCaresResolver(
    const envoy::extensions::network::dns_resolver::cares::v3::CaresDnsResolverConfig& proto,
    const Context& context, base::FieldReport& report);

}  // namespace convoy::config
