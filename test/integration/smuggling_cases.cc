#include "test/integration/smuggling_cases.h"

#include <string_view>

#include "proxy/http/failure.h"
#include "test/proxy/http/h1_cases.h"

namespace convoy::test {
namespace {

using namespace std::string_literals;
using Requests = std::vector<HostileRequest>;
using Responses = std::vector<HostileResponse>;

// Behind the head of every request here: a second one that must never become a request.
constexpr char kInner[] = "GET /admin HTTP/1.1\r\nHost: inner.test\r\n\r\n";

std::string head(const std::string& line, const std::string& fields) {
  return line + "\r\nHost: a.test\r\n" + fields + "\r\n";
}

std::string post(const std::string& fields, const std::string& body) {
  return head("POST /x HTTP/1.1", fields) + body;
}

std::string get(const std::string& target, const std::string& fields = "") {
  return head("GET " + target + " HTTP/1.1", fields);
}

HostileRequest refused(std::string what, std::string bytes, int status = 400) {
  return {std::move(what), std::move(bytes), HostileRequest::Outcome::Refused, status};
}

HostileRequest one(std::string what, std::string bytes, std::string received,
                   std::string without = "") {
  return {std::move(what),     std::move(bytes),  HostileRequest::Outcome::Forwarded, 200,
          std::move(received), std::move(without)};
}

HostileRequest last(std::string what, std::string bytes, std::string received,
                    std::string without = "") {
  HostileRequest made =
      one(std::move(what), std::move(bytes), std::move(received), std::move(without));
  made.outcome = HostileRequest::Outcome::Last;
  return made;
}

// The client's end comes inside the request.
HostileRequest unfinished(std::string what, std::string bytes) {
  HostileRequest made{std::move(what), std::move(bytes), HostileRequest::Outcome::Cut};
  made.ends = true;
  return made;
}

// CL.TE and TE.CL, with all the ways in which a Transfer-Encoding is hidden from one of two
// servers. The body is one request by the length, and two by the chunks, or the other way round.
void addHiddenCodings(Requests& all) {
  const std::pair<const char*, std::string> hidden[] = {
      {"plain", "Transfer-Encoding: chunked\r\n"},
      {"in lower case", "transfer-encoding: chunked\r\n"},
      {"without a space", "Transfer-Encoding:chunked\r\n"},
      {"behind a tab", "Transfer-Encoding:\tchunked\r\n"},
      {"space before the colon", "Transfer-Encoding : chunked\r\n"},
      {"tab before the colon", "Transfer-Encoding\t: chunked\r\n"},
      {"behind a leading space", " Transfer-Encoding: chunked\r\n"},
      {"folded", "Transfer-Encoding:\r\n chunked\r\n"},
      {"folded behind another field", "X: y\r\n Transfer-Encoding: chunked\r\n"},
      {"behind a bare LF", "X: y\nTransfer-Encoding: chunked\r\n"},
      {"behind a bare CR", "X: y\rTransfer-Encoding: chunked\r\n"},
      {"ended by a bare LF", "Transfer-Encoding: chunked\n"},
      {"behind a vertical tab",
       "Transfer-Encoding:\x0b"
       "chunked\r\n"},
      {"behind a form feed",
       "Transfer-Encoding:\x0c"
       "chunked\r\n"},
      {"behind NUL", "Transfer-Encoding:\0chunked\r\n"s},
      {"with NUL in the name", "Transfer\0-Encoding: chunked\r\n"s},
      {"with NUL behind the value", "Transfer-Encoding: chunked\0\r\n"s},
      {"with a high byte behind the value", "Transfer-Encoding: chunked\xa0\r\n"},
      {"in double quotes", "Transfer-Encoding: \"chunked\"\r\n"},
      {"in single quotes", "Transfer-Encoding: 'chunked'\r\n"},
      {"behind another coding", "Transfer-Encoding: identity, chunked\r\n"},
      {"before another coding", "Transfer-Encoding: chunked, identity\r\n"},
      {"twice in a list", "Transfer-Encoding: chunked, chunked\r\n"},
      {"behind a comma", "Transfer-Encoding: ,chunked\r\n"},
      {"twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
      {"before an odd one", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"},
      {"behind an odd one", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n"},
      {"behind identity", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"},
      {"misspelt", "Transfer-Encoding: chunk\r\n"},
      {"with a letter more", "Transfer-Encoding: xchunked\r\n"},
      {"with a parameter", "Transfer-Encoding: chunked;q=0.5\r\n"},
      {"empty", "Transfer-Encoding:\r\n"},
  };
  for (const auto& [how, field] : hidden) {
    all.push_back(refused("CL.TE, the coding " + std::string(how),
                          post("Content-Length: 44\r\n" + field, "0\r\n\r\n" + std::string(kInner)),
                          0));
    all.push_back(refused(
        "TE.CL, the coding " + std::string(how),
        post(field + "Content-Length: 4\r\n", "29\r\n" + std::string(kInner) + "\r\n0\r\n\r\n"),
        0));
  }
}

// Fields that are not what they look like: forwarded as they are, and no framing.
void addLookalikes(Requests& all) {
  for (const std::string name :
       {"Transfer_Encoding", "X-Transfer-Encoding", "Transfer-Encodings", "TransferEncoding"}) {
    all.push_back(one("a length beside " + name,
                      post("Content-Length: 5\r\n" + name + ": chunked\r\n", "0\r\n\r\n"),
                      "POST /x a.test 0\r\n\r\n"));
  }
  for (const std::string name : {"Content_Length", "X-Content-Length", "ContentLength"}) {
    all.push_back(
        one("chunks beside " + name,
            post("Transfer-Encoding: chunked\r\n" + name + ": 3\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            "POST /x a.test hello"));
  }
}

void addLengths(Requests& all) {
  const std::string body = "ab" + std::string(kInner);
  for (const std::string& lengths : {"Content-Length: 2\r\nContent-Length: 44\r\n"s,
                                     "Content-Length: 44\r\nContent-Length: 2\r\n"s,
                                     "Content-Length: 0\r\nContent-Length: 44\r\n"s,
                                     "Content-Length: 2\r\ncontent-length: 2\r\n"s,
                                     "Content-Length: 2\r\nX: y\r\nContent-Length: 02\r\n"s,
                                     "Content-Length: 0\r\nContent-Length: 0\r\n"s,
                                     "Content-Length: 2, 44\r\n"s,
                                     "Content-Length: 2,2\r\n"s,
                                     "Content-Length: 2\r\nContent-Length: 2, 2\r\n"s,
                                     "Content-Length: 2\r\nContent-Length:\r\n"s,
                                     "Content-Length: 0x2\r\n"s,
                                     "Content-Length: 2 \x0b\r\n"s,
                                     "Content-Length: 2\0\r\n"s,
                                     "Content-Length: 2;x\r\n"s,
                                     "Content-Length: \"2\"\r\n"s,
                                     "Content-Length: +2\r\n"s,
                                     "Content-Length: -0\r\n"s,
                                     "Content-Length: 2 0\r\n"s,
                                     "Content-Length: 2e1\r\n"s,
                                     "Content-Length: 1_0\r\n"s,
                                     "Content-Length: 18446744073709551618\r\n"s,
                                     "Content-Length: 9223372036854775808\r\n"s,
                                     "Content-Length: \xd9\xa2\r\n"s,
                                     " Content-Length: 2\r\n"s,
                                     "Content-Length : 2\r\n"s,
                                     "Content-Length\r\n: 2\r\n"s}) {
    all.push_back(refused("lengths: " + lengths, post(lengths, body)));
  }
  all.push_back(one("leading zeros", post("Content-Length: 002\r\n", "ab"), "POST /x a.test ab"));
  all.push_back(one("blanks around a length", post("Content-Length: \t 2 \t\r\n", "ab"),
                    "POST /x a.test ab"));
  all.push_back(one("a body that looks like a request",
                    post("Content-Length: " + std::to_string(sizeof(kInner) - 1) + "\r\n", kInner),
                    "POST /x a.test " + std::string(kInner)));
  all.push_back(
      one("GET with a body", get("/x", "Content-Length: 2\r\n") + "ab", "GET /x a.test ab"));
  all.push_back(one("HEAD with a body", head("HEAD /x HTTP/1.1", "Content-Length: 2\r\n") + "ab",
                    "HEAD /x a.test ab"));
  all.push_back(
      one("DELETE with chunks",
          head("DELETE /x HTTP/1.1", "Transfer-Encoding: chunked\r\n") + "1\r\na\r\n0\r\n\r\n",
          "DELETE /x a.test a"));
  all.push_back(unfinished("less than the length", post("Content-Length: 90\r\n", kInner)));
  all.push_back(unfinished("a head without an end", "GET / HTTP/1.1\r\nHost: a.test\r\n"));
  all.push_back(unfinished("half a request line", "GET /half"));
}

void addChunks(Requests& all) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const auto body = [&](std::string what, const std::string& bytes, std::string received) {
    all.push_back(one(std::move(what), post(chunked, bytes), "POST /x a.test " + received));
  };
  body("chunks", "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc");
  body("a chunk that holds a request", "29\r\n" + std::string(kInner) + "\r\n0\r\n\r\n", kInner);
  body("extensions", "1;a=b\r\nx\r\n0;c=\"d;\"\r\n\r\n", "x");
  body("zeros before a size", "0000000000000001\r\nx\r\n000\r\n\r\n", "x");
  body("trailers", "0\r\nX-Sum: 1\r\n\r\n", "");
  body("trailers that would route or authenticate",
       "1\r\nx\r\n0\r\nHost: b.test\r\n"
       "Authorization: x\r\nCookie: a\r\nX-Forwarded-For: 1.1.1.1\r\nConnection: close\r\n\r\n",
       "x");
  all.push_back(one("the coding in odd case and blanks",
                    post("tRANSFER-eNCODING: \tcHuNkEd \r\n", "1\r\nx\r\n0\r\n\r\n"),
                    "POST /x a.test x"));
  all.push_back(unfinished("chunks without the last", post(chunked, "1\r\nx\r\n")));
  all.push_back(unfinished("no end of trailers", post(chunked, "0\r\n")));
  const std::string sizes[] = {"8000000000000000",
                               "ffffffffffffffff",
                               "10000000000000000",
                               "100000000000000029",
                               "-1",
                               "+1",
                               "0x1",
                               "1 ",
                               " 1",
                               "1\t",
                               "1,",
                               "g",
                               "",
                               "1;\x01",
                               "1\0"s,
                               "1;a\nb",
                               "1;a\rb",
                               "1\xa0",
                               "\xef\xbc\x91"};
  for (const std::string& size : sizes) {
    all.push_back({"the chunk size " + size, post(chunked, size + "\r\nx\r\n0\r\n\r\n" + kInner),
                   HostileRequest::Outcome::Cut, 400});
  }
  for (const std::string& bytes :
       {"1\nx\n0\n\n"s, "1\r\nx\n0\r\n\r\n"s, "1\r\nx0\r\n\r\n"s, "1\r\nxy\r\n0\r\n\r\n"s,
        "0\r\n\n"s, "0\n\r\n"s, "0\r\nX : 1\r\n\r\n"s, "0\r\n X: 1\r\n\r\n"s,
        "0\r\nContent-Length: 0\r\n\r\n"s, "0\r\nX: 1\r\nTransfer-Encoding: chunked\r\n\r\n"s,
        "0\r\nX: 1\r\n folded\r\n\r\n"s, "0\r\nGET / HTTP/1.1\r\n\r\n"s}) {
    all.push_back(
        {"chunks: " + bytes, post(chunked, bytes + kInner), HostileRequest::Outcome::Cut, 400});
  }
  std::string talk;
  for (int i = 0; i < 40; ++i) talk += "1;" + std::string(500, 'a') + "\r\nx\r\n";
  all.push_back({"extensions without end", post(chunked, talk + "0\r\n\r\n"),
                 HostileRequest::Outcome::Cut, 400});
  all.push_back({"an extension without end",
                 post(chunked, "1;" + std::string(2000, 'a') + "\r\nx\r\n0\r\n\r\n"),
                 HostileRequest::Outcome::Cut, 400});
}

// What one connection says to another must not decide what the next connection carries.
void addHopByHop(Requests& all) {
  all.push_back(one("Connection: Content-Length",
                    post("Content-Length: 2\r\nConnection: Content-Length\r\n", "ab"),
                    "POST /x a.test ab"));
  all.push_back(one("Connection: Transfer-Encoding",
                    post("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
                         "1\r\na\r\n0\r\n\r\n"),
                    "POST /x a.test a"));
  all.push_back(one("Connection: Host", get("/x", "Connection: Host\r\n"), "GET /x a.test "));
  all.push_back(one("Connection: X-Secret", get("/x", "X-Secret: 1\r\nConnection: X-Secret\r\n"),
                    "GET /x a.test ", "x-secret"));
  all.push_back(last("Connection: close, X-Secret",
                     get("/x", "X-Secret: 1\r\nConnection: close, X-Secret\r\n"), "GET /x a.test ",
                     "x-secret"));
  all.push_back(one("Keep-Alive and Proxy-Connection",
                    get("/x", "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n"),
                    "GET /x a.test ", "proxy-connection"));
  all.push_back(one("Upgrade: h2c",
                    get("/x",
                        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
                    "GET /x a.test ", "http2-settings"));
  all.push_back(one("Upgrade: h2c that Connection does not name", get("/x", "Upgrade: h2c\r\n"),
                    "GET /x a.test ", "upgrade"));
  all.push_back(one("Upgrade: TLS/1.0", get("/x", "Connection: upgrade\r\nUpgrade: TLS/1.0\r\n"),
                    "GET /x a.test ", "upgrade"));
  all.push_back(refused("an upgrade that is not configured, and a request behind it",
                        get("/x", "Connection: Upgrade\r\nUpgrade: x\r\n") + kInner, 403));
  all.push_back(refused("CONNECT, and a request behind it",
                        "CONNECT b.test:80 HTTP/1.1\r\nHost: b.test\r\n\r\n" + std::string(kInner),
                        403));
  all.push_back(
      refused("CONNECT with a length",
              "CONNECT b.test:80 HTTP/1.1\r\nHost: b.test\r\nContent-Length: 2\r\n\r\nab"));
  all.push_back(
      one("TE: trailers, gzip", get("/x", "TE: gzip, trailers\r\n"), "GET /x a.test ", "te"));
  all.push_back(one("X-Envoy-Internal", get("/x", "X-Envoy-Internal: true\r\n"), "GET /x a.test ",
                    "x-envoy-internal"));
  all.push_back(one("Trailer named by Connection",
                    get("/x", "Trailer: X\r\nConnection: trailer\r\n"), "GET /x a.test ",
                    "trailer"));
}

void addTargetsAndHosts(Requests& all) {
  all.push_back(one("absolute-form with another Host",
                    "GET http://b.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n", "GET /x b.test "));
  all.push_back(one("absolute-form with a port and a query",
                    "GET http://b.test:81?x HTTP/1.1\r\nHost: a.test\r\n\r\n",
                    "GET /?x b.test:81 "));
  all.push_back(one("OPTIONS for a host", "OPTIONS http://b.test HTTP/1.1\r\nHost: a.test\r\n\r\n",
                    "OPTIONS * b.test "));
  all.push_back(one("a target of two slashes names no host", get("//evil.test/x"),
                    "GET //evil.test/x a.test "));
  all.push_back(
      one("encoded line ends stay encoded", get("/a%0d%0aX:%20b"), "GET /a%0d%0aX:%20b a.test "));
  all.push_back(one("an encoded NUL stays encoded", get("/a%00"), "GET /a%00 a.test "));
  all.push_back(one("the path is not touched", get("/a/../b//c/%2e%2e;x\\y"),
                    "GET /a/../b//c/%2e%2e;x\\y a.test "));
  all.push_back(one("a Host that only X-Forwarded-Host contradicts",
                    get("/x", "X-Forwarded-Host: b.test\r\nX-Host: b.test\r\n"), "GET /x a.test "));
  all.push_back(one("an unknown method", head("BREW /x HTTP/1.1", ""), "BREW /x a.test "));
  all.push_back(
      one("a method in lower case is another one", head("get /x HTTP/1.1", ""), "get /x a.test "));
  all.push_back(one("an empty line before the request", "\r\n" + get("/x"), "GET /x a.test "));
  all.push_back(refused("absolute-form and two Hosts",
                        "GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n"));
  all.push_back(
      refused("Host with a folded line", "GET / HTTP/1.1\r\nHost: a.test\r\n b.test\r\n\r\n"));
  all.push_back(refused("Host in front of white space",
                        "GET / HTTP/1.1\r\nHost : a.test\r\nHost: b.test\r\n\r\n"));
}

void addVersionsAndLimits(Requests& all) {
  all.push_back(last("HTTP/1.0 with a length",
                     "POST /x HTTP/1.0\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nab",
                     "POST /x a.test ab"));
  all.push_back(one("HTTP/1.0 that keeps its connection",
                    "GET /x HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n",
                    "GET /x a.test "));
  all.push_back(refused("chunks in HTTP/1.0",
                        head("POST /x HTTP/1.0", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"));
  all.push_back(
      refused("chunks and a length in HTTP/1.0",
              head("POST /x HTTP/1.0", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") +
                  "0\r\n\r\n"));
  all.push_back(
      refused("HTTP/2 without TLS in the middle", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505));
  all.push_back(refused("a head over the limit",
                        get("/x", "X: " + std::string(70 * 1024, 'x') + "\r\n"), 431));
  all.push_back(refused("a target over the limit", get("/" + std::string(70 * 1024, 'x')), 431));
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  all.push_back(refused("too many fields", get("/x", many), 431));
  all.push_back(one("an expectation", post("Expect: 100-continue\r\nContent-Length: 2\r\n", "ab"),
                    "POST /x a.test ab", "expect"));
  all.push_back(
      one("bytes above 127 in a value", get("/x", "X: \xc3\xa9\xff\r\n"), "GET /x a.test "));
}

// All that the codec's own table refuses.
void addMalformed(Requests& all) {
  for (const http::RefusedRequest& row : http::refusedRequests()) {
    const int status = http::info(http::info(row.error).request_failure).status;
    if (row.in_body) {
      all.push_back({"malformed body: " + row.what, row.input, HostileRequest::Outcome::Cut, 400});
    } else {
      all.push_back(refused("malformed: " + row.what, row.input, status));
    }
  }
}

HostileResponse bad(std::string what, std::string bytes) {
  return {std::move(what), std::move(bytes), HostileResponse::Outcome::Refused};
}

HostileResponse good(std::string what, std::string bytes, std::string received,
                     std::string without = "") {
  return {std::move(what), std::move(bytes), HostileResponse::Outcome::Passed, std::move(received),
          std::move(without)};
}

HostileResponse cut(std::string what, std::string bytes, bool closes = false) {
  HostileResponse made{std::move(what), std::move(bytes), HostileResponse::Outcome::Cut};
  made.closes = closes;
  return made;
}

HostileResponse closing(HostileResponse row) {
  row.closes = true;
  return row;
}

HostileResponse toHead(HostileResponse row) {
  row.method = "HEAD";
  return row;
}

std::string ok(const std::string& fields, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

constexpr char kSecond[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

Responses malformedHeads() {
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  return {
      closing(bad("nothing", "")),
      bad("no HTTP", "220 mail.test ESMTP\r\n"),
      bad("a line end before it", "\r\n" + ok("Content-Length: 0\r\n")),
      bad("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
      bad("a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
      bad("a status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
      bad("two spaces", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n"),
      bad("another version", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
      bad("bare LF behind the status", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
      bad("bare CR in the reason", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n"),
      bad("NUL in the reason", "HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n"s),
      bad("bare LF behind a field", ok("X: 1\nContent-Length: 0\r\n")),
      bad("a folded line", ok("X: 1\r\n 2\r\nContent-Length: 0\r\n")),
      bad("space before the colon", ok("Content-Length : 0\r\n")),
      bad("NUL in a value", ok("X: \0\r\nContent-Length: 0\r\n"s)),
      bad("CR in a value, as in response splitting",
          ok("X: 1\rSet-Cookie: a=b\r\nContent-Length: 0\r\n")),
      bad("an empty name", ok(": 1\r\nContent-Length: 0\r\n")),
      bad("both lengths", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
      bad("lengths that differ", ok("Content-Length: 1\r\nContent-Length: 2\r\n", "ab")),
      bad("the same length twice", ok("Content-Length: 2\r\nContent-Length: 2\r\n", "ab")),
      bad("a list of lengths", ok("Content-Length: 2, 2\r\n", "ab")),
      bad("a negative length", ok("Content-Length: -1\r\n")),
      bad("a length of 2^64", ok("Content-Length: 18446744073709551616\r\n")),
      bad("an unknown coding", ok("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
      bad("two codings",
          ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
      bad("identity", ok("Transfer-Encoding: identity\r\n", "x")),
      bad("chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      bad("101 that nobody asked for",
          "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
      bad("a head over the limit", ok("X: " + std::string(70 * 1024, 'x') + "\r\n")),
      bad("too many fields", ok(many)),
      closing(bad("half a head", "HTTP/1.1 200 OK\r\nContent-Le")),
  };
}

Responses bodies() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      good("a length", ok("Content-Length: 2\r\n", "ab"), "200 ab"),
      good("chunks", ok(chunked, "1;x\r\na\r\n0\r\nX: 1\r\n\r\n"), "200 a"),
      good("no reason, no space", "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n", "299 "),
      good("two responses at once", ok("Content-Length: 1\r\n", "a") + kSecond, "200 a"),
      good("two responses, the first in chunks", ok(chunked, "1\r\na\r\n0\r\n\r\n") + kSecond,
           "200 a"),
      good("204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", "204 ",
           "content-length"),
      good("204 with chunks", "HTTP/1.1 204 No Content\r\n" + chunked + "\r\n1\r\nx\r\n0\r\n\r\n",
           "204 ", "transfer-encoding"),
      good("304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil", "304 "),
      toHead(good("HEAD with a body", ok("Content-Length: 4\r\n", "evil"), "200 ")),
      toHead(good("HEAD with chunks", ok(chunked, "4\r\nevil\r\n0\r\n\r\n"), "200 ")),
      good("an interim response",
           "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok("Content-Length: 1\r\n", "a"),
           "103 200 a"),
      good(
          "an interim response that claims a body",
          "HTTP/1.1 102 Processing\r\nContent-Length: 3\r\n\r\n" + ok("Content-Length: 1\r\n", "a"),
          "102 200 a"),
      good("interim responses without end", repeated("HTTP/1.1 102 Processing\r\n\r\n", 20),
           repeated("102 ", 16) + "502 The upstream host's response is malformed.\n"),
      closing(good("no length", ok("", "until the end"), "200 until the end")),
      closing(good("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nold", "200 old")),
      good("HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", "200 old"),
      good("Connection: Content-Length",
           ok("Connection: content-length\r\nContent-Length: 2\r\n", "ab"), "200 ab"),
      good("Connection: X-Secret",
           ok("Connection: X-Secret\r\nX-Secret: 1\r\nContent-Length: 0\r\n"), "200 ", "x-secret"),
      good("Connection: close", ok("Connection: close\r\nContent-Length: 1\r\n", "a"), "200 a",
           "connection"),
      good("Keep-Alive", ok("Keep-Alive: timeout=1\r\nContent-Length: 0\r\n"), "200 ",
           "keep-alive"),
      good("Upgrade in a 200", ok("Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 0\r\n"),
           "200 ", "upgrade"),
      good("trailers that come too late",
           ok(chunked, "1\r\na\r\n0\r\nHost: b.test\r\nSet-Cookie: a=b\r\n\r\n"), "200 a"),
      cut("a length in trailers", ok(chunked, "1\r\na\r\n0\r\nContent-Length: 9\r\n\r\n")),
      cut("a coding in trailers", ok(chunked, "1\r\na\r\n0\r\nTransfer-Encoding: x\r\n\r\n")),
      good("bytes above 127", ok("X: \xe9\xff\r\nContent-Length: 0\r\n"), "200 "),
      cut("a chunk size that is none", ok(chunked, "1\r\na\r\nzz\r\n")),
      cut("a chunk size of 2^63", ok(chunked, "8000000000000000\r\n")),
      cut("a bare LF behind a chunk size", ok(chunked, "1\na\r\n0\r\n\r\n")),
      cut("data longer than its chunk", ok(chunked, "1\r\nab\r\n0\r\n\r\n")),
      cut("a folded trailer", ok(chunked, "0\r\nX: 1\r\n 2\r\n\r\n")),
      cut("an extension without end", ok(chunked, "1;" + std::string(2000, 'a') + "\r\n")),
      cut("less than its length", ok("Content-Length: 9\r\n", "ab"), true),
      cut("chunks without the last", ok(chunked, "1\r\na\r\n"), true),
      cut("no end of trailers", ok(chunked, "1\r\na\r\n0\r\nX: 1\r\n"), true),
  };
}

}  // namespace

const std::vector<HostileRequest>& hostileHttp1Requests() {
  static const Requests kAll = [] {
    Requests all;
    addHiddenCodings(all);
    addLookalikes(all);
    addLengths(all);
    addChunks(all);
    addHopByHop(all);
    addTargetsAndHosts(all);
    addVersionsAndLimits(all);
    addMalformed(all);
    return all;
  }();
  return kAll;
}

const std::vector<HostileResponse>& hostileHttp1Responses() {
  static const Responses kAll = [] {
    Responses all = malformedHeads();
    for (HostileResponse& row : bodies()) all.push_back(std::move(row));
    return all;
  }();
  return kAll;
}

}  // namespace convoy::test
