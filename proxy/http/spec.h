#pragma once

// Immutable configuration of the HTTP connection manager: what config/ makes of
// envoy.extensions.filters.network.http_connection_manager.v3. Plain data; defaults are Envoy's.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/timer_origins.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/path_normalizer.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"

namespace convoy::http {

using Milliseconds = std::chrono::milliseconds;

// One HTTP filter's configuration. `name` is the configured instance name (per-route configuration
// refers to it), `kind` selects the factory ("envoy.filters.http.router").
struct HttpFilterSpec {
  virtual ~HttpFilterSpec() = default;
  std::string name;
  std::string kind;
  bool disabled = false;
};

// A format compiled at load: literals and operators in order.
struct AccessLogSpec {
  enum class Format : uint8_t { Text, Json };
  std::string path;  // file; "/dev/stdout", "/dev/stderr"
  Format format = Format::Text;
  std::string text_format;  // Envoy's command operators; empty: Envoy's default format
  std::vector<std::pair<std::string, std::string>> json_fields;  // key -> format, in order
};

enum class ServerHeaderPolicy : uint8_t { Overwrite, AppendIfAbsent, PassThrough };

// What becomes of header names with "_", which some upstreams read as "-".
enum class UnderscoresAction : uint8_t { Allow, RejectRequest, DropHeader };

// Which ports are taken off the request's authority before routes are matched.
enum class StripPort : uint8_t { None, Matching, Any };

// How the address of the client is found (original_ip_detection_extensions). One of the two.
struct IpDetection {
  uint32_t xff_num_trusted_hops = 0;
  std::vector<net::CidrRange> trusted_proxies;
};

// X-Forwarded-Client-Cert, Envoy's forward_client_cert_details.
enum class ClientCertPolicy : uint8_t {
  Sanitize,           // removed
  ForwardOnly,        // passed on if the client showed a certificate that was verified
  AppendForward,      // ... and its own is appended
  SanitizeSet,        // replaced by that of the client's certificate
  AlwaysForwardOnly,  // passed on whoever sent it
};

// What of the client's certificate is told, besides its hash.
struct ClientCertDetails {
  bool subject = false;
  bool cert = false;
  bool chain = false;
  bool dns = false;
  bool uri = false;
};

struct ConnectionManagerSpec final : net::NetworkFilterSpec {
  enum class Codec : uint8_t { Auto, Http1, Http2 };

  static constexpr char kName[] = "envoy.filters.network.http_connection_manager";
  ConnectionManagerSpec() { name = kName; }

  std::string stat_prefix;
  Codec codec = Codec::Auto;
  H2Options http2;                                      // the limits of heads are below
  std::shared_ptr<const route::RouteTableSpec> routes;  // inline; null with rds_name
  std::string rds_name;
  Milliseconds rds_fetch_timeout{15'000};  // wait for the first table; 0: for ever
  std::vector<std::shared_ptr<const HttpFilterSpec>> filters;  // the last is the router
  std::vector<AccessLogSpec> access_logs;

  bool use_remote_address = false;
  uint32_t xff_num_trusted_hops = 0;
  bool skip_xff_append = false;
  std::vector<net::CidrRange> trusted_proxies;  // not empty: instead of the number of hops
  bool append_forwarded = false;                // RFC 7239
  std::vector<net::CidrRange> internal_ranges;  // empty: the usual ones (forwarding.h)
  bool unix_sockets_are_internal = false;
  bool generate_request_id = true;
  bool preserve_external_request_id = false;
  bool always_set_request_id_in_response = false;
  std::string server_name = "envoy";  // Envoy's default; convoy.v1 writes "convoy"
  ServerHeaderPolicy server_header = ServerHeaderPolicy::Overwrite;
  std::string via;
  ClientCertPolicy client_cert = ClientCertPolicy::Sanitize;
  ClientCertDetails client_cert_details;

  PathPolicy path;
  UnderscoresAction underscores = UnderscoresAction::Allow;
  StripPort strip_port = StripPort::None;
  bool strip_trailing_host_dot = false;
  bool accept_http_10 = false;
  std::string default_host_for_http_10;  // empty: a request needs a host
  std::vector<route::Upgrade> upgrades;  // that clients may ask for; a route may say otherwise

  uint32_t max_request_headers_kb = 60;
  uint32_t max_headers_count = 100;
  Milliseconds idle_timeout{3'600'000};       // connection without streams; 0: none
  Milliseconds stream_idle_timeout{300'000};  // 0: none
  Milliseconds request_timeout{0};            // until the request is received; 0: none
  Milliseconds request_headers_timeout{0};    // 0: none
  Milliseconds drain_timeout{5'000};
  std::optional<Milliseconds> max_connection_duration;
  std::optional<Milliseconds> max_stream_duration;
  std::optional<uint32_t> max_requests_per_connection;

  base::TimerOrigins origins;  // of the times above
};

}  // namespace convoy::http
