#include "proxy/http/log_format.h"

#include <charconv>
#include <cstring>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

struct OperatorName {
  std::string_view name;
  LogOperator op;
  bool takes_header = false;
};

constexpr OperatorName kOperators[] = {
    {"START_TIME", LogOperator::StartTime},
    {"REQ", LogOperator::Req, true},
    {"RESP", LogOperator::Resp, true},
    {"PROTOCOL", LogOperator::Protocol},
    {"RESPONSE_CODE", LogOperator::ResponseCode},
    {"RESPONSE_FLAGS", LogOperator::ResponseFlags},
    {"RESPONSE_CODE_DETAILS", LogOperator::ResponseCodeDetails},
    {"BYTES_RECEIVED", LogOperator::BytesReceived},
    {"BYTES_SENT", LogOperator::BytesSent},
    {"DURATION", LogOperator::Duration},
    {"REQUEST_DURATION", LogOperator::RequestDuration},
    {"RESPONSE_DURATION", LogOperator::ResponseDuration},
    {"RESPONSE_TX_DURATION", LogOperator::ResponseTxDuration},
    {"UPSTREAM_HOST", LogOperator::UpstreamHost},
    {"UPSTREAM_CLUSTER", LogOperator::UpstreamCluster},
    {"UPSTREAM_REQUEST_ATTEMPT_COUNT", LogOperator::UpstreamAttempts},
    {"DOWNSTREAM_REMOTE_ADDRESS", LogOperator::DownstreamRemote},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", LogOperator::DownstreamRemoteIp},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", LogOperator::DownstreamDirectIp},
    {"DOWNSTREAM_LOCAL_ADDRESS", LogOperator::DownstreamLocal},
    {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", LogOperator::DownstreamLocalIp},
    {"DOWNSTREAM_LOCAL_PORT", LogOperator::DownstreamLocalPort},
    {"ROUTE_NAME", LogOperator::RouteName},
    {"VIRTUAL_HOST_NAME", LogOperator::VirtualHostName},
    {"STREAM_ID", LogOperator::RequestId},
};

std::string knownOperators() {
  std::string list;
  for (const OperatorName& known : kOperators)
    absl::StrAppend(&list, list.empty() ? "" : ", ", base::toAbsl(known.name));
  return list;
}

absl::Status badFormat(std::string_view token, size_t at, std::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("access log format: \"%", base::toAbsl(token),
                                                 "\" at byte ", at, ": ", base::toAbsl(rule)));
}

// token is what stands between two '%': NAME, NAME(ARG), NAME(ARG?ALT):LENGTH.
absl::StatusOr<LogPiece> parseOperator(std::string_view token, size_t at) {
  const size_t name_end = std::min(token.find('('), token.find(':'));
  const std::string_view name = token.substr(0, name_end);
  LogPiece piece;
  std::string_view rest =
      name_end == std::string_view::npos ? std::string_view() : token.substr(name_end);
  if (!rest.empty() && rest[0] == '(') {
    const size_t close = rest.find(')');
    if (close == std::string_view::npos)
      return badFormat(token, at, "the parenthesis is not closed");
    std::string_view argument = rest.substr(1, close - 1);
    const size_t question = argument.find('?');
    piece.text = argument.substr(0, question);
    if (question != std::string_view::npos) piece.alternative = argument.substr(question + 1);
    rest = rest.substr(close + 1);
  }
  if (!rest.empty()) {
    const char* end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + 1, end, piece.max_length);
    if (rest[0] != ':' || parsed.ec != std::errc() || parsed.ptr != end || piece.max_length == 0) {
      return badFormat(token, at, "what follows the name must be \":\" and a length of at least 1");
    }
  }
  for (const OperatorName& known : kOperators) {
    if (known.name != name) continue;
    piece.op = known.op;
    if (known.takes_header && piece.text.empty())
      return badFormat(token, at, "needs a header name in parentheses");
    return piece;
  }
  return badFormat(token, at, "unknown operator; known are " + knownOperators());
}

absl::StatusOr<std::vector<LogPiece>> parseFormat(std::string_view format) {
  std::vector<LogPiece> pieces;
  std::string literal;
  const auto flush = [&] {
    if (literal.empty()) return;
    pieces.push_back({LogOperator::Literal, std::move(literal), {}, 0});
    literal.clear();
  };
  for (size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      literal += format[at++];
      continue;
    }
    // A time format has per cents of its own: look for the end behind the parenthesis.
    const size_t open = format.find_first_of("%(", at + 1);
    size_t close = open;
    if (open != std::string_view::npos && format[open] == '(') {
      const size_t parenthesis = format.find(')', open);
      close = parenthesis == std::string_view::npos ? parenthesis : format.find('%', parenthesis);
    }
    if (close == std::string_view::npos)
      return badFormat(format.substr(at + 1, 20), at,
                       "no closing \"%\"; a literal per cent is \"%%\"");
    const std::string_view token = format.substr(at + 1, close - at - 1);
    if (token.empty()) {
      literal += '%';
    } else {
      auto piece = parseOperator(token, at);
      if (!piece.ok()) return piece.status();
      flush();
      pieces.push_back(*std::move(piece));
    }
    at = close + 1;
  }
  flush();
  return pieces;
}

// --- rendering ---

std::optional<std::string_view> requestField(const RequestHead& head, std::string_view name) {
  if (name == ":METHOD" || name == ":method") return head.method;
  if (name == ":PATH" || name == ":path") return head.target;
  if (name == ":AUTHORITY" || name == ":authority") return head.authority;
  if (name == ":SCHEME" || name == ":scheme") return head.scheme;
  const HeaderField* field = head.headers.find(name);
  if (field == nullptr) return std::nullopt;
  return field->value;
}

std::optional<std::string_view> headerText(const LogPiece& piece, const LogRecord& r) {
  const auto look = [&](const std::string& name) -> std::optional<std::string_view> {
    if (name.empty()) return std::nullopt;
    if (piece.op == LogOperator::Req) return requestField(r.request, name);
    const HeaderField* field = r.response.headers.find(name);
    if (field == nullptr) return std::nullopt;
    return field->value;
  };
  auto value = look(piece.text);
  if (!value.has_value() || value->empty()) value = look(piece.alternative);
  if (value.has_value() && value->empty()) return std::nullopt;
  return value;
}

std::optional<std::string_view> nonEmpty(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return text;
}

std::optional<uint64_t> milliseconds(event::MonotonicTime from, event::MonotonicTime to) {
  if (to < from) return std::nullopt;  // the mark is unset
  return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

constexpr size_t kScratchBytes = 160;

std::string_view addressText(const net::Address& address, bool with_port, char* scratch) {
  if (!address.isIp()) return address.unixPath();
  size_t at = 0;
  const bool brackets = with_port && address.family() == net::Address::Family::Ipv6;
  if (brackets) scratch[at++] = '[';
  at += address.writeIpText(scratch + at);
  if (brackets) scratch[at++] = ']';
  if (!with_port) return {scratch, at};
  scratch[at++] = ':';
  const auto end = std::to_chars(scratch + at, scratch + kScratchBytes, address.port()).ptr;
  return {scratch, static_cast<size_t>(end - scratch)};
}

// ISO 8601 with milliseconds, or strftime's format when one is given; %3f there is milliseconds, as
// Envoy's. The broken-down time is kept per thread for the running second.
std::string_view timeText(event::WallTime time, const std::string& format, char* scratch) {
  using std::chrono::duration_cast;
  const auto since = time.time_since_epoch();
  const time_t seconds = duration_cast<std::chrono::seconds>(since).count();
  const int ms = static_cast<int>(duration_cast<std::chrono::milliseconds>(since).count() % 1000);
  thread_local time_t cached_second = -1;
  thread_local std::tm broken;
  thread_local char iso[24];
  if (seconds != cached_second) {
    gmtime_r(&seconds, &broken);
    strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%S", &broken);
    cached_second = seconds;
  }
  if (!format.empty()) return {scratch, strftime(scratch, kScratchBytes, format.c_str(), &broken)};
  std::memcpy(scratch, iso, 19);
  scratch[19] = '.';
  scratch[20] = static_cast<char>('0' + ms / 100);
  scratch[21] = static_cast<char>('0' + ms / 10 % 10);
  scratch[22] = static_cast<char>('0' + ms % 10);
  scratch[23] = 'Z';
  return {scratch, 24};
}

std::optional<std::string_view> addressOf(const net::Address* address, bool with_port,
                                          char* scratch) {
  if (address == nullptr) return std::nullopt;
  return addressText(*address, with_port, scratch);
}

std::optional<std::string_view> textOf(const LogPiece& piece, const LogRecord& r, char* scratch) {
  const StreamInfo& i = r.info;
  switch (piece.op) {
    case LogOperator::Literal:
      return piece.text;
    case LogOperator::StartTime:
      return timeText(r.started, piece.text, scratch);
    case LogOperator::Req:
    case LogOperator::Resp:
      return headerText(piece, r);
    case LogOperator::Protocol:
      return text(r.request.protocol);
    case LogOperator::ResponseFlags:
      return nonEmpty(info(i.failure).flag);
    case LogOperator::ResponseCodeDetails:
      if (!i.details.empty()) return i.details;
      if (i.failure != Failure::None) return info(i.failure).code;
      return i.status != 0 ? std::optional<std::string_view>("via_upstream") : std::nullopt;
    case LogOperator::UpstreamHost:
      return addressOf(i.upstream_address, true, scratch);
    case LogOperator::UpstreamCluster:
      return nonEmpty(i.cluster);
    case LogOperator::DownstreamRemote:
      return addressOf(i.downstream_remote, true, scratch);
    case LogOperator::DownstreamRemoteIp:
      return nonEmpty(i.downstream_ip);
    case LogOperator::DownstreamDirectIp:
      return addressOf(i.downstream_remote, false, scratch);
    case LogOperator::DownstreamLocal:
      return addressOf(i.downstream_local, true, scratch);
    case LogOperator::DownstreamLocalIp:
      return addressOf(i.downstream_local, false, scratch);
    case LogOperator::RouteName:
      return nonEmpty(i.route_name);
    case LogOperator::VirtualHostName:
      return nonEmpty(i.virtual_host);
    case LogOperator::RequestId:
      return nonEmpty(i.request_id);
    default:
      return std::nullopt;
  }
}

bool isNumber(LogOperator op) {
  switch (op) {
    case LogOperator::ResponseCode:
    case LogOperator::BytesReceived:
    case LogOperator::BytesSent:
    case LogOperator::Duration:
    case LogOperator::RequestDuration:
    case LogOperator::ResponseDuration:
    case LogOperator::ResponseTxDuration:
    case LogOperator::UpstreamAttempts:
    case LogOperator::DownstreamLocalPort:
      return true;
    default:
      return false;
  }
}

std::optional<uint64_t> numberOf(LogOperator op, const StreamInfo& i) {
  switch (op) {
    case LogOperator::ResponseCode:
      return i.status;
    case LogOperator::BytesReceived:
      return i.bytes_received;
    case LogOperator::BytesSent:
      return i.bytes_sent;
    case LogOperator::Duration:
      return milliseconds(i.started, i.ended);
    case LogOperator::RequestDuration:
      return milliseconds(i.started, i.request_received);
    case LogOperator::ResponseDuration:
      return milliseconds(i.started, i.response_started);
    case LogOperator::ResponseTxDuration:
      if (i.response_started < i.started) return std::nullopt;
      return milliseconds(i.response_started, i.ended);
    case LogOperator::UpstreamAttempts:
      return i.upstream_attempts;
    case LogOperator::DownstreamLocalPort:
      return i.downstream_local == nullptr ? 0 : i.downstream_local->port();
    default:
      return std::nullopt;
  }
}

// "-" (text) or null (JSON) for what does not exist.
void renderPiece(const LogPiece& piece, const LogRecord& r, AccessLogSpec::Format form,
                 LineBuffer& out) {
  if (piece.op == LogOperator::Literal && form == AccessLogSpec::Format::Text)
    return out.raw(piece.text);
  if (isNumber(piece.op)) {
    const auto value = numberOf(piece.op, r.info);
    return value.has_value() ? out.number(*value) : out.character('-');
  }
  char scratch[kScratchBytes];
  auto value = textOf(piece, r, scratch);
  if (!value.has_value()) return out.character('-');
  if (piece.max_length != 0) value = value->substr(0, piece.max_length);
  out.escaped(*value, form);
}

}  // namespace

void LineBuffer::raw(std::string_view text) {
  const size_t fits = std::min(text.size(), static_cast<size_t>(end_ - at_));
  std::memcpy(at_, text.data(), fits);
  at_ += fits;
}

void LineBuffer::number(uint64_t value) {
  const auto result = std::to_chars(at_, end_, value);
  if (result.ec == std::errc()) at_ = result.ptr;
}

void LineBuffer::escaped(std::string_view text, AccessLogSpec::Format form) {
  constexpr char kDigits[] = "0123456789abcdef";
  size_t plain = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') continue;
    raw(text.substr(plain, i - plain));
    plain = i + 1;
    character('\\');
    if (c == '"' || c == '\\') {
      character(static_cast<char>(c));
    } else {
      raw(form == AccessLogSpec::Format::Json ? "u00" : "x");
      character(kDigits[c >> 4]);
      character(kDigits[c & 15]);
    }
  }
  raw(text.substr(plain));
}

absl::StatusOr<LogFormat> LogFormat::compile(const AccessLogSpec& spec) {
  LogFormat format;
  format.form_ = spec.format;
  const auto note = [&](const std::vector<LogPiece>& pieces) {
    for (const LogPiece& piece : pieces)
      format.uses_response_headers_ |= piece.op == LogOperator::Resp;
  };
  if (spec.format == AccessLogSpec::Format::Text) {
    auto pieces = parseFormat(spec.text_format.empty() ? kDefaultLogFormat : spec.text_format);
    if (!pieces.ok()) return pieces.status();
    format.pieces_ = *std::move(pieces);
    note(format.pieces_);
    return format;
  }
  for (const auto& [key, value] : spec.json_fields) {
    auto pieces = parseFormat(value);
    if (!pieces.ok()) return pieces.status();
    std::string quoted(6 * key.size() + 3, '\0');
    LineBuffer buffer(quoted.data(), quoted.size());
    buffer.character('"');
    buffer.escaped(key, AccessLogSpec::Format::Json);
    buffer.raw("\":");
    quoted.resize(buffer.size());
    note(*pieces);
    format.fields_.push_back({std::move(quoted), *std::move(pieces)});
  }
  return format;
}

void LogFormat::render(const LogRecord& record, LineBuffer& out) const {
  if (form_ == AccessLogSpec::Format::Json) return renderJson(record, out);
  for (const LogPiece& piece : pieces_) renderPiece(piece, record, form_, out);
}

// A field that is one operator keeps its type: numbers as numbers, what does not exist as null.
void LogFormat::renderJson(const LogRecord& record, LineBuffer& out) const {
  char separator = '{';
  for (const JsonField& field : fields_) {
    out.character(separator);
    separator = ',';
    out.raw(field.key);
    if (field.pieces.size() == 1 && field.pieces[0].op != LogOperator::Literal) {
      const LogPiece& piece = field.pieces[0];
      char scratch[kScratchBytes];
      const bool exists = isNumber(piece.op) ? numberOf(piece.op, record.info).has_value()
                                             : textOf(piece, record, scratch).has_value();
      if (!exists) {
        out.raw("null");
        continue;
      }
      if (isNumber(piece.op)) {
        renderPiece(piece, record, form_, out);
        continue;
      }
    }
    out.character('"');
    for (const LogPiece& piece : field.pieces) renderPiece(piece, record, form_, out);
    out.character('"');
  }
  out.raw(separator == '{' ? "{}\n" : "}\n");
}

}  // namespace convoy::http
