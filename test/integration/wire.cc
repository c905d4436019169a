#include "test/integration/wire.h"

#include <charconv>

#include "absl/strings/match.h"

namespace convoy::test {

namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";

bool isToken(std::string_view text) {
  for (const char c : text) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && kTokenMarks.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

bool hasControl(std::string_view text) {
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f') return true;
  }
  return false;
}

bool isNumber(std::string_view text, int base, uint64_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool isRequestLine(std::string_view line) {
  const size_t method = line.find(' ');
  const size_t target = line.rfind(' ');
  if (method == std::string_view::npos || target == method) return false;
  const std::string_view middle = line.substr(method + 1, target - method - 1);
  return isToken(line.substr(0, method)) && !middle.empty() &&
         middle.find(' ') == std::string_view::npos && line.substr(target) == " HTTP/1.1";
}

bool isStatusLine(std::string_view line) {
  uint64_t status = 0;
  return line.size() >= 13 && line.substr(0, 9) == "HTTP/1.1 " && line[12] == ' ' &&
         isNumber(line.substr(9, 3), 10, &status) && status >= 100;
}

}  // namespace

std::string WireMessage::field(std::string_view name) const {
  std::string all;
  for (const auto& [key, value] : fields) {
    if (absl::EqualsIgnoreCase({key.data(), key.size()}, {name.data(), name.size()})) {
      all += (all.empty() ? "" : ", ") + value;
    }
  }
  return all;
}

bool WireMessage::has(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (absl::EqualsIgnoreCase({key.data(), key.size()}, {name.data(), name.size()})) return true;
  }
  return false;
}

bool WireReader::fail(const std::string& why) {
  if (error_.empty()) error_ = why;
  return false;
}

void WireReader::feed(std::string_view bytes) {
  if (reads_until_end_) {
    messages_.back().body += bytes;
    return;
  }
  held_ += bytes;
  while (error_.empty() && !held_.empty() && step()) {
  }
}

void WireReader::end() {
  reads_until_end_ = false;
}

// False if the message is not complete, or wrong.
bool WireReader::step() {
  WireMessage message;
  size_t at = 0;
  if (!takeHead(held_, message, at) || !takeBody(held_, message, at)) return false;
  held_.erase(0, at);
  messages_.push_back(std::move(message));
  return true;
}

bool WireReader::takeLine(std::string_view text, size_t& at, std::string_view& line) {
  const size_t end = text.find('\n', at);
  if (end == std::string_view::npos) return false;
  if (end == at || text[end - 1] != '\r') return fail("a line without CR");
  line = text.substr(at, end - 1 - at);
  if (hasControl(line)) return fail("a control byte in a line");
  at = end + 1;
  return true;
}

bool WireReader::takeFields(std::string_view text, size_t& at,
                            std::vector<std::pair<std::string, std::string>>& fields) {
  std::string_view line;
  while (takeLine(text, at, line)) {
    if (line.empty()) return true;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !isToken(line.substr(0, colon))) {
      return fail("not a field: " + std::string(line));
    }
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
      value.remove_prefix(1);
    }
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    fields.emplace_back(line.substr(0, colon), value);
  }
  return false;
}

bool WireReader::takeHead(std::string_view text, WireMessage& message, size_t& at) {
  std::string_view line;
  if (!takeLine(text, at, line)) return false;
  const bool right = role_ == Role::Requests ? isRequestLine(line) : isStatusLine(line);
  if (!right) return fail("not a start line: " + std::string(line));
  message.start = line;
  return takeFields(text, at, message.fields);
}

bool WireReader::takeBody(std::string_view text, WireMessage& message, size_t& at) {
  const std::string length = message.field("content-length");
  const std::string coding = message.field("transfer-encoding");
  if (!length.empty() && !coding.empty()) return fail("both lengths");
  if (!coding.empty() && coding != "chunked") return fail("the coding " + coding);
  uint64_t bytes = 0;
  if (!length.empty() && !isNumber(length, 10, &bytes)) return fail("the length " + length);
  if (role_ == Role::Responses) {
    const std::string_view status = std::string_view(message.start).substr(9, 3);
    const bool interim = status[0] == '1';
    const bool no_body = interim || bodiless_ || status == "204" || status == "304";
    if (!interim) bodiless_ = false;
    if (no_body) return true;
    if (length.empty() && coding.empty()) {
      reads_until_end_ = true;
      message.body = text.substr(at);
      at = text.size();
      return true;
    }
  }
  if (!coding.empty()) return takeChunks(text, message, at);
  if (text.size() - at < bytes) return false;
  message.body = text.substr(at, bytes);
  at += bytes;
  return true;
}

bool WireReader::takeChunks(std::string_view text, WireMessage& message, size_t& at) {
  std::string_view line;
  while (takeLine(text, at, line)) {
    uint64_t size = 0;
    if (!isNumber(line, 16, &size)) return fail("the chunk size " + std::string(line));
    if (size == 0) return takeFields(text, at, message.trailers);
    if (text.size() - at < size + 2) return false;
    message.body += text.substr(at, size);
    if (text.substr(at + size, 2) != "\r\n") return fail("no line end behind a chunk");
    at += size + 2;
  }
  return false;
}

}  // namespace convoy::test
