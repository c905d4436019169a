#include "controlplane/compile/pool.h"

#include <utility>

#include "controlplane/compile/addresses.h"
#include "controlplane/compile/balancing.h"
#include "controlplane/compile/dns.h"
#include "controlplane/compile/failure_policy.h"
#include "controlplane/compile/grouping.h"
#include "controlplane/compile/health_check.h"
#include "controlplane/compile/host_policy.h"
#include "controlplane/compile/retries.h"
#include "controlplane/compile/tls.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"

namespace convoy::controlplane::compile {

namespace {

constexpr int64_t kDefaultConnectSeconds = 5;
constexpr int64_t kDefaultKeepaliveSeconds = 30;
constexpr int64_t kDefaultKeepaliveTimeoutSeconds = 10;
constexpr char kHttpOptions[] = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

// A connection that was idle for the interval is asked when it is used again.
void setKeepalive(const v1::Keepalive& keepalive,
                  envoy::config::core::v3::Http2ProtocolOptions* options) {
  google::protobuf::Duration interval = keepalive.interval();
  if (!keepalive.has_interval()) interval.set_seconds(kDefaultKeepaliveSeconds);
  if (interval.seconds() == 0 && interval.nanos() == 0) return;
  auto* settings = options->mutable_connection_keepalive();
  *settings->mutable_interval() = interval;
  *settings->mutable_connection_idle_interval() = interval;
  if (keepalive.has_timeout()) {
    *settings->mutable_timeout() = keepalive.timeout();
  } else {
    settings->mutable_timeout()->set_seconds(kDefaultKeepaliveTimeoutSeconds);
  }
}

// Without more, every client speaks HTTP/1.1.
void setProtocol(const v1::Pool& pool, envoy::config::cluster::v3::Cluster* cluster) {
  using envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
  if (pool.protocol() != v1::PROTOCOL_HTTP2) return;
  HttpProtocolOptions options;
  setKeepalive(pool.keepalive(),
               options.mutable_explicit_http_config()->mutable_http2_protocol_options());
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
  compileBalancing(pool, &cluster);
  compileGrouping(pool, &cluster);
  if (pool.has_connect_timeout()) {
    *cluster.mutable_connect_timeout() = pool.connect_timeout();
  } else {
    cluster.mutable_connect_timeout()->set_seconds(kDefaultConnectSeconds);
  }
  setProtocol(pool, &cluster);
  if (pool.has_tls()) *cluster.mutable_transport_socket() = compileUpstreamTls(pool.tls());
  compileLimits(pool, cluster.mutable_circuit_breakers());
  if (pool.has_health_check()) compileHealthCheck(pool, &cluster);
  compileFailurePolicy(pool, &cluster);
  compileHostPolicy(pool, &cluster);
  return cluster;
}

envoy::config::endpoint::v3::ClusterLoadAssignment compileAssignment(
    const std::string& pool, const std::vector<BackendPtr>& backends) {
  envoy::config::endpoint::v3::ClusterLoadAssignment assignment;
  assignment.set_cluster_name(pool);
  if (backends.empty()) return assignment;
  Localities localities(backends, &assignment);
  for (const BackendPtr& backend : backends) {
    auto* endpoint = localities.of(*backend)->add_lb_endpoints();
    *endpoint->mutable_endpoint()->mutable_address() = compileAddress(backend->address());
    endpoint->mutable_load_balancing_weight()->set_value(backend->weight());
    compileEndpointPolicy(*backend, endpoint);
    compileLabels(*backend, endpoint);
  }
  return assignment;
}

Assignment::Assignment(std::shared_ptr<const v1::Pool> pool, std::vector<BackendPtr> backends)
    : pool_(std::move(pool)), backends_(std::move(backends)), in_cluster_(hasNames(backends_)) {
  for (const BackendPtr& backend : backends_) {
    if (!backend->nodes().labels().empty()) selective_.push_back(backend);
  }
}

void Assignment::observe(
    const std::function<void(const google::protobuf::Message&)>& observer) const {
  if (!in_cluster_) return observer(compileAssignment(pool_->name(), backends_));
  auto cluster = compileCluster(*pool_);
  resolveByDns(*pool_, backends_, &cluster);
  observer(cluster);
}

EncodedPtr Assignment::encodeFor(const std::vector<BackendPtr>& backends) const {
  if (!in_cluster_) {
    return encode(Type::Assignment, pool_->name(), compileAssignment(pool_->name(), backends));
  }
  auto cluster = compileCluster(*pool_);
  resolveByDns(*pool_, backends, &cluster);
  return encode(Type::Cluster, pool_->name(), cluster, secretsOf(pool_->tls()));
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
    encoded = encodeFor(backends);
  }
  return encoded;
}

}  // namespace convoy::controlplane::compile
