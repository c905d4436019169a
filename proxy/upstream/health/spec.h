#pragma once

// What an active health check is (envoy.config.core.v3.HealthCheck): immutable, made by config/.
// Every duration is filled in: what Envoy derives from another field when it is unset has been
// derived.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/net/spec.h"
#include "proxy/route/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// Connects; with `receive`, sends and waits for all of these, in this order, with anything between.
struct TcpCheckSpec {
  std::string send;
  std::vector<std::string> receive;
};

// Half open, as Envoy's Int64Range.
struct StatusRange {
  uint16_t from = 200;
  uint16_t to = 201;
};
using Header = std::pair<std::string, std::string>;

struct HttpCheckSpec {
  std::string method = "GET";
  std::string path;
  std::string host;  // empty: the cluster's name
  std::string send;  // the request's body
  // All of them, in this order, with anything between, in the first body_limit bytes.
  std::vector<std::string> receive;
  size_t body_limit = 1024;
  // The body is a JSON object whose "status" is "healthy" and whose "checks", if any, are all "ok".
  bool json = false;
  std::vector<StatusRange> expected{StatusRange{}};
  // Failures with one of these count towards the threshold; with any other the host is out at once.
  std::vector<StatusRange> retriable;
  std::vector<Header> headers;       // added
  std::vector<std::string> removed;  // of those that are sent anyway, lower case
  bool http2 = false;
  // What the header x-envoy-upstream-healthchecked-cluster must be.
  std::optional<route::StringMatch> service_name;
};

struct GrpcCheckSpec {
  std::string service;    // empty: the server as a whole
  std::string authority;  // empty: the cluster's name
  std::vector<Header> metadata;
};

// A program of the directory that the node allows (--health-command-dir): exit code 0 passes.
struct CommandCheckSpec {
  std::string command;  // a file name, without "/"
  std::vector<std::string> arguments;
};

struct HealthCheckSpec {
  using Milliseconds = std::chrono::milliseconds;

  std::variant<TcpCheckSpec, HttpCheckSpec, GrpcCheckSpec, CommandCheckSpec> checker;
  Milliseconds timeout{3000};
  Milliseconds interval{5000};
  Milliseconds initial_jitter{0};
  Milliseconds interval_jitter{0};
  uint32_t interval_jitter_percent = 0;
  uint32_t unhealthy_threshold = 3;
  uint32_t healthy_threshold = 2;
  // Instead of `interval`: while the cluster was never used (and for its healthy hosts); for hosts
  // that are out; for the one check after a host went out, or came back.
  Milliseconds no_traffic_interval{60'000};
  Milliseconds no_traffic_healthy_interval{60'000};
  Milliseconds unhealthy_interval{5000};
  Milliseconds unhealthy_edge_interval{5000};
  Milliseconds healthy_edge_interval{5000};
  uint16_t alt_port = 0;  // 0: the host's own
  bool reuse_connection = true;
  bool log_failures = false;
  bool log_successes = false;
  // As the cluster's, but for the protocols that are offered (ALPN). Null: plain text.
  std::shared_ptr<const net::TransportSpec> transport;
  // Of everything that a check says. A host's verdict outlives a change of it, its counts do not.
  uint64_t hash = 0;
};

inline bool runsCheckCommands(const ClusterSpec& cluster) {
  return cluster.health_check != nullptr &&
         std::holds_alternative<CommandCheckSpec>(cluster.health_check->checker);
}

}  // namespace convoy::upstream
