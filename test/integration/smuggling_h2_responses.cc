#include <string_view>

#include "test/integration/smuggling_cases.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::test {
namespace {

using namespace std::string_literals;
namespace h2 = http::h2;
using Responses = std::vector<HostileResponse>;
using Fields = std::vector<std::pair<std::string, std::string>>;
using Outcome = HostileResponse::Outcome;

// What must never become a response of its own.
constexpr char kSecond[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

std::string block(const Fields& fields, uint8_t flags) {
  return h2::headers(1, h2::Fields(fields.begin(), fields.end()), flags);
}

std::string head(const Fields& more, const std::string& status = "200") {
  Fields fields = {{":status", status}};
  fields.insert(fields.end(), more.begin(), more.end());
  return block(fields, 0);
}

std::string ok(const Fields& more, const std::string& body) {
  return head(more) + h2::data(1, body, h2::kEndStream);
}

HostileResponse bad(std::string what, std::string bytes) {
  return {std::move(what), std::move(bytes), Outcome::Refused};
}

HostileResponse good(std::string what, std::string bytes, std::string received,
                     std::string without = "") {
  return {std::move(what), std::move(bytes), Outcome::Passed, std::move(received),
          std::move(without)};
}

HostileResponse cut(std::string what, std::string bytes) {
  return {std::move(what), std::move(bytes), Outcome::Cut};
}

HostileResponse toHead(HostileResponse row) {
  row.method = "HEAD";
  return row;
}

void addFields(Responses& all) {
  for (const std::string& payload :
       {"a\r\nX-Injected: 1"s, "a\nX-Injected: 1"s, "a\rX-Injected: 1"s, "a\r\n\r\n"s + kSecond,
        "a\r\nContent-Length: 0"s, "a\r\nTransfer-Encoding: chunked"s, "a\0b"s, "a\x01"s, "a\x7f"s,
        " a"s, "a "s}) {
    for (const char* name : {"x", "set-cookie", "location", "content-type"}) {
      all.push_back(bad("in "s + name + ": " + payload, ok({{name, payload}}, "b")));
    }
    all.push_back(bad("in a name: " + payload, ok({{payload, "1"}}, "b")));
    all.push_back(bad("in :status: " + payload, head({}, "200" + payload)));
    all.push_back(bad("in the length: " + payload, ok({{"content-length", "1" + payload}}, "b")));
    all.push_back(cut("in a trailer: " + payload,
                      head({}) + h2::data(1, "b") + block({{"x", payload}}, h2::kEndStream)));
  }
  for (const char* name : {"X-Upper", "Content-Length", "a b", "a:b", "", "content-length "}) {
    all.push_back(bad("the name "s + name, ok({{name, "1"}}, "b")));
  }
  for (const char* name :
       {"connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection"}) {
    all.push_back(bad("the field "s + name, ok({{name, "chunked"}}, "b")));
    all.push_back(cut("the trailer "s + name,
                      head({}) + h2::data(1, "b") + block({{name, "chunked"}}, h2::kEndStream)));
  }
  std::string many = h2::hpack({{":status", "200"}});
  for (int i = 0; i < 101; ++i) many += h2::hpack({{"x", "1"}});
  all.push_back(bad("too many fields",
                    h2::frame(NGHTTP2_HEADERS, h2::kEndStream | h2::kEndHeaders, 1, many)));
  all.push_back(good("bytes above 127", ok({{"x", "\xe9\xff"}}, "b"), "200 b"));
}

void addStatuses(Responses& all) {
  for (const char* status : {"", "20", "2000", "abc", "099", "101", "-20", "2 0", "20x"}) {
    all.push_back(bad("the status "s + status, head({}, status) + h2::data(1, "b", 1)));
  }
  all.push_back(bad("no status", block({{"x", "1"}}, h2::kEndStream)));
  all.push_back(bad("no field", block({}, h2::kEndStream)));
  all.push_back(bad("two statuses", ok({{":status", "404"}}, "b")));
  all.push_back(bad("a late status", block({{"x", "1"}, {":status", "200"}}, h2::kEndStream)));
  all.push_back(bad("a request", h2::get(1)));
  all.push_back(bad("an unknown pseudo-field", ok({{":x", "1"}}, "b")));
  all.push_back(
      good("an interim response", head({{"link", "x"}}, "103") + ok({}, "b"), "103 200 b"));
  all.push_back(
      bad("an interim response that ends it", block({{":status", "103"}}, h2::kEndStream)));
  all.push_back(good(
      "interim responses without end",
      [] {
        std::string many;
        for (int i = 0; i < 20; ++i) many += head({}, "102");
        return many;
      }(),
      [] {
        std::string many;
        for (int i = 0; i < 16; ++i) many += "102 ";
        return many + "502 The upstream host's response is malformed.\n";
      }()));
}

void addBodies(Responses& all) {
  all.push_back(good("a length", ok({{"content-length", "1"}}, "b"), "200 b"));
  all.push_back(good("no length", ok({}, "b"), "200 b"));
  all.push_back(good("a body that is a response", ok({}, kSecond), "200 "s + kSecond));
  all.push_back(
      good("a body that is chunks", ok({}, "0\r\n\r\n"s + kSecond), "200 0\r\n\r\n"s + kSecond));
  for (const char* length : {"-1", "+1", "1, 1", "0x1", "1 ", "", "18446744073709551617"}) {
    all.push_back(bad("the length "s + length, ok({{"content-length", length}}, "b")));
  }
  all.push_back(bad("two lengths", ok({{"content-length", "1"}, {"content-length", "2"}}, "b")));
  all.push_back(
      bad("the same length twice", ok({{"content-length", "1"}, {"content-length", "1"}}, "b")));
  all.push_back(bad("a length without a body",
                    block({{":status", "200"}, {"content-length", "1"}}, h2::kEndStream)));
  all.push_back(cut("less than the length", ok({{"content-length", "9"}}, "b")));
  all.push_back(cut("more than the length", ok({{"content-length", "1"}}, "b"s + kSecond)));
  all.push_back(cut(
      "more than the length, in two frames",
      head({{"content-length", "2"}}) + h2::data(1, "a") + h2::data(1, kSecond, h2::kEndStream)));
  all.push_back(
      cut("broken off", head({}) + h2::data(1, "b") + h2::rstStream(1, NGHTTP2_INTERNAL_ERROR)));
  all.push_back(cut("broken off without an error",
                    head({}) + h2::data(1, "b") + h2::rstStream(1, NGHTTP2_NO_ERROR)));
  HostileResponse gives_up = bad("refused by the host", h2::rstStream(1, NGHTTP2_CANCEL));
  gives_up.closes = true;
  all.push_back(std::move(gives_up));
  all.push_back(bad("a body before the head", h2::data(1, kSecond, h2::kEndStream)));
  all.push_back(
      good("trailers", head({}) + h2::data(1, "b") + block({{"x", "1"}}, h2::kEndStream), "200 b"));
  all.push_back(good(
      "trailers that would frame",
      head({}) + h2::data(1, "b") + block({{"set-cookie", "a=b"}, {"host", "x"}}, h2::kEndStream),
      "200 b"));
  all.push_back(cut("a second head",
                    head({}) + h2::data(1, "b") + head({}) + h2::data(1, kSecond, h2::kEndStream)));
  all.push_back(cut("a second head that ends it",
                    head({}) + h2::data(1, "b") + block({{":status", "200"}}, h2::kEndStream)));
  all.push_back(bad("a promise",
                    h2::frame(NGHTTP2_PUSH_PROMISE, h2::kEndHeaders, 1,
                              h2::number(2, 4) + h2::hpack(h2::requestFields("GET", "/pushed")))));
  all.push_back(bad("HTTP/1.1", kSecond));
  for (const char* status : {"204", "304"}) {
    all.push_back(good("no body to "s + status, block({{":status", status}}, h2::kEndStream),
                       std::string(status) + " "));
  }
  all.push_back(toHead(
      good("HEAD", block({{":status", "200"}, {"content-length", "4"}}, h2::kEndStream), "200 ")));
  all.push_back(toHead(cut("HEAD with a body", ok({}, kSecond))));
}

}  // namespace

const std::vector<HostileResponse>& hostileHttp2Responses() {
  static const Responses kAll = [] {
    Responses all;
    addFields(all);
    addStatuses(all);
    addBodies(all);
    return all;
  }();
  return kAll;
}

}  // namespace convoy::test
