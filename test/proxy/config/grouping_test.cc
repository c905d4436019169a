#include "proxy/config/grouping.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using Localities = upstream::GroupingSpec::Localities;

std::string clusterYaml(const std::string& rest) {
  return "{name: c, load_assignment: {cluster_name: c}, " + rest + "}";
}

upstream::GroupingSpec make(const std::string& rest) {
  const auto result = makeCluster(fromYaml<Cluster>(clusterYaml(rest)), testContext());
  EXPECT_TRUE(result.ok()) << rest << result.errors.text();
  return result.ok() ? result.spec->grouping : upstream::GroupingSpec{};
}

Lines errorsOf(const std::string& rest) {
  return brief(makeCluster(fromYaml<Cluster>(clusterYaml(rest)), testContext()).errors.errors);
}

TEST(Grouping, WhichLocalitiesMatter) {
  EXPECT_EQ(make("lb_policy: ROUND_ROBIN").localities, Localities::ZoneAware);
  EXPECT_FALSE(make("lb_policy: ROUND_ROBIN").zone_aware_asked);
  EXPECT_EQ(make("lb_policy: MAGLEV").localities, Localities::Ignored);
  EXPECT_EQ(make("lb_policy: MAGLEV, common_lb_config: {zone_aware_lb_config: {}}").localities,
            Localities::Ignored);
  EXPECT_EQ(
      make("lb_policy: MAGLEV, common_lb_config: {locality_weighted_lb_config: {}}").localities,
      Localities::Weighted);
}

// A policy with its settings, as ", name: value".
std::string typed(const std::string& policy, const std::string& settings) {
  return "load_balancing_policy: {policies: [{typed_extension_config: {name: x, typed_config: "
         "{\"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies." +
         policy + settings + "}}}]}";
}

TEST(Grouping, TypedPoliciesSayItThemselves) {
  const std::string weighted = ", locality_lb_config: {locality_weighted_lb_config: {}}";
  const std::string zones =
      ", locality_lb_config: {zone_aware_lb_config: {min_cluster_size: 3, routing_enabled: {value: "
      "50}}}";
  for (const char* policy :
       {"round_robin.v3.RoundRobin", "least_request.v3.LeastRequest", "random.v3.Random"}) {
    EXPECT_EQ(make(typed(policy, weighted)).localities, Localities::Weighted) << policy;
    const auto spec = make(typed(policy, zones));
    EXPECT_EQ(spec.localities, Localities::ZoneAware) << policy;
    EXPECT_TRUE(spec.zone_aware_asked);
    EXPECT_EQ(spec.zone_least_hosts, 3u);
    EXPECT_EQ(spec.zone_percent, 50);
    EXPECT_EQ(make(typed(policy, "")).localities, Localities::ZoneAware) << "Envoy's default";
    EXPECT_FALSE(make(typed(policy, "")).zone_aware_asked);
  }
  for (const char* policy : {"ring_hash.v3.RingHash", "maglev.v3.Maglev"}) {
    EXPECT_EQ(make(typed(policy, ", locality_weighted_lb_config: {}")).localities,
              Localities::Weighted);
    EXPECT_EQ(make(typed(policy, "")).localities, Localities::Ignored);
  }
  // The cluster's own rule holds where the policy has none.
  const std::string common = ", common_lb_config: {locality_weighted_lb_config: {}}";
  EXPECT_EQ(make(typed("random.v3.Random", "") + common).localities, Localities::Weighted);
  EXPECT_EQ(make(typed("random.v3.Random", zones) + common).localities, Localities::ZoneAware);
}

TEST(Grouping, WrrLocality) {
  const std::string type = "wrr_locality.v3.WrrLocality";
  const std::string yaml =
      typed(type, ", endpoint_picking_policy: " + typed("maglev.v3.Maglev", "").substr(23));
  const auto result = makeCluster(fromYaml<Cluster>(clusterYaml(yaml)), testContext());
  ASSERT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(result.spec->grouping.localities, Localities::Weighted);
  EXPECT_EQ(result.spec->balancing,
            (upstream::BalancingSpec{.algorithm = upstream::Algorithm::Maglev}));
  const std::string nested =
      typed(type, ", endpoint_picking_policy: " + typed(type, "").substr(23));
  const Lines errors = errorsOf(nested);
  ASSERT_FALSE(errors.empty());
  EXPECT_NE(errors[0].find("endpoint_picking_policy.policies[0]"), std::string::npos) << errors[0];
  EXPECT_FALSE(errorsOf(typed(type, "")).empty()) << "it needs a policy";
}

TEST(Grouping, ZoneAware) {
  const auto defaults = make("common_lb_config: {zone_aware_lb_config: {}}");
  EXPECT_TRUE(defaults.zone_aware_asked);
  EXPECT_EQ(defaults.zone_percent, 100);
  EXPECT_EQ(defaults.zone_least_hosts, 6u);
  EXPECT_FALSE(defaults.fail_on_panic);
  const auto spec = make(
      "common_lb_config: {zone_aware_lb_config: {routing_enabled: {value: 40}, min_cluster_size: "
      "2, "
      "fail_traffic_on_panic: true}}");
  EXPECT_EQ(spec.zone_percent, 40);
  EXPECT_EQ(spec.zone_least_hosts, 2u);
  EXPECT_TRUE(spec.fail_on_panic);
}

TEST(Grouping, Subsets) {
  EXPECT_EQ(make("lb_policy: RANDOM").subsets, nullptr);
  EXPECT_EQ(make("lb_subset_config: {fallback_policy: ANY_ENDPOINT}").subsets, nullptr);
  const auto subsets =
      make(
          "lb_subset_config: {fallback_policy: DEFAULT_SUBSET, default_subset: {stage: prod}, "
          "subset_selectors: [{keys: [version, stage]}, {keys: [stage], fallback_policy: "
          "NO_FALLBACK}]}")
          .subsets;
  ASSERT_NE(subsets, nullptr);
  EXPECT_EQ(subsets->fallback, upstream::SubsetFallback::Default);
  EXPECT_EQ(subsets->default_labels, (base::SubsetLabels{{"stage", "sprod"}}));
  ASSERT_EQ(subsets->selectors.size(), 2u);
  EXPECT_EQ(subsets->selectors[0].names, (std::vector<std::string>{"stage", "version"}));
  EXPECT_FALSE(subsets->selectors[0].has_fallback);
  EXPECT_TRUE(subsets->selectors[1].has_fallback);
  EXPECT_EQ(subsets->selectors[1].fallback, upstream::SubsetFallback::None);
}

TEST(Grouping, WhatCannotBeMeantIsRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"subset_selectors: [{keys: [a]}, {keys: [a]}]", "subset_selectors[1].keys"},
      {"subset_selectors: [{keys: [a], fallback_policy: KEYS_SUBSET}]",
       "subset_selectors[0].fallback_policy"},
      {"subset_selectors: [{keys: [a], single_host_per_subset: true}]",
       "subset_selectors[0].single_host_per_subset"},
      {"subset_selectors: [{keys: [a]}], list_as_any: true", "list_as_any"},
      {"subset_selectors: [{keys: [a]}], panic_mode_any: true", "panic_mode_any"},
      {"subset_selectors: [{keys: [a]}], scale_locality_weight: true", "scale_locality_weight"},
      {"subset_selectors: [{keys: [a]}], default_subset: {a: [1]}", "default_subset.a"},
  };
  for (const auto& [fields, path] : cases) {
    const Lines errors = errorsOf("lb_subset_config: {" + fields + "}");
    ASSERT_EQ(errors.size(), 1u) << fields;
    EXPECT_NE(errors[0].find("lb_subset_config." + path), std::string::npos) << errors[0];
  }
  EXPECT_EQ(errorsOf("lb_subset_config: {subset_selectors: [{keys: [a]}]}, common_lb_config: "
                     "{locality_weighted_lb_config: {}}")
                .size(),
            1u);
}

TEST(Grouping, LabelsKeepTheKindOfTheirValues) {
  envoy::config::core::v3::Metadata metadata = fromYaml<envoy::config::core::v3::Metadata>(
      "{filter_metadata: {envoy.lb: {a: '1', b: 1, c: true, d: [x]}, other: {e: f}}}");
  EXPECT_EQ(subsetLabels(metadata), (base::SubsetLabels{{"a", "s1"}, {"b", "n1"}, {"c", "true"}}));
}

TEST(Grouping, ThePolicyOfAnAssignment) {
  using envoy::config::endpoint::v3::ClusterLoadAssignment;
  const auto policy = [](const std::string& fields) {
    return makeAssignment(
        fromYaml<ClusterLoadAssignment>("{cluster_name: c, policy: {" + fields + "}}"),
        testContext());
  };
  const auto defaults = policy("");
  ASSERT_TRUE(defaults.ok());
  EXPECT_EQ(defaults.spec->overprovisioning_percent, 140u);
  EXPECT_FALSE(defaults.spec->weighted_priority_health);
  const auto made = policy("overprovisioning_factor: 200, weighted_priority_health: true");
  ASSERT_TRUE(made.ok()) << made.errors.text();
  EXPECT_EQ(made.spec->overprovisioning_percent, 200u);
  EXPECT_TRUE(made.spec->weighted_priority_health);
  EXPECT_FALSE(policy("drop_overloads: [{category: c, drop_percentage: {numerator: 1}}]").ok());
}

TEST(Grouping, AnAssignmentHasAtMostSoManyLocalities) {
  envoy::config::endpoint::v3::ClusterLoadAssignment proto;
  proto.set_cluster_name("c");
  for (int i = 0; i < upstream::kMostLocalities; ++i) {
    proto.add_endpoints()->mutable_locality()->set_zone(std::to_string(i));
  }
  EXPECT_TRUE(makeAssignment(proto, testContext()).ok());
  proto.add_endpoints()->mutable_locality()->set_zone("one more");
  EXPECT_FALSE(makeAssignment(proto, testContext()).ok());
}

}  // namespace
}  // namespace convoy::config
