#pragma once

// Specs as config makes them, with as little in them as the tests need.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "proxy/http/spec.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"
#include "proxy/tls/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::xds {

inline std::shared_ptr<const upstream::ClusterSpec> edsSpec(
    const std::string& name, const std::string& service = "",
    std::chrono::milliseconds timeout = std::chrono::seconds(15)) {
  auto spec = std::make_shared<upstream::ClusterSpec>();
  spec->name = name;
  spec->discovery = upstream::ClusterSpec::Discovery::Eds;
  spec->eds_service_name = service;
  spec->eds_fetch_timeout = timeout;
  return spec;
}

inline std::shared_ptr<const upstream::ClusterSpec> staticSpec(const std::string& name) {
  auto spec = std::make_shared<upstream::ClusterSpec>();
  spec->name = name;
  return spec;
}

inline std::shared_ptr<const upstream::AssignmentSpec> endpointsSpec(const std::string& name) {
  auto spec = std::make_shared<upstream::AssignmentSpec>();
  spec->cluster = name;
  return spec;
}

inline std::shared_ptr<const route::RouteTableSpec> tableSpec(
    const std::string& name, const std::vector<std::string>& clusters) {
  auto spec = std::make_shared<route::RouteTableSpec>();
  spec->name = name;
  route::VirtualHost& host = spec->virtual_hosts.emplace_back();
  for (const std::string& cluster : clusters) {
    route::Forward forward;
    forward.cluster = cluster;
    host.routes.emplace_back().action = forward;
  }
  return spec;
}

// `table` by name, or routes to `clusters` inline.
inline std::shared_ptr<const net::FilterChainSpec> chainSpec(
    const std::string& table, const std::vector<std::string>& clusters,
    std::chrono::milliseconds timeout = std::chrono::seconds(15)) {
  auto http = std::make_shared<http::ConnectionManagerSpec>();
  http->rds_name = table;
  http->rds_fetch_timeout = timeout;
  if (table.empty()) http->routes = tableSpec("inline", clusters);
  auto chain = std::make_shared<net::FilterChainSpec>();
  chain->filters.push_back(http);
  return chain;
}

inline std::shared_ptr<const net::ListenerSpec> listenerSpec(
    const std::string& name, const std::string& table,
    const std::vector<std::string>& clusters = {}) {
  auto spec = std::make_shared<net::ListenerSpec>();
  spec->name = name;
  spec->filter_chains.push_back(chainSpec(table, clusters));
  return spec;
}

inline std::shared_ptr<const tls::SecretSpec> secretSpec(const std::string& name) {
  auto spec = std::make_shared<tls::SecretSpec>();
  spec->name = name;
  return spec;
}

// TLS with a secret by SDS.
inline std::shared_ptr<const upstream::ClusterSpec> tlsCluster(const std::string& name,
                                                               const std::string& trust) {
  auto transport = std::make_shared<tls::ClientSpec>();
  transport->common.validation = tls::SecretRef{.name = trust, .by_sds = true};
  auto spec = std::make_shared<upstream::ClusterSpec>();
  spec->name = name;
  spec->transport = transport;
  return spec;
}
inline std::shared_ptr<const net::ListenerSpec> tlsListener(const std::string& name,
                                                            const std::string& certificate) {
  auto transport = std::make_shared<tls::ServerSpec>();
  transport->common.certificates.push_back({.name = certificate, .by_sds = true});
  auto chain = std::make_shared<net::FilterChainSpec>(*chainSpec("", {}));
  chain->transport = transport;
  auto spec = std::make_shared<net::ListenerSpec>();
  spec->name = name;
  spec->filter_chains.push_back(chain);
  return spec;
}

}  // namespace convoy::xds
