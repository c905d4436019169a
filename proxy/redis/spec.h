#pragma once

// Which Redis to talk to, and how. Plain data, immutable.

#include <chrono>
#include <cstdint>
#include <string>

namespace convoy::redis {

struct ClientSpec {
  std::string cluster = {};  // whose hosts are the servers
  // From a command to its answer.
  std::chrono::milliseconds timeout{20};
  std::string username = {};  // empty: Redis's "default"
  std::string password = {};  // empty: no AUTH. A secret: goes nowhere but to the server
  uint32_t database = 0;      // SELECT, unless it is 0

  friend bool operator==(const ClientSpec&, const ClientSpec&) = default;
};

}  // namespace convoy::redis
