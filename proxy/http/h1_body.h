#pragma once

// Reads the body of an HTTP/1.x message (RFC 9112 6 and 7): a known number of bytes, chunks with
// trailers, or everything until the connection ends. Data comes out as views into the input,
// without a copy. Chunk extensions are bounded and dropped. Owned by a codec.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/http/h1_error.h"
#include "proxy/http/h1_head.h"
#include "proxy/http/h1_limits.h"
#include "proxy/http/h1_section.h"
#include "proxy/http/header_list.h"

namespace convoy::http {

class H1BodyReader {
 public:
  // A body of which this much is still to come may be worth a way of its own (codec.h, spliceBody):
  // one more system call each time than a copy of as much.
  static constexpr uint64_t kMuch = 64 * 1024;

  enum class Event : uint8_t {
    NeedMore,  // the input is used up
    Data,      // `data`, not empty, and `last` says whether the body ends with it
    End,       // the body ended, without trailers
    Trailers,  // the body ended with trailers(); they are valid until finish()
    Error,     // error()
  };
  struct Step {
    Event event;
    std::string_view data;
    bool last = false;
  };

  explicit H1BodyReader(const H1Limits& limits) : limits_(limits) {}

  // Before the first byte of a body. length > 0.
  void startKnown(uint64_t length);
  void startChunked();
  void startUntilClose();

  // Takes bytes from the front of `input`. `scratch` is a new trailer parser; trailers may live in
  // it.
  Step next(std::string_view& input, H1TrailerParser& scratch);
  HeaderList& trailers() { return trailers_done_->trailers; }
  H1Error error() const { return error_; }
  // A body is being read.
  bool active() const { return state_ != State::Idle; }
  bool untilClose() const { return state_ == State::UntilClose; }
  // How many bytes are to come of a body whose length is known; 0: of no such body.
  uint64_t left() const { return state_ == State::Known ? left_ : 0; }
  // Some of those went another way. REQUIRES: bytes <= left().
  void skip(uint64_t bytes) { left_ -= bytes; }
  // Drops everything that is held. Ready for the next body.
  void finish();

 private:
  enum class State : uint8_t {
    Idle,         // no body
    Known,        // left_ bytes to come
    UntilClose,   // no end but the connection's
    ChunkSize,    // in the hexadecimal digits, digits_ of them so far
    Extension,    // behind ';', extension_bytes_ so far
    SizeLf,       // behind the CR of the size line
    ChunkData,    // left_ bytes of the chunk to come
    ChunkDataCr,  // behind the data of a chunk
    ChunkDataLf,  // and behind its CR
    Trailers,     // behind the line of the last chunk
  };

  void startChunk();
  Step data(std::string_view& input);
  Step readTrailers(std::string_view& input, H1TrailerParser& scratch);
  Step fail(H1Error error);
  // Take bytes of a size line; false on error.
  bool readSize(std::string_view& input);
  bool readExtension(std::string_view& input);
  bool chargeExtension();

  const H1Limits& limits_;
  H1SectionReader<H1TrailerParser> trailer_reader_;
  H1TrailerParser* trailers_done_ = nullptr;
  uint64_t left_ = 0;
  uint32_t extension_bytes_ = 0;
  uint64_t unpaid_extensions_ = 0;  // bytes of extensions that no data has come for
  uint8_t digits_ = 0;
  State state_ = State::Idle;
  H1Error error_ = H1Error::None;
};

}  // namespace convoy::http
