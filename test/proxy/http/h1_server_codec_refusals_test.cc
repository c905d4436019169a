// What the server codec refuses, and what it calls it. Every case is run whole, cut in two at every
// place and byte by byte: a refusal that depends on how the network cut the bytes is no refusal.

#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {
namespace {

using namespace std::string_literals;

struct Refused {
  std::string what;
  std::string input;
  H1Error error;
};

using enum H1Error;

// A request line, and fields behind a right request line and Host.
std::string line(std::string_view request_line) {
  return std::string(request_line) + "\r\nHost: a\r\n\r\n";
}
std::string fields(std::string_view text) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(text) + "\r\n\r\n";
}
std::string host(std::string_view value) {
  return "GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n";
}
std::string chunked(std::string_view body) {
  return fields("Transfer-Encoding: chunked") + std::string(body);
}

std::vector<Refused> requestLines() {
  return {
      {"empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", EmptyRequestLine},
      {"LF before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BareLf},
      {"CR before the request", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", BareCr},
      {"CR CR LF before the request", "\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BareCr},
      {"LF behind an empty line", "\r\n\nGET / HTTP/1.1\r\n\r\n", BareLf},
      {"space before the request", line(" GET / HTTP/1.1"), InvalidMethod},
      {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, InvalidMethod},
      {"NUL first", "\0GET / HTTP/1.1\r\n\r\n"s, InvalidMethod},
      {"a method that is no token", line("GE(T / HTTP/1.1"), InvalidMethod},
      {"a method with a colon", line("GET: / HTTP/1.1"), InvalidMethod},
      {"a method with a high byte", line("G\xc3\x89T / HTTP/1.1"), InvalidMethod},
      {"tab behind the method", line("GET\t/ HTTP/1.1"), InvalidMethod},
      {"HTTP/0.9", "GET /\r\n\r\n", InvalidRequestLine},
      {"only a method", line("GET"), InvalidRequestLine},
      {"a method and a space", line("GET "), InvalidRequestLine},
      {"two spaces before the target", line("GET  / HTTP/1.1"), InvalidRequestLine},
      {"two spaces before the version", line("GET /  HTTP/1.1"), InvalidRequestLine},
      {"space behind the version", line("GET / HTTP/1.1 "), InvalidRequestLine},
      {"a space in the target", line("GET /a b HTTP/1.1"), InvalidRequestLine},
      {"a tab in the target", line("GET /a\tb HTTP/1.1"), InvalidTarget},
      {"NUL in the target", line("GET /a\0b HTTP/1.1"s), InvalidTarget},
      {"DEL in the target", line("GET /a\x7f HTTP/1.1"), InvalidTarget},
      {"a high byte in the target", line("GET /\xc3\xa9 HTTP/1.1"), InvalidTarget},
      {"a fragment", line("GET /a#b HTTP/1.1"), InvalidTarget},
      {"CR in the target", line("GET /a\rb HTTP/1.1"), BareCr},
      {"LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", BareLf},
      {"CR CR LF behind the request line", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", BareCr},
      {"a version in lower case", line("GET / http/1.1"), InvalidVersion},
      {"another protocol", line("GET / ICAP/1.1"), InvalidVersion},
      {"a version of two digits", line("GET / HTTP/1.10"), InvalidVersion},
      {"a version without a dot", line("GET / HTTP/11"), InvalidVersion},
      {"a version of one number", line("GET / HTTP/1"), InvalidVersion},
      {"a version of letters", line("GET / HTTP/a.b"), InvalidVersion},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", UnsupportedVersion},
      {"HTTP/1.2", line("GET / HTTP/1.2"), UnsupportedVersion},
      {"HTTP/0.9 spelt out", line("GET / HTTP/0.9"), UnsupportedVersion},
      {"a relative target", line("GET a/b HTTP/1.1"), TargetForm},
      {"an asterisk with GET", line("GET * HTTP/1.1"), TargetForm},
      {"two asterisks", line("OPTIONS ** HTTP/1.1"), TargetForm},
      {"authority-form with GET", line("GET a.test:80 HTTP/1.1"), TargetForm},
      {"CONNECT with a path", line("CONNECT / HTTP/1.1"), TargetForm},
      {"CONNECT without a port", line("CONNECT a.test HTTP/1.1"), TargetForm},
      {"CONNECT with an empty port", line("CONNECT a.test: HTTP/1.1"), TargetForm},
      {"CONNECT in absolute-form", line("CONNECT http://a:1 HTTP/1.1"), TargetForm},
      {"no scheme", line("GET ://a/ HTTP/1.1"), TargetForm},
      {"another scheme", line("GET ftp://a/ HTTP/1.1"), UnsupportedScheme},
      {"a scheme in front of ours", line("GET xhttp://a/ HTTP/1.1"), UnsupportedScheme},
      {"absolute-form without an authority", line("GET http:///x HTTP/1.1"), InvalidHost},
      {"absolute-form with user information", line("GET http://u:p@a/ HTTP/1.1"), InvalidHost},
      {"absolute-form with an odd port", line("GET http://a:8x/ HTTP/1.1"), InvalidHost},
  };
}

std::vector<Refused> hosts() {
  return {
      {"no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", MissingHost},
      {"no field at all", "GET / HTTP/1.1\r\n\r\n", MissingHost},
      {"absolute-form does not replace Host", "GET http://a/ HTTP/1.1\r\n\r\n", MissingHost},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", DuplicateHost},
      {"the same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", DuplicateHost},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", DuplicateHost},
      {"user information", host("u@a"), InvalidHost},
      {"a path", host("a/b"), InvalidHost},
      {"a list", host("a, b"), InvalidHost},
      {"a list without a space", host("a,b"), InvalidHost},
      {"a space", host("a b"), InvalidHost},
      {"a query", host("a?b"), InvalidHost},
      {"a backslash", host("a\\b"), InvalidHost},
      {"a high byte", host("a\xff"), InvalidHost},
      {"a percent sign", host("a%2e"), InvalidHost},
      {"a port too large", host("a:65536"), InvalidHost},
      {"a port too long", host("a:000080"), InvalidHost},
      {"two ports", host("a:1:2"), InvalidHost},
      {"a negative port", host("a:-1"), InvalidHost},
      {"only a port", host(":80"), InvalidHost},
      {"an open bracket", host("[::1"), InvalidHost},
      {"a name in brackets", host("[a.test]"), InvalidHost},
      {"text behind the brackets", host("[::1]x"), InvalidHost},
      {"a zone", host("[fe80::1%25eth0]"), InvalidHost},
  };
}

std::vector<Refused> fieldLines() {
  return {
      {"a folded line", fields("X-A: 1\r\n b"), ObsoleteFold},
      {"a line folded by a tab", fields("X-A: 1\r\n\tb"), ObsoleteFold},
      {"a blank line of spaces", fields("X-A: 1\r\n  "), ObsoleteFold},
      {"space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", ObsoleteFold},
      {"space before the colon", fields("X-A : 1"), SpaceBeforeColon},
      {"tab before the colon", fields("X-A\t: 1"), SpaceBeforeColon},
      {"space before the colon of a framing field", fields("Content-Length : 1"), SpaceBeforeColon},
      {"space in a name", fields("X A: 1"), InvalidFieldName},
      {"NUL in a name", fields("X\0A: 1"s), InvalidFieldName},
      {"CR in a name", fields("X\rA: 1"), BareCr},
      {"a high byte in a name", fields("X-\xc3\xa9: 1"), InvalidFieldName},
      {"a parenthesis in a name", fields("X(A): 1"), InvalidFieldName},
      {"a high byte in a long name", fields("X-Abcdefghijklmnopq\xe9rstuvwxyz: 1"),
       InvalidFieldName},
      {"a name that only looks known", fields("Content\rLength: 1"), BareCr},
      {"a vertical tab for a dash", fields("Content\x0bLength: 1"), InvalidFieldName},
      {"no name", fields(": 1"), EmptyFieldName},
      {"no colon", fields("X-A"), MissingColon},
      {"no colon behind a space", fields("X-A 1"), MissingColon},
      {"no colon and a control byte", fields("X-A\x01"), ControlByte},
      {"NUL in a value", fields("X-A: 1\0002"s), ControlByte},
      {"a control byte in a value", fields("X-A: \x01"), ControlByte},
      {"ESC in a long value", fields("X-A: 0123456789abcdef0123\x1b[0m"), ControlByte},
      {"DEL in a value", fields("X-A: \x7f"), ControlByte},
      {"CR in a value", fields("X-A: 1\r2"), BareCr},
      {"CR at the end of a value", fields("X-A: 1\r"), BareCr},
      {"LF at the end of a value", "GET / HTTP/1.1\r\nHost: a\nX-A: 1\r\n\r\n", BareLf},
      {"LF in place of the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", BareLf},
      {"LF LF at the end", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\n\n", BareLf},
      {"CR CR LF in place of the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", BareCr},
      {"CR text LF in place of the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\rX: 1\r\n", BareCr},
  };
}

std::vector<Refused> framing() {
  return {
      {"both lengths", fields("Content-Length: 5\r\nTransfer-Encoding: chunked"),
       ContentLengthAndTransferEncoding},
      {"both, the other way round", fields("Transfer-Encoding: chunked\r\nContent-Length: 5"),
       ContentLengthAndTransferEncoding},
      {"both, the length 0", fields("Transfer-Encoding: chunked\r\nContent-Length: 0"),
       ContentLengthAndTransferEncoding},
      {"lengths that differ", fields("Content-Length: 5\r\nContent-Length: 6"),
       ConflictingContentLength},
      {"lengths that differ by a digit", fields("content-length: 1\r\nCONTENT-LENGTH: 10"),
       ConflictingContentLength},
      {"a list of lengths", fields("Content-Length: 5, 5"), InvalidContentLength},
      {"a list of one", fields("Content-Length: 5,"), InvalidContentLength},
      {"a plus sign", fields("Content-Length: +5"), InvalidContentLength},
      {"a minus sign", fields("Content-Length: -5"), InvalidContentLength},
      {"hexadecimal", fields("Content-Length: 0x5"), InvalidContentLength},
      {"a fraction", fields("Content-Length: 5.0"), InvalidContentLength},
      {"a space inside", fields("Content-Length: 1 2"), InvalidContentLength},
      {"letters", fields("Content-Length: five"), InvalidContentLength},
      {"an empty length", fields("Content-Length:"), InvalidContentLength},
      {"2^63", fields("Content-Length: 9223372036854775808"), InvalidContentLength},
      {"2^64", fields("Content-Length: 18446744073709551616"), InvalidContentLength},
      {"twenty digits", fields("Content-Length: 00000000000000000005"), InvalidContentLength},
      {"gzip, chunked", fields("Transfer-Encoding: gzip, chunked"), TransferEncodingUnknown},
      {"identity", fields("Transfer-Encoding: identity"), TransferEncodingUnknown},
      {"xchunked", fields("Transfer-Encoding: xchunked"), TransferEncodingUnknown},
      {"chunked with a parameter", fields("Transfer-Encoding: chunked;q=1"),
       TransferEncodingUnknown},
      {"chunked in quotes", fields("Transfer-Encoding: \"chunked\""), TransferEncodingUnknown},
      {"an empty coding", fields("Transfer-Encoding:"), TransferEncodingUnknown},
      {"chunked, gzip", fields("Transfer-Encoding: chunked, gzip"), TransferEncodingRepeated},
      {"chunked, chunked", fields("Transfer-Encoding: chunked, chunked"), TransferEncodingRepeated},
      {"two fields", fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
       TransferEncodingRepeated},
      {"two fields, one of them odd",
       fields("Transfer-Encoding: chunked\r\nTransfer-encoding: cow"), TransferEncodingRepeated},
      {"a list with a hole", fields("Transfer-Encoding: chunked,"), TransferEncodingUnknown},
      {"a coding of HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       TransferEncodingInHttp10},
      {"CONNECT with a length", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
       ConnectWithBody},
      {"CONNECT with chunks",
       "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       ConnectWithBody},
  };
}

std::vector<Refused> chunks() {
  return {
      {"no size", chunked("\r\n"), InvalidChunkSize},
      {"no hexadecimal digit", chunked("g\r\n"), InvalidChunkSize},
      {"0x", chunked("0x5\r\nhello\r\n"), InvalidChunkSize},
      {"a minus sign", chunked("-1\r\n"), InvalidChunkSize},
      {"a plus sign", chunked("+1\r\nx\r\n"), InvalidChunkSize},
      {"space before the size", chunked(" 1\r\nx\r\n"), InvalidChunkSize},
      {"space behind the size", chunked("1 \r\nx\r\n"), InvalidChunkSize},
      {"tab before the extension", chunked("1\t;a\r\nx\r\n"), InvalidChunkSize},
      {"an extension without a size", chunked(";a\r\n"), InvalidChunkSize},
      {"LF behind the size", chunked("1\nx\r\n"), BareLf},
      {"only an LF", chunked("\n"), InvalidChunkSize},
      {"CR without LF behind the size", chunked("1\rx\r\n"), BareCr},
      {"2^63", chunked("8000000000000000\r\n"), ChunkSizeOverflow},
      {"2^64", chunked("10000000000000000\r\n"), ChunkSizeOverflow},
      {"2^64 - 1", chunked("ffffffffffffffff\r\n"), ChunkSizeOverflow},
      {"seventeen digits", chunked("00000000000000001\r\nx\r\n"), ChunkSizeOverflow},
      {"LF in an extension", chunked("1;a\nx\r\n"), BareLf},
      {"CR in an extension", chunked("1;a\rb\r\nx\r\n"), BareCr},
      {"NUL in an extension", chunked("1;a\0\r\nx\r\n"s), ChunkExtension},
      {"data too long", chunked("1\r\nxy\r\n"), ChunkNotTerminated},
      {"data too short", chunked("3\r\nxy\r\n0\r\n\r\n"), ChunkNotTerminated},
      {"LF behind the data", chunked("1\r\nx\n0\r\n\r\n"), ChunkNotTerminated},
      {"CR without LF behind the data", chunked("1\r\nx\r0\r\n\r\n"), ChunkNotTerminated},
      {"a bad size behind a good chunk", chunked("1\r\nx\r\nq\r\n"), InvalidChunkSize},
      {"a folded trailer", chunked("0\r\nX: 1\r\n b\r\n\r\n"), ObsoleteFold},
      {"a trailer without a colon", chunked("0\r\nX\r\n\r\n"), MissingColon},
      {"NUL in a trailer", chunked("0\r\nX: \0\r\n\r\n"s), ControlByte},
      {"LF at the end of the trailers", chunked("0\r\nX: 1\r\n\n"), BareLf},
      {"LF in place of trailers", chunked("0\r\n\n"), BareLf},
      {"a request in place of trailers", chunked("0\r\nGET / HTTP/1.1\r\n\r\n"), MissingColon},
  };
}

// Inside a body it is always the body that is bad.
std::string errorLine(H1Error error, std::string_view input) {
  const H1ErrorInfo& row = info(error);
  const bool in_body = input.substr(0, chunked("").size()) == chunked("");
  const Failure failure = in_body ? Failure::BadBody : row.request_failure;
  return "error " + std::string(info(failure).code) + " " + std::string(row.detail) + "\n";
}

std::vector<Refused> allRefused() {
  std::vector<Refused> all;
  for (const auto& group : {requestLines(), hosts(), fieldLines(), framing(), chunks()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

std::string lastLine(const std::string& events) {
  const size_t end = events.size() - 1;
  const size_t before = events.rfind('\n', end - 1);
  return events.substr(before == std::string::npos ? 0 : before + 1);
}

TEST(H1ServerCodecRefusalsTest, RefusesHoweverItIsCut) {
  const std::vector<Refused> all = allRefused();
  EXPECT_GE(all.size(), 80U);
  for (const Refused& c : all) {
    const std::string expected = errorLine(c.error, c.input);
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
  for (const auto& group : {requestLines(), hosts(), fieldLines(), framing()}) {
    for (const Refused& c : group) {
      ServerRecorder server;
      server.feed(c.input);
      EXPECT_EQ(server.events.take().find("error "), 0U) << c.what;
      EXPECT_EQ(server.sender, nullptr) << c.what;
    }
  }
}

// --- limits ---

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
    const std::string expected = errorLine(c.error, c.too_much);
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
