#pragma once

// envoy.config.endpoint.v3.ClusterLoadAssignment to upstream::AssignmentSpec.

#include <memory>

#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/upstream/dns/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

std::shared_ptr<const upstream::AssignmentSpec> toAssignment(
    const envoy::config::endpoint::v3::ClusterLoadAssignment& proto, const Context& context,
    base::FieldReport& report);

// Of a cluster whose addresses may be names: sets `fixed` and `named`.
void setDnsEndpoints(const envoy::config::endpoint::v3::ClusterLoadAssignment& proto,
                     const Context& context, upstream::DnsSpec* spec, base::FieldReport& report);

}  // namespace convoy::config
