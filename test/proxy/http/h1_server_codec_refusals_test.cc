// What the server codec refuses, and what it calls it. Every case is run whole, cut in two at every
// place and byte by byte: a refusal that depends on how the network cut the bytes is no refusal.

#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "test/proxy/http/h1_cases.h"
#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {
namespace {

std::string lastLine(const std::string& events) {
  const size_t end = events.size() - 1;
  const size_t before = events.rfind('\n', end - 1);
  return events.substr(before == std::string::npos ? 0 : before + 1);
}

TEST(H1ServerCodecRefusalsTest, RefusesHoweverItIsCut) {
  const std::vector<RefusedRequest>& all = refusedRequests();
  EXPECT_GE(all.size(), 80U);
  for (const RefusedRequest& c : all) {
    const std::string expected = errorEvent(c.error, c.in_body);
    std::string whole;
    forEachSplit(c.input, [&](std::string_view how, auto&& cut) {
      ServerRecorder server;
      cut([&server](std::string_view bytes) { server.feed(bytes); });
      server.feed("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
      const std::string events = server.events.take();
      if (whole.empty()) whole = events;
      ASSERT_FALSE(events.empty()) << c.what << ", " << how;
      EXPECT_EQ(lastLine(events), expected) << c.what << ", " << how;
      EXPECT_EQ(events, whole) << c.what << ", " << how;
      EXPECT_TRUE(server.codec.mustClose()) << c.what << ", " << how;
      EXPECT_EQ(server.held(), "") << c.what << ", " << how;
    });
  }
}

// Nothing of a refused head reaches the layer above.
TEST(H1ServerCodecRefusalsTest, NoStreamBeginsWithARefusedHead) {
  for (const RefusedRequest& c : refusedRequests()) {
    if (c.in_body) continue;
    ServerRecorder server;
    server.feed(c.input);
    EXPECT_EQ(server.events.take().find("error "), 0U) << c.what;
    EXPECT_EQ(server.sender, nullptr) << c.what;
  }
}

// --- limits ---

using enum H1Error;

std::string fields(std::string_view text) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(text) + "\r\n\r\n";
}
std::string chunked(std::string_view body) {
  return fields("Transfer-Encoding: chunked") + std::string(body);
}

struct Limited {
  std::string what;
  H1Limits limits;
  std::string fits;
  std::string too_much;
  H1Error error;
};

std::vector<Limited> limitCases() {
  const std::string head = fields("X: 12345");
  const std::string long_target = "GET /" + std::string(100, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  std::vector<Limited> cases = {
      {"bytes of a head", {.max_head_bytes = head.size()}, head, fields("X: 123456"), HeadTooLarge},
      {"bytes of a head, the limit behind the last field",
       {.max_head_bytes = head.size() - 2},
       fields("X: 123"),
       head,
       HeadTooLarge},
      {"a target", {.max_head_bytes = 60}, fields(""), long_target, HeadTooLarge},
      {"a line without an end",
       {.max_head_bytes = 60},
       fields(""),
       std::string(60, 'x'),
       HeadTooLarge},
      {"too long counts before malformed",
       {.max_head_bytes = 60},
       fields(""),
       "GET " + std::string(60, '\x01') + "\r\n\r\n",
       HeadTooLarge},
      {"fields", {.max_fields = 2}, fields("A: 1"), fields("A: 1\r\nB: 2"), TooManyFields},
      {"fields that do not reach the list",
       {.max_fields = 2},
       fields("Content-Length: 0"),
       fields("Content-Length: 0\r\nContent-Length: 0"),
       TooManyFields},
      {"a chunk extension",
       {.max_chunk_extension_bytes = 4},
       chunked("1;abcd\r\nx\r\n1;abcd\r\nx\r\n0;abcd\r\n\r\n"),
       chunked("1;abcde\r\n"),
       ChunkExtensionSize},
      {"the chunk extensions of a body",
       {.max_body_extension_bytes = 4},
       chunked("1;abc\r\nx\r\n4;abcd\r\nabcd\r\n1;ab\r\nx\r\n0;a\r\n\r\n"),
       chunked("1;abc\r\nx\r\n4;abcd\r\nabcd\r\n1;ab\r\nx\r\n0;ab\r\n\r\n"),
       BodyExtensionSize},
      {"bytes of trailers",
       {.max_trailer_bytes = 10},
       chunked("0\r\nX: 123\r\n\r\n"),
       chunked("0\r\nX: 1234\r\n\r\n"),
       TrailersTooLarge},
      {"trailers",
       {.max_trailer_fields = 1},
       chunked("0\r\nX: 1\r\n\r\n"),
       chunked("0\r\nX: 1\r\nY: 2\r\n\r\n"),
       TooManyTrailers},
  };
  cases[2].fits = cases[3].fits = cases[4].fits = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  return cases;
}

TEST(H1ServerCodecRefusalsTest, LimitsAreExactHoweverTheBytesAreCut) {
  for (const Limited& c : limitCases()) {
    const std::string expected =
        errorEvent(c.error, c.too_much.substr(0, chunked("").size()) == chunked(""));
    forEachSplit(c.fits, [&](std::string_view how, auto&& cut) {
      ServerRecorder server(c.limits);
      cut([&server](std::string_view bytes) { server.feed(bytes); });
      EXPECT_EQ(server.events.take().find("error"), std::string::npos) << c.what << ", " << how;
      EXPECT_NE(server.sender, nullptr) << c.what << ", " << how;
    });
    forEachSplit(c.too_much, [&](std::string_view how, auto&& cut) {
      ServerRecorder server(c.limits);
      cut([&server](std::string_view bytes) { server.feed(bytes); });
      EXPECT_EQ(lastLine(server.events.take()), expected) << c.what << ", " << how;
    });
  }
}

TEST(H1ServerCodecRefusalsTest, TheDefaultsTakeAHeadOf60KiB) {
  const std::string around = fields("X: ");
  const std::string largest = fields("X: " + std::string(60 * 1024 - around.size(), 'v'));
  ServerRecorder server;
  server.feed(largest);
  EXPECT_NE(server.sender, nullptr);
  ServerRecorder refusing;
  refusing.feed(largest.substr(0, largest.size() - 4) + "v\r\n\r\n");
  EXPECT_EQ(refusing.events.take(), "error head_too_large head_too_large\n");
}

// A head that trickles in must not be scanned again and again: a megabyte of one-byte reads takes
// as long as it takes to copy it.
TEST(H1ServerCodecRefusalsTest, ALargeHeadInSingleBytes) {
  H1Limits limits;
  limits.max_head_bytes = 1024 * 1024;
  limits.max_fields = 10'000;
  std::string input = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 4'000; ++i) input += "X-Name-" + std::to_string(i) + ": some value of it\r\n";
  input += "X: " + std::string(500'000, 'v') + "\r\n\r\n";
  ServerRecorder server(limits);
  for (size_t i = 0; i < input.size(); ++i) {
    ASSERT_EQ(server.codec.dispatch(std::string_view(input).substr(i, 1)), 1U);
  }
  const std::string events = server.events.take();
  EXPECT_NE(events.find("  X-Name-3999: some value of it\n"), std::string::npos);
  EXPECT_GT(events.size(), 500'000U);
}

}  // namespace
}  // namespace convoy::http
