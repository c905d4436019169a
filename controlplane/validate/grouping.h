#pragma once

// What convoy.v1 says of priorities, zones and subsets.

#include "api/convoy/v1/pool.pb.h"
#include "api/convoy/v1/route.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

void checkGrouping(const v1::Pool& pool, const Place& place);
void checkPlacement(const v1::Backend& backend, const Place& place);
void checkSubset(const v1::Route& route, const Place& place);

// A route to that pool asks for a subset that it has. place: of the route.
void checkSubsetOf(const v1::Pool& pool, const v1::Route& route, const Place& place);

}  // namespace convoy::controlplane::validate
