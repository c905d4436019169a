#include "proxy/xds/references.h"

#include <optional>
#include <set>
#include <variant>

#include "proxy/http/spec.h"

namespace convoy::xds {

namespace {

using Names = std::set<std::string>;

void addClusters(const route::RouteTableSpec& routes, Names* names) {
  for (const route::VirtualHost& host : routes.virtual_hosts) {
    for (const route::Route& route : host.routes) {
      const auto* forward = std::get_if<route::Forward>(&route.action);
      if (forward == nullptr) continue;
      if (!forward->cluster.empty()) names->insert(forward->cluster);
      for (const route::WeightedCluster& weighted : forward->weighted) {
        names->insert(weighted.name);
      }
    }
  }
}

template <class Visitor>
void forEachHttpFilter(const net::FilterChainSpec& chain, const Visitor& visit) {
  for (const auto& filter : chain.filters) {
    if (const auto* http = dynamic_cast<const http::ConnectionManagerSpec*>(filter.get())) {
      visit(*http);
    }
  }
}

template <class Visitor>
void forEachHttpFilter(const net::ListenerSpec& listener, const Visitor& visit) {
  for (const auto& chain : listener.filter_chains) forEachHttpFilter(*chain, visit);
  if (listener.default_filter_chain != nullptr) {
    forEachHttpFilter(*listener.default_filter_chain, visit);
  }
}

std::vector<std::string> sorted(const Names& names) {
  return {names.begin(), names.end()};
}

}  // namespace

std::string assignmentOf(const upstream::ClusterSpec& cluster) {
  if (cluster.discovery != upstream::ClusterSpec::Discovery::Eds) return {};
  return cluster.eds_service_name.empty() ? cluster.name : cluster.eds_service_name;
}

std::vector<std::string> clustersOf(const route::RouteTableSpec& routes) {
  Names names;
  addClusters(routes, &names);
  return sorted(names);
}

std::vector<std::string> clustersOf(const net::ListenerSpec& listener) {
  Names names;
  forEachHttpFilter(listener, [&](const http::ConnectionManagerSpec& http) {
    if (http.routes != nullptr) addClusters(*http.routes, &names);
  });
  return sorted(names);
}

std::vector<std::string> routeTablesOf(const net::ListenerSpec& listener) {
  Names names;
  forEachHttpFilter(listener, [&](const http::ConnectionManagerSpec& http) {
    if (http.routes == nullptr && !http.rds_name.empty()) names.insert(http.rds_name);
  });
  return sorted(names);
}

event::Duration fetchTimeoutOf(const net::ListenerSpec& listener, std::string_view routes) {
  std::optional<event::Duration> timeout;
  forEachHttpFilter(listener, [&](const http::ConnectionManagerSpec& http) {
    if (http.routes != nullptr || http.rds_name != routes || timeout.has_value()) return;
    timeout = http.rds_fetch_timeout;
  });
  return timeout.value_or(event::Duration::zero());
}

}  // namespace convoy::xds
