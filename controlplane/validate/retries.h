#pragma once

// Rules on retries and on the limits of pools.

#include "api/convoy/v1/pool.pb.h"
#include "api/convoy/v1/route.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

void checkRetries(const v1::Retries& retries, const Place& place);
// Pool.retry_budget and Pool.limits.
void checkPoolLimits(const v1::Pool& pool, const Place& place);

}  // namespace convoy::controlplane::validate
