#pragma once

// Pools that have names of hosts among their backends: clusters of type STRICT_DNS (or LOGICAL_DNS)
// with their endpoints in them, since xDS clients take no names by EDS.

#include <vector>

#include "controlplane/compile/pool.h"
#include "envoy/config/cluster/v3/cluster.pb.h"

namespace convoy::controlplane::compile {

// A backend's address is the name of a host.
bool isNamed(const v1::Backend& backend);
bool hasNames(const std::vector<BackendPtr>& backends);

// Makes `cluster`, compiled by compileCluster(), one that resolves its backends itself.
void resolveByDns(const v1::Pool& pool, const std::vector<BackendPtr>& backends,
                  envoy::config::cluster::v3::Cluster* cluster);

}  // namespace convoy::controlplane::compile
