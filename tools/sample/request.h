// Reads HTTP/1.1 requests from bytes in memory, as far as the sample backend needs them.
//
// Not a general parser: the proxy's codec (proxy/http) is the strict one. This one is lenient about
// header syntax, since all it must do is to find the target, the framing and the wish to keep the
// connection.
//
// Pure functions over bytes: no socket, no clock, no thread. RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace convoy::tools::sample {

// The parts of a request head that decide what is answered. The views point into the parsed bytes.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  bool keep_alive = true;
  bool http10 = false;
  bool expect_continue = false;
  bool chunked = false;
  uint64_t content_length = 0;
  size_t size = 0;  // bytes of the head, with the empty line

  bool hasBody() const { return chunked || content_length > 0; }
};

enum class ParseResult {
  Complete,  // `head` is filled in
  Partial,   // more bytes are needed
  Invalid,   // not a request; answer 400 and close
};

ParseResult parseHead(std::string_view bytes, RequestHead* head);

// Cuts one request body out of a stream of bytes, with a Content-Length or chunked (trailers are
// skipped).
class BodyReader {
 public:
  // Starts the body that `head` announces.
  void start(const RequestHead& head);

  // Takes what belongs to the body from the front of `bytes`; appends the content to `sink` unless
  // that is null. Returns how many bytes it took.
  size_t read(std::string_view bytes, std::string* sink);

  bool done() const { return state_ == State::Done; }
  bool invalid() const { return state_ == State::Invalid; }

 private:
  enum class State {
    Fixed,      // inside a body with a Content-Length
    ChunkSize,  // inside the line that holds a chunk's size
    ChunkData,  // inside a chunk's content
    ChunkEnd,   // inside the line break that ends a chunk
    Trailer,    // inside the lines after the last chunk
    Done,
    Invalid,
  };

  size_t readContent(std::string_view bytes, std::string* sink, State next);
  size_t readLine(std::string_view bytes);
  void endLine();

  State state_ = State::Done;
  uint64_t left_ = 0;  // bytes of content before the next change of state
  std::string line_;   // the part of the current line that has arrived
};

}  // namespace convoy::tools::sample
