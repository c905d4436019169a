#pragma once

// What the fuzz targets of both HTTP/2 roles share. The input is a byte n, n bytes of script, and
// the bytes of the wire. The script decides how the wire is cut into reads and what the layer above
// does meanwhile; it is read round and round, so that a short one drives a long wire.

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/h2_session.h"

namespace convoy::fuzz {

inline constexpr size_t kMaxInput = 4096;
// The connection's output: its mark, and what may lie above it for each byte that was read (answers
// to PING, SETTINGS and requests), and at most one frame of DATA.
inline constexpr size_t kOutputHigh = 2048;
inline constexpr size_t kOutputPerByte = 64;
inline constexpr size_t kOutputOnce = size_t{64} * 1024;
// One call of sendBody() at most.
inline constexpr size_t kMaxPiece = 1024;

// Small enough to be reached.
inline http::H2Options h2Options(bool extended_connect) {
  http::H2Options options;
  options.max_concurrent_streams = 4;
  options.stream_window = 256;
  options.connection_window = 65535;
  options.stream_send_buffer = 512;
  options.max_head_bytes = 400;
  options.max_fields = 8;
  options.max_cookie_bytes = 100;
  options.max_trailer_bytes = 80;
  options.max_trailer_fields = 3;
  options.max_informational = 2;
  options.allow_extended_connect = extended_connect;
  options.flood_budget = 100;
  options.flood_refill_per_second = 10;
  return options;
}

class Script {
 public:
  explicit Script(std::string_view bytes) : bytes_(bytes) {}
  uint8_t next() {
    if (bytes_.empty()) return 0;
    return static_cast<uint8_t>(bytes_[at_++ % bytes_.size()]);
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

struct Input {
  Script script{{}};
  std::string_view wire;
};

// False if there is nothing to do.
inline bool parseInput(const uint8_t* data, size_t size, Input* input) {
  if (size == 0 || size > kMaxInput) return false;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t count = static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
  input->script = Script(bytes.substr(0, count));
  input->wire = bytes.substr(std::min(count, bytes.size()));
  return true;
}

// What every receiver may rely on: a head, then body, then the end or a reset, and silence.
class MessageOrder {
 public:
  void head(bool end) {
    CONVOY_ASSERT(!over() && !head_);
    head_ = true;
    ended_ = end;
  }
  void informational() const { CONVOY_ASSERT(!over() && !head_); }
  void body(bool end) {
    CONVOY_ASSERT(!over() && head_);
    ended_ = end;
  }
  void trailers() { body(true); }
  void flow() const { CONVOY_ASSERT(!silent_); }
  void reset() {
    CONVOY_ASSERT(!silent_);
    silent_ = true;
  }
  void giveUp() { silent_ = true; }
  bool hasHead() const { return head_; }
  bool ended() const { return ended_; }
  bool over() const { return ended_ || silent_; }
  bool silent() const { return silent_; }

 private:
  bool head_ = false;
  bool ended_ = false;
  bool silent_ = false;
};

// Reads what a codec writes: whole frames; on every stream a head first, and nothing but
// WINDOW_UPDATE and RST_STREAM behind its end, and nothing behind RST_STREAM.
class WireCheck {
 public:
  void read(std::string_view bytes) {
    bytes_.append(bytes);
    if (bytes_.size() < kPreface.size() && kPreface.starts_with(bytes_)) return;
    if (bytes_.starts_with(kPreface)) bytes_.erase(0, kPreface.size());
    size_t at = 0;
    while (bytes_.size() - at >= kFrameHeader) {
      const size_t length = number(at, 3);
      CONVOY_ASSERT(length <= kMaxFrame);
      if (bytes_.size() - at < kFrameHeader + length) break;
      frame(static_cast<uint8_t>(bytes_[at + 3]), static_cast<uint8_t>(bytes_[at + 4]),
            number(at + 5, 4), length);
      at += kFrameHeader + length;
    }
    bytes_.erase(0, at);
  }
  bool wholeFrames() const { return bytes_.empty(); }

 private:
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  static constexpr size_t kFrameHeader = 9;
  static constexpr size_t kMaxFrame = 16384;  // nghttp2 writes no larger ones, whatever is allowed

  struct Seen {
    bool head = false;
    bool end = false;
    bool reset = false;
  };

  size_t number(size_t at, size_t count) const {
    size_t value = 0;
    for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes_[at + i]);
    return value;
  }

  void frame(uint8_t type, uint8_t flags, size_t id, size_t length) {
    Seen& seen = streams_[id];
    CONVOY_ASSERT(!seen.reset);
    const bool end = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA:
        CONVOY_ASSERT(id != 0 && !seen.end && (seen.head || type == NGHTTP2_HEADERS));
        CONVOY_ASSERT(type == NGHTTP2_HEADERS || length > 0 || end);
        seen.head = true;
        seen.end = end;
        break;
      case NGHTTP2_RST_STREAM:
        CONVOY_ASSERT(id != 0 && length == 4);
        seen.reset = true;
        break;
      case NGHTTP2_SETTINGS:
      case NGHTTP2_PING:
      case NGHTTP2_GOAWAY:
        CONVOY_ASSERT(id == 0);
        break;
      default:
        CONVOY_ASSERT(type == NGHTTP2_WINDOW_UPDATE || type == NGHTTP2_CONTINUATION);
    }
  }

  std::string bytes_;
  std::map<size_t, Seen> streams_;
};

// What one connection holds for its peer.
inline void checkHeld(http::H2Session& session, const http::H2Options& options) {
  size_t withheld = 0;
  session.streams().forEach([&](http::H2Stream& stream) {
    CONVOY_ASSERT(stream.direct.empty());
    CONVOY_ASSERT(stream.pending.size() <= options.stream_send_buffer + kMaxPiece);
    withheld += stream.unconsumed;
  });
  CONVOY_ASSERT(withheld <= options.connection_window);
}

}  // namespace convoy::fuzz
