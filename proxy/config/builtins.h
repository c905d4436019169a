#pragma once

// The extensions of this build.

#include "proxy/config/registry.h"

namespace convoy::config {

void registerBuiltins(Registry& registry);

// A registry with the builtins, made at the first call.
const Registry& builtins();

}  // namespace convoy::config
