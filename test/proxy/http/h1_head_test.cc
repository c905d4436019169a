// The parsers by themselves: where they stop, what they leave to be kept, and views that follow
// their bytes. What they accept and refuse is in the codecs' tables.

#include "proxy/http/h1_head.h"

#include <string>

#include "gtest/gtest.h"
#include "proxy/http/h1_scan.h"
#include "proxy/http/h1_section.h"

namespace convoy::http {
namespace {

const H1Limits kLimits;

TEST(H1HeadTest, StopsAtTheFirstIncompleteLine) {
  const std::string bytes = "GET /a HTTP/1.1\r\nHost: b\r\nX-Half: 1\r";
  H1RequestParser parser(kLimits, "http", false);
  const char* at = bytes.data();
  EXPECT_EQ(parser.parse(at, bytes.data() + bytes.size()), H1Progress::Incomplete);
  EXPECT_EQ(at - bytes.data(), 26);
  EXPECT_EQ(parser.budget(), kLimits.max_head_bytes - 26);
  EXPECT_FALSE(parser.onlyEmptyLine());
}

TEST(H1HeadTest, StopsBehindTheHead) {
  const std::string bytes = "GET /a HTTP/1.1\r\nHost: b\r\n\r\nbody";
  H1RequestParser parser(kLimits, "https", false);
  const char* at = bytes.data();
  EXPECT_EQ(parser.parse(at, bytes.data() + bytes.size()), H1Progress::Complete);
  EXPECT_EQ(std::string_view(at), "body");
  EXPECT_EQ(parser.head.target.data(), bytes.data() + 4) << "a view, not a copy";
  EXPECT_EQ(parser.head.scheme, "https");
}

TEST(H1HeadTest, ViewsFollowTheirBytes) {
  std::string bytes =
      "GET /a HTTP/1.1\r\nHost: b\r\nUpgrade: u\r\nConnection: upgrade\r\nX-A: 1\r\n";
  H1RequestParser parser(kLimits, "http", false);
  const char* at = bytes.data();
  ASSERT_EQ(parser.parse(at, bytes.data() + bytes.size()), H1Progress::Incomplete);
  const std::string moved = bytes + "\r\n";
  parser.rebase(bytes, moved.data());
  const std::string_view original = bytes;
  at = moved.data() + original.size();
  bytes.assign(bytes.size(), '#');
  ASSERT_EQ(parser.parse(at, moved.data() + moved.size()), H1Progress::Complete);
  EXPECT_EQ(parser.head.method, "GET");
  EXPECT_EQ(parser.head.target, "/a");
  EXPECT_EQ(parser.head.authority, "b");
  EXPECT_EQ(parser.head.upgrade, "u");
  EXPECT_EQ(parser.head.headers.find("x-a")->name, "X-A");
  EXPECT_EQ(parser.head.headers.find("x-a")->value, "1");
}

TEST(H1HeadTest, ARequestHeadCanBeCopiedWhereverItsViewsPoint) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"GET /a?b", "/a?b"},      {"OPTIONS *", "*"},        {"CONNECT h:1", "h:1"},
      {"GET http://h", "/"},     {"OPTIONS http://h", "*"}, {"GET http://h?q", "/?q"},
      {"GET https://h/p", "/p"},
  };
  for (const auto& [start, target] : cases) {
    std::string bytes =
        std::string(start) + " HTTP/1.1\r\nHost: h\r\nUpgrade: u\r\nConnection: upgrade\r\n\r\n";
    H1RequestParser parser(kLimits, "http", false);
    const char* at = bytes.data();
    ASSERT_EQ(parser.parse(at, bytes.data() + bytes.size()), H1Progress::Complete) << start;
    base::Arena arena;
    RequestHead head = parser.head;
    head.copyInto(arena);
    bytes.assign(bytes.size(), '#');
    EXPECT_EQ(head.method, start.substr(0, start.find(' ')));
    EXPECT_EQ(head.target, target) << start;
    EXPECT_EQ(head.authority.substr(0, 1), "h") << start;
    EXPECT_EQ(head.upgrade, "u");
    EXPECT_EQ(head.headers.find("upgrade")->value, "u");
  }
}

TEST(H1HeadTest, AResponseTellsWhatItsFramingIs) {
  struct Case {
    std::string_view bytes;
    bool chunked;
    bool has_length;
    bool closes;
    BodyLength::Kind kind;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", false, false, false, BodyLength::Kind::Unknown},
      {"HTTP/1.0 200 OK\r\n\r\n", false, false, true, BodyLength::Kind::Unknown},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", false, false, false,
       BodyLength::Kind::Unknown},
      {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n", false, true, true,
       BodyLength::Kind::Known},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, false, false,
       BodyLength::Kind::Unknown},
  };
  for (const Case& c : cases) {
    H1ResponseParser parser(kLimits);
    const char* at = c.bytes.data();
    ASSERT_EQ(parser.parse(at, at + c.bytes.size()), H1Progress::Complete) << c.bytes;
    EXPECT_EQ(parser.chunked(), c.chunked) << c.bytes;
    EXPECT_EQ(parser.hasContentLength(), c.has_length) << c.bytes;
    EXPECT_EQ(parser.closes(), c.closes) << c.bytes;
    EXPECT_EQ(parser.head.body.kind, c.kind) << c.bytes;
  }
}

TEST(H1SectionTest, KeepsNothingOfAHeadThatComesWhole) {
  H1SectionReader<H1RequestParser> reader;
  H1RequestParser fresh(kLimits, "http", false);
  H1RequestParser* done = nullptr;
  std::string_view input = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
  EXPECT_EQ(reader.read(fresh, input, &done), H1Progress::Complete);
  EXPECT_EQ(done, &fresh);
  EXPECT_EQ(input, "rest");
  EXPECT_FALSE(reader.partial());
}

TEST(H1SectionTest, KeepsAHeadThatComesInPiecesButNothingBehindIt) {
  H1SectionReader<H1RequestParser> reader;
  H1RequestParser* done = nullptr;
  std::string_view input = "GET / HT";
  H1RequestParser first(kLimits, "http", false);
  EXPECT_EQ(reader.read(first, input, &done), H1Progress::Incomplete);
  EXPECT_TRUE(input.empty());
  EXPECT_TRUE(reader.partial());
  input = "TP/1.1\r\nHost: a\r\n\r\nrest";
  H1RequestParser second(kLimits, "http", false);
  EXPECT_EQ(reader.read(second, input, &done), H1Progress::Complete);
  EXPECT_NE(done, &second);
  EXPECT_EQ(done->head.authority, "a");
  EXPECT_EQ(input, "rest");
  reader.clear();
  EXPECT_FALSE(reader.partial());
}

TEST(H1SectionTest, KeepsNothingOfAnEmptyLine) {
  H1SectionReader<H1RequestParser> reader;
  H1RequestParser fresh(kLimits, "http", false);
  H1RequestParser* done = nullptr;
  std::string_view input = "\r\n";
  EXPECT_EQ(reader.read(fresh, input, &done), H1Progress::Incomplete);
  EXPECT_FALSE(reader.partial());
  EXPECT_TRUE(fresh.onlyEmptyLine());
}

// The fast scans and the table say the same of every byte at every distance from the end.
TEST(H1ScanTest, BlocksAndBytesAgree) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    for (size_t length = 1; length <= 40; ++length) {
      std::string text(length, 'a');
      const size_t at = length * 5 / 7;
      text[at] = c;
      const char* const begin = text.data();
      const char* const end = begin + length;
      auto expected = [&](bool stops) { return stops ? begin + at : end; };
      EXPECT_EQ(h1::valueEnd(begin, end), expected(!h1::is(h1::ValueChar, c))) << byte;
      EXPECT_EQ(h1::targetEnd(begin, end), expected(!h1::is(h1::TargetChar, c))) << byte;
      EXPECT_EQ(h1::nameStop(begin, end), expected(h1::is(h1::NameStop, c))) << byte;
      EXPECT_EQ(h1::countBreaks(begin, end), byte == 0 || byte == '\r' || byte == '\n' ? 1U : 0U);
      EXPECT_EQ(h1::isToken(text), h1::is(h1::TokenChar, c)) << byte;
      if (h1::onlyWordChars(text)) {
        EXPECT_TRUE(h1::is(h1::TokenChar, c) && h1::is(h1::HostChar, c)) << byte;
      }
    }
  }
}

TEST(H1ScanTest, CountsMoreBreaksThanALaneHolds) {
  const std::string breaks(10'000, '\n');
  const char* const begin = breaks.data();
  EXPECT_EQ(h1::countUpToCr(begin, begin), 0U);
  EXPECT_EQ(h1::countUpToCr(begin, begin + 16), 16U);
  EXPECT_EQ(h1::countUpToCr(begin, begin + 10'000), 10'000U);
  EXPECT_EQ(h1::countBreaks(begin, begin + 10'000), 10'000U);
}

TEST(H1ScanTest, ATokenIsNotEmpty) {
  EXPECT_FALSE(h1::isToken(""));
  EXPECT_TRUE(h1::isToken("a"));
}

}  // namespace
}  // namespace convoy::http
