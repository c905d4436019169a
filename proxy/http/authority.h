#pragma once

// Which texts are a host with an optional port (RFC 3986 3.2.2, 3.2.3; RFC 9110 7.2). Stricter than
// the grammar where the rest is only ever used for attacks: no "%", no ",", no user information, no
// zone or future-version literals.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace convoy::http {

enum class PortRule : uint8_t { Optional, Required };

// False for the empty text. The port may be empty where it is optional ("host:").
bool isAuthority(std::string_view text, PortRule rule);

struct AuthorityParts {
  std::string_view host;  // an IPv6 address in its brackets
  std::string_view port;  // with its ":"; empty: there is none
};
// "[::1]:80" -> "[::1]" and ":80". Looks at nothing else: REQUIRES isAuthority() for parts that are
// what they are called.
inline AuthorityParts splitAuthority(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return {authority, {}};
  return {authority.substr(0, colon), authority.substr(colon)};
}

}  // namespace convoy::http
