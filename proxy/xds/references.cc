#include "proxy/xds/references.h"

#include <map>
#include <optional>
#include <set>
#include <variant>

#include "proxy/http/spec.h"
#include "proxy/tls/spec.h"

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

using SecretTimeouts = std::map<std::string, event::Duration>;

void addSecret(const tls::SecretRef& ref, SecretTimeouts* secrets) {
  if (ref.value == nullptr && ref.by_sds) secrets->emplace(ref.name, ref.fetch_timeout);
}

void addSecrets(const net::TransportSpec* transport, SecretTimeouts* secrets) {
  const auto* server = dynamic_cast<const tls::ServerSpec*>(transport);
  const auto* client = dynamic_cast<const tls::ClientSpec*>(transport);
  if (server == nullptr && client == nullptr) return;
  const tls::CommonSpec& common = server != nullptr ? server->common : client->common;
  for (const tls::SecretRef& ref : common.certificates) addSecret(ref, secrets);
  if (common.validation.has_value()) addSecret(*common.validation, secrets);
  if (server != nullptr && server->ticket_keys.has_value()) {
    addSecret(*server->ticket_keys, secrets);
  }
}

std::vector<SecretUse> listed(const SecretTimeouts& secrets) {
  std::vector<SecretUse> uses;
  for (const auto& [name, timeout] : secrets) uses.push_back({name, timeout});
  return uses;
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

std::vector<SecretUse> secretsOf(const upstream::ClusterSpec& cluster) {
  SecretTimeouts secrets;
  addSecrets(cluster.transport.get(), &secrets);
  return listed(secrets);
}

std::vector<SecretUse> secretsOf(const net::ListenerSpec& listener) {
  SecretTimeouts secrets;
  for (const auto& chain : listener.filter_chains) addSecrets(chain->transport.get(), &secrets);
  if (listener.default_filter_chain != nullptr) {
    addSecrets(listener.default_filter_chain->transport.get(), &secrets);
  }
  return listed(secrets);
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
