#include "proxy/http/log_line.h"

#include <emmintrin.h>

#include <charconv>

namespace convoy::http {

namespace {

bool isPlain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

// 0xff where a byte of the block needs an escape: all but printable ASCII, and '"' and '\\'.
__m128i special(__m128i block) {
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  const __m128i high = _mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8(0x7f)), block);
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  return _mm_or_si128(_mm_or_si128(low, high), _mm_or_si128(quote, backslash));
}

bool isPlain(__m128i block) {
  return _mm_movemask_epi8(special(block)) == 0;
}

__m128i load16(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
__m128i load8(const char* at) {
  return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
}
__m128i load4(const char* at) {
  return _mm_loadu_si32(at);
}

// Copies text in which nothing needs an escape; false if something does, with nothing but the room
// behind `to` changed. Log lines are mostly such text, so whole blocks are looked at and copied;
// the last block overlaps the one before.
bool copyPlain(std::string_view text, char* to) {
  const char* const from = text.data();
  const size_t size = text.size();
  if (size >= 16) {
    const __m128i last = load16(from + size - 16);
    __m128i found = special(last);
    for (size_t i = 0; i + 16 < size; i += 16) {
      const __m128i block = load16(from + i);
      found = _mm_or_si128(found, special(block));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), block);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + size - 16), last);
    return _mm_movemask_epi8(found) == 0;
  }
  if (size >= 8) {
    const __m128i first = load8(from);
    const __m128i last = load8(from + size - 8);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), first);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + size - 8), last);
    return isPlain(_mm_unpacklo_epi64(first, last));
  }
  if (size >= 4) {
    const __m128i first = load4(from);
    const __m128i last = load4(from + size - 4);
    _mm_storeu_si32(to, first);
    _mm_storeu_si32(to + size - 4, last);
    const __m128i both = _mm_unpacklo_epi32(first, last);
    return isPlain(_mm_unpacklo_epi64(both, both));
  }
  bool plain = true;
  for (size_t i = 0; i < size; ++i) {
    plain &= isPlain(from[i]);
    to[i] = from[i];
  }
  return plain;
}

}  // namespace

void LineBuffer::number(uint64_t value) {
  if (value < 10) return character(static_cast<char>('0' + value));
  if (value < 1000 && room() >= 3) {  // a status, a duration
    if (value >= 100) *at_++ = static_cast<char>('0' + value / 100);
    *at_++ = static_cast<char>('0' + value / 10 % 10);
    *at_++ = static_cast<char>('0' + value % 10);
    return;
  }
  const auto result = std::to_chars(at_, end_, value);
  if (result.ec == std::errc()) at_ = result.ptr;
}

void LineBuffer::escaped(std::string_view text, AccessLogSpec::Format form) {
  if (text.size() > room() || !copyPlain(text, at_)) return escapeEach(text, form);
  at_ += text.size();
}

void LineBuffer::escapeEach(std::string_view text, AccessLogSpec::Format form) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    if (isPlain(c)) {
      character(c);
      continue;
    }
    character('\\');
    if (c == '"' || c == '\\') {
      character(c);
      continue;
    }
    raw(form == AccessLogSpec::Format::Json ? "u00" : "x");
    character(kDigits[static_cast<unsigned char>(c) >> 4]);
    character(kDigits[c & 15]);
  }
}

}  // namespace convoy::http
