#pragma once

// Finding where names, values and targets end, 16 bytes at a time. Each function returns the first
// byte that does not belong, or `end`: one pass both finds the end and proves that everything
// before it is allowed. Pure functions, without SSE2 a byte at a time.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace convoy::http {

namespace h1 {

enum CharClass : uint8_t {
  TokenChar = 1,   // RFC 9110 5.6.2
  HostChar = 2,    // reg-name of RFC 3986 3.2.2 without "%" and ","
  ValueChar = 4,   // RFC 9110 5.5: visible, space, tab, obs-text
  TargetChar = 8,  // visible ASCII but '#'
  NameStop = 16,   // ':' and everything up to space: where the scan for a name's end stops
};

inline constexpr auto kCharClasses = [] {
  std::array<uint8_t, 256> classes{};
  auto add = [&classes](std::string_view characters, uint8_t mask) {
    for (const char c : characters) classes[static_cast<unsigned char>(c)] |= mask;
  };
  constexpr std::string_view kAlphanumeric =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  add(kAlphanumeric, TokenChar | HostChar);
  add("!#$%&'*+-.^_`|~", TokenChar);
  add("-._~!$&'()*+;=", HostChar);
  for (int c = 0; c < 256; ++c) {
    if ((c >= 0x20 && c != 0x7f) || c == '\t') classes[c] |= ValueChar;
    if (c > 0x20 && c < 0x7f && c != '#') classes[c] |= TargetChar;
    if (c <= 0x20 || c == ':') classes[c] |= NameStop;
  }
  return classes;
}();

inline bool is(CharClass wanted, char c) {
  return (kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

inline const char* skip(CharClass wanted, const char* at, const char* end) {
  while (at < end && is(wanted, *at)) ++at;
  return at;
}

inline bool all(CharClass wanted, std::string_view text) {
  return skip(wanted, text.data(), text.data() + text.size()) == text.data() + text.size();
}

template <typename Word>
inline Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// CRLF at two readable bytes.
inline bool isLineEnd(const char* at) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  return load<uint16_t>(at) == ('\r' | '\n' << 8);
}

#ifdef __SSE2__

// `stops(block)` marks the bytes to stop at with 0xff.
template <typename Stops>
inline const char* find16(const char*& at, const char* end, Stops stops) {
  for (const char* const last = end - 16; at <= last; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(stops(block)));
    if (mask != 0) return at + static_cast<uint32_t>(__builtin_ctz(mask));
  }
  return nullptr;
}

inline __m128i atMost(__m128i block, char limit) {
  return _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(limit)), block);
}
inline __m128i atLeast(__m128i block, char limit) {
  return _mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8(limit)), block);
}
inline __m128i equal(__m128i block, char c) {
  return _mm_cmpeq_epi8(block, _mm_set1_epi8(c));
}

// Tabs included: they are rare enough to be looked at one by one.
inline __m128i valueStops(__m128i block) {
  return _mm_or_si128(atMost(block, 0x1f), equal(block, 0x7f));
}
inline __m128i targetStops(__m128i block) {
  return _mm_or_si128(_mm_or_si128(atMost(block, 0x20), atLeast(block, 0x7f)), equal(block, '#'));
}
inline __m128i nameStops(__m128i block) {
  return _mm_or_si128(atMost(block, 0x20), equal(block, ':'));
}

inline const char* valueEnd(const char* at, const char* end) {
  while (const char* found = find16(at, end, valueStops)) {
    if (*found != '\t') return found;
    at = found + 1;
  }
  return skip(ValueChar, at, end);
}

inline const char* targetEnd(const char* at, const char* end) {
  if (const char* found = find16(at, end, targetStops)) return found;
  return skip(TargetChar, at, end);
}

inline const char* nameStop(const char* at, const char* end) {
  if (const char* found = find16(at, end, nameStops)) return found;
  while (at < end && !is(NameStop, *at)) ++at;
  return at;
}

// How many bytes are CR or below, of whole blocks of 16. That is more than countBreaks() only where
// there are tabs, or bytes that no message may have.
inline size_t countUpToCr(const char* at, const char* end) {
  size_t count = 0;
  const __m128i zero = _mm_setzero_si128();
  while (at < end) {
    // Each lane counts (downwards) up to 255 blocks before the lanes are added up.
    __m128i lanes = zero;
    const char* const stop = at + std::min<ptrdiff_t>(end - at, ptrdiff_t{255} * 16);
    const auto add = [&lanes](const char* from) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      lanes = _mm_add_epi8(lanes, atMost(block, '\r'));
    };
    for (; stop - at >= 64; at += 64) {
      add(at);
      add(at + 16);
      add(at + 32);
      add(at + 48);
    }
    for (; at != stop; at += 16) add(at);
    const __m128i sums = _mm_sad_epu8(_mm_sub_epi8(zero, lanes), zero);
    count += static_cast<size_t>(_mm_cvtsi128_si64(sums)) +
             static_cast<size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
  return count;
}

inline __m128i wordChars(__m128i block) {
  auto within = [](__m128i shifted, char count) { return atMost(shifted, count - 1); };
  const __m128i lower = _mm_or_si128(block, _mm_set1_epi8(0x20));
  const __m128i letters = within(_mm_sub_epi8(lower, _mm_set1_epi8('a')), 26);
  const __m128i digits = within(_mm_sub_epi8(block, _mm_set1_epi8('0')), 10);
  const __m128i dash_dot = within(_mm_sub_epi8(block, _mm_set1_epi8('-')), 2);
  return _mm_or_si128(_mm_or_si128(letters, digits), _mm_or_si128(dash_dot, equal(block, '_')));
}

// True if there are only letters, digits, '-', '.' and '_', which both tokens and hosts may have;
// false says nothing of fewer than 4 bytes.
inline bool onlyWordChars(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  __m128i block;
  if (text.size() >= 16) {
    for (; end - at > 16; at += 16) {
      block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      if (_mm_movemask_epi8(wordChars(block)) != 0xffff) return false;
    }
    block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(end - 16));
  } else if (text.size() >= 8) {
    block = _mm_set_epi64x(load<int64_t>(end - 8), load<int64_t>(at));
  } else if (text.size() >= 4) {
    const int32_t first = load<int32_t>(at);
    const int32_t last = load<int32_t>(end - 4);
    block = _mm_set_epi32(last, first, last, first);
  } else {
    return false;
  }
  return _mm_movemask_epi8(wordChars(block)) == 0xffff;
}

#else

inline size_t countUpToCr(const char* at, const char* end) {
  size_t count = 0;
  for (; at < end; ++at) count += static_cast<unsigned char>(*at) <= '\r' ? 1 : 0;
  return count;
}

inline bool onlyWordChars(std::string_view) {
  return false;
}

inline const char* valueEnd(const char* at, const char* end) {
  return skip(ValueChar, at, end);
}

inline const char* targetEnd(const char* at, const char* end) {
  return skip(TargetChar, at, end);
}

inline const char* nameStop(const char* at, const char* end) {
  while (at < end && !is(NameStop, *at)) ++at;
  return at;
}

#endif

// How many bytes are CR, LF or NUL.
inline size_t countBreaks(const char* at, const char* end) {
  size_t count = 0;
  for (; at < end; ++at) count += *at == '\r' || *at == '\n' || *at == '\0' ? 1 : 0;
  return count;
}

inline bool isToken(std::string_view text) {
  return onlyWordChars(text) || (!text.empty() && all(TokenChar, text));
}

}  // namespace h1

}  // namespace convoy::http
