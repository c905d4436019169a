#pragma once

// Envoy resources as a control plane sends them, with as little in them as they need.

#include <cstdint>
#include <string>
#include <vector>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

namespace convoy::xds {

using ClusterProto = envoy::config::cluster::v3::Cluster;
using AssignmentProto = envoy::config::endpoint::v3::ClusterLoadAssignment;
using ListenerProto = envoy::config::listener::v3::Listener;
using RoutesProto = envoy::config::route::v3::RouteConfiguration;
using HttpProto =
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

inline ClusterProto edsCluster(const std::string& name, const std::string& service_name = "") {
  ClusterProto cluster;
  cluster.set_name(name);
  cluster.set_type(ClusterProto::EDS);
  auto* eds = cluster.mutable_eds_cluster_config();
  eds->mutable_eds_config()->mutable_ads();
  eds->mutable_eds_config()->set_resource_api_version(envoy::config::core::v3::V3);
  eds->set_service_name(service_name);
  return cluster;
}

inline AssignmentProto assignment(const std::string& name, const std::vector<uint32_t>& ports) {
  AssignmentProto made;
  made.set_cluster_name(name);
  auto* locality = made.add_endpoints();
  for (const uint32_t port : ports) {
    auto* socket = locality->add_lb_endpoints()
                       ->mutable_endpoint()
                       ->mutable_address()
                       ->mutable_socket_address();
    socket->set_address("127.0.0.1");
    socket->set_port_value(port);
  }
  return made;
}

inline ClusterProto staticCluster(const std::string& name, uint32_t port = 80) {
  ClusterProto cluster;
  cluster.set_name(name);
  cluster.set_type(ClusterProto::STATIC);
  *cluster.mutable_load_assignment() = assignment(name, {port});
  return cluster;
}

// One virtual host for everything, a route to each cluster.
inline RoutesProto routesTo(const std::string& name, const std::vector<std::string>& clusters) {
  RoutesProto routes;
  routes.set_name(name);
  auto* host = routes.add_virtual_hosts();
  host->set_name("all");
  host->add_domains("*");
  for (const std::string& cluster : clusters) {
    auto* route = host->add_routes();
    route->mutable_match()->set_prefix("/" + cluster);
    route->mutable_route()->set_cluster(cluster);
  }
  return routes;
}

inline ListenerProto listenerOf(const std::string& name, HttpProto http) {
  http.set_stat_prefix(name);
  auto* filter = http.add_http_filters();
  filter->set_name("envoy.filters.http.router");
  filter->mutable_typed_config()->PackFrom(envoy::extensions::filters::http::router::v3::Router());
  ListenerProto listener;
  listener.set_name(name);
  listener.mutable_address()->mutable_socket_address()->set_address("127.0.0.1");
  listener.mutable_address()->mutable_socket_address()->set_port_value(10000);
  auto* chain_filter = listener.add_filter_chains()->add_filters();
  chain_filter->set_name("envoy.filters.network.http_connection_manager");
  chain_filter->mutable_typed_config()->PackFrom(http);
  return listener;
}

inline ListenerProto rdsListener(const std::string& name, const std::string& routes) {
  HttpProto http;
  http.mutable_rds()->set_route_config_name(routes);
  auto* source = http.mutable_rds()->mutable_config_source();
  source->mutable_ads();
  source->set_resource_api_version(envoy::config::core::v3::V3);
  return listenerOf(name, std::move(http));
}

inline ListenerProto inlineListener(const std::string& name,
                                    const std::vector<std::string>& clusters) {
  HttpProto http;
  *http.mutable_route_config() = routesTo(name, clusters);
  return listenerOf(name, std::move(http));
}

// On a port that is free, and with as much time for each request as it takes, however slow the
// machine is.
inline ListenerProto patientListener(const std::string& name, const std::string& cluster) {
  HttpProto http;
  *http.mutable_route_config() = routesTo(name, {cluster});
  http.mutable_route_config()
      ->mutable_virtual_hosts(0)
      ->mutable_routes(0)
      ->mutable_route()
      ->mutable_timeout();
  ListenerProto listener = listenerOf(name, std::move(http));
  listener.mutable_address()->mutable_socket_address()->set_port_value(0);
  return listener;
}

}  // namespace convoy::xds
