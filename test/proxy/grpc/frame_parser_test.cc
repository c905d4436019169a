#include "proxy/grpc/frame_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::grpc {
namespace {

std::string framed(std::string_view message) {
  char prefix[kFramePrefixBytes];
  writeFramePrefix(static_cast<uint32_t>(message.size()), prefix);
  return std::string(prefix, sizeof(prefix)).append(message);
}

struct Parsed {
  std::vector<std::string> messages;
  absl::Status error;
  bool inside = false;
};

Parsed parseInPieces(std::string_view body, size_t piece, size_t limit) {
  FrameParser parser(limit);
  Parsed parsed;
  for (size_t at = 0; at < body.size(); at += piece) {
    // A copy, so that a sanitizer sees a view that outlives its bytes.
    const std::string owned(body.substr(at, piece));
    std::string_view bytes = owned;
    while (true) {
      const FrameParser::Result result = parser.parse(bytes);
      if (result == FrameParser::Result::Message) {
        parsed.messages.emplace_back(parser.message());
        continue;
      }
      if (result == FrameParser::Result::Error) {
        parsed.error = parser.error();
        return parsed;
      }
      EXPECT_TRUE(bytes.empty());
      break;
    }
  }
  parsed.inside = parser.insideMessage();
  return parsed;
}

TEST(FrameParserTest, BodiesAreCutIntoMessagesWhereverTheyAreSplit) {
  const std::string large(100'000, 'x');
  const struct {
    const char* what;
    std::string body;
    std::vector<std::string> messages;
    bool inside;
  } kCases[] = {
      {"nothing", "", {}, false},
      {"one", framed("hello"), {"hello"}, false},
      {"an empty message", framed(""), {""}, false},
      {"several", framed("a") + framed("") + framed("bc"), {"a", "", "bc"}, false},
      {"a large one between small ones",
       framed("a") + framed(large) + framed("b"),
       {"a", large, "b"},
       false},
      {"a prefix that stops", framed("a") + framed("bcd").substr(0, 3), {"a"}, true},
      {"a whole prefix and nothing more", framed("bcd").substr(0, 5), {}, true},
      {"a message that stops", framed("bcd").substr(0, 6), {}, true},
  };
  for (const auto& c : kCases) {
    for (const size_t piece : {1, 2, 3, 5, 7, 4096, 1'000'000}) {
      const Parsed parsed = parseInPieces(c.body, piece, 1'000'000);
      EXPECT_EQ(parsed.messages, c.messages) << c.what << " in pieces of " << piece;
      EXPECT_TRUE(parsed.error.ok()) << c.what;
      EXPECT_EQ(parsed.inside, c.inside) << c.what << " in pieces of " << piece;
    }
  }
}

TEST(FrameParserTest, WhatIsNoMessageIsRefused) {
  using std::string_literals::operator""s;
  const struct {
    const char* what;
    std::string body;
    std::vector<std::string> messages;
    absl::StatusCode code;
    const char* words;
  } kCases[] = {
      {"too large",
       framed("ok") + framed("123456789"),
       {"ok"},
       absl::StatusCode::kResourceExhausted,
       "9 bytes; at most 8"},
      {"far too large",
       "\0\xff\xff\xff\xff"s,
       {},
       absl::StatusCode::kResourceExhausted,
       "4294967295 bytes"},
      {"compressed", "\1\0\0\0\0"s, {}, absl::StatusCode::kInternal, "compressed"},
      {"an unknown flag",
       framed("a") + "\7\0\0\0\0"s,
       {"a"},
       absl::StatusCode::kInternal,
       "flag is 7"},
  };
  for (const auto& c : kCases) {
    for (const size_t piece : {1, 3, 1000}) {
      const Parsed parsed = parseInPieces(c.body, piece, 8);
      EXPECT_EQ(parsed.messages, c.messages) << c.what;
      EXPECT_EQ(parsed.error.code(), c.code) << c.what;
      EXPECT_NE(parsed.error.message().find(c.words), absl::string_view::npos)
          << parsed.error.message();
    }
  }
}

TEST(FrameParserTest, AnErrorIsFinal) {
  FrameParser parser(8);
  std::string_view bad("\2\0\0\0\0", 5);
  ASSERT_EQ(parser.parse(bad), FrameParser::Result::Error);
  const std::string good = framed("a");
  std::string_view bytes = good;
  EXPECT_EQ(parser.parse(bytes), FrameParser::Result::Error);
}

TEST(FrameParserTest, AWholeMessageIsShownInPlace) {
  FrameParser parser(100);
  const std::string body = framed("hello");
  std::string_view bytes = body;
  ASSERT_EQ(parser.parse(bytes), FrameParser::Result::Message);
  EXPECT_EQ(parser.message().data(), body.data() + kFramePrefixBytes);
}

}  // namespace
}  // namespace convoy::grpc
