#include "proxy/config/route_action.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "api/convoy/ext/route_policy.pb.h"
#include "proxy/base/strings.h"
#include "proxy/config/grouping.h"
#include "proxy/config/hash_policy.h"
#include "proxy/config/origins.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

namespace proto = envoy::config::route::v3;

// Of a protocol's name and version (RFC 9110 7.8), beside letters and digits.
constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~/";
constexpr char kRoutePolicy[] = "convoy.ext.RoutePolicy";

// Envoy's metadata_match: a cluster's own labels come on top of the route's.
base::SubsetKey toSubset(const base::SubsetLabels& of_route,
                         const proto::WeightedCluster::ClusterWeight& cluster,
                         base::FieldReport& report) {
  auto at = report.in("metadata_match");
  base::SubsetLabels labels = wantedLabels(cluster.metadata_match(), report);
  labels.insert(of_route.begin(), of_route.end());
  return base::subsetKeyOf(labels);
}

std::vector<route::WeightedCluster> toWeightedClusters(const proto::WeightedCluster& weighted,
                                                       const base::SubsetLabels& subset,
                                                       base::FieldReport& report) {
  std::vector<route::WeightedCluster> clusters;
  uint64_t total = 0;
  for (int i = 0; i < weighted.clusters_size(); ++i) {
    auto at = report.in("clusters", static_cast<size_t>(i));
    const auto& cluster = weighted.clusters(i);
    if (cluster.name().empty()) {
      report.error("name", "required", "", "the name of a cluster is needed");
    }
    if (!cluster.has_weight()) report.error("weight", "required", "", "a weight is needed");
    total += cluster.weight().value();
    clusters.push_back(
        {cluster.name(), cluster.weight().value(), toSubset(subset, cluster, report)});
  }
  if (weighted.clusters_size() != 0 && (total == 0 || total > UINT32_MAX)) {
    report.error("clusters", "range", std::to_string(total),
                 "the sum of the weights must be from 1 to 4294967295");
  }
  if (weighted.has_total_weight() && weighted.total_weight().value() != total) {
    report.error("total_weight", "range", std::to_string(weighted.total_weight().value()),
                 "must be the sum of the weights, " + std::to_string(total) + "; or remove it");
  }
  return clusters;
}

// Envoy's: upgrade_configs, and what becomes of CONNECT.
void setUpgrades(const proto::RouteAction& action, route::Forward* forward,
                 base::FieldReport& report) {
  for (int i = 0; i < action.upgrade_configs_size(); ++i) {
    auto at = report.in("upgrade_configs", static_cast<size_t>(i));
    const proto::RouteAction::UpgradeConfig& upgrade = action.upgrade_configs(i);
    addUpgrade(upgrade.upgrade_type(), !upgrade.has_enabled() || upgrade.enabled().value(),
               &forward->upgrades, report);
    if (!upgrade.has_connect_config()) continue;
    if (!base::equalsIgnoreCase(upgrade.upgrade_type(), "CONNECT")) {
      report.error("connect_config", "conflict", upgrade.upgrade_type(),
                   "only upgrade_type CONNECT takes it");
    }
    forward->terminates_connect = true;
  }
}

void setStreamDuration(const proto::RouteAction& action, route::Forward* forward,
                       base::FieldReport& report) {
  if (!action.has_max_stream_duration()) return;
  auto at = report.in("max_stream_duration");
  const auto& limits = action.max_stream_duration();
  if (limits.has_max_stream_duration()) {
    forward->max_stream_duration =
        toMilliseconds(limits.max_stream_duration(), "max_stream_duration", report);
  }
  if (limits.has_grpc_timeout_header_max()) {
    forward->grpc_timeout_header_max =
        toMilliseconds(limits.grpc_timeout_header_max(), "grpc_timeout_header_max", report);
  }
  if (limits.has_grpc_timeout_header_offset()) {
    forward->grpc_timeout_header_offset =
        toMilliseconds(limits.grpc_timeout_header_offset(), "grpc_timeout_header_offset", report);
  }
}

route::Forward toForward(const proto::RouteAction& action, base::FieldReport& report) {
  route::Forward forward;
  base::SubsetLabels subset;
  {
    auto at = report.in("metadata_match");
    subset = wantedLabels(action.metadata_match(), report);
  }
  if (action.has_weighted_clusters()) {
    auto at = report.in("weighted_clusters");
    forward.weighted = toWeightedClusters(action.weighted_clusters(), subset, report);
  } else {
    forward.cluster = action.cluster();
    forward.subset = base::subsetKeyOf(subset);
  }
  forward.prefix_rewrite = action.prefix_rewrite();
  forward.host_rewrite = action.host_rewrite_literal();
  if (action.has_timeout()) {
    forward.timeout = toMilliseconds(action.timeout(), "timeout", report);
  }
  if (action.has_idle_timeout()) {
    forward.idle_timeout = toMilliseconds(action.idle_timeout(), "idle_timeout", report);
  }
  forward.high_priority = action.priority() == envoy::config::core::v3::HIGH;
  forward.hash_policies = toHashPolicies(action, report);
  setUpgrades(action, &forward, report);
  setStreamDuration(action, &forward, report);
  return forward;
}

uint16_t redirectStatus(proto::RedirectAction::RedirectResponseCode code) {
  switch (code) {
    case proto::RedirectAction::FOUND:
      return 302;
    case proto::RedirectAction::SEE_OTHER:
      return 303;
    case proto::RedirectAction::TEMPORARY_REDIRECT:
      return 307;
    case proto::RedirectAction::PERMANENT_REDIRECT:
      return 308;
    default:
      return 301;
  }
}

route::Redirect toRedirect(const proto::RedirectAction& action, base::FieldReport& report) {
  route::Redirect redirect;
  redirect.status = redirectStatus(action.response_code());
  redirect.scheme = action.https_redirect() ? "https" : action.scheme_redirect();
  redirect.host = action.host_redirect();
  if (action.port_redirect() != 0) redirect.port = action.port_redirect();
  if (action.port_redirect() > 65535) {
    report.error("port_redirect", "range", std::to_string(action.port_redirect()),
                 "must be a port from 1 to 65535");
  }
  redirect.path = action.path_redirect();
  redirect.prefix_rewrite = action.prefix_rewrite();
  redirect.strip_query = action.strip_query();
  return redirect;
}

void applyPolicy(const proto::Route& proto, route::Forward* forward, base::FieldReport& report) {
  const auto& metadata = proto.metadata().typed_filter_metadata();
  const auto found = metadata.find(kRoutePolicy);
  if (found == metadata.end()) return;
  auto at_metadata = report.in("metadata");
  auto at = report.in("typed_filter_metadata", std::string_view(kRoutePolicy));
  const auto read = routePolicy(proto);
  if (!read.has_value()) {
    report.error("malformed", found->second.type_url(), "must be a convoy.ext.RoutePolicy");
    return;
  }
  const ext::RoutePolicy& policy = *read;
  if (policy.has_first_byte_timeout()) {
    forward->first_byte_timeout =
        toMilliseconds(policy.first_byte_timeout(), "first_byte_timeout", report);
  }
  if (policy.has_tunnel_idle_timeout()) {
    forward->tunnel_idle_timeout =
        toMilliseconds(policy.tunnel_idle_timeout(), "tunnel_idle_timeout", report);
  }
}

// The report's scope is the route.
void noteOrigins(const proto::Route& proto, const Context& context, route::Forward* forward,
                 base::FieldReport& report) {
  using base::Timer;
  const std::pair<Timer, bool> timers[] = {
      {Timer::Response, forward->timeout.has_value()},
      {Timer::RouteIdle, forward->idle_timeout.has_value()},
      {Timer::TunnelIdle, forward->tunnel_idle_timeout.has_value()},
      {Timer::FirstByte, forward->first_byte_timeout.count() > 0},
      {Timer::RouteStreamDuration, forward->max_stream_duration.has_value()},
  };
  const auto policy = routePolicy(proto);
  const bool written = policy.has_value() && policy->has_origin();
  forward->origins =
      written ? base::TimerOrigins(policy->origin().path()) : originsAt(context, report);
  for (const auto& [timer, is_set] : timers) {
    if (!is_set) continue;
    written ? noteSource(timer, policy->origin(), &forward->origins)
            : noteOrigin(timer, context, report, &forward->origins);
  }
}

}  // namespace

std::optional<ext::RoutePolicy> routePolicy(const proto::Route& proto) {
  const auto& metadata = proto.metadata().typed_filter_metadata();
  const auto found = metadata.find(kRoutePolicy);
  ext::RoutePolicy policy;
  if (found == metadata.end() || !found->second.UnpackTo(&policy)) return std::nullopt;
  return policy;
}

void addUpgrade(const std::string& protocol, bool enabled, std::vector<route::Upgrade>* upgrades,
                base::FieldReport& report) {
  const bool token = !protocol.empty() && std::all_of(protocol.begin(), protocol.end(), [](char c) {
    const char lower = base::asciiLower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           kTokenMarks.find(c) != std::string_view::npos;
  });
  if (!token) {
    report.error("upgrade_type", "malformed", protocol,
                 "must be the name of one protocol, such as websocket, or CONNECT");
  }
  for (const route::Upgrade& earlier : *upgrades) {
    if (!base::equalsIgnoreCase(earlier.protocol, protocol)) continue;
    report.error("upgrade_type", "duplicate", protocol, "an earlier entry has this type");
  }
  upgrades->push_back({protocol, enabled});
}

void setAction(const proto::Route& proto, uint32_t max_body_bytes, const Context& context,
               route::Route* route, base::FieldReport& report) {
  switch (proto.action_case()) {
    case proto::Route::kRoute: {
      route::Forward forward;
      {
        auto at = report.in("route");
        forward = toForward(proto.route(), report);
      }
      applyPolicy(proto, &forward, report);
      noteOrigins(proto, context, &forward, report);
      route->action = std::move(forward);
      return;
    }
    case proto::Route::kRedirect: {
      auto at = report.in("redirect");
      route->action = toRedirect(proto.redirect(), report);
      return;
    }
    case proto::Route::kDirectResponse: {
      auto at = report.in("direct_response");
      route::DirectResponse response;
      response.status = static_cast<uint16_t>(proto.direct_response().status());
      auto body = report.in("body");
      response.body =
          readDataSource(proto.direct_response().body(), max_body_bytes, context, report);
      route->action = std::move(response);
      return;
    }
    default:  // the field table or validate.rules refuse it
      return;
  }
}

}  // namespace convoy::config
