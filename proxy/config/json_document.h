#pragma once

// JSON text (RFC 8259) to a document tree. YAML's flow style is nearly JSON, but not for surrogate
// pairs, long keys and tabs. Duplicate keys are refused.

#include <string_view>

#include "proxy/config/document.h"

namespace convoy::config {

DocumentResult parseJson(std::string_view text, const DocumentLimits& limits);

}  // namespace convoy::config
