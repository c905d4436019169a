#include "proxy/http/request_id.h"

#include <emmintrin.h>

#include <cstdint>
#include <cstring>

namespace convoy::http {

namespace {

constexpr size_t kUuidBytes = 36;

// Writes the sixteen hex digits of a number: its nibbles are spread to one a byte, then all become
// digits at once.
[[gnu::always_inline]] inline void putHex(uint64_t number, char* to) {
  const auto bytes = _mm_cvtsi64_si128(static_cast<int64_t>(__builtin_bswap64(number)));
  const auto low = _mm_set1_epi8(0x0f);
  const auto nibbles =
      _mm_unpacklo_epi8(_mm_and_si128(_mm_srli_epi64(bytes, 4), low), _mm_and_si128(bytes, low));
  const auto letters =
      _mm_and_si128(_mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
  const auto digits = _mm_add_epi8(_mm_add_epi8(nibbles, _mm_set1_epi8('0')), letters);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), digits);
}

}  // namespace

std::string_view makeRequestId(event::Random& random, base::Arena& arena) {
  constexpr uint64_t kVersion4 = 0x4000;
  constexpr uint64_t kVariant10 = uint64_t{2} << 62;
  const uint64_t high = (random.next() & ~uint64_t{0xf000}) | kVersion4;
  const uint64_t low = (random.next() & ~(uint64_t{3} << 62)) | kVariant10;
  char digits[32];
  putHex(high, digits);
  putHex(low, digits + 16);

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
