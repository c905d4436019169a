#pragma once

// Rules on Pool.health_check.

#include "api/convoy/v1/pool.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

void checkHealthCheck(const v1::HealthCheck& check, const Place& place);

}  // namespace convoy::controlplane::validate
