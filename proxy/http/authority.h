#pragma once

// Which texts are a host with an optional port (RFC 3986 3.2.2, 3.2.3; RFC 9110 7.2). Stricter than
// the grammar where the rest is only ever used for attacks: no "%", no ",", no user information, no
// zone or future-version literals.

#include <cstdint>
#include <string_view>

namespace convoy::http {

enum class PortRule : uint8_t { Optional, Required };

// False for the empty text. The port may be empty where it is optional ("host:").
bool isAuthority(std::string_view text, PortRule rule);

}  // namespace convoy::http
