#pragma once

// Immutable configuration of a cluster and of its endpoints: what config/ makes of
// envoy.config.cluster.v3.Cluster and envoy.config.endpoint.v3.ClusterLoadAssignment. Plain data.
// An unset field means what Envoy documents.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/timer_origins.h"
#include "proxy/http/h2_options.h"
#include "proxy/net/address.h"
#include "proxy/net/spec.h"

namespace convoy::upstream {

using Milliseconds = std::chrono::milliseconds;

enum class Algorithm : uint8_t {
  RoundRobin,                // smooth, weighted (nginx's exact order)
  WeightedLeastConnections,  // true minimum of (active+1)/weight; ROUND_ROBIN's neighbour in
                             // convoy.ext
  LeastRequest,              // Envoy's LEAST_REQUEST: served as the true minimum
  Random,
};

enum class HealthStatus : uint8_t { Unknown, Healthy, Unhealthy, Draining, Timeout, Degraded };

struct EndpointSpec {
  net::Address address;
  std::string hostname;
  uint32_t weight = 1;  // >= 1
  HealthStatus health = HealthStatus::Unknown;
  std::map<std::string, std::string> labels;  // metadata "convoy.labels", for people
  // health_check_config: whether our own checks look at it, where, and by which name.
  bool health_check = true;
  std::optional<net::Address> health_address = {};
  std::string health_hostname = {};
};

struct LocalitySpec {
  std::string region, zone, sub_zone;
  uint32_t priority = 0;
  std::optional<uint32_t> weight;
  std::vector<EndpointSpec> endpoints;
};

struct AssignmentSpec {
  std::string cluster;
  std::vector<LocalitySpec> localities;
  std::string version;
};

// Retries under way in relation to requests: instead of max_retries.
struct RetryBudget {
  double percent = 20;  // of the requests under way and those that wait for a connection
  uint32_t min_concurrency = 3;
};

struct CircuitBreakers {  // DEFAULT priority; Envoy's defaults
  uint32_t max_connections = 1024;
  uint32_t max_pending_requests = 1024;
  uint32_t max_requests = 1024;
  uint32_t max_retries = 3;
  std::optional<RetryBudget> retry_budget;
};

enum class UpstreamProtocol : uint8_t {
  Http1,
  Http2,
  Auto,  // what TLS agrees on (ALPN): HTTP/2 if that is "h2", else HTTP/1.1
};

struct HealthCheckSpec;  // health/spec.h

struct ClusterSpec {
  enum class Discovery : uint8_t { Static, Eds };

  std::string name;
  Discovery discovery = Discovery::Static;
  std::string eds_service_name;                      // empty: the cluster's name
  Milliseconds eds_fetch_timeout{15'000};            // wait for the first endpoints; 0: for ever
  std::shared_ptr<const AssignmentSpec> assignment;  // Static only
  Algorithm algorithm = Algorithm::RoundRobin;
  UpstreamProtocol protocol = UpstreamProtocol::Http1;
  http::H2Options http2;
  bool http2_keepalive = false;  // asked for; only the control plane's connection has one
  Milliseconds connect_timeout{5000};
  std::optional<Milliseconds> idle_timeout;  // upstream connection; unset: 1 h
  std::optional<Milliseconds> max_connection_duration;
  std::optional<uint32_t> max_requests_per_connection;
  CircuitBreakers breakers;
  uint32_t per_connection_buffer_limit_bytes = 1024 * 1024;
  std::optional<net::Address> bind_to;
  std::shared_ptr<const net::TransportSpec> transport;  // null: plain text
  uint64_t transport_hash = 0;                          // differs: open connections are drained
  std::shared_ptr<const HealthCheckSpec> health_check;  // null: none
  // A host that discovery takes away goes at once, though its checks pass.
  bool ignore_health_on_removal = false;
  std::string version;
  base::TimerOrigins origins;  // of connect_timeout
};

}  // namespace convoy::upstream
