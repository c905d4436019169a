#pragma once

// Where the control plane's resources go: hands secrets to the SecretManager, clusters and
// endpoints to the ClusterManager, clusters with host names to DnsDiscovery first, route tables to
// RouteTables, listeners to the ListenerManager, in the order that xds/resource_sink.h asks for.
// What the bootstrap defines stays the bootstrap's: a cluster or a listener of the same name is
// refused, as it would replace the static one, and its removal would take both away. Thread:
// main's.

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/server/listener_manager.h"
#include "proxy/server/route_tables.h"
#include "proxy/tls/secret_manager.h"
#include "proxy/upstream/cluster_manager.h"
#include "proxy/upstream/dns/discovery.h"
#include "proxy/xds/resource_sink.h"

namespace convoy::server {

inline constexpr char kCommandsNotAllowed[] =
    "its health check names a command, and this node runs none: it was started without "
    "--health-command-dir";

class Resources final : public xds::ResourceSink {
 public:
  Resources(upstream::ClusterManager& clusters, RouteTables& routes, ListenerManager& listeners,
            tls::SecretManager& secrets, upstream::DnsDiscovery& dns)
      : clusters_(clusters), routes_(routes), listeners_(listeners), secrets_(secrets), dns_(dns) {}

  // Before the first admit().
  void addStaticCluster(std::string name) { static_clusters_.insert(std::move(name)); }
  void addStaticListener(std::string name) { static_listeners_.insert(std::move(name)); }

  std::vector<ext::ResourceError> admit(const xds::Changes& proposed) override;
  void apply(const xds::Changes& changes) override;
  bool hostsFound(const std::string& cluster) override { return dns_.ready(cluster); }
  // Before the first admit(): health checks may run commands.
  void allowCheckCommands() { commands_allowed_ = true; }
  // Called when listeners came, changed or went.
  void onListenersChanged(std::function<void()> callback) {
    on_listeners_changed_ = std::move(callback);
  }

 private:
  upstream::ClusterManager& clusters_;
  RouteTables& routes_;
  ListenerManager& listeners_;
  std::set<std::string> static_clusters_;
  std::set<std::string> static_listeners_;
  tls::SecretManager& secrets_;
  upstream::DnsDiscovery& dns_;
  bool commands_allowed_ = false;
  std::function<void()> on_listeners_changed_;
};

}  // namespace convoy::server
