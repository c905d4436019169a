#include "controlplane/compile/health_check.h"

#include "api/convoy/ext/health_check.pb.h"

namespace convoy::controlplane::compile {

namespace {

using envoy::config::cluster::v3::Cluster;
using EnvoyCheck = envoy::config::core::v3::HealthCheck;

constexpr int64_t kIntervalSeconds = 5;
constexpr int64_t kTimeoutSeconds = 3;
constexpr uint32_t kUnhealthyThreshold = 3;
constexpr uint32_t kHealthyThreshold = 2;
// So that the nodes of a fleet do not stay in step.
constexpr uint32_t kJitterPercent = 5;
constexpr uint64_t kBodyBytes = 64 * 1024;
constexpr char kDefaultPath[] = "/health";
constexpr char kPolicy[] = "convoy.ext.HealthCheckPolicy";
constexpr char kCommandChecker[] = "convoy.health_checkers.command";

void addRange(int64_t from, int64_t to,
              google::protobuf::RepeatedPtrField<envoy::type::v3::Int64Range>* ranges) {
  auto* range = ranges->Add();
  range->set_start(from);
  range->set_end(to);
}

void setHttp(const v1::HealthCheck::Http& http, const v1::Pool& pool,
             EnvoyCheck::HttpHealthCheck* out) {
  out->set_path(http.path().empty() ? kDefaultPath : http.path());
  out->set_host(http.host());
  if (pool.protocol() == v1::PROTOCOL_HTTP2) out->set_codec_client_type(envoy::type::v3::HTTP2);
  envoy::config::core::v3::RequestMethod method{};
  if (envoy::config::core::v3::RequestMethod_Parse(http.method(), &method)) {
    out->set_method(method);
  }
  if (http.expected_statuses().empty()) addRange(200, 300, out->mutable_expected_statuses());
  for (const uint32_t status : http.expected_statuses()) {
    addRange(status, int64_t{status} + 1, out->mutable_expected_statuses());
  }
  // Without it Envoy's rule holds: one wrong answer takes a host out, whatever the threshold.
  addRange(100, 600, out->mutable_retriable_statuses());
  if (!http.body_contains().empty()) out->add_receive()->set_binary(http.body_contains());
  if (http.json() || !http.body_contains().empty()) {
    out->mutable_response_buffer_size()->set_value(kBodyBytes);
  }
}

void setChecker(const v1::Pool& pool, Cluster* cluster, EnvoyCheck* out) {
  const v1::HealthCheck& check = pool.health_check();
  switch (check.checker_case()) {
    case v1::HealthCheck::kTcp:
      out->mutable_tcp_health_check();
      return;
    case v1::HealthCheck::kGrpc:
      out->mutable_grpc_health_check()->set_service_name(check.grpc().service());
      return;
    case v1::HealthCheck::kCommand: {
      ext::CommandHealthCheck command;
      command.set_command(check.command().command());
      *command.mutable_arguments() = check.command().arguments();
      out->mutable_custom_health_check()->set_name(kCommandChecker);
      out->mutable_custom_health_check()->mutable_typed_config()->PackFrom(command);
      return;
    }
    case v1::HealthCheck::kHttp:
    case v1::HealthCheck::CHECKER_NOT_SET:
      break;
  }
  setHttp(check.http(), pool, out->mutable_http_health_check());
  if (!check.http().json()) return;
  ext::HealthCheckPolicy policy;
  policy.set_json(true);
  (*cluster->mutable_metadata()->mutable_typed_filter_metadata())[kPolicy].PackFrom(policy);
}

}  // namespace

void compileHealthCheck(const v1::Pool& pool, Cluster* cluster) {
  const v1::HealthCheck& check = pool.health_check();
  EnvoyCheck* const out = cluster->add_health_checks();
  setChecker(pool, cluster, out);
  if (check.has_interval()) {
    *out->mutable_interval() = check.interval();
  } else {
    out->mutable_interval()->set_seconds(kIntervalSeconds);
  }
  // Envoy's would be 60 s: a pool that nobody uses yet is not to be found broken by its first user.
  *out->mutable_no_traffic_interval() = out->interval();
  if (check.has_timeout()) {
    *out->mutable_timeout() = check.timeout();
  } else {
    out->mutable_timeout()->set_seconds(kTimeoutSeconds);
  }
  out->set_interval_jitter_percent(kJitterPercent);
  out->mutable_unhealthy_threshold()->set_value(
      check.has_unhealthy_threshold() ? check.unhealthy_threshold() : kUnhealthyThreshold);
  out->mutable_healthy_threshold()->set_value(
      check.has_healthy_threshold() ? check.healthy_threshold() : kHealthyThreshold);
  // A backend that was taken away is gone, though it is well.
  cluster->set_ignore_health_on_host_removal(true);
}

}  // namespace convoy::controlplane::compile
