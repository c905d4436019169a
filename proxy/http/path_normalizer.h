#pragma once

// Makes paths that mean the same one text, before routes are matched (RFC 3986 6.2.2.2, 6.2.2.3),
// in Envoy's order: escaped slashes, then normalization, then merging of slashes. Pure functions;
// the query is never touched.

#include <cstdint>
#include <string_view>

#include "proxy/base/arena.h"

namespace convoy::http {

// What to do with "%2F" and "%5C" (in either case) in a path.
enum class EscapedSlashes : uint8_t { Keep, Reject, UnescapeAndRedirect, UnescapeAndForward };

struct PathPolicy {
  // Decodes what needs no escape (letters, digits, "-._~"), turns "\" into "/", and resolves "."
  // and "..". Refuses "%00" and a "%" without two hexadecimal digits. Other escapes stay as they
  // are.
  bool normalize = false;
  bool merge_slashes = false;
  EscapedSlashes escaped_slashes = EscapedSlashes::Keep;

  friend bool operator==(const PathPolicy&, const PathPolicy&) = default;
};

enum class PathVerdict : uint8_t {
  Forward,        // with the target as it is now
  Redirect,       // tell the client to ask for the target as it is now
  Refuse,         // it cannot be normalized
  RefuseSlashes,  // it has escaped slashes
};

// `target` is a path and a query; anything else ("*", an authority) is left alone. A changed one is
// in the arena.
PathVerdict applyPathPolicy(const PathPolicy& policy, std::string_view& target, base::Arena& arena);

}  // namespace convoy::http
