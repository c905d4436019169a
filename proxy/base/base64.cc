#include "proxy/base/base64.h"

#include <array>

namespace convoy::base {

namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kNone = 255;

constexpr std::array<uint8_t, 256> valuesOf(std::string_view alphabet) {
  std::array<uint8_t, 256> values{};
  for (uint8_t& value : values) value = kNone;
  for (size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<uint8_t>(i);
  }
  return values;
}

constexpr auto kStandardValues = valuesOf(kStandard);
constexpr auto kUrlValues = valuesOf(kUrl);

uint32_t byteAt(std::string_view bytes, size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
}

}  // namespace

void encodeBase64(std::string_view bytes, Base64 kind, char* out) {
  const std::string_view alphabet = kind == Base64::Standard ? kStandard : kUrl;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const uint32_t group =
        byteAt(bytes, at) << 16 | byteAt(bytes, at + 1) << 8 | byteAt(bytes, at + 2);
    const size_t left = bytes.size() - at;
    for (size_t i = 0; i < 4; ++i) {
      if (i <= left) {
        *out++ = alphabet[(group >> (18 - 6 * i)) & 63];
      } else if (kind == Base64::Standard) {
        *out++ = '=';
      }
    }
  }
}

std::optional<size_t> decodeBase64(std::string_view text, Base64 kind, std::span<char> out) {
  if (kind == Base64::Standard) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1 || text.size() * 3 / 4 > out.size()) return std::nullopt;
  const auto& values = kind == Base64::Standard ? kStandardValues : kUrlValues;
  size_t written = 0;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kNone) return std::nullopt;
    bits = (bits << 6 | value) & 0xFFFF;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out[written++] = static_cast<char>(bits >> count & 255);
  }
  // What is left of the last character means nothing, and must say nothing.
  if ((bits & ((uint32_t{1} << count) - 1)) != 0) return std::nullopt;
  return written;
}

}  // namespace convoy::base
