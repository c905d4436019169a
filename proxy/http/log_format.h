#pragma once

// Access-log formats: text with Envoy's command operators, compiled once at load into pieces,
// rendered per request without allocation. log_format_spec.h parses them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/base/arena.h"
#include "proxy/event/clock.h"
#include "proxy/http/log_format_spec.h"
#include "proxy/http/log_line.h"
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

// The text of a format for a header's value, in the arena: nothing is escaped or trimmed, and what
// does not exist is left out. The caller's to change.
std::span<char> formatText(const std::vector<LogPiece>& pieces, const LogRecord& record,
                           base::Arena& arena);

class LogFormat {
 public:
  static absl::StatusOr<LogFormat> compile(const AccessLogSpec& spec);

  static constexpr size_t kWhole = SIZE_MAX;
  // Of the text of an operator at most so many bytes, escapes not counted, and "..." in place of
  // the rest; numbers and literals are whole.
  void render(const LogRecord& record, LineBuffer& out, size_t most_of_value = kWhole) const;
  bool usesResponseHeaders() const { return uses_response_headers_; }

 private:
  struct JsonField {
    std::string key;  // escaped, with quotes and colon
    std::vector<LogPiece> pieces;
  };
  // One operator of a text line, and the literal before it.
  struct TextStep {
    explicit TextStep(const LogPiece& of) : piece(of) {}
    LogPiece piece;
    ShortText lead;
  };
  void compileText(std::vector<LogPiece> pieces);
  void renderText(const LogRecord& record, LineBuffer& out, size_t most_of_value) const;
  void renderJson(const LogRecord& record, LineBuffer& out, size_t most_of_value) const;

  AccessLogSpec::Format form_ = AccessLogSpec::Format::Text;
  std::vector<TextStep> steps_;
  ShortText tail_;  // the literal at the end of a text line
  std::vector<JsonField> fields_;
  bool uses_response_headers_ = false;
};

}  // namespace convoy::http
