#pragma once

// Rules on how single backends of a pool are used.

#include "api/convoy/v1/config.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

void checkHostPolicy(const v1::Pool& pool, const Place& place);
void checkBackendLimits(const v1::Backend& backend, const Place& place);

}  // namespace convoy::controlplane::validate
