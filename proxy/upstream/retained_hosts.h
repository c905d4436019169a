#pragma once

// Envoy's rule for discovery that is eventually consistent: a host that an assignment leaves out,
// but whose active checks pass, stays until they fail (unless ignore_health_on_host_removal says
// otherwise). A pure function.

#include <functional>
#include <memory>

#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// `assignment` and, at its end, those hosts of `before` that it leaves out and that `stays` is true
// of. Returns `assignment` itself if there is none.
std::shared_ptr<const AssignmentSpec> withRetained(
    const std::shared_ptr<const AssignmentSpec>& assignment, const AssignmentSpec* before,
    const std::function<bool(const EndpointSpec& endpoint)>& stays);

}  // namespace convoy::upstream
