#pragma once

// Route.retries, Pool.retry_budget and Pool.limits, with convoy.v1's defaults written out.

#include "api/convoy/ext/route_policy.pb.h"
#include "api/convoy/v1/pool.pb.h"
#include "api/convoy/v1/route.pb.h"
#include "envoy/config/cluster/v3/circuit_breaker.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"

namespace convoy::controlplane::compile {

// What holds for every route that says nothing.
void setDefaultRetries(envoy::config::route::v3::VirtualHost* host);

// What a route says, and what Envoy has no field for.
void compileRetries(const v1::Route& route, envoy::config::route::v3::Route* out,
                    ext::RoutePolicy* policy);

void compileLimits(const v1::Pool& pool, envoy::config::cluster::v3::CircuitBreakers* out);

}  // namespace convoy::controlplane::compile
