#pragma once

// Where the control plane's resources go: hands clusters and endpoints to the ClusterManager, route
// tables to RouteTables, listeners to the ListenerManager, in the order that xds/resource_sink.h
// asks for. Thread: main's.

#include <functional>
#include <utility>
#include <vector>

#include "proxy/server/listener_manager.h"
#include "proxy/server/route_tables.h"
#include "proxy/upstream/cluster_manager.h"
#include "proxy/xds/resource_sink.h"

namespace convoy::server {

class Resources final : public xds::ResourceSink {
 public:
  Resources(upstream::ClusterManager& clusters, RouteTables& routes, ListenerManager& listeners)
      : clusters_(clusters), routes_(routes), listeners_(listeners) {}

  std::vector<ext::ResourceError> admit(const xds::Changes& proposed) override;
  void apply(const xds::Changes& changes) override;
  // Called when listeners came, changed or went.
  void onListenersChanged(std::function<void()> callback) {
    on_listeners_changed_ = std::move(callback);
  }

 private:
  upstream::ClusterManager& clusters_;
  RouteTables& routes_;
  ListenerManager& listeners_;
  std::function<void()> on_listeners_changed_;
};

}  // namespace convoy::server
