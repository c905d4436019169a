#pragma once

// Immutable routing configuration: what config/ makes of envoy.config.route.v3.RouteConfiguration,
// and what the matcher (route/matcher.h) is compiled from. Plain data. Durations: unset means what
// Envoy documents.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/base/subset_key.h"
#include "proxy/base/timer_origins.h"
#include "proxy/http/log_format_spec.h"
#include "proxy/route/match_spec.h"
#include "proxy/route/retry_spec.h"

namespace convoy::route {

struct HeaderEdit {
  enum class Action : uint8_t {
    AppendIfExistsOrAdd,
    AddIfAbsent,
    OverwriteIfExistsOrAdd,
    OverwriteIfExists,
    Remove,
  };
  std::string name;
  std::string value;  // literal text, unless there is a format
  Action action = Action::AppendIfExistsOrAdd;
  std::vector<http::LogPiece> format = {};  // value with Envoy's %...% operators
  bool keep_empty = false;                  // edit also if the format gives an empty text
};

struct HeaderEdits {
  std::vector<HeaderEdit> request;
  std::vector<std::string> request_remove;
  std::vector<HeaderEdit> response;
  std::vector<std::string> response_remove;
  bool empty() const {
    return request.empty() && request_remove.empty() && response.empty() && response_remove.empty();
  }
};

// A protocol that clients may switch to (RFC 9110 7.8), or "CONNECT"; names ignore case.
struct Upgrade {
  std::string protocol;
  bool enabled = true;
};

struct WeightedCluster {
  std::string name;
  uint32_t weight = 0;
  base::SubsetKey subset = {};  // of its hosts; empty: any
};

// One part of a request's hash key, for clusters that balance by hash.
struct HashPolicy {
  enum class Kind : uint8_t { Header, Cookie, SourceIp, QueryParameter };
  Kind kind = Kind::SourceIp;
  std::string name = {};  // of the header, cookie or parameter
  bool terminal = false;  // the parts behind it count only if none before, this included, was there
  // Cookie: a client without it is given one of this age (0: for its session); unset: it is not.
  std::optional<Milliseconds> cookie_ttl = {};
  std::string cookie_path = {};  // empty: none
  // Name and value, such as "SameSite" and "Lax".
  std::vector<std::pair<std::string, std::string>> cookie_attributes = {};
};

// Send to a cluster. Exactly one of cluster and weighted is set.
struct Forward {
  std::string cluster;
  base::SubsetKey subset;  // of the cluster's hosts; empty: any
  std::vector<WeightedCluster> weighted;
  std::string prefix_rewrite;           // empty: none
  std::string host_rewrite;             // empty: none
  std::optional<Milliseconds> timeout;  // whole response; unset: 15 s (Envoy); 0: none
  std::optional<Milliseconds>
      idle_timeout;                    // stream idle; unset: the connection manager's; 0: none
  Milliseconds first_byte_timeout{0};  // until the response head; 0: none (convoy.ext.RoutePolicy)

  bool high_priority = false;       // circuit breakers of their own (RoutingPriority HIGH)
  std::vector<Upgrade> upgrades;    // before those of the listener
  bool terminates_connect = false;  // CONNECT: the host gets the bytes of the tunnel alone
  // Of an open tunnel; unset: idle_timeout, or whatever stands for it; 0: none
  // (convoy.ext.RoutePolicy).
  std::optional<Milliseconds> tunnel_idle_timeout;

  // Of the whole stream; unset: the connection manager's; 0: none.
  std::optional<Milliseconds> max_stream_duration;
  // A grpc-timeout header counts as max_stream_duration, up to this; 0: up to any; unset: not.
  std::optional<Milliseconds> grpc_timeout_header_max;
  Milliseconds grpc_timeout_header_offset{0};  // taken off the header's value

  std::shared_ptr<const RetryPolicy> retries;  // the route's, or its virtual host's; null: none
  // Of a request that may be sent again, as much is kept; unset: the listener's buffer limit.
  std::optional<uint32_t> retry_buffer_bytes;
  bool tells_attempts_to_host = false;    // x-envoy-attempt-count
  bool tells_attempts_to_client = false;  // likewise

  base::TimerOrigins origins;  // of the times above
  std::vector<HashPolicy> hash_policies;
};

struct DirectResponse {
  uint16_t status = 200;
  std::string body;
};

struct Redirect {
  uint16_t status = 301;
  std::string scheme;  // empty members keep the request's
  std::string host;
  std::optional<uint32_t> port;
  std::string path;
  std::string prefix_rewrite;
  bool strip_query = false;
};

// Configuration of one HTTP filter for one route; the filter knows its own type.
struct PerRouteFilterSpec {
  explicit PerRouteFilterSpec(const char* filter_kind = "") : kind(filter_kind) {}
  virtual ~PerRouteFilterSpec() = default;
  // The filter's kKind itself, not a copy: a filter takes only what is its own.
  const char* const kind;
};

struct Route {
  std::string name;
  Match match;
  std::variant<Forward, DirectResponse, Redirect> action;
  HeaderEdits edits;
  std::map<std::string, std::shared_ptr<const PerRouteFilterSpec>> filters;  // by filter name
};

struct VirtualHost {
  std::string name;
  std::vector<std::string> domains;  // "a.example", "*.example", "a.*", "*"; lower case
  std::vector<Route> routes;         // first match wins
  HeaderEdits edits;
  std::map<std::string, std::shared_ptr<const PerRouteFilterSpec>> filters;
};

struct RouteTableSpec {
  std::string name;
  std::vector<VirtualHost> virtual_hosts;
  HeaderEdits edits;
  std::map<std::string, std::shared_ptr<const PerRouteFilterSpec>> filters;
  bool most_specific_header_mutations_wins = false;
  bool ignore_port_in_host = false;  // domains are matched without the authority's port
  // Refuse the table if it names a cluster that does not exist. Unset: only in static
  // configuration.
  std::optional<bool> validate_clusters;
  std::string version;
};

}  // namespace convoy::route
