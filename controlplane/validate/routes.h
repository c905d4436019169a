#pragma once

// Rules on a list of routes that need nothing but the list.

#include "api/convoy/v1/route.pb.h"
#include "controlplane/validate/problems.h"
#include "google/protobuf/repeated_field.h"

namespace convoy::controlplane::validate {

// `place`: what holds the list in its field "routes".
void checkRoutes(const google::protobuf::RepeatedPtrField<v1::Route>& routes, const Place& place);

}  // namespace convoy::controlplane::validate
