#pragma once

// The address of a pool's sticky.redis -> a cluster of its own, with the one server in it: how
// nodes find it and speak TLS to it.

#include "api/convoy/v1/pool.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"

namespace convoy::controlplane::compile {

// REQUIRES: pool.sticky().has_redis().
envoy::config::cluster::v3::Cluster compileRedisCluster(const v1::Pool& pool);

}  // namespace convoy::controlplane::compile
