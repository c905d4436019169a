#include "tools/sample/responder.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace convoy::tools::sample {
namespace {

constexpr uint64_t kMaxDelayMs = 600'000;
constexpr uint64_t kMaxBodyBytes = 64 << 20;
constexpr size_t kChunks = 4;

std::string_view pathOf(std::string_view target) {
  return target.substr(0, target.find('?'));
}

// The number after `prefix` if that is all there is, as in /delay/15.
std::optional<uint64_t> numberAfter(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = path.substr(prefix.size());
  uint64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec != std::errc() || result.ptr != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::string_view reasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

bool allowsBody(int status) {
  return status != 204 && status != 304;
}

}  // namespace

Responder::Responder(ResponderOptions options) : options_(std::move(options)) {
  body_ = bodyOf(options_.body_bytes > 0 ? options_.body_bytes : options_.name.size() + 1);
  extras_ = "x-backend: " + options_.name + "\r\n";
  for (const std::string& header : options_.headers) extras_ += header + "\r\n";
  setDate("Thu, 01 Jan 1970 00:00:00 GMT");
}

Plan Responder::plan(const RequestHead& head) const {
  const std::string_view path = pathOf(head.target);
  Plan plan;
  plan.close = !head.keep_alive || draining_ || path == "/close";
  plan.reset = path == "/abort" || numberAfter(path, "/abort/").has_value();
  plan.delay_ms = std::min(numberAfter(path, "/delay/").value_or(options_.delay_ms), kMaxDelayMs);
  return plan;
}

bool Responder::wantsEcho(const RequestHead& head) const {
  return pathOf(head.target) == "/echo";
}

void Responder::respond(const RequestHead& head, std::string_view echo, bool close,
                        std::string* out) {
  const std::string_view path = pathOf(head.target);
  if (path == "/stats") {
    const std::string json = statsJson();
    append(head, {.type = "application/json", .body = json}, close, out);
    return;
  }
  ++counts_.requests;
  if (path == "/echo") {
    append(head, {.body = echo}, close, out);
  } else if (path == "/health") {
    const Answer healthy = {.body = "ok\n"};
    const Answer draining = {.status = 503, .body = "draining\n"};
    append(head, draining_ ? draining : healthy, close, out);
  } else if (path == "/chunked") {
    append(head, {.body = body_, .chunked = true}, close, out);
  } else if (path == "/abort") {
    return;
  } else if (const auto bytes = numberAfter(path, "/abort/")) {
    const size_t before = out->size();
    append(head, {.body = body_}, close, out);
    const size_t cut = body_.size() - std::min<size_t>(*bytes, body_.size());
    out->resize(std::max(before, out->size() - cut));
  } else if (const auto code = numberAfter(path, "/status/"); code && *code >= 200 && *code < 600) {
    append(head, {.status = static_cast<int>(*code)}, close, out);
  } else if (const auto size = numberAfter(path, "/bytes/"); size && *size <= kMaxBodyBytes) {
    const std::string body = bodyOf(*size);
    append(head, {.body = body}, close, out);
  } else if (!close && !head.http10 && head.method != "HEAD") {
    out->append(default_);
  } else {
    append(head, {.body = body_}, close, out);
  }
}

void Responder::respondError(int status, std::string_view text, std::string* out) {
  append(RequestHead(), {.status = status, .body = text}, true, out);
}

void Responder::setDate(std::string_view date) {
  date_ = date;
  buildDefault();
}

void Responder::append(const RequestHead& head, const Answer& answer, bool close,
                       std::string* out) const {
  Answer sent = answer;
  if (head.http10) sent.chunked = false;
  appendHead(sent, close, head.http10, out);
  if (head.method == "HEAD" || !allowsBody(sent.status)) return;
  if (sent.chunked) {
    appendChunked(sent.body, out);
  } else {
    out->append(sent.body);
  }
}

void Responder::appendHead(const Answer& answer, bool close, bool http10, std::string* out) const {
  out->append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  out->append(reasonOf(answer.status)).append("\r\ndate: ").append(date_).append("\r\n");
  if (allowsBody(answer.status)) {
    out->append("content-type: ").append(answer.type).append("\r\n");
    if (answer.chunked) {
      out->append("transfer-encoding: chunked\r\ntrailer: x-chunks\r\n");
    } else {
      out->append("content-length: ").append(std::to_string(answer.body.size())).append("\r\n");
    }
  }
  out->append(extras_);
  if (close) {
    out->append("connection: close\r\n");
  } else if (http10) {
    out->append("connection: keep-alive\r\n");
  }
  out->append("\r\n");
}

void Responder::appendChunked(std::string_view body, std::string* out) const {
  const size_t step = std::max<size_t>(1, (body.size() + kChunks - 1) / kChunks);
  size_t chunks = 0;
  for (size_t at = 0; at < body.size(); at += step, ++chunks) {
    const std::string_view chunk = body.substr(at, step);
    char size[16];
    const auto end = std::to_chars(size, size + sizeof(size), chunk.size(), 16).ptr;
    out->append(size, end).append("\r\n").append(chunk).append("\r\n");
  }
  out->append("0\r\nx-chunks: ").append(std::to_string(chunks)).append("\r\n\r\n");
}

std::string Responder::statsJson() const {
  const uint64_t open = counts_.connections_accepted - counts_.connections_closed;
  return "{\"name\":\"" + options_.name + "\",\"pid\":" + std::to_string(getpid()) +
         ",\"connections_accepted\":" + std::to_string(counts_.connections_accepted) +
         ",\"connections_closed\":" + std::to_string(counts_.connections_closed) +
         ",\"connections_open\":" + std::to_string(open) +
         ",\"requests\":" + std::to_string(counts_.requests) +
         ",\"draining\":" + (draining_ ? "true" : "false") + "}\n";
}

// The name, dots up to the last byte, a newline: easy to tell apart in a terminal and of an exact
// size.
std::string Responder::bodyOf(uint64_t bytes) const {
  std::string body = options_.name.substr(0, bytes);
  if (body.size() < bytes) {
    body.resize(bytes, '.');
    body.back() = '\n';
  }
  return body;
}

void Responder::buildDefault() {
  default_.clear();
  append(RequestHead(), {.body = body_}, false, &default_);
}

}  // namespace convoy::tools::sample
