#pragma once

// Rules on sticky sessions.

#include "api/convoy/v1/sticky.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

void checkSticky(const v1::Sticky& sticky, const Place& place);

}  // namespace convoy::controlplane::validate
