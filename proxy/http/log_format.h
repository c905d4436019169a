#pragma once

// Access-log formats: text with Envoy's command operators, compiled once at load into pieces,
// rendered per request without allocation. log_format_spec.h parses them.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/event/clock.h"
#include "proxy/http/log_format_spec.h"
#include "proxy/http/message.h"
#include "proxy/http/spec.h"
#include "proxy/http/stream_info.h"

namespace convoy::http {

// Everything that a line is made from.
struct LogRecord {
  const RequestHead& request;
  const ResponseHead& response;
  const StreamInfo& info;
  event::WallTime started;
};

// Appends to a fixed buffer and cuts what does not fit.
class LineBuffer {
 public:
  LineBuffer(char* begin, size_t size) : begin_(begin), at_(begin), end_(begin + size) {}
  void raw(std::string_view text) {
    const size_t fits = text.size() < room() ? text.size() : room();
    std::memcpy(at_, text.data(), fits);
    at_ += fits;
  }
  void character(char c) {
    if (at_ < end_) *at_++ = c;
  }
  void number(uint64_t value);
  // Text from the network: control bytes, DEL, bytes above 0x7e, '"' and '\' as escapes of the
  // form.
  void escaped(std::string_view text, AccessLogSpec::Format form);
  size_t size() const { return static_cast<size_t>(at_ - begin_); }

 private:
  size_t room() const { return static_cast<size_t>(end_ - at_); }

  char* begin_;
  char* at_;
  char* end_;
};

class LogFormat {
 public:
  static absl::StatusOr<LogFormat> compile(const AccessLogSpec& spec);

  void render(const LogRecord& record, LineBuffer& out) const;
  bool usesResponseHeaders() const { return uses_response_headers_; }

 private:
  struct JsonField {
    std::string key;  // escaped, with quotes and colon
    std::vector<LogPiece> pieces;
  };
  void renderJson(const LogRecord& record, LineBuffer& out) const;

  AccessLogSpec::Format form_ = AccessLogSpec::Format::Text;
  std::vector<LogPiece> pieces_;
  std::vector<JsonField> fields_;
  bool uses_response_headers_ = false;
};

}  // namespace convoy::http
