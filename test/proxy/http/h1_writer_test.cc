#include "proxy/http/h1_writer.h"

#include <string>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

using namespace std::string_literals;
using Kind = H1Framing::Kind;
using Mode = H1BodyWriter::Mode;

std::string take(net::ByteQueue& queue) {
  std::string bytes = queue.toString();
  queue.clear();
  return bytes;
}

RequestHead requestHead(std::string_view method = "GET", std::string_view target = "/") {
  RequestHead head;
  head.method = method;
  head.target = target;
  head.authority = "a.test";
  return head;
}

TEST(H1WriterTest, RequestHeads) {
  net::ByteQueue out;
  RequestHead head = requestHead("POST", "/x?y");
  head.headers.add("X-B", "2");
  head.headers.add("Host", "elsewhere");
  head.headers.add("content-length", "9");
  head.headers.add("x-a", "1");
  EXPECT_EQ(writeRequestHead(out, head, {Kind::ContentLength, 12}), 0U);
  EXPECT_EQ(take(out),
            "POST /x?y HTTP/1.1\r\nHost: a.test\r\nContent-Length: 12\r\nX-B: 2\r\nx-a: 1\r\n\r\n");
  EXPECT_EQ(writeRequestHead(out, head, {Kind::Chunked, 0}), 0U);
  EXPECT_EQ(take(out),
            "POST /x?y HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nX-B: 2\r\n"
            "x-a: 1\r\n\r\n");
}

TEST(H1WriterTest, RequestOptions) {
  net::ByteQueue out;
  RequestHead head = requestHead();
  head.authority = {};
  head.expects_continue = true;
  head.headers.add("TE", "trailers");
  writeRequestHead(out, head, {});
  EXPECT_EQ(take(out),
            "GET / HTTP/1.1\r\nHost: \r\nExpect: 100-continue\r\nConnection: TE\r\nTE: trailers\r\n"
            "\r\n");
  head = requestHead();
  head.upgrade = "websocket";
  head.headers.add("Connection", "upgrade");
  head.headers.add("Upgrade", "websocket");
  writeRequestHead(out, head, {});
  EXPECT_EQ(take(out),
            "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

// What lies as on the wire is copied as a block, whatever is skipped or inserted in between.
TEST(H1WriterTest, FieldsThatLieAsOnTheWire) {
  const std::string wire = "A: 1\r\nB:2\r\nC: 3\r\nConnection: x\r\nD: 4\r\nE: 5\r\n";
  HeaderList list;
  auto view = [&wire](std::string_view text) {
    return std::string_view(wire).substr(wire.find(text), text.size());
  };
  ResponseHead head;
  head.status = 200;
  for (const auto& [name, value] :
       {std::pair("A", "1"), {"B", "2"}, {"C", "3"}, {"Connection", "x"}, {"D", "4"}, {"E", "5"}}) {
    head.headers.add(view(name), view(value));
  }
  net::ByteQueue out;
  writeResponseHead(out, head, {}, H1Connection::Unsaid);
  EXPECT_EQ(take(out), "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n");
  head.headers.set("C", "9");
  writeResponseHead(out, head, {}, H1Connection::Unsaid);
  EXPECT_EQ(take(out), "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 9\r\nD: 4\r\nE: 5\r\n\r\n");
  base::Arena arena;
  head.headers.remove("B");
  head.copyInto(arena);
  head.headers.remove("D");
  writeResponseHead(out, head, {}, H1Connection::Unsaid);
  EXPECT_EQ(take(out), "HTTP/1.1 200 OK\r\nA: 1\r\nC: 9\r\nE: 5\r\n\r\n");
}

TEST(H1WriterTest, HeadsLargerThanABlock) {
  net::ByteQueue out;
  RequestHead head = requestHead();
  const std::string value(50'000, 'v');
  head.headers.add("X", value);
  writeRequestHead(out, head, {});
  EXPECT_EQ(take(out), "GET / HTTP/1.1\r\nHost: a.test\r\nX: " + value + "\r\n\r\n");
}

TEST(H1WriterTest, FieldsThatBreakLinesAreLeftOut) {
  const std::pair<std::string, std::string> bad[] = {
      {"X\r\nY", "1"}, {"X\n", "1"}, {"X", "1\r\n\r\nGET /"}, {"X", "1\n2"},
      {"X", "1\r"},    {"X", "\0"s}, {"X\0"s, "1"},
  };
  for (const auto& [name, value] : bad) {
    net::ByteQueue out;
    RequestHead request = requestHead();
    request.headers.add("A", "1");
    request.headers.add(name, value);
    request.headers.add("B", "2");
    EXPECT_EQ(writeRequestHead(out, request, {}), 1U);
    EXPECT_EQ(take(out), "GET / HTTP/1.1\r\nHost: a.test\r\nA: 1\r\nB: 2\r\n\r\n");
    ResponseHead response;
    response.status = 200;
    response.headers = request.headers;
    EXPECT_EQ(writeResponseHead(out, response, {}, H1Connection::Close), 1U);
    EXPECT_EQ(take(out), "HTTP/1.1 200 OK\r\nConnection: close\r\nA: 1\r\nB: 2\r\n\r\n");
  }
}

TEST(H1WriterTest, NothingElseBreaksLinesEither) {
  net::ByteQueue out;
  const std::string target = "/a b\r\nX: 1\0#\xc3\xa9"s;
  RequestHead request = requestHead("GET", target);
  request.authority = "a\r\nX: 1";
  request.upgrade = "u\n";
  writeRequestHead(out, request, {});
  EXPECT_EQ(take(out),
            "GET /a%20b%0D%0AX:%201%00%23%C3%A9 HTTP/1.1\r\nHost: a??X: 1\r\n"
            "Connection: Upgrade\r\nUpgrade: u?\r\n\r\n");
  ResponseHead response;
  response.status = 200;
  response.reason = "O\r\nK";
  writeResponseHead(out, response, {}, H1Connection::KeepAlive);
  EXPECT_EQ(take(out), "HTTP/1.1 200 O??K\r\nConnection: keep-alive\r\n\r\n");
}

TEST(H1BodyWriterTest, ChunksOfEverySize) {
  for (const size_t size : {1U, 15U, 16U, 4096U, 8192U, 8193U, 100'000U}) {
    const std::string bytes(size, 'x');
    char digits[17];
    snprintf(digits, sizeof(digits), "%zx", size);
    for (const bool end : {false, true}) {
      net::ByteQueue out;
      H1BodyWriter writer;
      writer.start(Mode::Chunked);
      EXPECT_TRUE(writer.write(out, bytes, end));
      EXPECT_EQ(take(out), digits + "\r\n"s + bytes + "\r\n" + (end ? "0\r\n\r\n" : ""));
    }
  }
}

TEST(H1BodyWriterTest, AnEmptyChunkWouldBeTheLast) {
  net::ByteQueue out;
  H1BodyWriter writer;
  writer.start(Mode::Chunked);
  EXPECT_TRUE(writer.write(out, "", false));
  EXPECT_EQ(take(out), "");
  EXPECT_TRUE(writer.write(out, "", true));
  EXPECT_EQ(take(out), "0\r\n\r\n");
}

TEST(H1BodyWriterTest, AKnownLengthIsKept) {
  net::ByteQueue out;
  H1BodyWriter writer;
  writer.start(Mode::Known, 3);
  EXPECT_TRUE(writer.write(out, "ab", false));
  EXPECT_TRUE(writer.write(out, "c", true));
  EXPECT_EQ(take(out), "abc");
  writer.start(Mode::Known, 3);
  EXPECT_FALSE(writer.write(out, "ab", true)) << "too few";
  writer.start(Mode::Known, 1);
  EXPECT_FALSE(writer.write(out, "ab", false)) << "too many";
  EXPECT_EQ(take(out), "aba");
  writer.start(Mode::Nothing);
  EXPECT_TRUE(writer.write(out, "ab", true));
  writer.start(Mode::UntilClose);
  EXPECT_TRUE(writer.write(out, "xy", true));
  EXPECT_EQ(take(out), "xy");
}

TEST(H1BodyWriterTest, Trailers) {
  net::ByteQueue out;
  H1BodyWriter writer;
  HeaderList trailers;
  trailers.add("X-Sum", "1");
  trailers.add("Host", "b");
  trailers.add("X-Bad", "1\r\n");
  size_t left_out = 0;
  writer.start(Mode::Chunked);
  EXPECT_TRUE(writer.writeTrailers(out, trailers, &left_out));
  EXPECT_EQ(take(out), "0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_EQ(left_out, 1U);
  writer.start(Mode::Known, 1);
  EXPECT_FALSE(writer.writeTrailers(out, trailers, &left_out)) << "a byte is missing";
  EXPECT_EQ(take(out), "");
  EXPECT_EQ(left_out, 0U);
}

}  // namespace
}  // namespace convoy::http
