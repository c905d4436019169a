#pragma once

// New targets and locations, as Envoy makes them. New text is written into the arena.

#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/http/message.h"
#include "proxy/route/spec.h"

namespace convoy::route {

// The path of a target: without query and fragment.
inline std::string_view pathOf(std::string_view target) {
  target = target.substr(0, target.find('?'));
  return target.substr(0, target.find('#'));
}

// Replaces what `match` matched at the beginning of the path (a prefix, or the whole path for exact
// and regular-expression matches) by `prefix_rewrite`. The query stays. REQUIRES: match matches the
// target's path.
std::string_view rewritePrefix(std::string_view target, const PathMatch& match,
                               std::string_view prefix_rewrite, base::Arena& arena);

// The Location of a redirect. A port in the request's authority goes if the redirect names a port,
// or if it is the default of the scheme that the redirect leaves. No path can change the host.
std::string_view redirectLocation(const http::RequestHead& head, const PathMatch& match,
                                  const Redirect& redirect, base::Arena& arena);

}  // namespace convoy::route
