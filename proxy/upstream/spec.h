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
#include "proxy/upstream/grouping_spec.h"
#include "proxy/upstream/outlier/spec.h"

namespace convoy::upstream {

using Milliseconds = std::chrono::milliseconds;

enum class Algorithm : uint8_t {
  RoundRobin,                // smooth, weighted (nginx's exact order)
  LeastConnections,          // fewest active, whatever the weights (convoy.ext)
  WeightedLeastConnections,  // least (active+1)/weight (convoy.ext)
  LeastRequest,              // Envoy's LEAST_REQUEST: the better of some random ones
  Random,                    // by weight
  LeastResponseTime,         // mean response time, times load (convoy.ext)
  PeakEwma,                  // peak-sensitive response time, times load (convoy.ext)
  AdaptiveScore,             // active, p99 and errors together (convoy.ext)
  IpHash,                    // hash modulo hosts (convoy.ext)
  RingHash,                  // Envoy's RING_HASH, and a ring of ours (convoy.ext)
  Maglev,                    // Envoy's MAGLEV
};

// Whether a pick goes by the request's hash key.
constexpr bool picksByHash(Algorithm algorithm) {
  return algorithm == Algorithm::IpHash || algorithm == Algorithm::RingHash ||
         algorithm == Algorithm::Maglev;
}

// Hosts that are new, or come back, get their share little by little (slow_start.h).
struct SlowStartSpec {
  Milliseconds window{30'000};
  double aggression = 1;    // > 0: the factor is (time / window)^(1 / aggression), but
  double min_factor = 0.1;  // at least this; from 0 to 1
  friend bool operator==(const SlowStartSpec&, const SlowStartSpec&) = default;
};

// A load-balancing policy and its settings; what an algorithm does not use stays at its default.
struct BalancingSpec {
  enum class HashFunction : uint8_t { XxHash, Murmur2 };

  Algorithm algorithm = Algorithm::RoundRobin;
  uint32_t choices = 2;              // LeastRequest: hosts drawn; 0: all are looked at
  double active_request_bias = 1.0;  // LeastRequest, of different weights
  HashFunction ring_hash = HashFunction::XxHash;
  uint64_t ring_min_size = 1024;
  uint64_t ring_max_size = 8'388'608;
  // RingHash: so many points for each unit of a host's weight, whatever the other hosts; 0: as many
  // as ring_min_size asks for, in proportion to the weights (Envoy).
  uint32_t ring_points_per_weight = 0;
  uint32_t maglev_table_size = 65537;  // a prime
  // RingHash, Maglev, IpHash: no host has more than this percentage of the mean of active requests;
  // 0: no bound. Else >= 100.
  uint32_t hash_balance_percent = 0;
  Milliseconds memory{10'000};  // how long response times and errors count
  std::optional<SlowStartSpec> slow_start = {};
  // Of a typed policy that says so; moved to GroupingSpec when the cluster is put together.
  std::optional<LocalityRule> localities = {};

  friend bool operator==(const BalancingSpec&, const BalancingSpec&) = default;
};

enum class HealthStatus : uint8_t { Unknown, Healthy, Unhealthy, Draining, Timeout, Degraded };

struct EndpointSpec {
  net::Address address;
  std::string hostname;
  uint32_t weight = 1;  // >= 1
  HealthStatus health = HealthStatus::Unknown;
  std::map<std::string, std::string> labels;  // metadata "convoy.labels", for people
  base::SubsetLabels subset_labels = {};      // metadata "envoy.lb": which subsets it belongs to
  // health_check_config: whether our own checks look at it, where, and by which name.
  bool health_check = true;
  std::optional<net::Address> health_address = {};
  std::string health_hostname = {};
  std::optional<uint32_t> max_connections = {};  // of the node (convoy.ext.EndpointPolicy)
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
  // Of priorities and localities: at most kMostOverprovisioning.
  uint32_t overprovisioning_percent = kOverprovisioning;
  bool weighted_priority_health = false;  // hosts count by their weights, not one each
};

// Retries under way in relation to requests: instead of max_retries.
struct RetryBudget {
  double percent = 20;  // of the requests under way and those that wait for a connection
  uint32_t min_concurrency = 3;
};

// Requests of routes of high priority have limits, counts and connections of their own.
enum class Priority : uint8_t { Default, High };

struct CircuitBreakers {  // of one priority; Envoy's defaults
  uint32_t max_connections = 1024;
  uint32_t max_pending_requests = 1024;
  uint32_t max_requests = 1024;
  uint32_t max_retries = 3;
  std::optional<RetryBudget> retry_budget;
  bool track_remaining = false;  // show how much of each is left
};

enum class UpstreamProtocol : uint8_t {
  Http1,
  Http2,
  Auto,  // what TLS agrees on (ALPN): HTTP/2 if that is "h2", else HTTP/1.1
};

// What becomes of requests when fewer than `percent` of the hosts can be used, or none.
struct PanicSpec {
  enum class Mode : uint8_t {
    Fail,           // as if there were no such rule: hosts that can be used, or 503
    ServeAll,       // all hosts, whatever their health
    ServeLastGood,  // those that could be used when there were enough
  };
  Mode mode = Mode::Fail;
  uint32_t percent = 0;             // 0: only if there is none
  bool ignores_unverified = false;  // hosts that were never checked do not count
  friend bool operator==(const PanicSpec&, const PanicSpec&) = default;
};

// PINGs on connections that speak HTTP/2 (keepalive.h).
struct KeepaliveSpec {
  Milliseconds interval{0};  // 0: none by the clock
  double jitter_percent = 15;
  Milliseconds timeout{0};        // > 0
  Milliseconds idle_interval{0};  // 0: none before a stream on a connection that was idle
};

struct HealthCheckSpec;  // health/spec.h
struct DnsSpec;          // dns/spec.h

struct ClusterSpec {
  enum class Discovery : uint8_t { Static, Eds, Dns };

  std::string name;
  Discovery discovery = Discovery::Static;
  std::string eds_service_name;                      // empty: the cluster's name
  Milliseconds eds_fetch_timeout{15'000};            // wait for the first endpoints; 0: for ever
  std::shared_ptr<const AssignmentSpec> assignment;  // Static only
  std::shared_ptr<const DnsSpec> dns;                // Dns only
  bool wait_for_warm = true;  // Dns: the node's start waits for the first look-ups
  BalancingSpec balancing;
  GroupingSpec grouping;
  UpstreamProtocol protocol = UpstreamProtocol::Http1;
  http::H2Options http2;
  std::optional<KeepaliveSpec> http2_keepalive;
  std::optional<net::TcpKeepalive> tcp_keepalive;
  Milliseconds connect_timeout{5000};
  std::optional<Milliseconds> idle_timeout;  // upstream connection; unset: 1 h
  std::optional<Milliseconds> max_connection_duration;
  std::optional<uint32_t> max_requests_per_connection;
  CircuitBreakers breakers;
  CircuitBreakers high_breakers;
  const CircuitBreakers& breakersOf(Priority priority) const {
    return priority == Priority::High ? high_breakers : breakers;
  }
  std::optional<uint32_t> max_connections_per_host;
  // Hosts that get no more requests: what runs on them ends after this; unset: when it ends
  // (convoy.ext.HostPolicy).
  std::optional<Milliseconds> host_drain_timeout;
  // A request that has the address of a host in this header goes there; lower case; empty: none
  // (convoy.ext.HostPolicy).
  std::string override_header;
  // What waits in a connection before the far side is not read any more; 0: no limit.
  uint32_t per_connection_buffer_limit_bytes = 256 * 1024;
  std::optional<net::Address> bind_to;
  std::shared_ptr<const net::TransportSpec> transport;  // null: plain text
  uint64_t transport_hash = 0;                          // differs: open connections are drained
  std::shared_ptr<const HealthCheckSpec> health_check;  // null: none
  // A host that discovery takes away goes at once, though its checks pass.
  bool ignore_health_on_removal = false;
  std::shared_ptr<const OutlierSpec> outlier;  // null: no outlier detection
  std::optional<CorrelationSpec> correlation;
  std::optional<HostBreakerSpec> host_breaker;
  std::optional<RecoverySpec> recovery;
  PanicSpec panic;
  std::string version;
  base::TimerOrigins origins;  // of connect_timeout
};

}  // namespace convoy::upstream
