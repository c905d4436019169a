#include "proxy/http/log_format.h"

#include <emmintrin.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

// --- rendering ---

// What does not exist is an empty text here, and "-" in the line.

std::string_view fieldValue(const HeaderList& headers, const LogPiece& piece) {
  const HeaderField* field =
      piece.id != HeaderName::Other ? headers.find(piece.id) : headers.find(piece.text);
  return field == nullptr ? std::string_view() : field->value;
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

std::string_view addressOf(const net::Address* address, bool with_port, char* scratch) {
  return address == nullptr ? std::string_view() : addressText(*address, with_port, scratch);
}

std::string_view detailsOf(const StreamInfo& i) {
  if (!i.details.empty()) return i.details;
  if (i.failure != Failure::None) return info(i.failure).code;
  return i.status != 0 ? "via_upstream" : std::string_view();
}

std::string_view textOf(const LogPiece& piece, const LogRecord& r, char* scratch) {
  const StreamInfo& i = r.info;
  switch (piece.op) {
    case LogOperator::Literal:
      return piece.text;
    case LogOperator::StartTime:
      return timeText(r.started, piece.text, scratch);
    case LogOperator::Req:
      return fieldValue(r.request.headers, piece);
    case LogOperator::Resp:
      return fieldValue(r.response.headers, piece);
    case LogOperator::Method:
      return r.request.method;
    case LogOperator::Target:
      return r.request.target;
    case LogOperator::Authority:
      return r.request.authority;
    case LogOperator::Scheme:
      return r.request.scheme;
    case LogOperator::Protocol:
      return text(r.request.protocol);
    case LogOperator::ResponseFlags:
      return info(i.failure).flag;
    case LogOperator::ResponseCodeDetails:
      return detailsOf(i);
    case LogOperator::UpstreamHost:
      return i.upstream_host;
    case LogOperator::UpstreamCluster:
      return i.cluster;
    case LogOperator::DownstreamRemote:
      return addressOf(i.downstream_remote, true, scratch);
    case LogOperator::DownstreamRemoteIp:
      return i.downstream_ip;
    case LogOperator::DownstreamDirectIp:
      return addressOf(i.downstream_remote, false, scratch);
    case LogOperator::DownstreamLocal:
      return addressOf(i.downstream_local, true, scratch);
    case LogOperator::DownstreamLocalIp:
      return addressOf(i.downstream_local, false, scratch);
    case LogOperator::RouteName:
      return i.route_name;
    case LogOperator::VirtualHostName:
      return i.virtual_host;
    case LogOperator::RequestId:
      return i.request_id;
    default:
      return {};
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

std::string_view textOrAlternative(const LogPiece& piece, const LogRecord& r, char* scratch) {
  const std::string_view value = textOf(piece, r, scratch);
  if (!value.empty() || piece.alternative.empty()) return value;
  return textOrAlternative(piece.alternative.front(), r, scratch);
}

// Text that a client or a host has chosen, or that configuration names. A method is a token (RFC
// 9110 5.6.2), in which nothing needs an escape.
bool needsEscape(LogOperator op) {
  switch (op) {
    case LogOperator::StartTime:
    case LogOperator::Method:
    case LogOperator::Protocol:
    case LogOperator::ResponseFlags:
    case LogOperator::DownstreamDirectIp:
    case LogOperator::DownstreamLocalIp:
      return false;
    default:
      return true;
  }
}

void renderNumber(LogOperator op, const StreamInfo& info, LineBuffer& out) {
  const auto value = numberOf(op, info);
  value.has_value() ? out.number(*value) : out.character('-');
}

void renderText(const LogPiece& piece, const LogRecord& r, AccessLogSpec::Format form,
                char* scratch, LineBuffer& out) {
  std::string_view value = textOrAlternative(piece, r, scratch);
  if (value.empty()) return out.character('-');
  if (piece.max_length != 0) value = value.substr(0, piece.max_length);
  if (needsEscape(piece.op)) return out.escaped(value, form);
  out.raw(value);
}

// Literals of a text are written as they are, those of JSON escaped.
inline void renderPiece(const LogPiece& piece, const LogRecord& r, AccessLogSpec::Format form,
                        char* scratch, LineBuffer& out) {
  if (isNumber(piece.op)) return renderNumber(piece.op, r.info, out);
  renderText(piece, r, form, scratch, out);
}

// --- escaping ---

bool isPlain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

// 0xff where a byte of the block needs an escape: all but printable ASCII, and '"' and '\\'.
__m128i special(__m128i block) {
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  const __m128i high = _mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8(0x7f)), block);
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  return _mm_or_si128(_mm_or_si128(low, high), _mm_or_si128(quote, backslash));
}

bool isPlain(__m128i block) {
  return _mm_movemask_epi8(special(block)) == 0;
}

__m128i load16(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
__m128i load8(const char* at) {
  return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
}
__m128i load4(const char* at) {
  return _mm_loadu_si32(at);
}

// Copies text in which nothing needs an escape; false if something does, with nothing but the room
// behind `to` changed. Log lines are mostly such text, so whole blocks are looked at and copied; the
// last block overlaps the one before.
bool copyPlain(std::string_view text, char* to) {
  const char* const from = text.data();
  const size_t size = text.size();
  if (size >= 16) {
    const __m128i last = load16(from + size - 16);
    __m128i found = special(last);
    for (size_t i = 0; i + 16 < size; i += 16) {
      const __m128i block = load16(from + i);
      found = _mm_or_si128(found, special(block));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), block);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + size - 16), last);
    return _mm_movemask_epi8(found) == 0;
  }
  if (size >= 8) {
    const __m128i first = load8(from);
    const __m128i last = load8(from + size - 8);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), first);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + size - 8), last);
    return isPlain(_mm_unpacklo_epi64(first, last));
  }
  if (size >= 4) {
    const __m128i first = load4(from);
    const __m128i last = load4(from + size - 4);
    _mm_storeu_si32(to, first);
    _mm_storeu_si32(to + size - 4, last);
    const __m128i both = _mm_unpacklo_epi32(first, last);
    return isPlain(_mm_unpacklo_epi64(both, both));
  }
  bool plain = true;
  for (size_t i = 0; i < size; ++i) {
    plain &= isPlain(from[i]);
    to[i] = from[i];
  }
  return plain;
}

}  // namespace

void LineBuffer::number(uint64_t value) {
  if (value < 10) return character(static_cast<char>('0' + value));
  if (value < 1000 && room() >= 3) {  // a status, a duration
    if (value >= 100) *at_++ = static_cast<char>('0' + value / 100);
    *at_++ = static_cast<char>('0' + value / 10 % 10);
    *at_++ = static_cast<char>('0' + value % 10);
    return;
  }
  const auto result = std::to_chars(at_, end_, value);
  if (result.ec == std::errc()) at_ = result.ptr;
}

void LineBuffer::escaped(std::string_view text, AccessLogSpec::Format form) {
  if (text.size() <= room() && copyPlain(text, at_)) {
    at_ += text.size();
    return;
  }
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    if (isPlain(c)) {
      character(c);
      continue;
    }
    character('\\');
    if (c == '"' || c == '\\') {
      character(c);
      continue;
    }
    raw(form == AccessLogSpec::Format::Json ? "u00" : "x");
    character(kDigits[static_cast<unsigned char>(c) >> 4]);
    character(kDigits[c & 15]);
  }
}

absl::StatusOr<LogFormat> LogFormat::compile(const AccessLogSpec& spec) {
  LogFormat format;
  format.form_ = spec.format;
  const auto note = [&](const std::vector<LogPiece>& pieces) {
    for (const LogPiece& piece : pieces)
      format.uses_response_headers_ |= piece.op == LogOperator::Resp;
  };
  if (spec.format == AccessLogSpec::Format::Text) {
    auto pieces = parseLogFormat(spec.text_format.empty() ? kDefaultLogFormat : spec.text_format);
    if (!pieces.ok()) return pieces.status();
    format.pieces_ = *std::move(pieces);
    note(format.pieces_);
    return format;
  }
  for (const auto& [key, value] : spec.json_fields) {
    auto pieces = parseLogFormat(value);
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
  char scratch[kScratchBytes];
  for (const LogPiece& piece : pieces_) {
    if (piece.op == LogOperator::Literal) {
      out.raw(piece.text);
    } else {
      renderPiece(piece, record, form_, scratch, out);
    }
  }
}

// A field that is one operator keeps its type: numbers as numbers, what does not exist as null.
void LogFormat::renderJson(const LogRecord& record, LineBuffer& out) const {
  char separator = '{';
  char scratch[kScratchBytes];
  for (const JsonField& field : fields_) {
    out.character(separator);
    separator = ',';
    out.raw(field.key);
    if (field.pieces.size() == 1 && field.pieces[0].op != LogOperator::Literal) {
      const LogPiece& piece = field.pieces[0];
      const bool exists = isNumber(piece.op)
                              ? numberOf(piece.op, record.info).has_value()
                              : !textOrAlternative(piece, record, scratch).empty();
      if (!exists) {
        out.raw("null");
        continue;
      }
      if (isNumber(piece.op)) {
        renderPiece(piece, record, form_, scratch, out);
        continue;
      }
    }
    out.character('"');
    for (const LogPiece& piece : field.pieces) renderPiece(piece, record, form_, scratch, out);
    out.character('"');
  }
  out.raw(separator == '{' ? "{}\n" : "}\n");
}

}  // namespace convoy::http
