#pragma once

// Where dynamic configuration goes: implemented by server/, called by AdsClient on main's loop.
//
// For each response of the control plane there is, in this order:
//   1. admit(): may this node do what the resources ask? Asked before the answer to the control
//      plane, so that what is refused here becomes part of the NACK. Resources that did not convert
//      to a spec are not shown.
//   2. apply(): what to put in force now, in one publication. It is called only if something
//      changes, and holds nothing that must wait (see below).
//   3. The ACK or NACK is sent.
// apply() is also called without a response, when a wait ended by its deadline.
//
// What waits (Warming): a cluster for its first endpoints, by EDS or DNS, it and a listener for
// their secrets, a route table for the clusters that it names and that are themselves waiting, a
// listener for its route tables and for the clusters that its inline routes name; at start every
// listener waits for the first answer about clusters. The previous version, if there is one, stays
// in force meanwhile. Each wait ends at a deadline, the initial_fetch_timeout of the config source
// (15 s if unset, none if 0): then the thing goes in force with what there is (a cluster without
// endpoints, a listener without a route table).

#include <memory>
#include <string>
#include <vector>

#include "api/convoy/ext/resource_error.pb.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"
#include "proxy/tls/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::xds {

// The endpoints of one cluster. (One resource may serve several clusters, by eds_service_name.)
struct ClusterEndpoints {
  std::string cluster;
  std::shared_ptr<const upstream::AssignmentSpec> assignment;
};

// One publication. Members are in the order in which they take effect: first what is new, from
// secrets and clusters up to listeners, then what goes, from listeners down.
struct Changes {
  std::vector<std::shared_ptr<const tls::SecretSpec>> secrets;         // new or replaced
  std::vector<std::shared_ptr<const upstream::ClusterSpec>> clusters;  // new or replaced
  std::vector<ClusterEndpoints> endpoints;  // of clusters named above or in force already
  std::vector<std::shared_ptr<const route::RouteTableSpec>> routes;
  std::vector<std::shared_ptr<const net::ListenerSpec>> listeners;
  std::vector<std::string> removed_listeners;
  std::vector<std::string> removed_routes;  // no listener names them any more
  std::vector<std::string> removed_clusters;
  std::vector<std::string> removed_secrets;  // nothing names them any more

  bool empty() const {
    return secrets.empty() && removed_secrets.empty() && clusters.empty() && endpoints.empty() &&
           routes.empty() && listeners.empty() && removed_listeners.empty() &&
           removed_routes.empty() && removed_clusters.empty();
  }
};

class ResourceSink {
 public:
  // One error per refused resource, with type_url and name set as the resource's; every other
  // resource is admitted. `proposed` holds what one response has of one type, changed
  // and removed ones, and nothing else; removals cannot be refused. For a listener that is new or
  // changes its addresses this is the time to bind its sockets (address in use is a refusal),
  // without accepting yet. Something admitted may be admitted again with another value, or come as
  // removed_*, before it was ever applied.
  virtual std::vector<ext::ResourceError> admit(const Changes& proposed) = 0;
  virtual void apply(const Changes& changes) = 0;
  // Of an admitted cluster whose hosts the node finds by itself (ClusterSpec::Discovery::Dns): they
  // are known, or known not to be found. If not, AdsClient::onHostsFound() says when.
  virtual bool hostsFound(const std::string& /*cluster*/) { return true; }

 protected:
  ~ResourceSink() = default;
};

}  // namespace convoy::xds
