#include "proxy/http/request_id.h"

#include <cstdint>
#include <cstring>

namespace convoy::http {

namespace {

constexpr size_t kUuidBytes = 36;

// Every byte of a word at once.
constexpr uint64_t inEachByte(uint8_t byte) {
  return byte * uint64_t{0x0101010101010101};
}

// Writes the eight hex digits of a number. Its nibbles are spread to one a byte, then all become
// digits at once: a number above 9 carries into the byte's upper half when 6 is added.
void putHex(uint32_t number, char* to) {
  uint64_t nibbles = number;
  nibbles = (nibbles | nibbles << 16) & 0x0000ffff0000ffff;
  nibbles = (nibbles | nibbles << 8) & 0x00ff00ff00ff00ff;
  nibbles = (nibbles | nibbles << 4) & 0x0f0f0f0f0f0f0f0f;
  const uint64_t letters = (nibbles + inEachByte(6)) >> 4 & inEachByte(1);
  uint64_t digits = nibbles + inEachByte('0') + letters * ('a' - '0' - 10);
  if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) digits = __builtin_bswap64(digits);
  std::memcpy(to, &digits, sizeof(digits));
}

}  // namespace

std::string_view makeRequestId(event::Random& random, base::Arena& arena) {
  constexpr uint64_t kVersion4 = 0x4000;
  constexpr uint64_t kVariant10 = uint64_t{2} << 62;
  const uint64_t high = (random.next() & ~uint64_t{0xf000}) | kVersion4;
  const uint64_t low = (random.next() & ~(uint64_t{3} << 62)) | kVariant10;
  char digits[32];
  putHex(static_cast<uint32_t>(high >> 32), digits);
  putHex(static_cast<uint32_t>(high), digits + 8);
  putHex(static_cast<uint32_t>(low >> 32), digits + 16);
  putHex(static_cast<uint32_t>(low), digits + 24);

  char* const text = arena.allocate(kUuidBytes);
  std::memcpy(text, digits, 8);
  std::memcpy(text + 9, digits + 8, 4);
  std::memcpy(text + 14, digits + 12, 4);
  std::memcpy(text + 19, digits + 16, 4);
  std::memcpy(text + 24, digits + 20, 12);
  text[8] = text[13] = text[18] = text[23] = '-';
  return {text, kUuidBytes};
}

}  // namespace convoy::http
