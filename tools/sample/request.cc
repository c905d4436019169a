#include "tools/sample/request.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace convoy::tools::sample {
namespace {

// A chunk-size or trailer line longer than this is taken for an attack.
constexpr size_t kMaxLineBytes = 8192;

bool equalsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

// True if `token` is one of the comma-separated words of `list`.
bool hasToken(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (equalsIgnoreCase(trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

bool parseNumber(std::string_view text, int base, uint64_t* value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

bool parseRequestLine(std::string_view line, RequestHead* head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || last <= first + 1) return false;
  head->method = line.substr(0, first);
  head->target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (version == "HTTP/1.1") return true;
  if (version != "HTTP/1.0") return false;
  head->http10 = true;
  head->keep_alive = false;
  return true;
}

// Looks only at the headers that matter here; the first letter rules out nearly all the others.
bool parseHeader(std::string_view line, RequestHead* head) {
  const char first = line.empty() ? '\0' : static_cast<char>(line.front() | 0x20);
  if (first != 'c' && first != 't' && first != 'e') return true;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (equalsIgnoreCase(name, "content-length")) {
    return parseNumber(value, 10, &head->content_length);
  }
  if (equalsIgnoreCase(name, "transfer-encoding")) {
    head->chunked = hasToken(value, "chunked");
    return head->chunked;
  }
  if (equalsIgnoreCase(name, "connection")) {
    if (hasToken(value, "close")) head->keep_alive = false;
    if (hasToken(value, "keep-alive")) head->keep_alive = true;
  } else if (equalsIgnoreCase(name, "expect")) {
    head->expect_continue = equalsIgnoreCase(value, "100-continue");
  }
  return true;
}

}  // namespace

ParseResult parseHead(std::string_view bytes, RequestHead* head) {
  // An empty line before a request is to be ignored (RFC 9112, section 2.2).
  size_t start = 0;
  while (bytes.substr(start, 2) == "\r\n") start += 2;
  const size_t end = bytes.find("\r\n\r\n", start);
  if (end == std::string_view::npos) return ParseResult::Partial;
  *head = RequestHead();
  head->size = end + 4;
  size_t line_end = bytes.find("\r\n", start);
  if (!parseRequestLine(bytes.substr(start, line_end - start), head)) return ParseResult::Invalid;
  while (line_end < end) {
    const size_t line_start = line_end + 2;
    line_end = bytes.find("\r\n", line_start);
    if (!parseHeader(bytes.substr(line_start, line_end - line_start), head)) {
      return ParseResult::Invalid;
    }
  }
  return ParseResult::Complete;
}

void BodyReader::start(const RequestHead& head) {
  line_.clear();
  left_ = head.content_length;
  if (head.chunked) {
    state_ = State::ChunkSize;
  } else {
    state_ = left_ > 0 ? State::Fixed : State::Done;
  }
}

size_t BodyReader::read(std::string_view bytes, std::string* sink) {
  size_t taken = 0;
  while (taken < bytes.size() && !done() && !invalid()) {
    const std::string_view rest = bytes.substr(taken);
    if (state_ == State::Fixed) {
      taken += readContent(rest, sink, State::Done);
    } else if (state_ == State::ChunkData) {
      taken += readContent(rest, sink, State::ChunkEnd);
    } else {
      taken += readLine(rest);
    }
  }
  return taken;
}

size_t BodyReader::readContent(std::string_view bytes, std::string* sink, State next) {
  const size_t size = static_cast<size_t>(std::min<uint64_t>(bytes.size(), left_));
  if (sink != nullptr) sink->append(bytes.substr(0, size));
  left_ -= size;
  if (left_ == 0) state_ = next;
  return size;
}

size_t BodyReader::readLine(std::string_view bytes) {
  const size_t newline = bytes.find('\n');
  const size_t size = newline == std::string_view::npos ? bytes.size() : newline + 1;
  line_.append(bytes.substr(0, size));
  if (line_.size() > kMaxLineBytes) {
    state_ = State::Invalid;
  } else if (newline != std::string_view::npos) {
    line_.pop_back();
    endLine();
    line_.clear();
  }
  return size;
}

void BodyReader::endLine() {
  const std::string_view line = trim(line_);
  switch (state_) {
    case State::ChunkSize: {
      const std::string_view digits = trim(line.substr(0, line.find(';')));
      if (!parseNumber(digits, 16, &left_)) {
        state_ = State::Invalid;
      } else {
        state_ = left_ > 0 ? State::ChunkData : State::Trailer;
      }
      break;
    }
    case State::ChunkEnd:
      state_ = line.empty() ? State::ChunkSize : State::Invalid;
      break;
    case State::Trailer:
      if (line.empty()) state_ = State::Done;
      break;
    case State::Fixed:
    case State::ChunkData:
    case State::Done:
    case State::Invalid:
      break;
  }
}

}  // namespace convoy::tools::sample
