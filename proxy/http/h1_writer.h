#pragma once

// Writes HTTP/1.1 messages straight into a connection's output queue: heads, chunks, trailers. The
// order and case of fields are kept; fields that lie in memory as on the wire are copied as one
// block. Framing and connection options come from the arguments only: fields of these names among
// the headers are skipped. Nothing that is written holds a CR, LF or NUL but the line ends: a field
// that does is left out and counted. Stateless but for H1BodyWriter, which a codec owns.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/http/failure.h"
#include "proxy/http/message.h"
#include "proxy/net/byte_queue.h"

namespace convoy::http {

// What a head says about the body behind it.
struct H1Framing {
  enum class Kind : uint8_t { Unsaid, ContentLength, Chunked };
  Kind kind = Kind::Unsaid;
  uint64_t length = 0;
};

// What a head says about the connection.
enum class H1Connection : uint8_t { Unsaid, Close, KeepAlive, Upgrade };

// All return how many fields were left out because they would have broken the framing.
size_t writeRequestHead(net::ByteQueue& out, const RequestHead& head, H1Framing framing);
size_t writeResponseHead(net::ByteQueue& out, const ResponseHead& head, H1Framing framing,
                         H1Connection connection);

// Frames the body of one message.
class H1BodyWriter {
 public:
  // A piece of this size is better sent at once than copied and sent later.
  static constexpr size_t kLargePiece = 16 * 1024;

  enum class Mode : uint8_t {
    Nothing,     // the message has no body: bytes are dropped (a response to HEAD)
    Known,       // exactly the announced number of bytes
    Chunked,     // chunks, then trailers
    UntilClose,  // as they are; the connection's end is the body's
  };

  void start(Mode mode, uint64_t length = 0) {
    mode_ = mode;
    left_ = length;
  }
  Mode mode() const { return mode_; }
  // A piece of this size would go out as it is.
  bool unframed(size_t bytes) const {
    return (mode_ == Mode::Known && bytes <= left_) || mode_ == Mode::UntilClose;
  }
  // What is left of a body whose length was announced; 0: of no such body.
  uint64_t left() const { return mode_ == Mode::Known ? left_ : 0; }
  // Body bytes went out another way. REQUIRES: bytes <= left(), or unframed(bytes).
  void skip(uint64_t bytes) {
    if (mode_ == Mode::Known) left_ -= bytes;
  }

  // False if the bytes do not add up to the announced length: what is too much is dropped, and a
  // peer that got too few can tell only if the connection is closed now.
  [[nodiscard]] bool write(net::ByteQueue& out, std::string_view bytes, bool end);
  // Ends the body; trailers are dropped where the framing has no place for them.
  [[nodiscard]] bool writeTrailers(net::ByteQueue& out, const HeaderList& trailers,
                                   size_t* left_out);

 private:
  static void writeChunk(net::ByteQueue& out, std::string_view bytes, bool end);

  Mode mode_ = Mode::Nothing;
  uint64_t left_ = 0;
};

}  // namespace convoy::http
