#pragma once

// A command to a Redis server as bytes (RESP2's array of strings, by hiredis's formatter). Words
// may hold any bytes: each says its length, so that none can become another command.

#include <initializer_list>
#include <string_view>

#include "proxy/net/byte_queue.h"

namespace convoy::redis {

using Words = std::initializer_list<std::string_view>;

// REQUIRES: at most kMostWords.
inline constexpr size_t kMostWords = 8;
void appendCommand(Words words, net::ByteQueue& to);

}  // namespace convoy::redis
