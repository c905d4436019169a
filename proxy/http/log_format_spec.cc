#include "proxy/http/log_format_spec.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

enum class Argument : uint8_t {
  None,
  TimeFormat,  // may be left out
  Header,
  StatusForm,  // may be left out
};

struct OperatorName {
  std::string_view name;
  LogOperator op;
  Argument argument = Argument::None;
};

constexpr OperatorName kOperators[] = {
    {"START_TIME", LogOperator::StartTime, Argument::TimeFormat},
    {"REQ", LogOperator::Req, Argument::Header},
    {"RESP", LogOperator::Resp, Argument::Header},
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
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", LogOperator::DownstreamDirectRemote},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", LogOperator::DownstreamDirectRemoteIp},
    {"DOWNSTREAM_LOCAL_ADDRESS", LogOperator::DownstreamLocal},
    {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", LogOperator::DownstreamLocalIp},
    {"DOWNSTREAM_LOCAL_PORT", LogOperator::DownstreamLocalPort},
    {"DOWNSTREAM_DIRECT_LOCAL_ADDRESS", LogOperator::DownstreamDirectLocal},
    {"DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT", LogOperator::DownstreamDirectLocalIp},
    {"DOWNSTREAM_DIRECT_LOCAL_PORT", LogOperator::DownstreamDirectLocalPort},
    {"ROUTE_NAME", LogOperator::RouteName},
    {"VIRTUAL_HOST_NAME", LogOperator::VirtualHostName},
    {"STREAM_ID", LogOperator::RequestId},
    {"GRPC_STATUS", LogOperator::GrpcStatus, Argument::StatusForm},
    {"GRPC_STATUS_NUMBER", LogOperator::GrpcStatusNumber},
    {"DOWNSTREAM_TLS_VERSION", LogOperator::DownstreamTlsVersion},
    {"DOWNSTREAM_TLS_CIPHER", LogOperator::DownstreamTlsCipher},
    {"DOWNSTREAM_PEER_SUBJECT", LogOperator::DownstreamPeerSubject},
    {"DOWNSTREAM_PEER_URI_SAN", LogOperator::DownstreamPeerUriSan},
    {"DOWNSTREAM_PEER_DNS_SAN", LogOperator::DownstreamPeerDnsSan},
    {"DOWNSTREAM_PEER_FINGERPRINT_256", LogOperator::DownstreamPeerFingerprint256},
    {"REQUESTED_SERVER_NAME", LogOperator::RequestedServerName},
    {"DOWNSTREAM_TRANSPORT_FAILURE_REASON", LogOperator::DownstreamTransportFailure},
    {"UPSTREAM_TRANSPORT_FAILURE_REASON", LogOperator::UpstreamTransportFailure},
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

// REQ(:METHOD) and its like are no header fields.
LogOperator requestOperator(std::string_view name) {
  constexpr std::pair<std::string_view, LogOperator> kPseudo[] = {
      {":method", LogOperator::Method},       {":path", LogOperator::Target},
      {":authority", LogOperator::Authority}, {":scheme", LogOperator::Scheme},
      {"host", LogOperator::Authority},
  };
  for (const auto& [pseudo, op] : kPseudo) {
    if (base::equalsIgnoreCase(pseudo, name)) return op;
  }
  return LogOperator::Req;
}

void setHeader(LogPiece& piece, std::string_view argument) {
  const size_t question = argument.find('?');
  piece.text = argument.substr(0, question);
  piece.id = classify(piece.text);
  if (piece.op == LogOperator::Req) piece.op = requestOperator(piece.text);
  if (question == std::string_view::npos) return;
  LogPiece& other = piece.alternative.emplace_back();
  other.op = piece.op == LogOperator::Resp ? LogOperator::Resp : LogOperator::Req;
  setHeader(other, argument.substr(question + 1));
}

// strftime() has no %f, %3f and the like (Envoy's own).
bool hasFraction(std::string_view time_format) {
  for (size_t at = time_format.find('%'); at != std::string_view::npos;
       at = time_format.find('%', at + 2)) {
    const size_t conversion = time_format.find_first_not_of("0123456789*E", at + 1);
    if (conversion != std::string_view::npos && time_format[conversion] == 'f') return true;
  }
  return false;
}

// What is wrong with it, or null.
const char* setArgument(LogPiece& piece, Argument kind, std::string_view argument,
                        std::string_view token) {
  switch (kind) {
    case Argument::None:
      if (token.find('(') == std::string_view::npos) return nullptr;
      return "takes nothing in parentheses";
    case Argument::TimeFormat:
      piece.text = argument;
      if (!hasFraction(argument)) return nullptr;
      return "fractions of a second are not supported in a time format; %START_TIME% alone has "
             "milliseconds";
    case Argument::StatusForm:
      piece.text = argument.empty() ? "CAMEL_STRING" : argument;
      if (piece.text == "NUMBER") piece.op = LogOperator::GrpcStatusNumber;
      if (piece.text == "CAMEL_STRING" || piece.text == "SNAKE_STRING" || piece.text == "NUMBER") {
        return nullptr;
      }
      return "takes CAMEL_STRING, SNAKE_STRING or NUMBER";
    case Argument::Header:
      if (argument.empty()) return "needs a header name in parentheses";
      if (std::count(argument.begin(), argument.end(), '?') > 1) {
        return "takes a header name and at most one alternative";
      }
      setHeader(piece, argument);
      return nullptr;
  }
  return nullptr;
}

const OperatorName* findOperator(std::string_view name) {
  for (const OperatorName& known : kOperators) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

// token is what stands between two '%': NAME, NAME(ARGUMENT), NAME(ARGUMENT):LENGTH.
absl::StatusOr<LogPiece> parseOperator(std::string_view token, size_t at) {
  const size_t name_end = std::min(token.find('('), token.find(':'));
  const OperatorName* known = findOperator(token.substr(0, name_end));
  if (known == nullptr)
    return badFormat(token, at, "unknown operator; known are " + knownOperators());
  LogPiece piece;
  piece.op = known->op;
  std::string_view rest =
      name_end == std::string_view::npos ? std::string_view() : token.substr(name_end);
  std::string_view argument;
  if (!rest.empty() && rest[0] == '(') {
    const size_t close = rest.find(')');
    if (close == std::string_view::npos)
      return badFormat(token, at, "the parenthesis is not closed");
    argument = rest.substr(1, close - 1);
    rest = rest.substr(close + 1);
  }
  if (!rest.empty()) {
    const char* end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + 1, end, piece.max_length);
    if (rest[0] != ':' || parsed.ec != std::errc() || parsed.ptr != end || piece.max_length == 0) {
      return badFormat(token, at, "what follows the name must be \":\" and a length of at least 1");
    }
  }
  const char* const problem = setArgument(piece, known->argument, argument, token);
  if (problem != nullptr) return badFormat(token, at, problem);
  return piece;
}

}  // namespace

absl::StatusOr<std::vector<LogPiece>> parseLogFormat(std::string_view format) {
  std::vector<LogPiece> pieces;
  std::string literal;
  const auto flush = [&] {
    if (literal.empty()) return;
    pieces.emplace_back().text = std::move(literal);
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

}  // namespace convoy::http
