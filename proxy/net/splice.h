#pragma once

// What came of the wish to move body bytes from one connection's socket to another's without
// showing them to anybody (docs/design/data-path.md, "Bodies that nobody looks at").

#include <cstdint>

namespace convoy::net {

class Connection;

struct [[nodiscard]] SpliceResult {
  enum class Kind : uint8_t {
    Copy,    // not between these two, or not now: read the bytes and write them
    NoPipe,  // likewise, for want of a pipe
    Moved,   // `bytes` of them, more than 0, are behind what the other connection has to send
    Later,   // there is nothing to read
    End,     // the peer sent FIN
    Failed,  // the socket that was to be read has `error`, an errno
  };
  Kind kind = Kind::Copy;
  int error = 0;
  uint64_t bytes = 0;
};

}  // namespace convoy::net
