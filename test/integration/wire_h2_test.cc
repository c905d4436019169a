#include "test/integration/wire_h2.h"

#include <gtest/gtest.h>

#include "test/proxy/http/h2_frames.h"

namespace convoy::test {
namespace {

namespace h2 = http::h2;

std::string errorOf(std::string_view frames) {
  WireH2Reader reader;
  reader.feed(h2::clientStart());
  reader.feed(frames);
  return reader.error();
}

TEST(WireH2ReaderTest, ReadsRequestsThatRunSideBySide) {
  WireH2Reader reader;
  const std::string bytes = h2::clientStart() + h2::post(1, {{"content-length", "2"}}) +
                            h2::get(3) + h2::data(1, "h") + h2::data(1, "i", h2::kEndStream) +
                            h2::post(5) + h2::headers(5, {{"t", "1"}}, h2::kEndStream) +
                            h2::post(7) + h2::post(9) + h2::rstStream(9, NGHTTP2_CANCEL);
  for (const char c : bytes) reader.feed({&c, 1});
  EXPECT_EQ(reader.error(), "");
  ASSERT_EQ(reader.messages().size(), 3u);
  EXPECT_EQ(reader.messages()[0].start, "GET / HTTP/2");
  EXPECT_EQ(reader.messages()[0].field("host"), "a.test");
  EXPECT_EQ(reader.messages()[1].body, "hi");
  EXPECT_EQ(reader.messages()[2].trailers.size(), 1u);
  EXPECT_EQ(reader.streamOf(1), 1u);
  EXPECT_TRUE(reader.inside());
  EXPECT_EQ(reader.takeResets(), 1);
}

TEST(WireH2ReaderTest, ForgivesNothing) {
  const std::string wrong[] = {
      h2::get(2),
      h2::get(1, {{"X", "1"}}),
      h2::get(1, {{"x y", "1"}}),
      h2::get(1, {{"x", "1\r\n"}}),
      h2::get(1, {{"x", "1 "}}),
      h2::get(1, {{"host", "a.test"}}),
      h2::get(1, {{"connection", "close"}}),
      h2::get(1, {{"te", "gzip"}}),
      h2::get(1, {{":path", "/"}}),
      h2::headers(1, h2::requestFields("GET", "x"), h2::kEndStream),
      h2::headers(1, h2::requestFields("GET", "/ x"), h2::kEndStream),
      h2::headers(1, h2::requestFields("G T"), h2::kEndStream),
      h2::headers(1, h2::requestFields("CONNECT"), 0),
      h2::get(1, {{"content-length", "1"}}),
      h2::post(1, {{"content-length", "2"}}) + h2::data(1, "x", h2::kEndStream),
      h2::post(1, {{"content-length", "1"}, {"content-length", "1"}}) +
          h2::data(1, "x", h2::kEndStream),
      h2::post(1) + h2::headers(1, {{"t", "1"}}, 0),
      h2::post(1) + h2::headers(1, {{":path", "/"}}, h2::kEndStream),
      h2::get(1) + h2::data(1, "x"),
      h2::get(1) + h2::get(1),
      h2::frame(NGHTTP2_HEADERS, 0, 1, "x") + h2::data(1, "x"),
  };
  for (const std::string& frames : wrong) EXPECT_NE(errorOf(frames), "") << frames;
  EXPECT_EQ(errorOf(h2::get(1, {{"te", "trailers"}})), "");
  WireH2Reader http1;
  http1.feed("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  EXPECT_NE(http1.error(), "");
}

}  // namespace
}  // namespace convoy::test
