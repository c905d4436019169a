#pragma once

// envoy.config.core.v3.HealthCheck -> HealthCheckSpec, with what the cluster's metadata adds
// (convoy.ext.HealthCheckPolicy).

#include <memory>

#include "api/convoy/ext/health_check.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/config/registry.h"
#include "proxy/net/spec.h"
#include "proxy/upstream/health/spec.h"

namespace convoy::config {

// Null if the cluster has none, or one that was refused. transport: the cluster's.
std::shared_ptr<const upstream::HealthCheckSpec> toHealthCheck(
    const envoy::config::cluster::v3::Cluster& proto,
    const std::shared_ptr<const net::TransportSpec>& transport, const Context& context,
    base::FieldReport& report);

// Factory, for the registry.
std::optional<upstream::CommandCheckSpec> makeCommandCheck(const ext::CommandHealthCheck& proto,
                                                           const Context& context,
                                                           base::FieldReport& report);

}  // namespace convoy::config
