#pragma once

// Header fields that belong to one connection and end there (RFC 9110 7.6.1). Whoever forwards a
// message calls removeHopByHop() on its header list once, also of a 1xx response; the codecs have
// taken the framing (Content-Length, Transfer-Encoding) out before and write their own. What
// Connection names goes from the trailers too: namedForTrailers() before, removeNamed() when they
// come.

#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/http/header_list.h"

namespace convoy::http {

// Calls visit(token) for each element of a comma-separated list (RFC 9110 5.6.1), without white
// space around it; empty elements are skipped.
template <typename Visitor>
void forEachToken(std::string_view list, Visitor&& visit) {
  constexpr std::string_view kBlank = " \t";
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view token = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    const size_t begin = token.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) continue;
    visit(token.substr(begin, token.find_last_not_of(kBlank) - begin + 1));
  }
}

// Removes Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, TE, and whatever
// Connection names. What stays: "TE: trailers", since trailers are forwarded, and fields that only
// an attacker would name (Host, Authorization, Cookie, Forwarded, X-Forwarded-*, X-Request-ID and
// the like): a client must not be able to strip what the proxy or the upstream decides by.
void removeHopByHop(HeaderList& headers);

// The list of what Connection names, copied, if trailers can have any of it; else empty, as it is
// for nearly every message: options such as keep-alive and upgrade are no fields of trailers.
std::string_view namedForTrailers(const HeaderList& head, base::Arena& arena);
// Removes from trailers what such a list names, with the exceptions of removeHopByHop().
void removeNamed(std::string_view list, HeaderList& trailers);

}  // namespace convoy::http
