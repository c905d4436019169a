#pragma once

// Small text helpers that the whole proxy shares. Debian's absl::string_view is a type of its own:
// convert here.

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace convoy::base {

inline absl::string_view toAbsl(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view fromAbsl(absl::string_view text) {
  return {text.data(), text.size()};
}

// The first bytes of UTF-8 text, at most so many, without cutting a character: protobuf refuses
// half of one.
std::string_view firstBytes(std::string_view text, size_t most);

inline char asciiLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// For constants on the hot path: a look at the length, then whole words, where std::operator==
// calls memcmp().
template <size_t kSize>
[[gnu::always_inline]] inline bool equals(std::string_view text, const char (&constant)[kSize]) {
  return text.size() == kSize - 1 && std::memcmp(text.data(), constant, kSize - 1) == 0;
}

// Without blanks at its ends: the optional white space of lists and fields (RFC 9110 5.6.3).
inline std::string_view trimmed(std::string_view text, std::string_view blanks = " \t") {
  const size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// ASCII only, as header names and host names are compared (RFC 9110 5.1, RFC 3986 3.2.2).
bool equalsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace convoy::base
