#pragma once

// What a pool does about failing backends -> envoy.config.cluster.v3.OutlierDetection and
// convoy.ext.FailurePolicy, with convoy.v1's defaults written out.

#include "api/convoy/v1/pool.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"

namespace convoy::controlplane::compile {

void compileFailurePolicy(const v1::Pool& pool, envoy::config::cluster::v3::Cluster* cluster);

}  // namespace convoy::controlplane::compile
