#pragma once

// Which other resources a spec names. Each name once, in sorted order. Pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "proxy/event/clock.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::xds {

// The resource that has the cluster's endpoints; empty if it needs none.
std::string assignmentOf(const upstream::ClusterSpec& cluster);
std::vector<std::string> clustersOf(const route::RouteTableSpec& routes);
// Of routes that are inline in its HTTP connection managers.
std::vector<std::string> clustersOf(const net::ListenerSpec& listener);
// Route tables that are to be fetched by name.
std::vector<std::string> routeTablesOf(const net::ListenerSpec& listener);
// Secrets that come by SDS, each with how long its first value is waited for (0: for ever).
struct SecretUse {
  std::string name;
  event::Duration fetch_timeout{};
};
std::vector<SecretUse> secretsOf(const upstream::ClusterSpec& cluster);
std::vector<SecretUse> secretsOf(const net::ListenerSpec& listener);
// How long the listener waits for that table: as its first HTTP connection manager that names it
// says. 0: for ever.
event::Duration fetchTimeoutOf(const net::ListenerSpec& listener, std::string_view routes);

}  // namespace convoy::xds
