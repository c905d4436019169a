#pragma once

// Routes -> envoy.config.route.v3.RouteConfiguration.
//
// In convoy.v1 the first route that matches wins. Envoy first chooses a virtual host by the most
// specific domain and then the first route in it. So each host that a route names becomes a virtual
// host, which holds, in order, every route that may match a request for that host.

#include <functional>
#include <string>
#include <vector>

#include "api/convoy/v1/route.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "google/protobuf/repeated_field.h"

namespace convoy::controlplane::compile {

using RouteList = google::protobuf::RepeatedPtrField<v1::Route>;
// The header edits of the pool of this name; they are compiled into its routes.
// Empty: no pool has any.
using PoolHeaders = std::function<const v1::Headers&(const std::string& pool)>;

envoy::config::route::v3::RouteConfiguration compileRoutes(const std::string& name,
                                                           const RouteList& routes,
                                                           const PoolHeaders& pool_headers = {});

// The pools that the routes name, sorted, each once.
std::vector<std::string> poolsOf(const RouteList& routes);

}  // namespace convoy::controlplane::compile
