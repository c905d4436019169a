#include <string_view>

#include "test/integration/smuggling_cases.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::test {
namespace {

using namespace std::string_literals;
namespace h2 = http::h2;
using Requests = std::vector<HostileH2Request>;
using Field = std::pair<std::string, std::string>;
using Fields = std::vector<Field>;

// What must never become a request of its own.
constexpr char kInner[] = "GET /admin HTTP/1.1\r\nHost: inner.test\r\n\r\n";

h2::Fields views(const Fields& fields) {
  return {fields.begin(), fields.end()};
}

// A header block on stream 1.
std::string head(const Fields& fields, bool end = true) {
  return h2::headers(1, views(fields), end ? h2::kEndStream : 0);
}

Fields fields(const std::string& method, const std::string& path, const Fields& more = {}) {
  Fields all = {
      {":method", method}, {":scheme", "http"}, {":path", path}, {":authority", "a.test"}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string get(const Fields& more, const std::string& path = "/x") {
  return head(fields("GET", path, more));
}

// With a body of one DATA frame.
std::string post(const Fields& more, const std::string& body) {
  return head(fields("POST", "/x", more), false) + h2::data(1, body, h2::kEndStream);
}

// The pseudo-fields of a GET, one of them another or (an empty value) none.
std::string with(const std::string& name, const std::string& value, const Fields& more = {}) {
  Fields all = fields("GET", "/x", more);
  for (Field& field : all) {
    if (field.first == name) field.second = value;
  }
  return head(all);
}

std::string withoutField(const std::string& name, const Fields& more = {}) {
  Fields all;
  for (Field& field : fields("GET", "/x", more)) {
    if (field.first != name) all.push_back(std::move(field));
  }
  return head(all);
}

std::string trailers(const Fields& more, uint8_t flags = h2::kEndStream) {
  return h2::headers(1, views(more), flags);
}

// A head that is larger than a frame may be.
std::string inFrames(const std::string& block) {
  constexpr size_t kFrame = 16000;
  std::string out = h2::frame(NGHTTP2_HEADERS, h2::kEndStream, 1, block.substr(0, kFrame));
  for (size_t at = kFrame; at < block.size(); at += kFrame) {
    out += h2::frame(NGHTTP2_CONTINUATION, 0, 1, block.substr(at, kFrame));
  }
  return out + h2::frame(NGHTTP2_CONTINUATION, h2::kEndHeaders, 1);
}

HostileH2Request refused(std::string what, std::string bytes, int status = 0) {
  return {std::move(what), std::move(bytes), HostileH2Request::Outcome::Refused, status};
}

HostileH2Request ended(std::string what, std::string bytes) {
  return {std::move(what), std::move(bytes), HostileH2Request::Outcome::Ended};
}

HostileH2Request cut(std::string what, std::string bytes, std::string received = "") {
  return {std::move(what), std::move(bytes), HostileH2Request::Outcome::Cut, 0,
          std::move(received)};
}

HostileH2Request givenUp(std::string what, std::string bytes) {
  HostileH2Request made = cut(std::move(what), std::move(bytes));
  made.gives_up = true;
  return made;
}

HostileH2Request one(std::string what, std::string bytes, std::string received = "GET /x a.test ",
                     std::string without = "") {
  return {std::move(what),     std::move(bytes),  HostileH2Request::Outcome::Forwarded, 200,
          std::move(received), std::move(without)};
}

// What would end a line, a field, the head or the request on HTTP/1.1, in every place where a
// client of HTTP/2 can write it.
void addInjections(Requests& all) {
  const std::string payloads[] = {
      "a\r\nX-Injected: 1",
      "a\nX-Injected: 1",
      "a\rX-Injected: 1",
      "a\r\nTransfer-Encoding: chunked",
      "a\r\nContent-Length: 0",
      "a\r\nHost: b.test",
      "a\r\n\r\n"s + kInner,
      "a\n\n"s + kInner,
      "a\r\n",
      "\r\na",
      "a\0b"s,
      "\0"s,
      "a\x01",
      "a\x0b",
      "a\x1f",
      "a\x7f",
  };
  for (const std::string& payload : payloads) {
    for (const char* name : {"x", "cookie", "user-agent", "x-forwarded-for", "x-request-id",
                             "content-type", "expect", "te", "via"}) {
      all.push_back(refused("in "s + name + ": " + payload, get({{name, payload}})));
    }
    all.push_back(refused("in a name: " + payload, get({{payload, "1"}})));
    all.push_back(refused("in :path: " + payload, with(":path", "/" + payload)));
    all.push_back(refused("in :method: " + payload, with(":method", payload)));
    all.push_back(refused("in :scheme: " + payload, with(":scheme", payload)));
    all.push_back(refused("in :authority: " + payload, with(":authority", payload)));
    all.push_back(refused("in Host: " + payload, withoutField(":authority", {{"host", payload}})));
    all.push_back(
        refused("in the length: " + payload, post({{"content-length", "1" + payload}}, "x")));
    all.push_back(cut("in a trailer: " + payload,
                      head(fields("POST", "/x"), false) + trailers({{"x", payload}})));
    all.push_back(cut("in a trailer's name: " + payload,
                      head(fields("POST", "/x"), false) + trailers({{payload, "x"}})));
  }
  all.push_back(refused("a request in :method", with(":method", "GET /admin HTTP/1.1\r\nX: ")));
  all.push_back(refused("a request in :path",
                        with(":path", "/ HTTP/1.1\r\nHost: inner.test\r\n\r\nGET /admin")));
  all.push_back(refused("a blank before a value", get({{"x", " 1"}})));
  all.push_back(refused("a blank behind a value", get({{"x", "1 "}})));
  all.push_back(refused("a tab before a value", get({{"x", "\t1"}})));
  all.push_back(one("bytes above 127 in a value", get({{"x", "\xc3\xa9\xff"}})));
  all.push_back(one("a tab inside a value", get({{"x", "a\tb"}})));
}

void addNames(Requests& all) {
  for (const char* name : {"X-Upper",
                           "Transfer-Encoding",
                           "Host",
                           "Content-Length",
                           "a b",
                           "a:b",
                           "x:",
                           "host:",
                           "x\t",
                           " x",
                           "transfer-encoding ",
                           "transfer-encoding:",
                           " transfer-encoding",
                           "a\xc3\xa9",
                           "a(b",
                           "a\"b",
                           "a/b",
                           "a,b",
                           "a;b",
                           "a@b",
                           "a[b",
                           "a{b",
                           "a=b"}) {
    all.push_back(refused("the name "s + name, get({{name, "chunked"}})));
  }
  all.push_back(refused("an empty name", get({{"", "chunked"}})));
  for (const char* name : {"transfer_encoding", "x-transfer-encoding", "transferencoding",
                           "transfer-encodings", "content_length", "x-content-length"}) {
    all.push_back(one("a body beside "s + name, post({{name, "chunked"}}, kInner),
                      "POST /x a.test "s + kInner));
  }
}

// RFC 9113 8.2.2: what belongs to a connection makes a request of HTTP/2 malformed.
void addConnectionFields(Requests& all) {
  const Field forbidden[] = {
      {"connection", "close"},
      {"connection", "keep-alive"},
      {"connection", "x-secret"},
      {"connection", "content-length"},
      {"connection", ""},
      {"transfer-encoding", "chunked"},
      {"transfer-encoding", "identity"},
      {"transfer-encoding", "gzip, chunked"},
      {"transfer-encoding", "xchunked"},
      {"transfer-encoding", ""},
      {"keep-alive", "timeout=5"},
      {"proxy-connection", "keep-alive"},
      {"upgrade", "h2c"},
      {"upgrade", "websocket"},
      {"te", "gzip"},
      {"te", "chunked"},
      {"te", "trailers, gzip"},
      {"te", ""},
  };
  for (const Field& field : forbidden) {
    const std::string what = field.first + ": " + field.second;
    all.push_back(refused(what, get({field})));
    all.push_back(refused(what + ", before a request as body", post({field}, kInner)));
    all.push_back(refused(what + ", before chunks as body", post({field}, "0\r\n\r\n"s + kInner)));
    all.push_back(refused(what + ", and a length", post({field, {"content-length", "1"}}, "x")));
  }
  all.push_back(one("x-envoy-internal", get({{"x-envoy-internal", "true"}}), "GET /x a.test ",
                    "x-envoy-internal"));
  all.push_back(one("te: trailers", get({{"te", "trailers"}})));
  all.push_back(one("te: Trailers", get({{"te", "Trailers"}}), "GET /x a.test "));
  all.push_back(one("trailer", post({{"trailer", "x-sum"}}, "a"), "POST /x a.test a"));
}

void addPseudoFields(Requests& all) {
  for (const char* name : {":method", ":scheme", ":path", ":authority"}) {
    all.push_back(refused("without "s + name, withoutField(name)));
    all.push_back(refused("empty "s + name, with(name, "")));
    all.push_back(refused("twice "s + name, get({{name, "GET"}})));
    all.push_back(
        refused("twice the same "s + name, head({{":method", "GET"},
                                                 {":scheme", "http"},
                                                 {":path", "/x"},
                                                 {":authority", "a.test"},
                                                 {name, name == ":method"s ? "GET" : "/x"}})));
    all.push_back(
        refused("late "s + name,
                withoutField(name, {{"x", "1"}, {name, name == ":path"s ? "/x" : "GET"}})));
    all.push_back(cut(std::string(name) + " in trailers",
                      head(fields("POST", "/x"), false) + trailers({{name, "/admin"}})));
  }
  for (const char* name : {":status", ":unknown", ":host", ":", ":Path", "::path", ":path ",
                           ":content-length", ":transfer-encoding"}) {
    all.push_back(refused("the pseudo-field "s + name, head([name] {
                            Fields all_fields = {{name, "200"}};
                            for (Field& field : fields("GET", "/x")) {
                              all_fields.push_back(std::move(field));
                            }
                            return all_fields;
                          }())));
  }
  all.push_back(cut(":status in trailers",
                    head(fields("POST", "/x"), false) + trailers({{":status", "200"}})));
  all.push_back(refused("no field at all", head({})));
  all.push_back(refused("nothing but a length", head({{"content-length", "0"}})));
}

void addTargets(Requests& all) {
  for (const char* path : {"x",
                           "a.test/x",
                           "http://b.test/x",
                           "//b.test\r\n",
                           "*",
                           "**",
                           "*/",
                           "/x y",
                           " /x",
                           "/x ",
                           "/x#y",
                           "#",
                           "?x",
                           "?",
                           "/\x7f",
                           "/\tx",
                           "/x HTTP/1.1",
                           "b.test:80",
                           "%2fx",
                           "\\x",
                           ".",
                           "@b.test/",
                           ":80/"}) {
    all.push_back(refused("the path "s + path, with(":path", path)));
  }
  all.push_back(one("* of OPTIONS", head(fields("OPTIONS", "*")), "OPTIONS * a.test "));
  for (const char* path : {"//b.test/x", "/a%0d%0aX:%20b", "/a%00", "/a%20HTTP/1.1",
                           "/a/../b//c/%2e%2e;x\\y", "/x?a=b?c", "/?", "/http://b.test/"}) {
    all.push_back(one("the path "s + path, with(":path", path), "GET "s + path + " a.test "));
  }
  for (const char* method :
       {"GET ", " GET", "GET /admin", "G(T", "G\"T", "GET\t", "G,T", "G:T", "G/T", "\xc3\xa9"}) {
    all.push_back(refused("the method "s + method, with(":method", method)));
  }
  all.push_back(one("an unknown method", with(":method", "BREW"), "BREW /x a.test "));
  all.push_back(one("a method in lower case", with(":method", "get"), "get /x a.test "));
  all.push_back(one("a method that HTTP/2 begins with", with(":method", "PRI"), "PRI /x a.test "));
  for (const char* scheme : {"ftp", "javascript", "http:", "http://", "http://b.test", "https ",
                             "file", "ws", "h", "1", "http/1.1", "\xc3\xa9"}) {
    all.push_back(refused("the scheme "s + scheme, with(":scheme", scheme)));
  }
  all.push_back(one("https without TLS", with(":scheme", "https")));
  all.push_back(one("a scheme in upper case", with(":scheme", "HTTP")));
}

void addHosts(Requests& all) {
  for (const char* authority :
       {"user@a.test",  "user:pass@a.test", "@a.test",         "a.test@b.test", "a.test/",
        "a.test/x",     "a.test?x",         "a.test#x",        "a.test b.test", "a.test,b.test",
        "a.test:80:81", "a.test:x",         "a.test:99999999", "http://a.test", "[::1",
        "::1",          "a.test\\b.test",   "a_\"b",           "a.test:80 ",    " a.test",
        "<a>",          "[a.test]",         "a.test:-1",       "a.test:+80",    "a.test:8 0"}) {
    all.push_back(refused("the authority "s + authority, with(":authority", authority)));
    all.push_back(refused("the authority in Host "s + authority,
                          withoutField(":authority", {{"host", authority}})));
  }
  all.push_back(refused(":authority and another Host", get({{"host", "b.test"}})));
  all.push_back(refused(":authority and a Host with a port", get({{"host", "a.test:80"}})));
  all.push_back(refused(":authority and an empty Host", get({{"host", ""}})));
  all.push_back(refused("two Hosts", get({{"host", "a.test"}, {"host", "a.test"}})));
  all.push_back(refused("two other Hosts",
                        withoutField(":authority", {{"host", "a.test"}, {"host", "b.test"}})));
  all.push_back(one("the same Host", get({{"host", "a.test"}})));
  all.push_back(one("the same Host in upper case", get({{"host", "A.TEST"}})));
  all.push_back(one("Host alone", withoutField(":authority", {{"host", "a.test"}})));
  all.push_back(one("a port", with(":authority", "a.test:80"), "GET /x a.test:80 "));
  all.push_back(one("an address", with(":authority", "[::1]:80"), "GET /x [::1]:80 "));
  all.push_back(one("X-Forwarded-Host that contradicts", get({{"x-forwarded-host", "b.test"}})));
}

void addLengths(Requests& all) {
  const std::string body = "ab"s + kInner;
  for (const std::string& length :
       {"-1"s, "+2"s, "0x2"s, "2 "s, " 2"s, "2,2"s, "2, 2"s, "2;x"s, "\"2\""s, "2e1"s, "1_0"s, ""s,
        "a"s, "2.0"s, "18446744073709551618"s, "9223372036854775808"s, "\xd9\xa2"s, "2\t"s}) {
    all.push_back(refused("the length " + length, post({{"content-length", length}}, "ab")));
    all.push_back(refused("the length " + length + " of nothing",
                          head(fields("POST", "/x", {{"content-length", length}}))));
  }
  for (const std::string& length : {"1"s, "0"s, "44"s, "9223372036854775807"s}) {
    all.push_back(cut("the length " + length + " of another body",
                      post({{"content-length", length}}, body), "POST /x a.test "));
  }
  all.push_back(cut("less than the body, in two frames",
                    head(fields("POST", "/x", {{"content-length", "2"}}), false) +
                        h2::data(1, "ab") + h2::data(1, kInner, h2::kEndStream),
                    "POST /x a.test ab"));
  all.push_back(cut("more than the body, in two frames",
                    head(fields("POST", "/x", {{"content-length", "9"}}), false) +
                        h2::data(1, "ab") + h2::data(1, "", h2::kEndStream)));
  all.push_back(cut("more than the body, and trailers",
                    head(fields("POST", "/x", {{"content-length", "9"}}), false) +
                        h2::data(1, "ab") + trailers({{"x", "1"}})));
  all.push_back(
      refused("a length without a body", head(fields("POST", "/x", {{"content-length", "5"}}))));
  all.push_back(refused("a length of GET without a body", get({{"content-length", "5"}})));
  all.push_back(
      refused("two lengths", post({{"content-length", "2"}, {"content-length", "44"}}, "ab")));
  all.push_back(refused("two lengths, the other way round",
                        post({{"content-length", "44"}, {"content-length", "2"}}, "ab")));
  all.push_back(refused("the same length twice",
                        post({{"content-length", "2"}, {"content-length", "2"}}, "ab")));
  all.push_back(one("a length", post({{"content-length", "2"}}, "ab"), "POST /x a.test ab"));
  all.push_back(one("leading zeros", post({{"content-length", "002"}}, "ab"), "POST /x a.test ab"));
  all.push_back(one("a length of 0", post({{"content-length", "0"}}, ""), "POST /x a.test "));
  all.push_back(one("a length of 0 without a body", get({{"content-length", "0"}})));
  all.push_back(one("a body that is a request", post({}, kInner), "POST /x a.test "s + kInner));
  all.push_back(one("a body that is chunks", post({}, "0\r\n\r\n"s + kInner),
                    "POST /x a.test 0\r\n\r\n"s + kInner));
  all.push_back(one("GET with a body",
                    head(fields("GET", "/x"), false) + h2::data(1, kInner, h2::kEndStream),
                    "GET /x a.test "s + kInner));
  all.push_back(one("HEAD with a body",
                    head(fields("HEAD", "/x", {{"content-length", "2"}}), false) +
                        h2::data(1, "ab", h2::kEndStream),
                    "HEAD /x a.test ab"));
  all.push_back(one("DELETE with a body that is empty",
                    head(fields("DELETE", "/x"), false) + h2::data(1, "", h2::kEndStream),
                    "DELETE /x a.test "));
  all.push_back(one("a body in many frames",
                    head(fields("POST", "/x"), false) + h2::data(1, "a") + h2::data(1, "") +
                        h2::data(1, "b") + h2::data(1, "", h2::kEndStream),
                    "POST /x a.test ab"));
  all.push_back(
      one("a body between padding",
          head(fields("POST", "/x", {{"content-length", "2"}}), false) +
              h2::data(1, "\x05"s + "ab" + std::string(5, '\0'), h2::kEndStream | h2::kPadded),
          "POST /x a.test ab"));
  all.push_back(one("an expectation", post({{"expect", "100-continue"}}, "ab"), "POST /x a.test ab",
                    "expect"));
}

void addTrailers(Requests& all) {
  const std::string before = head(fields("POST", "/x"), false) + h2::data(1, "x");
  for (const char* length : {"44", "1", "0"}) {
    all.push_back(cut("the length "s + length + " in trailers",
                      before + trailers({{"content-length", length}})));
  }
  for (const char* name :
       {"host", "authorization", "cookie", "x-forwarded-for", "x-forwarded-proto", "x-request-id",
        "content-type", "expect", "trailer", "forwarded", "set-cookie", "cache-control"}) {
    HostileH2Request row =
        one("the trailer "s + name, before + trailers({{name, "44"}}), "POST /x a.test x");
    row.without_trailer = name;
    all.push_back(std::move(row));
  }
  for (const char* name :
       {"transfer-encoding", "connection", "keep-alive", "upgrade", "proxy-connection", "te"}) {
    all.push_back(cut("the trailer "s + name, before + trailers({{name, "chunked"}})));
  }
  for (const char* name : {"X-Upper", "a b", "a:b", ""}) {
    all.push_back(cut("a trailer of the name "s + name, before + trailers({{name, "x"}})));
  }
  all.push_back(one("trailers", before + trailers({{"x-sum", "1"}}), "POST /x a.test x"));
  all.push_back(one("trailers behind no body",
                    head(fields("POST", "/x"), false) + trailers({{"x-sum", "1"}}),
                    "POST /x a.test "));
  all.push_back(cut("trailers that do not end the stream", before + trailers({{"x", "1"}}, 0)));
  all.push_back(cut("a second head instead of trailers",
                    before + h2::headers(1, views(fields("GET", "/admin")), h2::kEndStream)));
  all.push_back(
      cut("trailers over the limit", before + trailers({{"x", std::string(9 * 1024, 'x')}})));
}

void addCookies(Requests& all) {
  all.push_back(one("crumbs", get({{"cookie", "a=1"}, {"cookie", "b=2"}})));
  all.push_back(one("a crumb that is empty", get({{"cookie", ""}, {"cookie", "b=2"}})));
  all.push_back(refused("a crumb with a line end",
                        get({{"cookie", "a=1"}, {"cookie", "b=2\r\nX-Injected: 1"}})));
  const std::string crumb(16 * 1024, 'c');
  const Fields crumbs(4, {"cookie", crumb});
  all.push_back(refused("cookies over the limit",
                        inFrames(h2::hpack(views(fields("GET", "/x", crumbs)))), 431));
}

void addTunnels(Requests& all) {
  const auto connect = [](const Fields& more) {
    Fields all_fields = {{":method", "CONNECT"}};
    all_fields.insert(all_fields.end(), more.begin(), more.end());
    return head(all_fields, false);
  };
  const Field host = {":authority", "a.test:80"};
  all.push_back(refused("CONNECT that is not allowed", connect({host}), 403));
  all.push_back(
      refused("CONNECT, and a request behind it", connect({host}) + h2::data(1, kInner), 403));
  all.push_back(refused("CONNECT with :scheme", connect({{":scheme", "http"}, host})));
  all.push_back(refused("CONNECT with :path", connect({{":path", "/x"}, host})));
  all.push_back(
      refused("CONNECT with both", connect({{":scheme", "http"}, {":path", "/x"}, host})));
  all.push_back(refused("CONNECT without :authority", connect({})));
  all.push_back(refused("CONNECT with Host alone", connect({{"host", "a.test:80"}})));
  all.push_back(refused("CONNECT without a port", connect({{":authority", "a.test"}})));
  all.push_back(refused("CONNECT to user information", connect({{":authority", "u@a.test:80"}})));
  all.push_back(refused("CONNECT to two hosts", connect({{":authority", "a.test:80 b.test:80"}})));
  all.push_back(refused("CONNECT with a length", connect({host, {"content-length", "2"}})));
  all.push_back(refused("connect in lower case", head(fields("connect", "a.test:80"), false)));

  const auto extended = [](const Fields& more, const std::string& protocol = "websocket") {
    Fields all_fields = fields("CONNECT", "/x", more);
    all_fields.insert(all_fields.begin(), {":protocol", protocol});
    return head(all_fields, false);
  };
  for (const char* protocol : {"h2c", "x", "websocket ", "websocket, x", "web socket", "http/1.1",
                               "connect-udp", "WebSocket\r\nX: 1", ""}) {
    all.push_back(refused("extended CONNECT to "s + protocol, extended({}, protocol)));
  }
  all.push_back(refused("extended CONNECT, twice :protocol", head({{":method", "CONNECT"},
                                                                   {":protocol", "websocket"},
                                                                   {":protocol", "websocket"},
                                                                   {":scheme", "http"},
                                                                   {":path", "/x"},
                                                                   {":authority", "a.test"}},
                                                                  false)));
  all.push_back(refused(":protocol of GET", head({{":method", "GET"},
                                                  {":protocol", "websocket"},
                                                  {":scheme", "http"},
                                                  {":path", "/x"},
                                                  {":authority", "a.test"}})));
  for (const char* missing : {":scheme", ":path", ":authority"}) {
    Fields some;
    for (Field& field : fields("CONNECT", "/x")) {
      if (field.first != missing) some.push_back(std::move(field));
    }
    some.emplace(some.begin(), ":protocol", "websocket");
    all.push_back(refused("extended CONNECT without "s + missing, head(some, false)));
  }
  all.push_back(
      refused("extended CONNECT with a path that is none", head({{":method", "CONNECT"},
                                                                 {":protocol", "websocket"},
                                                                 {":scheme", "http"},
                                                                 {":path", "x"},
                                                                 {":authority", "a.test"}},
                                                                false)));
  all.push_back(refused("extended CONNECT with Upgrade", extended({{"upgrade", "websocket"}})));
  all.push_back(refused("extended CONNECT with Connection", extended({{"connection", "upgrade"}})));
  all.push_back(refused("extended CONNECT with another Host", extended({{"host", "b.test"}})));
}

void addFrames(Requests& all) {
  const std::string block = h2::hpack(views(fields("GET", "/x")));
  const std::string tail = h2::hpack({{"x", "1"}});
  all.push_back(one("a head in three frames",
                    h2::frame(NGHTTP2_HEADERS, h2::kEndStream, 1, block.substr(0, 3)) +
                        h2::frame(NGHTTP2_CONTINUATION, 0, 1, block.substr(3)) +
                        h2::frame(NGHTTP2_CONTINUATION, h2::kEndHeaders, 1, tail)));
  all.push_back(
      ended("DATA inside a head", h2::frame(NGHTTP2_HEADERS, 0, 1, block) + h2::data(1, kInner)));
  all.push_back(ended("the head of another stream inside a head",
                      h2::frame(NGHTTP2_HEADERS, 0, 1, block) + h2::get(3)));
  all.push_back(ended("CONTINUATION of another stream",
                      h2::frame(NGHTTP2_HEADERS, 0, 1, block) +
                          h2::frame(NGHTTP2_CONTINUATION, h2::kEndHeaders, 3, tail)));
  all.push_back(
      ended("CONTINUATION of nothing", h2::frame(NGHTTP2_CONTINUATION, h2::kEndHeaders, 1, block)));
  all.push_back(ended("DATA before a head", h2::data(1, kInner, h2::kEndStream)));
  all.push_back(ended("a stream of an even number", h2::get(2)));
  all.push_back(ended("a stream of number 0", h2::get(0)));
  all.push_back(ended("HPACK that is none",
                      h2::frame(NGHTTP2_HEADERS, h2::kEndStream | h2::kEndHeaders, 1, "\xff\xff")));
  all.push_back(ended("half of HPACK", h2::frame(NGHTTP2_HEADERS, h2::kEndStream | h2::kEndHeaders,
                                                 1, block.substr(0, block.size() - 1))));
  all.push_back(ended("PUSH_PROMISE", h2::frame(NGHTTP2_PUSH_PROMISE, h2::kEndHeaders, 1,
                                                h2::number(3, 4) + block)));
  all.push_back(ended("HTTP/1.1 behind the preface", kInner));
  all.push_back(ended("more padding than the frame",
                      head(fields("POST", "/x"), false) +
                          h2::data(1, "\x09"s + "ab", h2::kEndStream | h2::kPadded)));
  all.push_back(one("frames of a type that nobody knows",
                    h2::frame(0xfa, 0xff, 1, kInner) + get({}) + h2::frame(0xfa, 0xff, 0, kInner)));
  all.push_back(
      one("a head between padding and with a priority",
          h2::frame(NGHTTP2_HEADERS, h2::kEndStream | h2::kEndHeaders | h2::kPadded | 0x20, 1,
                    "\x03"s + h2::number(0, 4) + "\x10" + block + std::string(3, '\0'))));
  all.push_back(givenUp("reset behind the head",
                        head(fields("POST", "/x"), false) + h2::rstStream(1, NGHTTP2_CANCEL)));
  all.push_back(givenUp(
      "reset inside the body",
      head(fields("POST", "/x"), false) + h2::data(1, kInner) + h2::rstStream(1, NGHTTP2_CANCEL)));
  all.push_back(
      givenUp("no end of the body",
              head(fields("POST", "/x", {{"content-length", "90"}}), false) + h2::data(1, kInner)));
  const std::string large(62 * 1024, 'x');
  all.push_back(refused("a head over the limit", inFrames(block + h2::hpack({{"x", large}})), 431));
  all.push_back(refused("a path over the limit",
                        inFrames(h2::hpack(views(fields("GET", "/" + large)))), 431));
  std::string many;
  for (int i = 0; i < 101; ++i) many += h2::hpack({{"x", "1"}});
  all.push_back(
      refused("too many fields",
              h2::frame(NGHTTP2_HEADERS, h2::kEndStream | h2::kEndHeaders, 1, block + many), 431));
}

}  // namespace

const std::vector<HostileH2Request>& hostileHttp2Requests() {
  static const Requests kAll = [] {
    Requests all;
    addInjections(all);
    addNames(all);
    addConnectionFields(all);
    addPseudoFields(all);
    addTargets(all);
    addHosts(all);
    addLengths(all);
    addTrailers(all);
    addCookies(all);
    addTunnels(all);
    addFrames(all);
    return all;
  }();
  return kAll;
}

}  // namespace convoy::test
