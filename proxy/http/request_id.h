#pragma once

// Request ids as Envoy makes them: random UUIDs of version 4 (RFC 9562), 36 characters. For
// correlation, not secrets.

#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/event/random.h"

namespace convoy::http {

std::string_view makeRequestId(event::Random& random, base::Arena& arena);

}  // namespace convoy::http
