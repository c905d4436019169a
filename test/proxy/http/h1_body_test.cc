#include "proxy/http/h1_body.h"

#include <string>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

using Event = H1BodyReader::Event;

const H1Limits kLimits;

TEST(H1BodyTest, AKnownLengthComesAsViews) {
  H1BodyReader reader(kLimits);
  H1TrailerParser scratch(kLimits);
  EXPECT_FALSE(reader.active());
  reader.startKnown(5);
  EXPECT_TRUE(reader.active());
  std::string_view input = "abc";
  const char* const begin = input.data();
  H1BodyReader::Step step = reader.next(input, scratch);
  EXPECT_EQ(step.event, Event::Data);
  EXPECT_EQ(step.data, "abc");
  EXPECT_EQ(step.data.data(), begin);
  EXPECT_FALSE(step.last);
  EXPECT_EQ(reader.next(input, scratch).event, Event::NeedMore);
  input = "defg";
  step = reader.next(input, scratch);
  EXPECT_EQ(step.data, "de");
  EXPECT_TRUE(step.last);
  EXPECT_EQ(input, "fg");
  reader.finish();
  EXPECT_FALSE(reader.active());
  EXPECT_EQ(reader.next(input, scratch).event, Event::End);
}

TEST(H1BodyTest, UntilCloseTakesEverything) {
  H1BodyReader reader(kLimits);
  H1TrailerParser scratch(kLimits);
  reader.startUntilClose();
  EXPECT_TRUE(reader.untilClose());
  std::string_view input = "abc";
  EXPECT_EQ(reader.next(input, scratch).data, "abc");
  EXPECT_TRUE(input.empty());
}

// Reads `bytes` in pieces of `size`. "data|data|" then what ended it.
std::string readChunked(std::string_view bytes, size_t size) {
  H1BodyReader reader(kLimits);
  reader.startChunked();
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += size) {
    std::string_view input = bytes.substr(i, size);
    while (!input.empty()) {
      H1TrailerParser scratch(kLimits);
      const H1BodyReader::Step step = reader.next(input, scratch);
      out.append(step.data);
      if (step.event == Event::End) return out + " end";
      if (step.event == Event::Error) return out + " " + std::string(info(reader.error()).detail);
      if (step.event == Event::Trailers) {
        return out + " trailers " + std::to_string(reader.trailers().size());
      }
    }
  }
  return out + " more";
}

// What extensions cost is paid for by the data of their chunks, and else from a purse of the body.
TEST(H1BodyTest, ExtensionsOfAWholeBody) {
  const std::string signature(64, 's');
  std::string signed_chunks, empty_talk;
  for (int i = 0; i < 1000; ++i) signed_chunks += "40;" + signature + "\r\n" + signature + "\r\n";
  EXPECT_TRUE(readChunked(signed_chunks + "0\r\n\r\n", 100).ends_with("s end"));
  for (int i = 0; i < 300; ++i) empty_talk += "1;" + signature + "\r\nx\r\n";
  EXPECT_TRUE(readChunked(empty_talk, 100).ends_with("x body_extension_size"));
  // Data that was paid for nothing is no credit.
  EXPECT_TRUE(readChunked("8000;a\r\n" + std::string(0x8000, 'x') + "\r\n" + empty_talk, 5000)
                  .ends_with("x body_extension_size"));
}

TEST(H1BodyTest, Chunks) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"0\r\n\r\n", " end"},
      {"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde end"},
      {"3;x=y\r\nabc\r\n00;z\r\n\r\n", "abc end"},
      {"1\r\nx\r\n0\r\nA: 1\r\nB: 2\r\n\r\n", "x trailers 2"},
      {"1\r\nx\r\n0\r\nCookie: 1\r\n\r\n", "x end"},
      {"7fffffffffffffff\r\nxyz", "xyz more"},
      {"1\r\nx\r\n0\r\nA: 1\r\n", "x more"},
      {"1\r\nxy", "x chunk_not_terminated"},
      {"8000000000000000\r\n", " chunk_size_overflow"},
      {"1\r\nx\r\n0\r\nA 1\r\n\r\n", "x missing_colon"},
      {"1\r\nx\r\n0\r\nContent-Length: 1\r\n\r\n", "x framing_in_trailers"},
  };
  for (const auto& [bytes, expected] : cases) {
    for (const size_t size : {bytes.size(), size_t{1}, size_t{2}, size_t{3}}) {
      EXPECT_EQ(readChunked(bytes, size), expected) << bytes << " by " << size;
    }
  }
}

}  // namespace
}  // namespace convoy::http
