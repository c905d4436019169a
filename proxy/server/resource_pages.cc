#include "proxy/server/resource_pages.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "envoy/admin/v3/clusters.pb.h"
#include "envoy/admin/v3/listeners.pb.h"
#include "proxy/admin/config_dump.h"
#include "proxy/admin/json.h"
#include "proxy/base/strings.h"
#include "proxy/server/certs_page.h"
#include "proxy/upstream/host_state.h"

namespace convoy::server {

namespace {

using admin::kPlainText;
using admin::Request;
using admin::Response;
using ClusterView = upstream::ClusterManager::ClusterView;
using HostView = upstream::ClusterManager::HostView;

Response json(const google::protobuf::Message& message) {
  absl::StatusOr<std::string> text = admin::toJson(message);
  if (!text.ok()) return {500, kPlainText, absl::StrCat(text.status().message(), "\n")};
  return {200, admin::kJson, *std::move(text)};
}

// Which of the two forms is asked for; the error is the answer.
absl::StatusOr<bool> wantsJson(const Request& request) {
  const std::string format = request.parameter("format").value_or("text");
  if (format != "json" && format != "text") {
    return absl::InvalidArgumentError(
        absl::StrCat("?format=", format, ": write json, or text (the default)\n"));
  }
  return format == "json";
}

void setAddress(const net::Address& address, envoy::config::core::v3::Address* out) {
  if (!address.isIp()) {
    out->mutable_pipe()->set_path(std::string(address.unixPath()));
    return;
  }
  auto* socket = out->mutable_socket_address();
  socket->set_address(address.ipText());
  socket->set_port_value(address.port());
}

// --- /clusters ---

// What is counted for each host, in Envoy's order.
struct HostMetric {
  const char* name;
  bool is_gauge;
  int64_t (*read)(const upstream::Host& host);
};
template <auto Field>
int64_t sumOf(const upstream::Host& host) {
  return static_cast<int64_t>(host.sum(Field));
}
constexpr HostMetric kHostMetrics[] = {
    {"cx_active", true, sumOf<&upstream::HostMetrics::cx_active>},
    {"cx_connect_fail", false, sumOf<&upstream::HostMetrics::cx_connect_fail>},
    {"cx_total", false, sumOf<&upstream::HostMetrics::cx_total>},
    {"rq_active", true, sumOf<&upstream::HostMetrics::rq_active>},
    {"rq_error", false, sumOf<&upstream::HostMetrics::rq_error>},
    {"rq_success", false, sumOf<&upstream::HostMetrics::rq_success>},
    {"rq_timeout", false, sumOf<&upstream::HostMetrics::rq_timeout>},
    {"rq_total", false, sumOf<&upstream::HostMetrics::rq_total>},
};

// Has a check of our own that does not let it serve, as Envoy counts.
bool failsCheck(const HostView& view) {
  using upstream::ActiveHealth;
  const ActiveHealth checked = view.checked.health;
  return checked == ActiveHealth::Unhealthy || checked == ActiveHealth::Unknown ||
         checked == ActiveHealth::Relapsed;
}

// Envoy's flags, each with a slash; none: "healthy". A host that is not checked yet counts as
// failed there, and so it is shown.
std::string healthFlags(const HostView& view) {
  using upstream::ActiveHealth;
  using upstream::HealthStatus;
  std::string flags;
  const ActiveHealth checked = view.checked.health;
  if (failsCheck(view)) flags += "/failed_active_hc";
  switch (view.spec.health) {
    case HealthStatus::Unhealthy:
    case HealthStatus::Timeout:
      flags += "/failed_eds_health";
      break;
    case HealthStatus::Draining:
      flags += "/eds_status_draining";
      break;
    case HealthStatus::Degraded:
      flags += "/degraded_eds_health";
      break;
    default:
      break;
  }
  if (view.ejection.ejected) flags += "/failed_outlier_check";
  if (checked == ActiveHealth::Degraded) flags += "/degraded_active_hc";
  if (checked == ActiveHealth::Unknown) flags += "/pending_active_hc";
  if (view.leaving) flags += "/pending_dynamic_removal";
  return flags.empty() ? "healthy" : flags;
}

// What there is to say of any host, also of one that is gone, in lines that begin so.
void appendCounts(std::string& out, const std::string& line, const upstream::Host& host,
                  upstream::HostState state) {
  for (const HostMetric& metric : kHostMetrics) {
    absl::StrAppend(&out, line, metric.name, "::", metric.read(host), "\n");
  }
  absl::StrAppend(&out, line, "state::", base::toAbsl(upstream::nameOf(state)), "\n");
}

void appendHost(std::string& out, const std::string& cluster, const HostView& view) {
  const std::string line = absl::StrCat(cluster, "::", view.host.addressText(), "::");
  const auto field = [&](absl::string_view name, const auto& value) {
    absl::StrAppend(&out, line, name, "::", value, "\n");
  };
  appendCounts(out, line, view.host, view.standing().state);
  field("hostname", view.spec.hostname);
  field("health_flags", healthFlags(view));
  if (!view.checked.reason.empty()) field("health_check_failure", view.checked.reason);
  if (view.ejection.breaker_open) field("circuit_breaker", "open");
  if (view.ejection.breaker_half_open) field("circuit_breaker", "half-open");
  if (view.ejection.held) field("health_check_held", "too many hosts fail in the same way");
  if (view.ejection.waits) field("recovery", "waits for its turn after an outage");
  if (view.ejection.ejected) field("ejected_for", view.ejection.evidence);
  field("success_rate", view.ejection.success_rate.value_or(-1));
  field("local_origin_success_rate", view.ejection.local_origin_success_rate.value_or(-1));
  field("weight", view.spec.weight);
  field("region", view.locality.region);
  field("zone", view.locality.zone);
  field("sub_zone", view.locality.sub_zone);
  field("priority", view.locality.priority);
}

// What its host names came to.
void appendNames(std::string& out, const upstream::DnsDiscovery& dns, const std::string& cluster) {
  dns.forEachName(cluster, [&](const upstream::DnsDiscovery::NameView& name) {
    const std::string line = absl::StrCat(cluster, "::dns::", name.host, "::");
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(name.age);
    absl::StrAppend(&out, line, "addresses::", name.addresses, "\n");
    absl::StrAppend(&out, line, "age_seconds::", age.count(), "\n");
    if (name.problem.empty()) return;
    absl::StrAppend(&out, line, "problem::", base::toAbsl(name.problem), "\n");
  });
}

void appendCluster(std::string& out, const ClusterView& view, const upstream::DnsDiscovery& dns) {
  const std::string& name = view.spec.name;
  const auto limits = [&](const char* priority, const upstream::CircuitBreakers& breakers) {
    const std::string line = absl::StrCat(name, "::", priority, "::");
    absl::StrAppend(&out, line, "max_connections::", breakers.max_connections, "\n");
    absl::StrAppend(&out, line, "max_pending_requests::", breakers.max_pending_requests, "\n");
    absl::StrAppend(&out, line, "max_requests::", breakers.max_requests, "\n");
    absl::StrAppend(&out, line, "max_retries::", breakers.max_retries, "\n");
  };
  limits("default_priority", view.spec.breakers);
  limits("high_priority", view.spec.high_breakers);
  absl::StrAppend(&out, name, "::added_via_api::", view.spec.version.empty() ? "false" : "true",
                  "\n");
  appendNames(out, dns, name);
  for (const HostView& host : view.hosts) appendHost(out, name, host);
}

void setHealth(const HostView& view, envoy::admin::v3::HostHealthStatus* status) {
  using upstream::ActiveHealth;
  using upstream::HealthStatus;
  const ActiveHealth checked = view.checked.health;
  status->set_failed_active_health_check(failsCheck(view));
  status->set_failed_active_degraded_check(checked == ActiveHealth::Degraded);
  status->set_pending_active_hc(checked == ActiveHealth::Unknown);
  status->set_failed_outlier_check(view.ejection.ejected);
  status->set_pending_dynamic_removal(view.leaving);
  const HealthStatus told = view.spec.health;
  namespace core = envoy::config::core::v3;
  status->set_eds_health_status(told == HealthStatus::Draining   ? core::DRAINING
                                : told == HealthStatus::Degraded ? core::DEGRADED
                                : told == HealthStatus::Unhealthy || told == HealthStatus::Timeout
                                    ? core::UNHEALTHY
                                    : core::HEALTHY);
}

// The same as appendCounts(). Envoy's message has no field for the state, but a list of gauges:
// "state.removed" is 1.
envoy::admin::v3::HostStatus* addCounts(const upstream::Host& of, upstream::HostState state,
                                        envoy::admin::v3::ClusterStatus* cluster) {
  using envoy::admin::v3::SimpleMetric;
  envoy::admin::v3::HostStatus* host = cluster->add_host_statuses();
  setAddress(of.address(), host->mutable_address());
  const auto add = [&](const std::string& name, SimpleMetric::Type type, int64_t value) {
    SimpleMetric* stat = host->add_stats();
    stat->set_name(name);
    stat->set_type(type);
    stat->set_value(static_cast<uint64_t>(value));
  };
  for (const HostMetric& metric : kHostMetrics) {
    add(metric.name, metric.is_gauge ? SimpleMetric::GAUGE : SimpleMetric::COUNTER,
        metric.read(of));
  }
  add(absl::StrCat("state.", base::toAbsl(upstream::nameOf(state))), SimpleMetric::GAUGE, 1);
  return host;
}

void addHost(const HostView& view, envoy::admin::v3::ClusterStatus* cluster) {
  envoy::admin::v3::HostStatus* host = addCounts(view.host, view.standing().state, cluster);
  setHealth(view, host->mutable_health_status());
  if (view.ejection.success_rate.has_value()) {
    host->mutable_success_rate()->set_value(*view.ejection.success_rate);
  }
  if (view.ejection.local_origin_success_rate.has_value()) {
    host->mutable_local_origin_success_rate()->set_value(*view.ejection.local_origin_success_rate);
  }
  host->set_weight(view.spec.weight);
  host->set_hostname(view.spec.hostname);
  host->set_priority(view.locality.priority);
  auto* locality = host->mutable_locality();
  locality->set_region(view.locality.region);
  locality->set_zone(view.locality.zone);
  locality->set_sub_zone(view.locality.sub_zone);
}

envoy::admin::v3::ClusterStatus* addCluster(const ClusterView& view,
                                            envoy::admin::v3::Clusters* all) {
  envoy::admin::v3::ClusterStatus* cluster = all->add_cluster_statuses();
  cluster->set_name(view.spec.name);
  cluster->set_observability_name(view.spec.name);
  cluster->set_added_via_api(!view.spec.version.empty());
  cluster->set_eds_service_name(view.spec.eds_service_name);
  for (const auto priority : {upstream::Priority::Default, upstream::Priority::High}) {
    const upstream::CircuitBreakers& breakers = view.spec.breakersOf(priority);
    auto* limits = cluster->mutable_circuit_breakers()->add_thresholds();
    if (priority == upstream::Priority::High) {
      limits->set_priority(envoy::config::core::v3::HIGH);
    }
    limits->mutable_max_connections()->set_value(breakers.max_connections);
    limits->mutable_max_pending_requests()->set_value(breakers.max_pending_requests);
    limits->mutable_max_requests()->set_value(breakers.max_requests);
    limits->mutable_max_retries()->set_value(breakers.max_retries);
  }
  for (const HostView& host : view.hosts) addHost(host, cluster);
  return cluster;
}

// Those that were removed stand behind the others of their cluster; a cluster that is gone has
// nothing but them.
Response clustersAsJson(const Server& server) {
  envoy::admin::v3::Clusters all;
  std::map<std::string, envoy::admin::v3::ClusterStatus*> known;
  server.clusters().forEach(
      [&](const ClusterView& view) { known[view.spec.name] = addCluster(view, &all); });
  for (const auto& [name, host] : server.clusters().removedHosts()) {
    envoy::admin::v3::ClusterStatus*& cluster = known[name];
    if (cluster == nullptr) {
      cluster = all.add_cluster_statuses();
      cluster->set_name(name);
    }
    addCounts(*host, upstream::HostState::Removed, cluster);
  }
  return json(all);
}

Response clusters(const Server& server, const Request& request) {
  const absl::StatusOr<bool> as_json = wantsJson(request);
  if (!as_json.ok()) return {400, kPlainText, std::string(as_json.status().message())};
  if (*as_json) return clustersAsJson(server);
  Response response{200, kPlainText, {}};
  server.clusters().forEach(
      [&](const ClusterView& view) { appendCluster(response.body, view, server.dns()); });
  for (const auto& [name, host] : server.clusters().removedHosts()) {
    const std::string line = absl::StrCat(name, "::", host->addressText(), "::");
    appendCounts(response.body, line, *host, upstream::HostState::Removed);
  }
  return response;
}

// --- /listeners ---

Response listeners(const Server& server, const Request& request) {
  const absl::StatusOr<bool> as_json = wantsJson(request);
  if (!as_json.ok()) return {400, kPlainText, std::string(as_json.status().message())};
  envoy::admin::v3::Listeners all;
  Response response{200, kPlainText, {}};
  for (const auto& [name, listener] : server.listeners().active()) {
    envoy::admin::v3::ListenerStatus* status = all.add_listener_statuses();
    status->set_name(name);
    for (const net::Address& address : listener.addresses) {
      absl::StrAppend(&response.body, name, "::", address.text(), "\n");
      setAddress(address, status->has_local_address() ? status->add_additional_local_addresses()
                                                      : status->mutable_local_address());
    }
  }
  return *as_json ? json(all) : response;
}

// --- /config_dump ---

Response configDump(const Server& server, const Request& request) {
  const ControlPlane* control_plane = server.controlPlane();
  return admin::configDump({server.bootstrap().encoded, server.startedAtWall(),
                            control_plane == nullptr ? nullptr : &control_plane->archive()},
                           request);
}

}  // namespace

void addResourcePages(admin::AdminServer& admin, const Server& server) {
  const auto read = [&](std::string path, std::string help,
                        Response (*answer)(const Server&, const Request&)) {
    admin.add({std::move(path), std::move(help), false,
               [answer, s = &server](const Request& request) { return answer(*s, request); }});
  };
  read("/clusters", "clusters and their hosts; ?format=json", clusters);
  read("/listeners", "listeners and the addresses that they have; ?format=json", listeners);
  read("/certs", "certificates in force, as JSON, with the days until they expire", certsPage);
  read("/config_dump",
       "the configuration in force, as JSON without secrets; ?include_eds, ?resource=LIST, "
       "?name_regex=RE2",
       configDump);
}

}  // namespace convoy::server
