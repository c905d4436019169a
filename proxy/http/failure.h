#pragma once

// Why a request failed, in one table: who is to blame, whether sending it again is safe, which
// status the client gets, Envoy's response flag, and the stable reason code of the access log.
// Every failure path of the proxy names one of these; nothing else decides a status or a flag.

#include <cstdint>
#include <string_view>

namespace convoy::http {

enum class Blame : uint8_t { None, Downstream, Upstream, Local };

enum class Failure : uint8_t {
  None,
  // Downstream's doing.
  BadRequest,            // the head is malformed
  HeadTooLarge,          // 431
  BadBody,               // framing broke inside the body
  RequestHeaderTimeout,  // 408: the head did not arrive in time
  RequestTimeout,        // 408: the whole request did not
  StreamIdleTimeout,     // 408, or 504 behind the request: nothing moved for too long
  RouteIdleTimeout,      // the same, by the time-out of the route
  TunnelIdleTimeout,     // the same, of an open tunnel
  DownstreamDisconnect,  // the client went away
  UnsupportedVersion,    // 505
  LowVersion,            // 426: HTTP/1.0 where it is not accepted
  UnsupportedEncoding,   // 501: a transfer coding that we do not know
  UnsupportedUpgrade,    // 403: upgrade or CONNECT not allowed here
  Misdirected,           // 421: the host wants a client certificate, the connection is another's
  // Local.
  RouteNotFound,      // 404
  ClusterNotFound,    // 503: the route names a cluster that is not there
  NoHealthyUpstream,  // 503
  UpstreamOverflow,   // 503: a circuit breaker
  DirectResponse,     // configured answer; not an error, has no flag
  FilterReply,        // a filter answered
  Draining,           // 503: this node is going away
  UpstreamDrained,    // 503: the host gets no more requests, and its time for those it had is over
  MaxStreamDuration,  // 504: the stream lived too long
  PayloadTooLarge,    // 413: more body than may be buffered
  InternalError,      // 500
  // Upstream's doing.
  UpstreamConnectFailure,    // 503
  UpstreamConnectTimeout,    // 503
  UpstreamTransportFailure,  // 503: the handshake of TLS failed
  UpstreamReset,  // 502: broke before the response head (Envoy: 503 UC; ours is the 502)
  UpstreamRefusedStream,      // 503: HTTP/2: the host said that it has not looked at the request
  UpstreamProtocolError,      // 502: the response was malformed
  UpstreamNoUpgrade,          // 502: HTTP/2: the host takes no extended CONNECT (RFC 8441)
  UpstreamFirstByteTimeout,   // 504
  UpstreamResponseTimeout,    // 504: route time-out
  UpstreamPerTryTimeout,      // 504: of one attempt
  UpstreamPerTryIdleTimeout,  // 504: an attempt was silent for too long
  UpstreamAbortedBody,        // the response broke after its head: downstream is aborted
  kCount
};

struct FailureInfo {
  Failure failure;
  std::string_view code;  // stable: "upstream_connect_failure"; docs/reference/failures.md is made
                          // from this table
  std::string_view flag;  // Envoy's short response flag: "UF"; empty if none
  Blame blame;
  bool retry_safe;        // the upstream cannot have acted on the request
  uint16_t status;        // 0: nothing can be sent
  std::string_view text;  // body of the reply: one line for people
};

const FailureInfo& info(Failure failure);
// The flag, and Envoy's "URX" behind it: the request had been sent as often as allowed.
std::string_view flagWithRetriesExhausted(Failure failure);

}  // namespace convoy::http
