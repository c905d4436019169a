#pragma once

// Rules on what a pool does about failing backends.

#include "api/convoy/v1/pool.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

// place: the pool's.
void checkFailurePolicy(const v1::Pool& pool, const Place& place);

}  // namespace convoy::controlplane::validate
