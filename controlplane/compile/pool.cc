#include "controlplane/compile/pool.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/convoy/ext/load_balancing.pb.h"
#include "controlplane/compile/addresses.h"
#include "controlplane/compile/health_check.h"
#include "controlplane/compile/retries.h"
#include "controlplane/compile/tls.h"
#include "envoy/extensions/load_balancing_policies/least_request/v3/least_request.pb.h"
#include "envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"
#include "xds/type/v3/typed_struct.pb.h"

namespace convoy::controlplane::compile {

namespace {

constexpr int64_t kDefaultConnectSeconds = 5;
constexpr char kHttpOptions[] = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

void addPolicy(const std::string& name, const google::protobuf::Message& config,
               envoy::config::cluster::v3::LoadBalancingPolicy* policies) {
  auto* policy = policies->add_policies()->mutable_typed_extension_config();
  policy->set_name(name);
  policy->mutable_typed_config()->PackFrom(config);
}

// A client takes the first policy of the list that it has; one that knows no such list, lb_policy.
void setAlgorithm(v1::Algorithm algorithm, envoy::config::cluster::v3::Cluster* cluster) {
  using envoy::config::cluster::v3::Cluster;
  if (algorithm == v1::ALGORITHM_ROUND_ROBIN) {
    cluster->set_lb_policy(Cluster::ROUND_ROBIN);
    return;
  }
  cluster->set_lb_policy(Cluster::LEAST_REQUEST);
  auto* policies = cluster->mutable_load_balancing_policy();
  // As a TypedStruct: an Any of a type that a client does not have is one that it cannot print
  // either, in /config_dump for instance.
  xds::type::v3::TypedStruct exact;
  exact.set_type_url(absl::StrCat("type.googleapis.com/",
                                  ext::WeightedLeastConnections::descriptor()->full_name()));
  exact.mutable_value();
  addPolicy("convoy.load_balancing_policies.weighted_least_connections", exact, policies);
  // Envoy's counts requests in flight in proportion to the weights too, of two backends at random.
  addPolicy("envoy.load_balancing_policies.least_request",
            envoy::extensions::load_balancing_policies::least_request::v3::LeastRequest(),
            policies);
  // What every client has.
  addPolicy("envoy.load_balancing_policies.round_robin",
            envoy::extensions::load_balancing_policies::round_robin::v3::RoundRobin(), policies);
}

// Without more, every client speaks HTTP/1.1.
void setProtocol(v1::Protocol protocol, envoy::config::cluster::v3::Cluster* cluster) {
  using envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
  if (protocol != v1::PROTOCOL_HTTP2) return;
  HttpProtocolOptions options;
  options.mutable_explicit_http_config()->mutable_http2_protocol_options();
  (*cluster->mutable_typed_extension_protocol_options())[kHttpOptions].PackFrom(options);
}

}  // namespace

envoy::config::cluster::v3::Cluster compileCluster(const v1::Pool& pool) {
  using envoy::config::cluster::v3::Cluster;
  Cluster cluster;
  cluster.set_name(pool.name());
  cluster.set_type(Cluster::EDS);
  auto* source = cluster.mutable_eds_cluster_config()->mutable_eds_config();
  source->mutable_ads();
  source->set_resource_api_version(envoy::config::core::v3::V3);
  setAlgorithm(pool.algorithm(), &cluster);
  if (pool.has_connect_timeout()) {
    *cluster.mutable_connect_timeout() = pool.connect_timeout();
  } else {
    cluster.mutable_connect_timeout()->set_seconds(kDefaultConnectSeconds);
  }
  setProtocol(pool.protocol(), &cluster);
  if (pool.has_tls()) *cluster.mutable_transport_socket() = compileUpstreamTls(pool.tls());
  compileLimits(pool, cluster.mutable_circuit_breakers());
  if (pool.has_health_check()) compileHealthCheck(pool, &cluster);
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
