#pragma once

// SHA-1 (RFC 3174), for protocols that ask for it as a checksum; it protects nothing. Pure.

#include <array>
#include <cstdint>
#include <string_view>

namespace convoy::base {

using Sha1Digest = std::array<uint8_t, 20>;

Sha1Digest sha1(std::string_view bytes);

}  // namespace convoy::base
