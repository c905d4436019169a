#pragma once

// Rules on how a pool's host names are looked up.

#include "api/convoy/v1/pool.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

void checkPoolDns(const v1::PoolDns& dns, const Place& place);

}  // namespace convoy::controlplane::validate
