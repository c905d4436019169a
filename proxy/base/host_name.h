#pragma once

// Names of hosts, as configuration has them: what may be looked up in DNS. Pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace convoy::base {

// Why this is no name of a host (RFC 1123 2.1; underscores are allowed, as services use them; a dot
// at the end means that no search domain is tried), as a sentence; empty: it is one. What looks
// like an IP address is none.
std::string_view problemWithHostName(std::string_view name);

struct NamedAddress {
  std::string host;  // in lower case
  uint16_t port = 0;
};

// "name:port" with a name of a host and a port from 1 to 65535; no value: it is something else.
std::optional<NamedAddress> parseNamedAddress(std::string_view text);

}  // namespace convoy::base
