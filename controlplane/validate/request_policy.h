#pragma once

// Rules on the fields of a listener that say which requests are admitted and what the next hop is
// told.

#include "api/convoy/v1/listener.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

void checkRequestPolicy(const v1::Listener& listener, const Place& place);

}  // namespace convoy::controlplane::validate
