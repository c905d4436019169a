#pragma once

// What a pair of connections may run on, so that one table of cases covers memory and sockets.

#include <memory>
#include <ostream>
#include <string_view>
#include <utility>

#include "proxy/net/connection.h"

namespace convoy::test {

enum class Medium {
  Memory,
  MemoryByteByByte,  // every read shows one byte
  Tcp,
  Unix,
};

inline constexpr Medium kAllMedia[] = {Medium::Memory, Medium::MemoryByteByByte, Medium::Tcp,
                                       Medium::Unix};

std::string_view name(Medium medium);
inline std::ostream& operator<<(std::ostream& out, Medium medium) {
  return out << name(medium);
}

using ConnectionPair =
    std::pair<std::unique_ptr<net::Connection>, std::unique_ptr<net::Connection>>;

// The first is the connecting side: its handler gets onConnected() once the loop runs.
ConnectionPair connectedPair(Medium medium, event::Loop& loop, net::ConnectionHandler& first,
                             net::ConnectionHandler& second);

}  // namespace convoy::test
