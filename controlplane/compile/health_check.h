#pragma once

// Pool.health_check -> envoy.config.core.v3.HealthCheck, with convoy.v1's defaults written out.

#include "api/convoy/v1/pool.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"

namespace convoy::controlplane::compile {

// REQUIRES: pool.has_health_check().
void compileHealthCheck(const v1::Pool& pool, envoy::config::cluster::v3::Cluster* cluster);

}  // namespace convoy::controlplane::compile
