#include "controlplane/compile/pool.h"

#include <utility>

#include "controlplane/compile/addresses.h"

namespace convoy::controlplane::compile {

namespace {

constexpr int64_t kDefaultConnectSeconds = 5;

}  // namespace

envoy::config::cluster::v3::Cluster compileCluster(const v1::Pool& pool) {
  using envoy::config::cluster::v3::Cluster;
  Cluster cluster;
  cluster.set_name(pool.name());
  cluster.set_type(Cluster::EDS);
  auto* source = cluster.mutable_eds_cluster_config()->mutable_eds_config();
  source->mutable_ads();
  source->set_resource_api_version(envoy::config::core::v3::V3);
  // Envoy's LEAST_REQUEST counts requests in flight in proportion to the weights of the endpoints.
  cluster.set_lb_policy(pool.algorithm() == v1::ALGORITHM_ROUND_ROBIN ? Cluster::ROUND_ROBIN
                                                                      : Cluster::LEAST_REQUEST);
  if (pool.has_connect_timeout()) {
    *cluster.mutable_connect_timeout() = pool.connect_timeout();
  } else {
    cluster.mutable_connect_timeout()->set_seconds(kDefaultConnectSeconds);
  }
  return cluster;
}

envoy::config::endpoint::v3::ClusterLoadAssignment compileAssignment(
    const std::string& pool, const std::vector<BackendPtr>& backends) {
  envoy::config::endpoint::v3::ClusterLoadAssignment assignment;
  assignment.set_cluster_name(pool);
  if (backends.empty()) return assignment;
  auto* locality = assignment.add_endpoints();
  for (const BackendPtr& backend : backends) {
    auto* endpoint = locality->add_lb_endpoints();
    *endpoint->mutable_endpoint()->mutable_address() = compileAddress(backend->address());
    endpoint->mutable_load_balancing_weight()->set_value(backend->weight());
  }
  return assignment;
}

Assignment::Assignment(std::string pool, std::vector<BackendPtr> backends)
    : pool_(std::move(pool)), backends_(std::move(backends)) {
  for (const BackendPtr& backend : backends_) {
    if (!backend->nodes().labels().empty()) selective_.push_back(backend);
  }
}

EncodedPtr Assignment::forNode(const model::Labels& labels) const {
  std::string chosen;
  for (const BackendPtr& backend : selective_) {
    chosen.push_back(model::selects(backend->nodes(), labels) ? '1' : '0');
  }
  MutexLock lock(&mutex_);
  EncodedPtr& encoded = encoded_[chosen];
  if (encoded == nullptr) {
    std::vector<BackendPtr> backends;
    for (const BackendPtr& backend : backends_) {
      if (model::selects(backend->nodes(), labels)) backends.push_back(backend);
    }
    encoded = encode(Type::Assignment, pool_, compileAssignment(pool_, backends));
  }
  return encoded;
}

}  // namespace convoy::controlplane::compile
