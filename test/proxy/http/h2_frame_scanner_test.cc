#include "proxy/http/h2_frame_scanner.h"

#include <gtest/gtest.h>

#include <string>

#include "test/proxy/http/h2_frames.h"

namespace convoy::http {
namespace {

// The frames found in all of `bytes`, given in pieces of this size: "type:stream@offset+length ".
std::string scan(std::string_view bytes, size_t skip, size_t piece_size) {
  H2FrameScanner scanner(skip);
  std::string found;
  for (size_t begin = 0; begin < bytes.size(); begin += piece_size) {
    const std::string_view piece = bytes.substr(begin, piece_size);
    size_t at = 0;
    while (at < piece.size()) {
      const H2FrameScanner::Found frame = scanner.next(piece, &at);
      if (frame.stream < 0) break;
      EXPECT_LE(frame.header_at, at);
      found += std::to_string(frame.type) + ":" + std::to_string(frame.stream) + "@" +
               std::to_string(begin + at) + "+" + std::to_string(frame.length) + " ";
    }
    EXPECT_EQ(at, piece.size());
  }
  return found;
}

TEST(H2FrameScannerTest, FindsWhatNghttp2SkipsHoweverItArrives) {
  const std::string start = std::string(h2::kPreface) + h2::settings() + h2::post(1);
  const std::string bytes = start + h2::data(1, "hello") + h2::ping("12345678") + h2::data(3, "") +
                            h2::data(0x7fffffff, std::string(300, 'x')) +
                            h2::frame(9, 0, 1, "abc") + h2::windowUpdate(1, 1) +
                            h2::frame(0x10, 0, 0, "ab");
  const size_t first = start.size() + 9;
  const size_t second = first + 5 + 17 + 9;
  const size_t third = second + 9 + 300 + 9;
  const std::string expected = "0:1@" + std::to_string(first) + "+5 0:3@" + std::to_string(second) +
                               "+0 0:2147483647@" + std::to_string(second + 9) + "+300 9:1@" +
                               std::to_string(third) + "+3 16:0@" +
                               std::to_string(third + 3 + 13 + 9) + "+2 ";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_EQ(scan(bytes, h2::kPreface.size(), piece), expected) << piece;
  }
}

TEST(H2FrameScannerTest, KnowsAHeaderBlockThatIsHalfHere) {
  const std::string half = h2::frame(NGHTTP2_HEADERS, h2::kEndStream, 1, "abc");
  const std::string rest = h2::frame(NGHTTP2_CONTINUATION, h2::kEndHeaders, 1, "de");
  const std::string bytes = h2::ping("12345678") + half + rest + h2::data(3, "") +
                            h2::frame(NGHTTP2_HEADERS, h2::kEndHeaders, 5) + h2::get(7);
  std::string open;
  H2FrameScanner scanner(0);
  for (const char byte : bytes) {
    for (size_t at = 0; at < 1;) scanner.next({&byte, 1}, &at);
    open += scanner.inHeaderBlock() ? 'x' : '.';
  }
  // From the end of its first frame's header to the last byte of its last frame.
  const std::string block = std::string(8, '.') + "xxxx" + std::string(10, 'x') + ".";
  EXPECT_EQ(open, std::string(17, '.') + block + std::string(9, '.') + std::string(9, '.') +
                      std::string(8, '.') + std::string(h2::get(7).size() - 9, 'x') + ".");
}

TEST(H2FrameScannerTest, SaysWhereAHeaderBegan) {
  const std::string bytes = h2::ping("12345678") + h2::data(5, "x");
  H2FrameScanner scanner(0);
  size_t at = 0;
  H2FrameScanner::Found found = scanner.next(bytes, &at);
  EXPECT_EQ(found.stream, 5);
  EXPECT_EQ(found.header_at, 17U);
  EXPECT_EQ(at, 26U);
  // One that began in an earlier piece.
  H2FrameScanner other(0);
  at = 0;
  EXPECT_EQ(other.next(std::string_view(bytes).substr(17, 4), &at).stream, -1);
  at = 0;
  found = other.next(std::string_view(bytes).substr(21), &at);
  EXPECT_EQ(found.stream, 5);
  EXPECT_EQ(found.header_at, 0U);
}

}  // namespace
}  // namespace convoy::http
