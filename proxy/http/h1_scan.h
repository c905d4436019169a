#pragma once

// Finding where names, values and targets end, 16 bytes at a time. Each function returns the first
// byte that does not belong, or `end`: one pass both finds the end and proves that everything
// before it is allowed. Pure functions, without SSE2 a byte at a time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace convoy::http {

namespace h1 {

enum CharClass : uint8_t {
  kTokenChar = 1,   // RFC 9110 5.6.2
  kHostChar = 2,    // reg-name of RFC 3986 3.2.2 without "%" and ","
  kValueChar = 4,   // RFC 9110 5.5: visible, space, tab, obs-text
  kTargetChar = 8,  // visible ASCII but '#'
  kNameStop = 16,   // ':' and everything up to space: where the scan for a name's end stops
};

inline constexpr auto kCharClasses = [] {
  std::array<uint8_t, 256> classes{};
  auto add = [&classes](std::string_view characters, uint8_t mask) {
    for (const char c : characters) classes[static_cast<unsigned char>(c)] |= mask;
  };
  constexpr std::string_view kAlphanumeric =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  add(kAlphanumeric, kTokenChar | kHostChar);
  add("!#$%&'*+-.^_`|~", kTokenChar);
  add("-._~!$&'()*+;=", kHostChar);
  for (int c = 0; c < 256; ++c) {
    if ((c >= 0x20 && c != 0x7f) || c == '\t') classes[c] |= kValueChar;
    if (c > 0x20 && c < 0x7f && c != '#') classes[c] |= kTargetChar;
    if (c <= 0x20 || c == ':') classes[c] |= kNameStop;
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

#ifdef __SSE2__

// `stops(block)` marks the bytes to stop at with 0xff.
template <typename Stops>
inline const char* find16(const char*& at, const char* end, Stops stops) {
  while (end - at >= 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const int mask = _mm_movemask_epi8(stops(block));
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += 16;
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

inline __m128i valueStops(__m128i block) {
  return _mm_or_si128(_mm_andnot_si128(equal(block, '\t'), atMost(block, 0x1f)),
                      equal(block, 0x7f));
}
inline __m128i targetStops(__m128i block) {
  return _mm_or_si128(_mm_or_si128(atMost(block, 0x20), atLeast(block, 0x7f)), equal(block, '#'));
}
inline __m128i nameStops(__m128i block) {
  return _mm_or_si128(atMost(block, 0x20), equal(block, ':'));
}

inline const char* valueEnd(const char* at, const char* end) {
  if (const char* found = find16(at, end, valueStops)) return found;
  return skip(kValueChar, at, end);
}

inline const char* targetEnd(const char* at, const char* end) {
  if (const char* found = find16(at, end, targetStops)) return found;
  return skip(kTargetChar, at, end);
}

inline const char* nameStop(const char* at, const char* end) {
  if (const char* found = find16(at, end, nameStops)) return found;
  while (at < end && !is(kNameStop, *at)) ++at;
  return at;
}

// How many bytes are CR, LF or NUL.
inline size_t countBreaks(const char* at, const char* end) {
  size_t count = 0;
  const __m128i zero = _mm_setzero_si128();
  while (end - at >= 16) {
    // Each lane counts up to 255 blocks before the lanes are added up.
    __m128i lanes = zero;
    for (int blocks = 0; blocks < 255 && end - at >= 16; ++blocks, at += 16) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      const __m128i breaks = _mm_or_si128(_mm_or_si128(equal(block, '\r'), equal(block, '\n')),
                                          _mm_cmpeq_epi8(block, zero));
      lanes = _mm_sub_epi8(lanes, breaks);
    }
    const __m128i sums = _mm_sad_epu8(lanes, zero);
    count += static_cast<size_t>(_mm_cvtsi128_si64(sums)) +
             static_cast<size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
  for (; at < end; ++at) count += *at == '\r' || *at == '\n' || *at == '\0' ? 1 : 0;
  return count;
}

#else

inline size_t countBreaks(const char* at, const char* end) {
  size_t count = 0;
  for (; at < end; ++at) count += *at == '\r' || *at == '\n' || *at == '\0' ? 1 : 0;
  return count;
}

inline const char* valueEnd(const char* at, const char* end) {
  return skip(kValueChar, at, end);
}

inline const char* targetEnd(const char* at, const char* end) {
  return skip(kTargetChar, at, end);
}

inline const char* nameStop(const char* at, const char* end) {
  while (at < end && !is(kNameStop, *at)) ++at;
  return at;
}

#endif

}  // namespace h1

}  // namespace convoy::http
