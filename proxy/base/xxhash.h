#pragma once

// XXH64, a fast hash of good quality for choosing and spreading; it protects nothing. The same on
// every machine and in other programs, so that proxies of different makers choose alike. Pure.

#include <cstdint>
#include <string_view>

namespace convoy::base {

uint64_t xxHash64(std::string_view bytes, uint64_t seed = 0);

// Scrambles an integer: each bit of the result depends on all of them (XXH64's last step).
constexpr uint64_t mixBits(uint64_t value) {
  value ^= value >> 33;
  value *= 0xC2B2AE3D27D4EB4FULL;
  value ^= value >> 29;
  value *= 0x165667B19E3779F9ULL;
  return value ^ (value >> 32);
}

}  // namespace convoy::base
