#pragma once

// Routes -> envoy.config.route.v3.RouteConfiguration.
//
// In convoy.v1 the first route that matches wins. Envoy first chooses a virtual host by the most
// specific domain and then the first route in it. So each host that a route names becomes a virtual
// host, which holds, in order, every route that may match a request for that host.

#include <functional>
#include <string>
#include <vector>

#include "api/convoy/v1/pool.pb.h"
#include "api/convoy/v1/route.pb.h"
#include "controlplane/compile/sticky.h"
#include "envoy/config/route/v3/route.pb.h"
#include "google/protobuf/repeated_field.h"

namespace convoy::controlplane::compile {

using RouteList = google::protobuf::RepeatedPtrField<v1::Route>;
// The pool of this name: its header edits, its hash key and its sessions are compiled into the
// routes to it; a default one if there is none. Empty: no pool has any of these.
using FindPool = std::function<const v1::Pool&(const std::string& pool)>;

envoy::config::route::v3::RouteConfiguration compileRoutes(const std::string& name,
                                                           const RouteList& routes,
                                                           const FindPool& find_pool = {},
                                                           const DeriveKey& derive = {});

// What of a pool is compiled into the routes to it, as bytes to compare.
std::string partOfRoutes(const v1::Pool& pool);

// The pools that the routes name, sorted, each once.
std::vector<std::string> poolsOf(const RouteList& routes);

}  // namespace convoy::controlplane::compile
