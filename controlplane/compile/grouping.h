#pragma once

// Pool.zone_aware, Pool.subsets and Route.subset, and the priorities, zones and labels of backends
// -> envoy.config.cluster.v3.Cluster, RouteAction and ClusterLoadAssignment.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/convoy/v1/pool.pb.h"
#include "api/convoy/v1/route.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"

namespace convoy::controlplane::compile {

void compileGrouping(const v1::Pool& pool, envoy::config::cluster::v3::Cluster* cluster);

// What the route asks for of the pool's subsets.
void compileSubset(const v1::Route& route, envoy::config::route::v3::RouteAction* action);

// Where backends of one priority and zone go: made if there is none yet. Priorities are in order
// and leave none out, though a node may see a part of the backends only.
class Localities {
 public:
  Localities(const std::vector<std::shared_ptr<const v1::Backend>>& backends,
             envoy::config::endpoint::v3::ClusterLoadAssignment* assignment);

  envoy::config::endpoint::v3::LocalityLbEndpoints* of(const v1::Backend& backend);

 private:
  uint32_t priorityOf(const v1::Backend& backend) const;

  const std::vector<uint32_t> priorities_;  // that are there
  envoy::config::endpoint::v3::ClusterLoadAssignment* const assignment_;
  // Elements of the assignment, which do not move.
  std::map<std::pair<uint32_t, std::string>, envoy::config::endpoint::v3::LocalityLbEndpoints*>
      known_;
};

// Backend.labels, for subsets.
void compileLabels(const v1::Backend& backend, envoy::config::endpoint::v3::LbEndpoint* endpoint);

}  // namespace convoy::controlplane::compile
