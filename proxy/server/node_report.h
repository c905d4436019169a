#pragma once

// What a node tells its control plane of itself (api/convoy/ext/node_report.proto), besides the
// fields without effect, which xds/ knows. A pure function.

#include <map>
#include <string>

#include "api/convoy/ext/node_report.pb.h"
#include "proxy/server/listener_manager.h"
#include "proxy/upstream/cluster_manager.h"

namespace convoy::server {

// Listeners that were admitted only are left out: nobody is served there.
ext::NodeReport nodeReport(ext::NodeReport::Lifecycle lifecycle,
                           const std::map<std::string, ListenerManager::Active>& listeners);

// Hosts that get no requests, or few, since they fail; and those that drain or were removed and
// have not finished what they have: the first kMostHosts of each, and how many there are.
inline constexpr int kMostHosts = 100;
void addHosts(const upstream::ClusterManager& clusters, ext::NodeReport* report);
// What there is to tell of one that its cluster has.
void addHost(const std::string& cluster, const upstream::ClusterManager::HostView& host,
             ext::NodeReport* report);

}  // namespace convoy::server
