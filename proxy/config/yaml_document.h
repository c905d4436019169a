#pragma once

// YAML text to a document tree. Wraps yaml-cpp: its .cc is the only file of proxy/ with exceptions,
// and none leaves it. Refused: what is not YAML, more than one document, duplicate keys, keys that
// are no scalars, tags other than YAML's own, and text beyond the limits (nesting, expansion of
// aliases).

#include <string_view>

#include "proxy/config/document.h"

namespace convoy::config {

// An empty document is a Null node.
DocumentResult parseYaml(std::string_view text, const DocumentLimits& limits);

}  // namespace convoy::config
