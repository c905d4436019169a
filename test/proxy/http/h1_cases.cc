#include "test/proxy/http/h1_cases.h"

#include <utility>

#include "proxy/http/failure.h"

namespace convoy::http {
namespace {

const std::vector<AcceptedRequest> kAccepted = {
    {"the smallest", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
     "GET / a.test HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"fields keep order and case, values lose outer white space",
     "GET /x?y=1 HTTP/1.1\r\nX-B: 2\r\nhOst:a.test:8080\r\nx-a:\t 1 2 \t\r\nX-Empty:\r\n\r\n",
     "GET /x?y=1 a.test:8080 HTTP/1.1 body=none keep-alive\n  X-B: 2\n  x-a: 1 2\n  X-Empty: \n"
     "end\ncomplete\n"},
    {"bytes above 127 in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9 \xff\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  X: caf\xc3\xa9 \xff\nend\ncomplete\n"},
    {"every byte that a name may have",
     "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: 1\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  !#$%&'*+-.^_`|~09azAZ: 1\nend\ncomplete\n"},
    {"a field without a value at the end", "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  X: \nend\ncomplete\n"},
    {"one empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an empty line before each",
     "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET /1 a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"
     "GET /2 a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an empty line behind", "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an unknown method", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
     "BREW /pot a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
     "GET /  HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
     "GET / [::1]:80 HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET /  HTTP/1.0 body=none close\nend\ncomplete\n"},
    {"HTTP/1.0 that keeps alive",
     "GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n",
     "GET / a HTTP/1.0 body=none keep-alive\n  Connection: Keep-Alive\nend\ncomplete\n"
     "GET /2  HTTP/1.0 body=none close\nend\ncomplete\n"},
    {"nothing is read behind a request that closes",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET / a HTTP/1.1 body=none close\n  Connection: close\nend\ncomplete\n"},
    {"close among other options",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\nConnection: keep-alive\r\n\r\n",
     "GET / a HTTP/1.1 body=none close\n  Connection: x, CLOSE\n  Connection: keep-alive\nend\n"
     "complete\n"},
    {"Content-Length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
     "POST / a HTTP/1.1 body=5 keep-alive\nbody hello\nend\ncomplete\n"},
    {"a body and a request behind it",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 03\r\n\r\nabcGET / HTTP/1.1\r\nHost: b\r\n\r\n",
     "POST / a HTTP/1.1 body=3 keep-alive\nbody abc\nend\ncomplete\n"
     "GET / b HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"Content-Length: 0", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
     "POST / a HTTP/1.1 body=0 keep-alive\nend\ncomplete\n"},
    {"a Content-Length with a zero before it",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 02\r\n\r\nhi",
     "POST / a HTTP/1.1 body=2 keep-alive\nbody hi\nend\ncomplete\n"},
    {"chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
     "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nbody hello world\nend\ncomplete\n"},
    {"chunks with line ends inside, sizes in every case, leading zeros, extensions",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0000A;x=\"y z\";q\r\n0123456\r\n9\r\nB\r\n\n\n345678901\r\n000;last\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nbody 0123456\r\n9\n\n345678901\nend\ncomplete\n"},
    {"an empty chunked body",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
     "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nend\ncomplete\n"
     "GET / b HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"trailers",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
     "1\r\nx\r\n0\r\nX-Sum: 9 \r\nX-Other:1\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\n  Trailer: X-Sum\nbody x\n"
     "trailers\n  X-Sum: 9\n  X-Other: 1\ncomplete\n"},
    {"trailers that come too late are dropped",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "1\r\nx\r\n0\r\nHost: evil\r\n"
     "Authorization: me\r\nX-Forwarded-Client-Cert: me\r\nX-A: 1\r\nConnection: close\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nbody x\ntrailers\n  X-A: 1\ncomplete\n"},
    {"only such trailers are none",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nend\ncomplete\n"},
    {"an expectation",
     "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
     "POST / a HTTP/1.1 body=1 keep-alive continue\nbody x\nend\ncomplete\n"},
    {"an expectation without a body, in HTTP/1.0, and another one",
     "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"
     "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"
     "PUT / HTTP/1.1\r\nHost: a\r\nExpect: cookies\r\n\r\n"
     "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
     "GET / a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"
     "PUT / a HTTP/1.1 body=0 keep-alive\nend\ncomplete\n"
     "PUT / a HTTP/1.1 body=none keep-alive\n  Expect: cookies\nend\ncomplete\n"
     "PUT /  HTTP/1.0 body=1 close\nbody x\nend\ncomplete\n"},
    {"offers of an upgrade that a server may ignore",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\nUpgrade: h2c\r\n\r\n"
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  Connection: x, Upgrade\n  Upgrade: h2c\n"
     "end\ncomplete\n"
     "GET / a HTTP/1.1 body=none keep-alive\n  Connection: Upgrade\n  Upgrade: TLS/1.2\n"
     "end\ncomplete\n"},
    {"an upgrade behind a body is a request like others",
     "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: u\r\nContent-Length: "
     "1\r\n\r\nx",
     "POST / a HTTP/1.1 body=1 keep-alive upgrade=u\n  Connection: Upgrade\n  Upgrade: u\n"
     "body x\nend\ncomplete\n"},
    {"an upgrade that Connection does not name, and one of HTTP/1.0",
     "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n"
     "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  Upgrade: h2c\nend\ncomplete\n"
     "GET /  HTTP/1.0 body=none close\n  Connection: upgrade\n  Upgrade: h2c\nend\ncomplete\n"},
    {"TE: trailers", "GET / HTTP/1.1\r\nHost: a\r\nTE: gzip;q=1, Trailers\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive te-trailers\n  TE: gzip;q=1, Trailers\nend\n"
     "complete\n"},
    {"absolute-form: the target's authority wins",
     "GET HTTP://b.test:81/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n",
     "GET /x?y b.test:81 HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"absolute-form without a path, with only a query, of https, of HTTP/1.0",
     "GET http://b HTTP/1.1\r\nHost: b\r\n\r\nGET http://b?q HTTP/1.1\r\nHost: b\r\n\r\n"
     "GET https://b/ HTTP/1.1\r\nHost: b\r\n\r\nGET http://b/ HTTP/1.0\r\n\r\n",
     "GET / b HTTP/1.1 body=none keep-alive\nend\ncomplete\n"
     "GET /?q b HTTP/1.1 body=none keep-alive\nend\ncomplete\n"
     "GET / b HTTP/1.1 body=none keep-alive scheme=https\nend\ncomplete\n"
     "GET / b HTTP/1.0 body=none close\nend\ncomplete\n"},
    {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
     "OPTIONS * a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"asterisk-form through a proxy", "OPTIONS http://b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n",
     "OPTIONS * b:1 HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
};

using namespace std::string_literals;

using enum H1Error;

struct Case {
  std::string what;
  std::string input;
  H1Error error;
};
using Cases = std::vector<Case>;

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

Cases requestLines() {
  return {
      {"empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", EmptyRequestLine},
      {"LF before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BareLf},
      {"CR before the request", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", BareCr},
      {"CR CR LF before the request", "\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BareCr},
      {"LF behind an empty line", "\r\n\nGET / HTTP/1.1\r\n\r\n", BareLf},
      {"space before the request", line(" GET / HTTP/1.1"), InvalidMethod},
      {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, InvalidMethod},
      {"NUL first", "\0GET / HTTP/1.1\r\n\r\n"s, InvalidMethod},
      {"NUL behind an empty line", "\r\n\0GET / HTTP/1.1"s, InvalidMethod},
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

Cases hosts() {
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

Cases fieldLines() {
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

Cases framing() {
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
      {"the same length twice", fields("Content-Length: 5\r\ncontent-length: 5"),
       DuplicateContentLength},
      {"the same length, written otherwise", fields("Content-Length: 5\r\nContent-Length: 05"),
       DuplicateContentLength},
      {"no length twice", fields("Content-Length: 0\r\nContent-Length: 0"), DuplicateContentLength},
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

Cases chunks() {
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
      {"a length in trailers", chunked("0\r\ncontent-length: 0\r\n\r\n"), FramingInTrailers},
      {"a coding in trailers", chunked("0\r\nX: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
       FramingInTrailers},
      {"LF in place of trailers", chunked("0\r\n\n"), BareLf},
      {"a request in place of trailers", chunked("0\r\nGET / HTTP/1.1\r\n\r\n"), MissingColon},
  };
}

// --- responses ---

const std::vector<AcceptedResponse> kAcceptedResponses = {
    {"a known length", "GET",
     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
     "200 OK HTTP/1.1 body=5\n  Content-Type: text/plain\nbody hello\nend\ncomplete\n", false},
    {"length 0", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     "200 OK HTTP/1.1 body=0\nend\ncomplete\n", false},
    {"chunks", "GET",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n",
     "200 OK HTTP/1.1 body=unknown\nbody abc\nend\ncomplete\n", false},
    {"trailers", "GET",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
     "200 OK HTTP/1.1 body=unknown\nbody a\ntrailers\n  X-Sum: 1\ncomplete\n", false},
    {"a reason of its own, with high bytes", "GET",
     "HTTP/1.1 200 Tr\xc3\xa8s bien \r\nContent-Length: 0\r\n\r\n",
     "200 Tr\xc3\xa8s bien  HTTP/1.1 body=0\nend\ncomplete\n", false},
    {"no reason", "GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
     "200  HTTP/1.1 body=0\nend\ncomplete\n", false},
    {"not even the space before it", "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
     "200  HTTP/1.1 body=0\nend\ncomplete\n", false},
    {"an unknown status", "GET", "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
     "999 X HTTP/1.1 body=0\nend\ncomplete\n", false},
    {"204", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
     "204 No Content HTTP/1.1 body=none\nend\ncomplete\n", false},
    {"304 tells a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
     "304 Not Modified HTTP/1.1 body=7\nend\ncomplete\n", false},
    {"304 tells none", "GET", "HTTP/1.1 304 Not Modified\r\n\r\n",
     "304 Not Modified HTTP/1.1 body=unknown\nend\ncomplete\n", false},
    {"HEAD with a length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
     "200 OK HTTP/1.1 body=7\nend\ncomplete\n", false},
    {"HEAD with chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "200 OK HTTP/1.1 body=unknown\nend\ncomplete\n", false},
    {"HEAD without either", "HEAD", "HTTP/1.1 200 OK\r\n\r\n",
     "200 OK HTTP/1.1 body=unknown\nend\ncomplete\n", false},
    {"1xx before it", "GET",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     "info 100 Continue HTTP/1.1 body=none\ninfo 103 Early Hints HTTP/1.1 body=none\n"
     "  Link: x\n200 OK HTTP/1.1 body=0\nend\ncomplete\n",
     false},
    {"Connection: close", "GET",
     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
     "200 OK HTTP/1.1 body=1\n  Connection: close\nbody x\nend\ncomplete, close\n", true},
    {"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
     "200 OK HTTP/1.0 body=1\nbody x\nend\ncomplete, close\n", true},
    {"HTTP/1.0 that keeps alive", "GET",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
     "200 OK HTTP/1.0 body=1\n  Connection: keep-alive\nbody x\nend\ncomplete\n", false},
    {"a refused tunnel", "CONNECT", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
     "403 Forbidden HTTP/1.1 body=2\nbody no\nend\n", true},
};

std::string responseWith(std::string_view text) {
  return "HTTP/1.1 200 OK\r\n" + std::string(text) + "\r\n\r\n";
}

const std::vector<RefusedResponse> kRefusedResponses = {
    {"an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"HTTP/0.9", "<html>", H1Error::InvalidStatusLine},
    {"another protocol", "HATP/1.1 200 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"lower case", "http/1.1 200 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", H1Error::UnsupportedVersion},
    {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"a status below 100", "HTTP/1.1 099 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"a status of letters", "HTTP/1.1 2x0 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"a tab", "HTTP/1.1\t200 OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"a reason without a space", "HTTP/1.1 200OK\r\n\r\n", H1Error::InvalidStatusLine},
    {"NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"s, H1Error::ControlByte},
    {"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", H1Error::BareCr},
    {"LF behind the status line", "HTTP/1.1 200 OK\nX: 1\r\n\r\n", H1Error::BareLf},
    {"LF behind a field", "HTTP/1.1 200 OK\r\nX: 1\n\r\n", H1Error::BareLf},
    {"a folded line", responseWith("X: 1\r\n 2"), H1Error::ObsoleteFold},
    {"space before the colon", responseWith("Content-Length : 2"), H1Error::SpaceBeforeColon},
    {"NUL in a value", responseWith("X: \0"s), H1Error::ControlByte},
    {"both lengths", responseWith("Content-Length: 2\r\nTransfer-Encoding: chunked"),
     H1Error::ContentLengthAndTransferEncoding},
    {"lengths that differ", responseWith("Content-Length: 2\r\nContent-Length: 3"),
     H1Error::ConflictingContentLength},
    {"the same length twice", responseWith("Content-Length: 2\r\nContent-Length: 2"),
     H1Error::DuplicateContentLength},
    {"a list of lengths", responseWith("Content-Length: 2, 2"), H1Error::InvalidContentLength},
    {"a negative length", responseWith("Content-Length: -2"), H1Error::InvalidContentLength},
    {"another coding", responseWith("Transfer-Encoding: gzip, chunked"),
     H1Error::TransferEncodingUnknown},
    {"chunked not last", responseWith("Transfer-Encoding: chunked, gzip"),
     H1Error::TransferEncodingRepeated},
    {"two codings", responseWith("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
     H1Error::TransferEncodingRepeated},
    {"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     H1Error::TransferEncodingInHttp10},
    {"both lengths where there is no body",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
     H1Error::ContentLengthAndTransferEncoding},
    {"an upgrade that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
     H1Error::UnexpectedUpgrade},
    {"a bad chunk", responseWith("Transfer-Encoding: chunked") + "x\r\n",
     H1Error::InvalidChunkSize},
    {"a chunk that is too long", responseWith("Transfer-Encoding: chunked") + "1\r\nab",
     H1Error::ChunkNotTerminated},
    {"a length in trailers",
     responseWith("Transfer-Encoding: chunked") + "0\r\nContent-Length: 0\r\n\r\n",
     H1Error::FramingInTrailers},
    {"a bad trailer", responseWith("Transfer-Encoding: chunked") + "0\r\nX\r\n\r\n",
     H1Error::MissingColon},
};

}  // namespace

const std::vector<AcceptedRequest>& acceptedRequests() {
  return kAccepted;
}

const std::vector<RefusedRequest>& refusedRequests() {
  static const std::vector<RefusedRequest> kAll = [] {
    std::vector<RefusedRequest> all;
    for (const Cases& heads : {requestLines(), hosts(), fieldLines(), framing()}) {
      for (const Case& c : heads) all.push_back({c.what, c.input, c.error, false});
    }
    for (const Case& c : chunks()) all.push_back({c.what, c.input, c.error, true});
    return all;
  }();
  return kAll;
}

std::string errorEvent(H1Error error, bool in_body) {
  const H1ErrorInfo& row = info(error);
  const Failure failure = in_body ? Failure::BadBody : row.request_failure;
  return "error " + std::string(info(failure).code) + " " + std::string(row.detail) + "\n";
}

const std::vector<AcceptedResponse>& acceptedResponses() {
  return kAcceptedResponses;
}

const std::vector<RefusedResponse>& refusedResponses() {
  return kRefusedResponses;
}

std::string eventsOf(const AcceptedResponse& response, const std::string& events) {
  return response.method == "CONNECT" ? events.substr(0, events.find("complete")) : events;
}

std::string refusalEvents(H1Error error) {
  return "reset upstream_protocol_error\nerror upstream_protocol_error " +
         std::string(info(error).detail) + "\n";
}

}  // namespace convoy::http
