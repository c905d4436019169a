#pragma once

// convoy.v1 header edits -> Envoy's: a listener's as a header_mutation filter, those of a route and
// of its pool as the route's own, so that neither costs a filter where it is not used.

#include "api/convoy/v1/headers.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "envoy/extensions/filters/http/header_mutation/v3/header_mutation.pb.h"

namespace convoy::controlplane::compile {

bool hasEdits(const v1::Headers& headers);

envoy::extensions::filters::http::header_mutation::v3::HeaderMutation compileHeaderMutation(
    const v1::Headers& headers);

// Envoy's route knows one list of removals, which go first, and one of additions. The later of the
// two, the pool for requests and the route for responses, wins where both name a header.
void compileRouteHeaders(const v1::Headers& route, const v1::Headers& pool,
                         envoy::config::route::v3::Route* out);

}  // namespace convoy::controlplane::compile
