#include "proxy/http/failure.h"

#include <array>
#include <cstddef>
#include <string>

#include "proxy/base/assert.h"

namespace convoy::http {

namespace {

constexpr size_t kFailures = static_cast<size_t>(Failure::kCount);

// Flags are Envoy's ("Response flags" of its access-log reference); empty where Envoy has none.
// retry_safe is true only where a retry makes sense at all: nothing of the request has reached an
// upstream, and another host or a later moment may serve it.
constexpr FailureInfo kTable[kFailures] = {
    {Failure::None, "none", "", Blame::None, false, 0, ""},

    {Failure::BadRequest, "bad_request", "DPE", Blame::Downstream, false, 400,
     "The request is malformed.\n"},
    {Failure::HeadTooLarge, "head_too_large", "DPE", Blame::Downstream, false, 431,
     "The request's header fields are too large or too many.\n"},
    {Failure::BadBody, "bad_body", "DPE", Blame::Downstream, false, 400,
     "The framing of the request's body is malformed.\n"},
    {Failure::RequestHeaderTimeout, "request_header_timeout", "", Blame::Downstream, false, 408,
     "The request's head did not arrive in time (request_headers_timeout).\n"},
    {Failure::RequestTimeout, "request_timeout", "", Blame::Downstream, false, 408,
     "The request did not arrive in time (request_timeout).\n"},
    {Failure::StreamIdleTimeout, "stream_idle_timeout", "SI", Blame::Downstream, false, 408,
     "Nothing moved for too long (stream_idle_timeout).\n"},
    {Failure::RouteIdleTimeout, "route_idle_timeout", "SI", Blame::Downstream, false, 408,
     "Nothing moved for too long (the route's idle_timeout).\n"},
    {Failure::TunnelIdleTimeout, "tunnel_idle_timeout", "SI", Blame::Downstream, false, 408,
     "Nothing moved in the tunnel for too long (tunnel_idle_timeout).\n"},
    {Failure::DownstreamDisconnect, "downstream_disconnect", "DC", Blame::Downstream, false, 0, ""},
    {Failure::UnsupportedVersion, "unsupported_version", "DPE", Blame::Downstream, false, 505,
     "This version of HTTP is not supported.\n"},
    {Failure::LowVersion, "low_version", "DPE", Blame::Downstream, false, 426,
     "HTTP/1.0 is not accepted here (accept_http_10).\n"},
    {Failure::UnsupportedEncoding, "unsupported_encoding", "DPE", Blame::Downstream, false, 501,
     "This transfer coding is not supported.\n"},
    {Failure::UnsupportedUpgrade, "unsupported_upgrade", "", Blame::Downstream, false, 403,
     "Upgrade and CONNECT are not allowed here.\n"},
    {Failure::Misdirected, "misdirected_request", "", Blame::Downstream, false, 421,
     "This host is served to clients that show a certificate: connect with its server name "
     "(SNI).\n"},

    {Failure::RouteNotFound, "route_not_found", "NR", Blame::Local, false, 404,
     "No route matches this request.\n"},
    {Failure::ClusterNotFound, "cluster_not_found", "NC", Blame::Local, true, 503,
     "The cluster of this route does not exist.\n"},
    {Failure::NoHealthyUpstream, "no_healthy_upstream", "UH", Blame::Local, true, 503,
     "No upstream host is available.\n"},
    {Failure::UpstreamOverflow, "upstream_overflow", "UO", Blame::Local, true, 503,
     "Too many requests are waiting for this upstream.\n"},
    {Failure::DirectResponse, "direct_response", "", Blame::None, false, 0, ""},
    {Failure::FilterReply, "filter_reply", "", Blame::None, false, 0, ""},
    {Failure::Draining, "draining", "", Blame::Local, false, 503, "This proxy is shutting down.\n"},
    {Failure::UpstreamDrained, "upstream_drained", "", Blame::Local, false, 503,
     "The upstream host was taken out of service and had not responded in time (drain_timeout).\n"},
    {Failure::MaxStreamDuration, "max_stream_duration", "UMSDR", Blame::Local, false, 504,
     "The request took too long (max_stream_duration).\n"},
    {Failure::PayloadTooLarge, "payload_too_large", "", Blame::Downstream, false, 413,
     "The request's body is too large.\n"},
    {Failure::InternalError, "internal_error", "", Blame::Local, false, 500,
     "The proxy failed to process this request.\n"},

    {Failure::UpstreamConnectFailure, "upstream_connect_failure", "UF", Blame::Upstream, true, 503,
     "The upstream host refused the connection.\n"},
    {Failure::UpstreamConnectTimeout, "upstream_connect_timeout", "UF", Blame::Upstream, true, 503,
     "The connection to the upstream host was not established in time (connect_timeout).\n"},
    {Failure::UpstreamTransportFailure, "upstream_transport_failure", "UF", Blame::Upstream, true,
     503, "The TLS handshake with the upstream host failed.\n"},
    {Failure::UpstreamReset, "upstream_reset", "UC", Blame::Upstream, false, 502,
     "The upstream host closed the connection before it responded.\n"},
    {Failure::UpstreamRefusedStream, "upstream_refused_stream", "UR", Blame::Upstream, true, 503,
     "The upstream host refused the request before it looked at it.\n"},
    {Failure::UpstreamProtocolError, "upstream_protocol_error", "UPE", Blame::Upstream, false, 502,
     "The upstream host's response is malformed.\n"},
    {Failure::UpstreamNoUpgrade, "upstream_no_upgrade", "", Blame::Upstream, true, 502,
     "The upstream host takes no tunnel over HTTP/2 (SETTINGS_ENABLE_CONNECT_PROTOCOL).\n"},
    {Failure::UpstreamFirstByteTimeout, "upstream_first_byte_timeout", "UT", Blame::Upstream, false,
     504, "The upstream host did not respond in time (first_byte_timeout).\n"},
    {Failure::UpstreamResponseTimeout, "upstream_response_timeout", "UT", Blame::Upstream, false,
     504, "The upstream host did not complete its response in time (the route's timeout).\n"},
    {Failure::UpstreamPerTryTimeout, "upstream_per_try_timeout", "UT", Blame::Upstream, false, 504,
     "The upstream host did not respond in time (per_try_timeout).\n"},
    {Failure::UpstreamPerTryIdleTimeout, "upstream_per_try_idle_timeout", "UT", Blame::Upstream,
     false, 504, "The upstream host was silent for too long (per_try_idle_timeout).\n"},
    {Failure::UpstreamAbortedBody, "upstream_aborted_body", "UC", Blame::Upstream, false, 0, ""},
};

constexpr bool tableIsInOrder() {
  for (size_t i = 0; i < kFailures; ++i) {
    if (static_cast<size_t>(kTable[i].failure) != i) return false;
  }
  return true;
}
static_assert(tableIsInOrder(), "one row per Failure, in the order of the enum");

}  // namespace

const FailureInfo& info(Failure failure) {
  CONVOY_ASSERT(failure < Failure::kCount);
  return kTable[static_cast<size_t>(failure)];
}

std::string_view flagWithRetriesExhausted(Failure failure) {
  static const auto* const flags = [] {
    auto* made = new std::array<std::string, kFailures>;
    for (size_t i = 0; i < kFailures; ++i) {
      (*made)[i] = std::string(kTable[i].flag) + (kTable[i].flag.empty() ? "URX" : ",URX");
    }
    return made;
  }();
  return (*flags)[static_cast<size_t>(failure)];
}

}  // namespace convoy::http
