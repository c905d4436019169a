#include "proxy/http/request_id.h"

#include <array>
#include <cstdint>

namespace convoy::http {

namespace {

// Two hex digits per byte value: one table look-up per byte.
constexpr std::array<char, 512> makeHexPairs() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = kDigits[i >> 4];
    pairs[2 * i + 1] = kDigits[i & 15];
  }
  return pairs;
}
constexpr auto kHexPairs = makeHexPairs();

constexpr size_t kUuidBytes = 36;

}  // namespace

std::string_view makeRequestId(event::Random& random, base::Arena& arena) {
  uint64_t words[2] = {random.next(), random.next()};
  auto* bytes = reinterpret_cast<uint8_t*>(words);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;  // version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80;  // variant 10
  char* const text = arena.allocate(kUuidBytes);
  char* at = text;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    *at++ = kHexPairs[2 * bytes[i]];
    *at++ = kHexPairs[2 * bytes[i] + 1];
  }
  return {text, kUuidBytes};
}

}  // namespace convoy::http
