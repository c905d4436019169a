#pragma once

// Specs of listeners, chains and tables as config/ makes them, with as little in them as the tests
// need. A chain answers every request by itself with its table's body, or sends it to a cluster.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/filter/router/spec.h"
#include "proxy/http/spec.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::server {

inline std::shared_ptr<route::RouteTableSpec> table(std::string name, const std::string& body) {
  auto spec = std::make_shared<route::RouteTableSpec>();
  spec->name = std::move(name);
  route::VirtualHost& host = spec->virtual_hosts.emplace_back();
  host.name = "all";
  host.domains = {"*"};
  route::Route& route = host.routes.emplace_back();
  route.match.path.value = "/";
  route.action = route::DirectResponse{.status = 200, .body = body};
  return spec;
}

inline std::shared_ptr<route::RouteTableSpec> tableTo(std::string name,
                                                      const std::string& cluster) {
  auto spec = table(std::move(name), "");
  route::Forward forward;
  forward.cluster = cluster;
  spec->virtual_hosts[0].routes[0].action = forward;
  return spec;
}

inline std::shared_ptr<http::ConnectionManagerSpec> manager(
    std::shared_ptr<const route::RouteTableSpec> routes) {
  auto spec = std::make_shared<http::ConnectionManagerSpec>();
  spec->stat_prefix = "test";
  spec->routes = std::move(routes);
  auto router = std::make_shared<filter::router::RouterSpec>();
  router->name = router->kind = filter::router::kKind;
  spec->filters.push_back(std::move(router));
  return spec;
}

inline http::AccessLogSpec logOfCodes(const std::string& path) {
  http::AccessLogSpec log;
  log.path = path;
  log.text_format = "%RESPONSE_CODE%\n";
  return log;
}

// slice: what the connections pin. Equal numbers: connections stay over a change.
inline std::shared_ptr<net::FilterChainSpec> chain(
    std::shared_ptr<const net::NetworkFilterSpec> filter, uint64_t slice = 1) {
  auto spec = std::make_shared<net::FilterChainSpec>();
  spec->filters.push_back(std::move(filter));
  spec->content_hash = slice;
  return spec;
}

inline std::shared_ptr<net::ListenerSpec> listenerOf(
    std::string name, const std::vector<std::string>& addresses,
    std::shared_ptr<const net::FilterChainSpec> chain) {
  auto spec = std::make_shared<net::ListenerSpec>();
  spec->name = std::move(name);
  for (const std::string& address : addresses) {
    spec->addresses.push_back(*net::Address::parse(address));
  }
  spec->filter_chains.push_back(std::move(chain));
  return spec;
}

inline std::shared_ptr<net::ListenerSpec> listener(std::string name,
                                                   const std::vector<std::string>& addresses,
                                                   const std::string& body, uint64_t slice = 1) {
  return listenerOf(std::move(name), addresses, chain(manager(table("inline", body)), slice));
}

inline std::shared_ptr<net::ListenerSpec> listenerWithTable(
    std::string name, const std::vector<std::string>& addresses, const std::string& table_name) {
  auto http = manager(nullptr);
  http->rds_name = table_name;
  return listenerOf(std::move(name), addresses, chain(std::move(http)));
}

inline std::shared_ptr<upstream::ClusterSpec> clusterOf(std::string name,
                                                        const net::Address& endpoint) {
  auto assignment = std::make_shared<upstream::AssignmentSpec>();
  assignment->cluster = name;
  upstream::EndpointSpec one;
  one.address = endpoint;
  assignment->localities.emplace_back().endpoints.push_back(std::move(one));
  auto spec = std::make_shared<upstream::ClusterSpec>();
  spec->name = std::move(name);
  spec->assignment = std::move(assignment);
  return spec;
}

}  // namespace convoy::server
