#pragma once

// Rules on the header edits of a listener, route or pool.

#include "api/convoy/v1/headers.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

// `place`: the field "headers". Whether the operators in values exist is the data plane's to say.
void checkHeaders(const v1::Headers& headers, const Place& place);

}  // namespace convoy::controlplane::validate
