#include "proxy/server/admin_pages.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "envoy/admin/v3/server_info.pb.h"
#include "google/protobuf/util/json_util.h"
#include "proxy/admin/stats.h"
#include "proxy/base/strings.h"
#include "proxy/base/version.h"

namespace convoy::server {

namespace {

using admin::Request;
using admin::Response;

constexpr std::string_view kText = "text/plain; charset=UTF-8";
constexpr std::string_view kJson = "application/json";

envoy::admin::v3::ServerInfo::State stateOf(const Server& server) {
  if (server.healthCheckFailed()) return envoy::admin::v3::ServerInfo::DRAINING;
  switch (server.state()) {
    case Server::State::Initializing:
      return envoy::admin::v3::ServerInfo::INITIALIZING;
    case Server::State::Live:
      return envoy::admin::v3::ServerInfo::LIVE;
    default:
      return envoy::admin::v3::ServerInfo::DRAINING;
  }
}

Response ready(const Server& server) {
  const auto state = stateOf(server);
  const int status = state == envoy::admin::v3::ServerInfo::LIVE ? 200 : 503;
  return {status, kText, envoy::admin::v3::ServerInfo::State_Name(state) + "\n"};
}

Response json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  Response response{200, kJson, {}};
  const auto status = google::protobuf::util::MessageToJsonString(message, &response.body, options);
  if (!status.ok()) return {500, kText, absl::StrCat("cannot print: ", status.ToString(), "\n")};
  return response;
}

Response serverInfo(const Server& server) {
  envoy::admin::v3::ServerInfo info;
  info.set_version(std::string(base::kVersion));
  info.set_state(stateOf(server));
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(
      server.timeSource().monotonicNow() - server.startedAt());
  info.mutable_uptime_current_epoch()->set_seconds(up.count());
  info.mutable_uptime_all_epochs()->set_seconds(up.count());
  auto& options = *info.mutable_command_line_options();
  options.set_config_path(server.options().config_path);
  options.set_concurrency(static_cast<uint32_t>(server.workerCount()));
  options.set_service_node(server.bootstrap().node.id);
  options.set_service_cluster(server.bootstrap().node.cluster);
  options.mutable_drain_time()->set_seconds(server.options().drain_time.count());
  info.mutable_node()->ParseFromString(server.bootstrap().node.encoded);
  return json(info);
}

void appendHost(std::string& out, const std::string& cluster,
                const upstream::ClusterManager::HostView& view) {
  const upstream::Host& host = view.host;
  const std::string line = absl::StrCat(cluster, "::", host.addressText(), "::");
  const auto field = [&](absl::string_view name, auto value) {
    absl::StrAppend(&out, line, name, "::", value, "\n");
  };
  field("cx_active", host.sum(&upstream::HostMetrics::cx_active));
  field("cx_connect_fail", host.sum(&upstream::HostMetrics::cx_connect_fail));
  field("cx_total", host.sum(&upstream::HostMetrics::cx_total));
  field("rq_active", host.sum(&upstream::HostMetrics::rq_active));
  field("rq_error", host.sum(&upstream::HostMetrics::rq_error));
  field("rq_success", host.sum(&upstream::HostMetrics::rq_success));
  field("rq_timeout", host.sum(&upstream::HostMetrics::rq_timeout));
  field("rq_total", host.sum(&upstream::HostMetrics::rq_total));
  field("hostname", view.spec.hostname);
  field("health_flags", view.eligible ? "healthy" : "/failed_eds_health");
  field("weight", view.spec.weight);
  field("region", view.locality.region);
  field("zone", view.locality.zone);
  field("sub_zone", view.locality.sub_zone);
  field("priority", view.locality.priority);
}

Response clusters(const Server& server) {
  Response response{200, kText, {}};
  server.clusters().forEach([&](const upstream::ClusterManager::ClusterView& view) {
    const std::string& name = view.spec.name;
    const auto& breakers = view.spec.breakers;
    absl::StrAppend(&response.body, name,
                    "::default_priority::max_connections::", breakers.max_connections, "\n");
    absl::StrAppend(&response.body, name,
                    "::default_priority::max_pending_requests::", breakers.max_pending_requests,
                    "\n");
    absl::StrAppend(&response.body, name,
                    "::default_priority::max_requests::", breakers.max_requests, "\n");
    absl::StrAppend(&response.body, name, "::default_priority::max_retries::", breakers.max_retries,
                    "\n");
    absl::StrAppend(&response.body, name,
                    "::added_via_api::", view.spec.version.empty() ? "false" : "true", "\n");
    for (const auto& host : view.hosts) appendHost(response.body, name, host);
  });
  return response;
}

Response listeners(const Server& server) {
  Response response{200, kText, {}};
  for (const auto& [name, listener] : server.listeners().active()) {
    for (const net::Address& address : listener.addresses) {
      absl::StrAppend(&response.body, name, "::", address.text(), "\n");
    }
  }
  return response;
}

Response stats(const Server& server, const Request& request) {
  const auto format = request.parameter("format");
  if (format == "prometheus") {
    return {200, "text/plain; version=0.0.4", admin::renderPrometheus(server.metrics())};
  }
  return {200, kText,
          admin::renderStats(server.metrics(), request.parameter("filter").value_or(""))};
}

Response setHealth(Server& server, bool failed) {
  server.setHealthCheckFailed(failed);
  return {200, kText, "OK\n"};
}

}  // namespace

void addAdminPages(admin::AdminServer& admin, Server& server) {
  const auto read = [&admin](std::string path, std::string help, auto answer) {
    admin.add({std::move(path), std::move(help), false, std::move(answer)});
  };
  const auto change = [&admin](std::string path, std::string help, auto answer) {
    admin.add({std::move(path), std::move(help), true, std::move(answer)});
  };
  Server* const s = &server;
  read("/ready", "200 when this node serves, else 503", [s](const Request&) { return ready(*s); });
  read("/server_info", "version, state, uptime and options, as JSON",
       [s](const Request&) { return serverInfo(*s); });
  read("/stats", "metrics; ?filter=TEXT for names that contain it, ?format=prometheus",
       [s](const Request& request) { return stats(*s, request); });
  read("/stats/prometheus", "metrics in Prometheus format", [s](const Request&) {
    return Response{200, "text/plain; version=0.0.4", admin::renderPrometheus(s->metrics())};
  });
  read("/clusters", "clusters and their hosts", [s](const Request&) { return clusters(*s); });
  read("/listeners", "listeners and the addresses that they have",
       [s](const Request&) { return listeners(*s); });
  change("/drain_listeners", "finish running requests, close connections, accept no more",
         [s](const Request&) {
           s->drainListeners();
           return Response{200, kText, "OK\n"};
         });
  change("/healthcheck/fail", "answer 503 on /ready from now on",
         [s](const Request&) { return setHealth(*s, true); });
  change("/healthcheck/ok", "undo /healthcheck/fail",
         [s](const Request&) { return setHealth(*s, false); });
  change("/reopen_logs", "open the access logs again, as SIGUSR1 does", [s](const Request&) {
    s->reopenLogs();
    return Response{200, kText, "OK\n"};
  });
  change("/quitquitquit", "drain and exit, as SIGTERM does", [s](const Request&) {
    s->loop().post([s] { s->drainAndStop(); });
    return Response{200, kText, "OK\n"};
  });
}

}  // namespace convoy::server
