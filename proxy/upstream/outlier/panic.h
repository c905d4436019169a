#pragma once

// When too few hosts of a cluster can be used: Envoy's rule (healthy_panic_threshold), and what
// happens then by name. Pure.

#include <cstdint>
#include <string_view>

#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// Whether `usable` of `hosts`, all of one priority, are below the threshold. Whether that matters
// depends on the other priorities: priority_load.h.
bool tooFew(const PanicSpec& spec, uint64_t hosts, uint64_t usable);

// "fail", "serve_all", "serve_last_good": as people write it.
std::string_view nameOf(PanicSpec::Mode mode);

}  // namespace convoy::upstream
