#include "tools/sample/request.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace convoy::tools::sample {
namespace {

struct HeadCase {
  std::string_view name;
  std::string_view bytes;
  std::string_view target;
  ParseResult result = ParseResult::Complete;
  bool keep_alive = true;
  bool chunked = false;
  uint64_t content_length = 0;
};

constexpr HeadCase kHeads[] = {
    {"plain", "GET / HTTP/1.1\r\n\r\n", "/"},
    {"after an empty line", "\r\nGET /a HTTP/1.1\r\n\r\n", "/a"},
    {"close", "GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", "/", ParseResult::Complete, false},
    {"close in a list", "GET / HTTP/1.1\r\nconnection: te, close\r\n\r\n", "/",
     ParseResult::Complete, false},
    {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "/", ParseResult::Complete, false},
    {"HTTP/1.0 that stays", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/"},
    {"length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n", "/",
     ParseResult::Complete, true, false, 12},
    {"chunked", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "/",
     ParseResult::Complete, true, true},
    {"cut", "GET / HTTP/1.1\r\nHost: a\r\n", "", ParseResult::Partial},
    {"nothing", "", "", ParseResult::Partial},
    {"bad length", "GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", "", ParseResult::Invalid},
    {"other coding", "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "", ParseResult::Invalid},
    {"HTTP/2", "PRI * HTTP/2.0\r\n\r\n", "", ParseResult::Invalid},
    {"no target", "GET HTTP/1.1\r\n\r\n", "", ParseResult::Invalid},
    {"garbage", "\x16\x03\x01\r\n\r\n", "", ParseResult::Invalid},
};

TEST(ParseHead, Table) {
  for (const HeadCase& item : kHeads) {
    SCOPED_TRACE(item.name);
    RequestHead head;
    ASSERT_EQ(parseHead(item.bytes, &head), item.result);
    if (item.result != ParseResult::Complete) continue;
    EXPECT_EQ(head.target, item.target);
    EXPECT_EQ(head.keep_alive, item.keep_alive);
    EXPECT_EQ(head.chunked, item.chunked);
    EXPECT_EQ(head.content_length, item.content_length);
    EXPECT_EQ(head.size, item.bytes.size());
  }
}

TEST(ParseHead, LeavesTheNextRequestAlone) {
  const std::string_view bytes = "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
  RequestHead head;
  ASSERT_EQ(parseHead(bytes, &head), ParseResult::Complete);
  EXPECT_EQ(bytes.substr(head.size, 6), "GET /b");
}

struct BodyCase {
  std::string_view name;
  bool chunked;
  uint64_t content_length;
  std::string_view bytes;
  std::string_view content;
  size_t left_over;  // bytes that belong to the next request
};

constexpr BodyCase kBodies[] = {
    {"none", false, 0, "GET", "", 3},
    {"length", false, 5, "helloGET", "hello", 3},
    {"chunks", true, 0, "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\nGET", "hello!", 3},
    {"no chunk", true, 0, "0\r\n\r\n", "", 0},
    {"trailers", true, 0, "A\r\n0123456789\r\n0\r\nx: y\r\nz: 1\r\n\r\n", "0123456789", 0},
};

// Feeds `bytes` in pieces of `step` bytes; returns how many the body took.
size_t feed(BodyReader* body, std::string_view bytes, size_t step, std::string* content) {
  size_t taken = 0;
  while (taken < bytes.size() && !body->done() && !body->invalid()) {
    taken += body->read(bytes.substr(taken, step), content);
  }
  return taken;
}

TEST(BodyReader, TableInPiecesOfEverySize) {
  for (const BodyCase& item : kBodies) {
    SCOPED_TRACE(item.name);
    for (size_t step = 1; step <= item.bytes.size(); ++step) {
      RequestHead head;
      head.chunked = item.chunked;
      head.content_length = item.content_length;
      BodyReader body;
      body.start(head);
      std::string content;
      EXPECT_EQ(feed(&body, item.bytes, step, &content), item.bytes.size() - item.left_over);
      EXPECT_TRUE(body.done());
      EXPECT_EQ(content, item.content);
    }
  }
}

TEST(BodyReader, RefusesBadChunks) {
  for (const std::string_view bytes : {"x\r\n", "\r\n", "-1\r\n", "1\r\nab\r\n"}) {
    SCOPED_TRACE(bytes);
    RequestHead head;
    head.chunked = true;
    BodyReader body;
    body.start(head);
    feed(&body, bytes, bytes.size(), nullptr);
    EXPECT_TRUE(body.invalid());
  }
}

TEST(BodyReader, RefusesAnEndlessLine) {
  RequestHead head;
  head.chunked = true;
  BodyReader body;
  body.start(head);
  feed(&body, std::string(10000, '1'), 1000, nullptr);
  EXPECT_TRUE(body.invalid());
}

}  // namespace
}  // namespace convoy::tools::sample
