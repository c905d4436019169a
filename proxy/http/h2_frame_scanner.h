#pragma once

// Finds, in what a peer sends, the frames that nghttp2 may skip without a word (RFC 9113 4.1):
// DATA and CONTINUATION, of streams that it has forgotten or does not take, and all types behind
// CONTINUATION, which it does not know or is not asked to. Tells as well when a header block of
// such a stream ends. Looks at the nine bytes of each frame's header only.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace convoy::http {

class H2FrameScanner {
 public:
  static constexpr uint8_t kData = 0;
  static constexpr uint8_t kContinuation = 9;

  struct Found {
    size_t header_at = 0;  // where it begins in these bytes; 0 if it began before them
    int32_t stream = -1;   // -1: none found
    uint8_t type = 0;
    size_t length = 0;  // of the payload
  };

  // `skip` bytes come before the first frame.
  explicit H2FrameScanner(size_t skip) : left_(skip) {}

  // A header block is half here: whosever it is, it has the connection to itself until its end.
  bool inHeaderBlock() const { return in_block_ && (!last_of_block_ || left_ > 0); }

  // Goes on at bytes[*at] until the next header of such a frame is complete, or to the end.
  Found next(std::string_view bytes, size_t* at) {
    while (*at < bytes.size()) {
      if (left_ > 0) {
        const size_t skipped = std::min(left_, bytes.size() - *at);
        left_ -= skipped;
        *at += skipped;
        continue;
      }
      const size_t taken = std::min(sizeof(header_) - have_, bytes.size() - *at);
      std::memcpy(header_ + have_, bytes.data() + *at, taken);
      have_ += taken;
      *at += taken;
      if (have_ < sizeof(header_)) break;
      have_ = 0;
      left_ = size_t{header_[0]} << 16 | size_t{header_[1]} << 8 | header_[2];
      in_block_ = header_[3] == kHeaders || header_[3] == kContinuation;
      last_of_block_ = (header_[4] & kEndHeaders) != 0;
      if (header_[3] != kData && header_[3] < kContinuation) continue;
      const uint32_t id = uint32_t{header_[5]} << 24 | uint32_t{header_[6]} << 16 |
                          uint32_t{header_[7]} << 8 | header_[8];
      return {.header_at = *at - std::min(*at, sizeof(header_)),
              .stream = static_cast<int32_t>(id & INT32_MAX),
              .type = header_[3],
              .length = left_};
    }
    return {};
  }

 private:
  static constexpr uint8_t kHeaders = 1;
  static constexpr uint8_t kEndHeaders = 4;  // a flag

  size_t left_;  // of the frame that is passing
  size_t have_ = 0;
  uint8_t header_[9] = {};
  bool in_block_ = false;  // the frame that is passing, or has just passed, is of a header block
  bool last_of_block_ = false;
};

}  // namespace convoy::http
