#include "proxy/http/log_format.h"

#include <charconv>
#include <cstring>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/http/grpc_semantics.h"

namespace convoy::http {

namespace {

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

// Behind a value that is not whole for lack of room.
constexpr std::string_view kCut = "...";

// Where a value is put together that is nowhere as text.
class Scratch {
 public:
  // `more`: where values go that need more than kScratchBytes; null: they are cut.
  explicit Scratch(base::Arena* more = nullptr) : more_(more) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // At least kScratchBytes, as many as makeRoom() said last.
  char* bytes() { return bytes_; }
  // Returns for how many bytes there is room: fewer than wanted if there is no arena.
  size_t makeRoom(size_t wanted) {
    if (wanted > size_ && more_ != nullptr) {
      bytes_ = more_->allocate(wanted);
      size_ = wanted;
    }
    return size_;
  }

 private:
  base::Arena* const more_;
  char own_[kScratchBytes];
  char* bytes_ = own_;
  size_t size_ = kScratchBytes;
};

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

// As Envoy: where a response to gRPC has none, what its status of HTTP means.
std::optional<uint64_t> grpcStatusOf(const LogRecord& r) {
  if (r.info.status == 0 || !isGrpc(r.request)) return std::nullopt;
  if (r.info.grpc_status >= 0) return r.info.grpc_status;
  return http::grpcStatusOf(r.info.status, r.info.failure);
}

std::string_view grpcStatusText(const LogPiece& piece, const LogRecord& r, char* scratch) {
  const auto status = grpcStatusOf(r);
  if (!status.has_value()) return {};
  const auto number = static_cast<uint8_t>(*status);
  const std::string_view name =
      piece.text == "SNAKE_STRING" ? grpcStatusSnakeName(number) : grpcStatusName(number);
  if (!name.empty()) return name;
  const auto end = std::to_chars(scratch, scratch + kScratchBytes, *status).ptr;
  return {scratch, static_cast<size_t>(end - scratch)};
}

// Asked anew for each operator: looking is a few pointers.
net::TransportInfo transportOf(const StreamInfo& i) {
  return i.downstream_transport == nullptr ? net::TransportInfo() : i.downstream_transport->info();
}

// Names joined by commas, cut where there is no more room: a long name must not make nothing of
// the list, as if the peer had none.
std::string_view joined(const std::vector<std::string>& names, Scratch& scratch) {
  if (names.size() == 1) return names.front();
  size_t wanted = 0;
  for (const std::string& name : names) wanted += name.size() + 1;
  const size_t room = scratch.makeRoom(wanted);
  LineBuffer out(scratch.bytes(), room);
  for (const std::string& name : names) {
    if (out.size() > 0) out.character(',');
    out.raw(name);
  }
  // A part of a name may be another one's.
  if (out.size() == room && wanted > room + 1) {
    kCut.copy(scratch.bytes() + room - kCut.size(), kCut.size());
  }
  return {scratch.bytes(), out.size()};
}

std::string_view peerText(LogOperator op, const net::PeerIdentity* peer, Scratch& scratch) {
  if (peer == nullptr) return {};
  switch (op) {
    case LogOperator::DownstreamPeerSubject:
      return peer->subject;
    case LogOperator::DownstreamPeerUriSan:
      return joined(peer->uris, scratch);
    case LogOperator::DownstreamPeerDnsSan:
      return joined(peer->dns_names, scratch);
    default:
      return peer->sha256;
  }
}

std::string_view textOf(const LogPiece& piece, const LogRecord& r, Scratch& scratch) {
  const StreamInfo& i = r.info;
  switch (piece.op) {
    case LogOperator::Literal:
      return piece.text;
    case LogOperator::StartTime:
      return timeText(r.started, piece.text, scratch.bytes());
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
      return i.retries_exhausted ? flagWithRetriesExhausted(i.failure) : info(i.failure).flag;
    case LogOperator::ResponseCodeDetails:
      return detailsOf(i);
    case LogOperator::UpstreamHost:
      return i.upstream_host;
    case LogOperator::UpstreamCluster:
      return i.cluster;
    case LogOperator::DownstreamRemote:
      return addressOf(i.downstream_remote, true, scratch.bytes());
    case LogOperator::DownstreamRemoteIp:
      return i.downstream_ip;
    case LogOperator::DownstreamDirectRemote:
      return addressOf(i.downstream_direct_remote, true, scratch.bytes());
    case LogOperator::DownstreamDirectRemoteIp:
      return addressOf(i.downstream_direct_remote, false, scratch.bytes());
    case LogOperator::DownstreamLocal:
      return addressOf(i.downstream_local, true, scratch.bytes());
    case LogOperator::DownstreamLocalIp:
      return addressOf(i.downstream_local, false, scratch.bytes());
    case LogOperator::DownstreamDirectLocal:
      return addressOf(i.downstream_direct_local, true, scratch.bytes());
    case LogOperator::DownstreamDirectLocalIp:
      return addressOf(i.downstream_direct_local, false, scratch.bytes());
    case LogOperator::RouteName:
      return i.route_name;
    case LogOperator::VirtualHostName:
      return i.virtual_host;
    case LogOperator::RequestId:
      return i.request_id;
    case LogOperator::GrpcStatus:
      return grpcStatusText(piece, r, scratch.bytes());
    case LogOperator::DownstreamTlsVersion:
      return transportOf(i).version;
    case LogOperator::DownstreamTlsCipher:
      return transportOf(i).cipher;
    case LogOperator::RequestedServerName:
      return transportOf(i).server_name;
    case LogOperator::DownstreamTransportFailure:
      return transportOf(i).failure;
    case LogOperator::UpstreamTransportFailure:
      return i.upstream_transport_failure;
    case LogOperator::DownstreamPeerSubject:
    case LogOperator::DownstreamPeerUriSan:
    case LogOperator::DownstreamPeerDnsSan:
    case LogOperator::DownstreamPeerFingerprint256:
      return peerText(piece.op, transportOf(i).peer, scratch);
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
    case LogOperator::DownstreamDirectLocalPort:
    case LogOperator::GrpcStatusNumber:
      return true;
    default:
      return false;
  }
}

std::optional<uint64_t> numberOf(LogOperator op, const LogRecord& r) {
  const StreamInfo& i = r.info;
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
    case LogOperator::DownstreamDirectLocalPort:
      return i.downstream_direct_local == nullptr ? 0 : i.downstream_direct_local->port();
    case LogOperator::GrpcStatusNumber:
      return grpcStatusOf(r);
    default:
      return std::nullopt;
  }
}

std::string_view textOrAlternative(const LogPiece& piece, const LogRecord& r, Scratch& scratch) {
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
    case LogOperator::DownstreamDirectRemoteIp:
    case LogOperator::DownstreamLocalIp:
    case LogOperator::DownstreamDirectLocalIp:
    case LogOperator::GrpcStatus:
      return false;
    default:
      return true;
  }
}

void renderNumber(LogOperator op, const LogRecord& r, LineBuffer& out) {
  const auto value = numberOf(op, r);
  value.has_value() ? out.number(*value) : out.character('-');
}

void renderValue(const LogPiece& piece, const LogRecord& r, AccessLogSpec::Format form, size_t most,
                 Scratch& scratch, LineBuffer& out) {
  std::string_view value = textOrAlternative(piece, r, scratch);
  if (value.empty()) return out.character('-');
  if (piece.max_length != 0) value = value.substr(0, piece.max_length);
  const bool is_cut = value.size() > most && piece.op != LogOperator::Literal;
  if (is_cut) value = value.substr(0, most);
  needsEscape(piece.op) ? out.escaped(value, form) : out.raw(value);
  if (is_cut) out.raw(kCut);
}

// A literal comes here only in JSON, where it is escaped.
inline void renderPiece(const LogPiece& piece, const LogRecord& r, AccessLogSpec::Format form,
                        size_t most, Scratch& scratch, LineBuffer& out) {
  if (isNumber(piece.op)) return renderNumber(piece.op, r, out);
  renderValue(piece, r, form, most, scratch, out);
}

std::string_view cutTo(size_t most, std::string_view text) {
  return most == 0 ? text : text.substr(0, most);
}

}  // namespace

std::span<char> formatText(const std::vector<LogPiece>& pieces, const LogRecord& record,
                           base::Arena& arena) {
  constexpr size_t kMostDigits = 20;
  Scratch scratch(&arena);
  size_t most = 0;
  for (const LogPiece& piece : pieces) {
    most += isNumber(piece.op)
                ? kMostDigits
                : cutTo(piece.max_length, textOrAlternative(piece, record, scratch)).size();
  }
  if (most == 0) return {};
  char* const text = arena.allocate(most);
  LineBuffer out(text, most);
  for (const LogPiece& piece : pieces) {
    if (!isNumber(piece.op)) {
      const std::string_view value = textOrAlternative(piece, record, scratch);
      if (!value.empty()) out.raw(cutTo(piece.max_length, value));
    } else if (const auto value = numberOf(piece.op, record); value.has_value()) {
      out.number(*value);
    }
  }
  return {text, out.size()};
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
    note(*pieces);
    format.compileText(*std::move(pieces));
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

// Short literals go with the operator behind them.
void LogFormat::compileText(std::vector<LogPiece> pieces) {
  ShortText lead;
  for (const LogPiece& piece : pieces) {
    if (piece.op == LogOperator::Literal && piece.text.size() <= ShortText::kMax) {
      lead.size = static_cast<uint8_t>(piece.text.copy(lead.bytes, ShortText::kMax));
      continue;
    }
    steps_.emplace_back(piece).lead = std::exchange(lead, ShortText());
  }
  tail_ = lead;
}

void LogFormat::render(const LogRecord& record, LineBuffer& out, size_t most_of_value) const {
  if (form_ == AccessLogSpec::Format::Json) return renderJson(record, out, most_of_value);
  renderText(record, out, most_of_value);
}

void LogFormat::renderText(const LogRecord& record, LineBuffer& out, size_t most_of_value) const {
  Scratch scratch;
  for (const TextStep& step : steps_) {
    out.raw(step.lead);
    if (step.piece.op == LogOperator::Literal) {
      out.raw(step.piece.text);
    } else {
      renderPiece(step.piece, record, form_, most_of_value, scratch, out);
    }
  }
  out.raw(tail_);
}

// A field that is one operator keeps its type: numbers as numbers, what does not exist as null.
void LogFormat::renderJson(const LogRecord& record, LineBuffer& out, size_t most_of_value) const {
  char separator = '{';
  Scratch scratch;
  for (const JsonField& field : fields_) {
    out.character(separator);
    separator = ',';
    out.raw(field.key);
    if (field.pieces.size() == 1 && field.pieces[0].op != LogOperator::Literal) {
      const LogPiece& piece = field.pieces[0];
      const bool exists = isNumber(piece.op) ? numberOf(piece.op, record).has_value()
                                             : !textOrAlternative(piece, record, scratch).empty();
      if (!exists) {
        out.raw("null");
        continue;
      }
      if (isNumber(piece.op)) {
        renderPiece(piece, record, form_, most_of_value, scratch, out);
        continue;
      }
    }
    out.character('"');
    for (const LogPiece& piece : field.pieces) {
      renderPiece(piece, record, form_, most_of_value, scratch, out);
    }
    out.character('"');
  }
  out.raw(separator == '{' ? "{}\n" : "}\n");
}

}  // namespace convoy::http
