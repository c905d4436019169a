#include "proxy/config/host_policy.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using std::chrono::seconds;

std::string clusterYaml(const std::string& rest) {
  return "{name: c, load_assignment: {cluster_name: c}, " + rest + "}";
}
std::string policy(const std::string& fields) {
  return "metadata: {typed_filter_metadata: {convoy.ext.HostPolicy: {\"@type\": "
         "type.googleapis.com/convoy.ext.HostPolicy, " +
         fields + "}}}";
}
std::string typed(const std::string& name, const std::string& fields) {
  return "load_balancing_policy: {policies: [{typed_extension_config: {name: x, typed_config: "
         "{\"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies." +
         name + ", " + fields + "}}}]}";
}
std::string endpoint(const std::string& fields) {
  return "{name: c, load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: "
         "{address: {socket_address: {address: 10.0.0.1, port_value: 80}}}, " +
         fields + "}]}]}}";
}

Result<upstream::ClusterSpec> make(const std::string& yaml) {
  return makeCluster(fromYaml<Cluster>(yaml), testContext());
}
std::shared_ptr<const upstream::ClusterSpec> made(const std::string& rest) {
  const auto result = make(clusterYaml(rest));
  EXPECT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(result.note_count, 0u) << rest;
  return result.spec;
}
Lines errorsOf(const std::string& rest) {
  return brief(make(clusterYaml(rest)).errors.errors);
}

TEST(HostPolicy, ThresholdsOfEachPriority) {
  const auto spec = made(
      "circuit_breakers: {thresholds: [{max_connections: 1, track_remaining: true}, {priority: "
      "HIGH, max_connections: 9, max_pending_requests: 8, max_requests: 7, max_retries: 6}]}");
  EXPECT_EQ(spec->breakers.max_connections, 1u);
  EXPECT_EQ(spec->breakers.max_retries, 3u);
  EXPECT_TRUE(spec->breakers.track_remaining);
  EXPECT_EQ(spec->high_breakers.max_connections, 9u);
  EXPECT_EQ(spec->high_breakers.max_pending_requests, 8u);
  EXPECT_EQ(spec->high_breakers.max_requests, 7u);
  EXPECT_EQ(spec->high_breakers.max_retries, 6u);
  EXPECT_FALSE(spec->high_breakers.track_remaining);
  EXPECT_EQ(&spec->breakersOf(upstream::Priority::High), &spec->high_breakers);
  const auto budget = made(
      "circuit_breakers: {thresholds: [{priority: HIGH, retry_budget: {budget_percent: {value: "
      "10}}}]}");
  EXPECT_EQ(budget->high_breakers.retry_budget->percent, 10);
  EXPECT_FALSE(budget->breakers.retry_budget.has_value());
  EXPECT_EQ(errorsOf("circuit_breakers: {thresholds: [{priority: HIGH}, {priority: HIGH}]}"),
            Lines{"circuit_breakers.thresholds[1].priority: duplicate: HIGH"});
}

TEST(HostPolicy, ConnectionsOfEachHost) {
  EXPECT_FALSE(made("circuit_breakers: {}")->max_connections_per_host.has_value());
  EXPECT_EQ(made("circuit_breakers: {per_host_thresholds: [{max_connections: 5}]}")
                ->max_connections_per_host,
            5u);
  EXPECT_EQ(made("circuit_breakers: {per_host_thresholds: [{max_connections: 0}]}")
                ->max_connections_per_host,
            0u);
  for (const char* limits : {"{}", "{priority: DEFAULT}"}) {
    const auto spec =
        made(std::string("circuit_breakers: {per_host_thresholds: [") + limits + "]}");
    EXPECT_FALSE(spec->max_connections_per_host.has_value()) << limits << ": as Envoy";
  }
  EXPECT_EQ(errorsOf("circuit_breakers: {per_host_thresholds: [{max_connections: 5}, {priority: "
                     "HIGH, max_requests: 3}]}"),
            (Lines{"circuit_breakers.per_host_thresholds[1].priority: duplicate: DEFAULT",
                   "circuit_breakers.per_host_thresholds[1].priority: unsupported_field: ",
                   "circuit_breakers.per_host_thresholds[1].max_requests: unsupported_field: "}));
}

TEST(HostPolicy, ConnectionsOfOneHost) {
  const std::string metadata =
      "metadata: {typed_filter_metadata: {convoy.ext.EndpointPolicy: {\"@type\": "
      "type.googleapis.com/convoy.ext.";
  const auto result = make(endpoint(metadata + "EndpointPolicy, max_connections: 7}}}"));
  ASSERT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(result.spec->assignment->localities[0].endpoints[0].max_connections, 7u);
  const auto none = make(endpoint("metadata: {}"));
  EXPECT_FALSE(none.spec->assignment->localities[0].endpoints[0].max_connections.has_value());
  EXPECT_EQ(brief(make(endpoint(metadata + "IpHash}}}")).errors.errors),
            Lines{"load_assignment.endpoints[0].lb_endpoints[0].metadata.typed_filter_metadata["
                  "\"convoy.ext.EndpointPolicy\"]: malformed: "
                  "type.googleapis.com/convoy.ext.IpHash"});
}

TEST(HostPolicy, SlowStartsOfEnvoy) {
  const std::string config =
      "slow_start_config: {slow_start_window: 60s, aggression: {default_value: 1.5, runtime_key: "
      "x}, min_weight_percent: {value: 20}}";
  for (const std::string& yaml :
       {"round_robin_lb_config: {" + config + "}",
        "lb_policy: LEAST_REQUEST, least_request_lb_config: {" + config + "}",
        typed("round_robin.v3.RoundRobin", config),
        typed("least_request.v3.LeastRequest", config)}) {
    const auto result = make(clusterYaml(yaml));
    ASSERT_TRUE(result.ok()) << result.errors.text();
    const auto& slow_start = result.spec->balancing.slow_start;
    ASSERT_TRUE(slow_start.has_value()) << yaml;
    EXPECT_EQ(slow_start->window, seconds(60));
    EXPECT_EQ(slow_start->aggression, 1.5);
    EXPECT_EQ(slow_start->min_factor, 0.2);
  }
  const auto defaults =
      made("round_robin_lb_config: {slow_start_config: {slow_start_window: 5s}}")->balancing;
  EXPECT_EQ(defaults.slow_start->aggression, 1);
  EXPECT_EQ(defaults.slow_start->min_factor, 0.1);
  EXPECT_FALSE(
      made("round_robin_lb_config: {slow_start_config: {}}")->balancing.slow_start.has_value())
      << "without a window there is none";
  EXPECT_EQ(errorsOf("round_robin_lb_config: {slow_start_config: {slow_start_window: 5s, "
                     "aggression: {runtime_key: x}, min_weight_percent: {value: 101}}}"),
            (Lines{"round_robin_lb_config.slow_start_config.min_weight_percent.value: range: 101",
                   "round_robin_lb_config.slow_start_config.aggression: range: 0.000000"}));
}

TEST(HostPolicy, SettingsOfAnotherAlgorithmHaveNoEffect) {
  const auto result = make(clusterYaml(
      "lb_policy: RANDOM, round_robin_lb_config: {slow_start_config: {slow_start_window: 5s}}"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.note_count, 1u);
  EXPECT_FALSE(result.spec->balancing.slow_start.has_value());
}

TEST(HostPolicy, OursGoWithEveryAlgorithm) {
  const auto spec =
      made("lb_policy: MAGLEV, " + policy("slow_start: {window: 30s}, override_header: X-Backend, "
                                          "drain_timeout: 5s"));
  EXPECT_EQ(spec->balancing.algorithm, upstream::Algorithm::Maglev);
  EXPECT_EQ(spec->balancing.slow_start->window, seconds(30));
  EXPECT_EQ(spec->balancing.slow_start->min_factor, 0.1);
  EXPECT_EQ(spec->override_header, "x-backend");
  EXPECT_EQ(spec->host_drain_timeout, seconds(5));
  const auto curve = made(policy("slow_start: {window: 1s, aggression: 2, min_percent: 0}"));
  EXPECT_EQ(curve->balancing.slow_start->aggression, 2);
  EXPECT_EQ(curve->balancing.slow_start->min_factor, 0);
  const auto none = made(policy("drain_timeout: 0s"));
  EXPECT_FALSE(none->host_drain_timeout.has_value());
  EXPECT_FALSE(none->balancing.slow_start.has_value());
  EXPECT_TRUE(none->override_header.empty());
  EXPECT_FALSE(made("metadata: {}")->host_drain_timeout.has_value()) << "Envoy's default";
}

TEST(HostPolicy, WhatCannotBeMeantIsRefused) {
  const std::string at = "metadata.typed_filter_metadata[\"convoy.ext.HostPolicy\"].";
  EXPECT_EQ(
      errorsOf(policy("slow_start: {aggression: -1, min_percent: 101}")),
      (Lines{at + "slow_start.window: range: 0 ms", at + "slow_start.aggression: range: -1.000000",
             at + "slow_start.min_percent: range: 101.000000"}));
  for (const char* name : {"host", "x-", "x-a b", ":path", "authorization"}) {
    EXPECT_EQ(errorsOf(policy(std::string("override_header: \"") + name + "\"")),
              Lines{at + "override_header: syntax: " + name});
  }
}

}  // namespace
}  // namespace convoy::config
