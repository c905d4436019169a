#include "proxy/config/load_balancing.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using std::chrono::milliseconds;
using upstream::Algorithm;
using upstream::BalancingSpec;

const std::string kEnvoy = "envoy.extensions.load_balancing_policies.";

Result<upstream::ClusterSpec> make(const std::string& fields) {
  return makeCluster(
      fromYaml<Cluster>("{name: c, load_assignment: {cluster_name: c}, " + fields + "}"),
      testContext());
}

// A policy with its settings, as ", name: value".
std::string typed(const std::string& type, const std::string& settings = "") {
  return "load_balancing_policy: {policies: [{typed_extension_config: {name: x, typed_config: "
         "{\"@type\": type.googleapis.com/" +
         type + settings + "}}}]}";
}

BalancingSpec balancing(const std::string& fields) {
  const auto result = make(fields);
  EXPECT_TRUE(result.ok()) << fields << "\n" << result.errors.text();
  return result.ok() ? result.spec->balancing : BalancingSpec{};
}

TEST(LoadBalancing, Settings) {
  using Hash = BalancingSpec::HashFunction;
  const std::string consistent = ", consistent_hashing_lb_config: {hash_balance_factor: 150}";
  const std::pair<std::string, BalancingSpec> cases[] = {
      {"", {}},
      {"lb_policy: RANDOM", {.algorithm = Algorithm::Random}},
      {"lb_policy: LEAST_REQUEST", {.algorithm = Algorithm::LeastRequest}},
      {"lb_policy: LEAST_REQUEST, least_request_lb_config: {choice_count: 5, "
       "active_request_bias: {default_value: 0.5, runtime_key: x}}",
       {.algorithm = Algorithm::LeastRequest, .choices = 5, .active_request_bias = 0.5}},
      {typed(kEnvoy + "least_request.v3.LeastRequest", ", choice_count: 3"),
       {.algorithm = Algorithm::LeastRequest, .choices = 3}},
      {typed(kEnvoy + "least_request.v3.LeastRequest", ", selection_method: FULL_SCAN"),
       {.algorithm = Algorithm::LeastRequest, .choices = 0}},
      {"lb_policy: RING_HASH", {.algorithm = Algorithm::RingHash}},
      {"lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 10, maximum_ring_size: 20, "
       "hash_function: MURMUR_HASH_2}",
       {.algorithm = Algorithm::RingHash,
        .ring_hash = Hash::Murmur2,
        .ring_min_size = 10,
        .ring_max_size = 20}},
      {"lb_policy: RING_HASH, common_lb_config: {consistent_hashing_lb_config: "
       "{hash_balance_factor: 125}}",
       {.algorithm = Algorithm::RingHash, .hash_balance_percent = 125}},
      {typed(kEnvoy + "ring_hash.v3.RingHash",
             ", minimum_ring_size: 10, hash_function: MURMUR_HASH_2, hash_balance_factor: 200"),
       {.algorithm = Algorithm::RingHash,
        .ring_hash = Hash::Murmur2,
        .ring_min_size = 10,
        .hash_balance_percent = 200}},
      {typed(kEnvoy + "ring_hash.v3.RingHash", consistent),
       {.algorithm = Algorithm::RingHash, .hash_balance_percent = 150}},
      {"lb_policy: MAGLEV, maglev_lb_config: {table_size: 251}",
       {.algorithm = Algorithm::Maglev, .maglev_table_size = 251}},
      {typed(kEnvoy + "maglev.v3.Maglev", ", table_size: 5000011" + consistent),
       {.algorithm = Algorithm::Maglev,
        .maglev_table_size = 5'000'011,
        .hash_balance_percent = 150}},
      {typed("convoy.ext.LeastConnections"), {.algorithm = Algorithm::LeastConnections}},
      {typed("convoy.ext.WeightedLeastConnections"),
       {.algorithm = Algorithm::WeightedLeastConnections}},
      {typed("convoy.ext.LeastResponseTime"), {.algorithm = Algorithm::LeastResponseTime}},
      {typed("convoy.ext.LeastResponseTime", ", memory: 3s"),
       {.algorithm = Algorithm::LeastResponseTime, .memory = milliseconds(3000)}},
      {typed("convoy.ext.PeakEwma", ", memory: 0.001s"),
       {.algorithm = Algorithm::PeakEwma, .memory = milliseconds(1)}},
      {typed("convoy.ext.AdaptiveScore"), {.algorithm = Algorithm::AdaptiveScore}},
      {typed("convoy.ext.IpHash"), {.algorithm = Algorithm::IpHash}},
      {typed("convoy.ext.ConsistentHash"),
       {.algorithm = Algorithm::RingHash,
        .ring_max_size = 1'048'576,
        .ring_points_per_weight = 150}},
      {typed("convoy.ext.ConsistentHash",
             ", points_per_weight: 1000, maximum_ring_size: 8388608, hash_balance_factor: 100"),
       {.algorithm = Algorithm::RingHash,
        .ring_max_size = 8'388'608,
        .ring_points_per_weight = 1000,
        .hash_balance_percent = 100}},
  };
  for (const auto& [fields, expected] : cases) EXPECT_TRUE(balancing(fields) == expected) << fields;
}

// Nothing is ignored in silence.
TEST(LoadBalancing, SettingsOfAnotherPolicy) {
  const std::pair<std::string, Lines> cases[] = {
      {"lb_policy: LEAST_REQUEST, least_request_lb_config: {}", {}},
      {"lb_policy: RING_HASH, ring_hash_lb_config: {}, "
       "common_lb_config: {consistent_hashing_lb_config: {}}",
       {}},
      {"lb_policy: MAGLEV, maglev_lb_config: {}", {}},
      {"lb_policy: MAGLEV, ring_hash_lb_config: {}", {"ring_hash_lb_config"}},
      {"lb_policy: RANDOM, least_request_lb_config: {}", {"least_request_lb_config"}},
      {"maglev_lb_config: {}, common_lb_config: {consistent_hashing_lb_config: {}}",
       {"maglev_lb_config", "common_lb_config.consistent_hashing_lb_config"}},
      {"lb_policy: MAGLEV, maglev_lb_config: {}, common_lb_config: {consistent_hashing_lb_config: "
       "{}}, " +
           typed(kEnvoy + "maglev.v3.Maglev"),
       {"maglev_lb_config", "common_lb_config.consistent_hashing_lb_config"}},
  };
  for (const auto& [fields, expected] : cases) {
    EXPECT_EQ(brief(make(fields).notes), expected) << fields;
  }
}

TEST(LoadBalancing, BadValues) {
  const std::string at = "load_balancing_policy.policies[0].typed_extension_config.typed_config.";
  const std::pair<std::string, Lines> cases[] = {
      {"lb_policy: LEAST_REQUEST, least_request_lb_config: {choice_count: 1}",
       {"least_request_lb_config.choice_count: range: 1"}},
      {"lb_policy: LEAST_REQUEST, least_request_lb_config: {active_request_bias: "
       "{default_value: -1, runtime_key: x}}",
       {"least_request_lb_config.active_request_bias: range: -1.000000"}},
      {"lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 0}",
       {"ring_hash_lb_config.minimum_ring_size: range: 0"}},
      {"lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 9, maximum_ring_size: 8}",
       {"ring_hash_lb_config.maximum_ring_size: range: 8"}},
      {"lb_policy: MAGLEV, maglev_lb_config: {table_size: 65536}",
       {"maglev_lb_config.table_size: range: 65536"}},
      {"lb_policy: MAGLEV, maglev_lb_config: {table_size: 1}",
       {"maglev_lb_config.table_size: range: 1"}},
      {typed(kEnvoy + "maglev.v3.Maglev", ", table_size: 5000012"),
       {at + "table_size: range: 5000012"}},
      {typed(kEnvoy + "maglev.v3.Maglev",
             ", consistent_hashing_lb_config: {hash_balance_factor: 99}"),
       {at + "consistent_hashing_lb_config.hash_balance_factor: range: 99"}},
      {typed(kEnvoy + "ring_hash.v3.RingHash", ", use_hostname_for_hashing: true"),
       {at + "use_hostname_for_hashing: unsupported_field: true"}},
      {typed("convoy.ext.PeakEwma", ", memory: 0s"), {at + "memory: range: 0 ms"}},
      {typed("convoy.ext.AdaptiveScore", ", memory: 3601s"), {at + "memory: range: 3601000 ms"}},
      {typed("convoy.ext.ConsistentHash",
             ", points_per_weight: 1001, maximum_ring_size: 8388609, hash_balance_factor: 99"),
       {at + "points_per_weight: range: 1001", at + "maximum_ring_size: range: 8388609",
        at + "hash_balance_factor: range: 99"}},
      {"lb_policy: CLUSTER_PROVIDED", {"lb_policy: unsupported_value: CLUSTER_PROVIDED"}},
      {"lb_policy: LOAD_BALANCING_POLICY_CONFIG", {"load_balancing_policy: required: "}},
  };
  for (const auto& [fields, errors] : cases) {
    const auto result = make(fields);
    EXPECT_EQ(brief(result.errors.errors), errors) << fields;
  }
}

}  // namespace
}  // namespace convoy::config
