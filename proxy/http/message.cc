#include "proxy/http/message.h"

#include <array>
#include <utility>

#include "proxy/base/strings.h"
#include "proxy/http/hop_by_hop.h"

namespace convoy::http {

namespace {

// RFC 9110 15, and the codes of RFC 2324, 4918, 6585, 7725, 8297, 8470 that servers send.
constexpr std::pair<uint16_t, std::string_view> kReasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
};

constexpr auto kPhrases = [] {
  std::array<std::string_view, 512> phrases{};
  for (const auto& [status, phrase] : kReasons) phrases[status] = phrase;
  return phrases;
}();

}  // namespace

namespace {

void shift(std::string_view& view, std::string_view from, const char* to) {
  if (!view.empty()) view = {to + (view.data() - from.data()), view.size()};
}

}  // namespace

void RequestHead::copyInto(base::Arena& arena) {
  scheme = arena.copy(scheme);
  if (!wire.empty()) {
    const char* const to = arena.copy(wire).data();
    shift(method, wire, to);
    shift(target, wire, to);
    shift(authority, wire, to);
    shift(upgrade, wire, to);
    headers.shift(wire, to);
    wire = {};
    return;
  }
  method = arena.copy(method);
  target = arena.copy(target);
  authority = arena.copy(authority);
  upgrade = arena.copy(upgrade);
  headers.copyInto(arena);
}

void ResponseHead::copyInto(base::Arena& arena) {
  reason = arena.copy(reason);
  upgrade = arena.copy(upgrade);
  headers.copyInto(arena);
}

bool isOfferOnly(std::string_view upgrade) {
  bool only = !upgrade.empty();
  forEachToken(upgrade, [&](std::string_view token) {
    const bool tls = base::equalsIgnoreCase(token.substr(0, 4), "tls/");
    if (!tls && !base::equalsIgnoreCase(token, "h2c")) only = false;
  });
  return only;
}

std::string_view reasonPhrase(uint16_t status) {
  return status < kPhrases.size() ? kPhrases[status] : std::string_view();
}

std::string_view text(Protocol protocol) {
  switch (protocol) {
    case Protocol::Http10:
      return "HTTP/1.0";
    case Protocol::Http11:
      return "HTTP/1.1";
    case Protocol::Http2:
      return "HTTP/2";
  }
  return {};
}

// Field by field: the list keeps what it allocated.
void RequestHead::clear() {
  method = target = authority = scheme = upgrade = wire = {};
  protocol = Protocol::Http11;
  headers.clear();
  body = {};
  expects_continue = te_trailers = raw_tunnel = false;
  wants_keep_alive = true;
}

void ResponseHead::clear() {
  status = 0;
  reason = upgrade = {};
  protocol = Protocol::Http11;
  headers.clear();
  body = {};
}

}  // namespace convoy::http
