#include "proxy/http/websocket.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "proxy/base/sha1.h"
#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr size_t kKeyBytes = 16;
constexpr size_t kKeyText = 24;

// RFC 4648 4, padded.
void writeBase64(const uint8_t* bytes, size_t size, char* to) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < size; i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (i + j < size ? bytes[i + j] : 0);
    for (size_t j = 0; j < 4; ++j) {
      *to++ = i + j <= size ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
}

}  // namespace

bool isWebSocket(std::string_view upgrade) {
  return base::equalsIgnoreCase(upgrade, kWebSocket);
}

std::string_view makeWebSocketKey(event::Random& random, base::Arena& arena) {
  const uint64_t numbers[2] = {random.next(), random.next()};
  uint8_t bytes[kKeyBytes];
  std::memcpy(bytes, numbers, sizeof(bytes));
  char* const text = arena.allocate(kKeyText);
  writeBase64(bytes, sizeof(bytes), text);
  return {text, kKeyText};
}

WebSocketAccept::WebSocketAccept(std::string_view key) {
  const base::Sha1Digest digest = base::sha1(std::string(key).append(kGuid));
  writeBase64(digest.data(), digest.size(), text_.data());
}

}  // namespace convoy::http
