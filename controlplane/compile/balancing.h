#pragma once

// Pool.algorithm and hash keys -> the balancing of envoy.config.cluster.v3.Cluster, and the hash
// policies of routes: in xDS a key belongs to the routes to a cluster.

#include <string>

#include "api/convoy/v1/pool.pb.h"
#include "api/convoy/v1/route.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"

namespace convoy::controlplane::compile {

void compileBalancing(const v1::Pool& pool, envoy::config::cluster::v3::Cluster* cluster);

// Whether the pool's algorithm asks for a key.
bool hashes(const v1::Pool& pool);

// What a request by this route to that pool is hashed by; nothing unless the pool hashes.
void compileHashPolicy(const v1::Route& route, const v1::Pool& pool,
                       envoy::config::route::v3::RouteAction* action);

}  // namespace convoy::controlplane::compile
