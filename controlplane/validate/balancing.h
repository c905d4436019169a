#pragma once

// Rules on how a pool is balanced, and on the hash keys of pools and routes.

#include "api/convoy/v1/pool.pb.h"
#include "api/convoy/v1/route.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

// Whether a hash key means anything to this algorithm.
bool goesByKey(v1::Algorithm algorithm);

// `place`: the pool.
void checkBalancing(const v1::Pool& pool, const Place& place);

// `place`: the route.
void checkRouteHashKey(const v1::Route& route, const Place& place);

}  // namespace convoy::controlplane::validate
