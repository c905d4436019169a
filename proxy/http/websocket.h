#pragma once

// The parts of the WebSocket handshake (RFC 6455 4) that exist in HTTP/1.1 only and that a proxy
// makes up where a connection of HTTP/2 (RFC 8441 5) meets one of HTTP/1.1. Pure.

#include <array>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/event/random.h"

namespace convoy::http {

inline constexpr std::string_view kWebSocket = "websocket";
inline constexpr std::string_view kWebSocketKey = "sec-websocket-key";
inline constexpr std::string_view kWebSocketAccept = "sec-websocket-accept";

bool isWebSocket(std::string_view upgrade);

// A value for Sec-WebSocket-Key: 16 random bytes in base64. It is to be unlike others, not secret.
std::string_view makeWebSocketKey(event::Random& random, base::Arena& arena);

// The value of Sec-WebSocket-Accept that answers this key.
class WebSocketAccept {
 public:
  explicit WebSocketAccept(std::string_view key);
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 28> text_;
};

}  // namespace convoy::http
