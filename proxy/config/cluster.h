#pragma once

// envoy.config.cluster.v3.Cluster to upstream::ClusterSpec.

#include <memory>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/config/registry.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

std::shared_ptr<const upstream::ClusterSpec> toCluster(
    const envoy::config::cluster::v3::Cluster& proto, const Context& context,
    base::FieldReport& report);

// Factory, for the registry.
Registry::ClusterOptions makeHttpOptions(
    const envoy::extensions::upstreams::http::v3::HttpProtocolOptions& proto,
    const Context& context, base::FieldReport& report);

}  // namespace convoy::config
