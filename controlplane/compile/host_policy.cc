#include "controlplane/compile/host_policy.h"

#include "absl/strings/ascii.h"
#include "api/convoy/ext/host_policy.pb.h"
#include "envoy/extensions/load_balancing_policies/least_request/v3/least_request.pb.h"
#include "envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.pb.h"

namespace convoy::controlplane::compile {

namespace {

using envoy::config::cluster::v3::Cluster;
namespace policies = envoy::extensions::load_balancing_policies;

constexpr char kHostPolicy[] = "convoy.ext.HostPolicy";
constexpr char kEndpointPolicy[] = "convoy.ext.EndpointPolicy";
constexpr int64_t kDrainSeconds = 30;

template <class Policy>
void addSlowStart(const google::protobuf::Duration& window, google::protobuf::Any* config) {
  Policy policy;
  if (!config->UnpackTo(&policy)) return;
  *policy.mutable_slow_start_config()->mutable_slow_start_window() = window;
  config->PackFrom(policy);
}

// Of the policies that Envoy starts slowly, for clients that do not know HostPolicy.
void setEnvoysSlowStart(const google::protobuf::Duration& window, Cluster* cluster) {
  if (cluster->has_load_balancing_policy()) {
    for (auto& policy : *cluster->mutable_load_balancing_policy()->mutable_policies()) {
      auto* config = policy.mutable_typed_extension_config()->mutable_typed_config();
      addSlowStart<policies::round_robin::v3::RoundRobin>(window, config);
      addSlowStart<policies::least_request::v3::LeastRequest>(window, config);
    }
    return;
  }
  if (cluster->lb_policy() == Cluster::ROUND_ROBIN) {
    *cluster->mutable_round_robin_lb_config()
         ->mutable_slow_start_config()
         ->mutable_slow_start_window() = window;
  }
  if (cluster->lb_policy() == Cluster::LEAST_REQUEST) {
    *cluster->mutable_least_request_lb_config()
         ->mutable_slow_start_config()
         ->mutable_slow_start_window() = window;
  }
}

}  // namespace

void compileHostPolicy(const v1::Pool& pool, Cluster* cluster) {
  ext::HostPolicy policy;
  if (pool.has_slow_start()) {
    *policy.mutable_slow_start()->mutable_window() = pool.slow_start();
    setEnvoysSlowStart(pool.slow_start(), cluster);
  }
  policy.set_override_header(absl::AsciiStrToLower(pool.override_header()));
  if (pool.has_drain_timeout()) {
    *policy.mutable_drain_timeout() = pool.drain_timeout();
  } else {
    policy.mutable_drain_timeout()->set_seconds(kDrainSeconds);
  }
  (*cluster->mutable_metadata()->mutable_typed_filter_metadata())[kHostPolicy].PackFrom(policy);
}

void compileEndpointPolicy(const v1::Backend& backend,
                           envoy::config::endpoint::v3::LbEndpoint* endpoint) {
  if (backend.has_enabled() && !backend.enabled()) {
    endpoint->set_health_status(envoy::config::core::v3::DRAINING);
  }
  if (!backend.has_max_connections()) return;
  ext::EndpointPolicy policy;
  policy.set_max_connections(backend.max_connections());
  (*endpoint->mutable_metadata()->mutable_typed_filter_metadata())[kEndpointPolicy].PackFrom(
      policy);
}

}  // namespace convoy::controlplane::compile
