#pragma once

// Access-log formats as text: Envoy's command operators, parsed into pieces. Plain data, no data
// path: config/ refuses a format that does not parse, log_format.h renders the pieces. The
// operators are listed in kOperators (log_format_spec.cc), which docs/reference/access-log.md is
// checked against.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/http/header_field.h"

namespace convoy::http {

enum class LogOperator : uint8_t {
  Literal,
  StartTime,
  Req,
  Method,
  Target,
  Authority,
  Scheme,
  Resp,
  Protocol,
  ResponseCode,
  ResponseFlags,
  ResponseCodeDetails,
  BytesReceived,
  BytesSent,
  Duration,
  RequestDuration,
  ResponseDuration,
  ResponseTxDuration,
  UpstreamHost,
  UpstreamCluster,
  UpstreamAttempts,
  DownstreamRemote,
  DownstreamRemoteIp,
  DownstreamDirectRemote,
  DownstreamDirectRemoteIp,
  DownstreamLocal,
  DownstreamLocalIp,
  DownstreamLocalPort,
  DownstreamDirectLocal,
  DownstreamDirectLocalIp,
  DownstreamDirectLocalPort,
  RouteName,
  VirtualHostName,
  RequestId,
  GrpcStatus,
  GrpcStatusNumber,
  DownstreamTlsVersion,
  DownstreamTlsCipher,
  DownstreamPeerSubject,
  DownstreamPeerUriSan,
  DownstreamPeerDnsSan,
  DownstreamPeerFingerprint256,
  RequestedServerName,
  DownstreamTransportFailure,
  UpstreamTransportFailure,
};

struct LogPiece {
  LogOperator op = LogOperator::Literal;
  std::string text;  // literal; header name; time format
  // Of REQ and RESP: a header that is looked up by its id if the proxy knows it, and where to look
  // if it is not there.
  HeaderName id = HeaderName::Other;
  std::vector<LogPiece> alternative;  // one or none
  size_t max_length = 0;              // 0: whole
};

inline constexpr std::string_view kDefaultLogFormat =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
    "%RESPONSE_CODE% "
    "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" "
    "\"%REQ(:AUTHORITY)%\" "
    "\"%UPSTREAM_HOST%\"\n";

// "%%" is a literal per cent. The error names the operator, the byte and the rule.
absl::StatusOr<std::vector<LogPiece>> parseLogFormat(std::string_view format);

}  // namespace convoy::http
