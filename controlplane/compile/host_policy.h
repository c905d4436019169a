#pragma once

// How single backends of a pool are used: limits, slow start, draining, choosing by a header.

#include "api/convoy/v1/pool.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint_components.pb.h"

namespace convoy::controlplane::compile {

// Into what compileBalancing() has made.
void compileHostPolicy(const v1::Pool& pool, envoy::config::cluster::v3::Cluster* cluster);
void compileEndpointPolicy(const v1::Backend& backend,
                           envoy::config::endpoint::v3::LbEndpoint* endpoint);

}  // namespace convoy::controlplane::compile
