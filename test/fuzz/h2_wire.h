#pragma once

// Reads what an HTTP/2 codec writes, and asserts that its peer can read it, too.

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/http/h1_scan.h"
#include "proxy/http/h2_session.h"
#include "test/fuzz/script.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::fuzz {

// Whole frames; on every stream a head first, and nothing but WINDOW_UPDATE and RST_STREAM behind
// its end, and nothing behind RST_STREAM; header blocks that are those of a message, without a line
// break in them; bodies that are bodyBytes() without a gap.
class WireCheck {
 public:
  explicit WireCheck(http::H2Session::Role role) : role_(role) {}

  void read(std::string_view bytes) {
    bytes_.append(bytes);
    if (bytes_.size() < http::h2::kPreface.size() && http::h2::kPreface.starts_with(bytes_)) return;
    if (bytes_.starts_with(http::h2::kPreface)) bytes_.erase(0, http::h2::kPreface.size());
    size_t at = 0;
    while (bytes_.size() - at >= kFrameHeader) {
      const size_t length = number(at, 3);
      CONVOY_ASSERT(length <= kMaxFrame);
      if (bytes_.size() - at < kFrameHeader + length) break;
      frame(static_cast<uint8_t>(bytes_[at + 3]), static_cast<uint8_t>(bytes_[at + 4]),
            number(at + 5, 4), std::string_view(bytes_).substr(at + kFrameHeader, length));
      at += kFrameHeader + length;
    }
    bytes_.erase(0, at);
  }
  bool wholeFrames() const { return bytes_.empty(); }
  // The last stream that will be served, by the latest GOAWAY.
  int64_t lastServed() const { return last_served_; }
  // Of the stream's body, so far.
  uint64_t bodyBytesOf(int32_t id) const {
    const auto found = streams_.find(static_cast<size_t>(id));
    return found == streams_.end() ? 0 : found->second.body;
  }

 private:
  static constexpr size_t kFrameHeader = 9;
  static constexpr size_t kMaxFrame = 16384;  // nghttp2 writes no larger ones, whatever is allowed

  struct Seen {
    bool head = false;
    bool end = false;
    bool reset = false;
    uint64_t body = 0;
  };

  size_t number(size_t at, size_t count) const {
    size_t value = 0;
    for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes_[at + i]);
    return value;
  }

  void frame(uint8_t type, uint8_t flags, size_t id, std::string_view payload) {
    Seen& seen = streams_[id];
    CONVOY_ASSERT(!seen.reset);
    CONVOY_ASSERT(block_.empty() || type == NGHTTP2_CONTINUATION);
    const bool end = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (type) {
      case NGHTTP2_HEADERS:
        CONVOY_ASSERT(id != 0 && !seen.end);
        CONVOY_ASSERT((flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY)) == 0);
        seen.end = end;
        return block(seen, flags, payload);
      case NGHTTP2_CONTINUATION:
        CONVOY_ASSERT(!block_.empty());
        return block(seen, flags, payload);
      case NGHTTP2_DATA:
        CONVOY_ASSERT(id != 0 && !seen.end && seen.head && (!payload.empty() || end));
        CONVOY_ASSERT(payload == bodyBytes(seen.body, payload.size()));
        seen.body += payload.size();
        seen.end = end;
        return;
      case NGHTTP2_RST_STREAM:
        CONVOY_ASSERT(id != 0 && payload.size() == 4);
        seen.reset = true;
        return;
      case NGHTTP2_GOAWAY:
        CONVOY_ASSERT(id == 0 && payload.size() >= 8);
        return noteGoAway(payload);
      case NGHTTP2_SETTINGS:
      case NGHTTP2_PING:
        CONVOY_ASSERT(id == 0);
        return;
      default:
        CONVOY_ASSERT(type == NGHTTP2_WINDOW_UPDATE);
    }
  }

  void noteGoAway(std::string_view payload) {
    int64_t last = 0;
    for (const char c : payload.substr(0, 4)) last = last << 8 | static_cast<uint8_t>(c);
    CONVOY_ASSERT(last <= last_served_);  // 6.8: it does not grow
    last_served_ = last;
  }
  void block(Seen& seen, uint8_t flags, std::string_view part) {
    block_.append(part);
    if ((flags & NGHTTP2_FLAG_END_HEADERS) == 0) return;
    section(seen, blocks_.read(block_));
    block_.clear();
  }
  void section(Seen& seen, const http::h2::HeaderBlocks::Decoded& fields) {
    std::string pseudo;
    bool regular = false;
    for (const auto& [name, value] : fields) {
      CONVOY_ASSERT(http::h1::all(http::h1::ValueChar, value));
      if (name.starts_with(':')) {
        CONVOY_ASSERT(!regular);  // 8.3: they come first
        pseudo += name;
        continue;
      }
      regular = true;
      CONVOY_ASSERT(http::h1::isToken(name));
      CONVOY_ASSERT(
          std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
      CONVOY_ASSERT(name != "connection" && name != "transfer-encoding" && name != "upgrade");
    }
    if (seen.head) {  // trailers
      CONVOY_ASSERT(pseudo.empty() && seen.end);
    } else if (role_ == http::H2Session::Role::Server) {
      CONVOY_ASSERT(pseudo == ":status" && fields[0].second.size() == 3);
      seen.head = fields[0].second[0] != '1';
      CONVOY_ASSERT(seen.head || !seen.end);
    } else {
      CONVOY_ASSERT(pseudo == ":method:authority" || pseudo == ":method:scheme:path:authority" ||
                    pseudo == ":method:scheme:path:authority:protocol");
      seen.head = true;
    }
  }

  const http::H2Session::Role role_;
  std::string bytes_;
  std::string block_;  // without its end
  http::h2::HeaderBlocks blocks_;
  std::map<size_t, Seen> streams_;
  int64_t last_served_ = INT32_MAX;
};

}  // namespace convoy::fuzz
