#pragma once

// Base64 (RFC 4648). Decoding is strict: one text for every sequence of bytes, so that what was
// altered cannot decode to the same. Pure; nothing is allocated.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace convoy::base {

enum class Base64 : uint8_t {
  Standard,  // "+", "/", padded with "="
  Url,       // "-", "_", no padding
};

// How many characters so many bytes become.
constexpr size_t base64Size(size_t bytes, Base64 kind) {
  return kind == Base64::Standard ? (bytes + 2) / 3 * 4 : (bytes * 4 + 2) / 3;
}

// Writes base64Size() characters.
void encodeBase64(std::string_view bytes, Base64 kind, char* out);

// How many bytes were written to `out`; none if `text` is malformed or `out` too small.
std::optional<size_t> decodeBase64(std::string_view text, Base64 kind, std::span<char> out);

}  // namespace convoy::base
