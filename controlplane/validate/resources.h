#pragma once

// Rules on one resource that need nothing but the resource. The checks also bring it into the form
// that is stored: addresses in canonical form, the weight written out.

#include "api/convoy/v1/config.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

void checkListener(v1::Listener* listener, const Place& place);
void checkRouteTable(const v1::RouteTable& table, const Place& place);
// Everything but the backends.
void checkPool(const v1::Pool& pool, const Place& place);
// Everything but its pool's name.
void checkBackend(v1::Backend* backend, const Place& place);

}  // namespace convoy::controlplane::validate
