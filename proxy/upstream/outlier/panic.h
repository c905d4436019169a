#pragma once

// When too few hosts of a cluster can be used: Envoy's rule (healthy_panic_threshold), and what
// happens then by name. Pure.

#include <cstdint>
#include <map>
#include <string_view>

#include "proxy/upstream/spec.h"

namespace convoy::upstream {

struct PriorityHealth {
  uint32_t hosts = 0;
  uint32_t usable = 0;  // of these
};
using PriorityHealths = std::map<uint32_t, PriorityHealth>;  // by priority

// chosen: the priority that would serve. Never if the priorities together have enough hosts for
// all requests, a host standing for 1.4 (Envoy's overprovisioning).
bool inPanic(const PanicSpec& spec, const PriorityHealths& healths, uint32_t chosen);

// "fail", "serve_all", "serve_last_good": as people write it.
std::string_view nameOf(PanicSpec::Mode mode);

}  // namespace convoy::upstream
