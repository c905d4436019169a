#include "controlplane/compile/grouping.h"

#include <gtest/gtest.h>

#include <string>

#include "controlplane/compile/pool.h"
#include "controlplane/compile/routes.h"
#include "proxy/config/builtins.h"
#include "proxy/config/resources.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

using upstream::GroupingSpec;

std::vector<BackendPtr> backendsOf(const v1::Pool& pool) {
  std::vector<BackendPtr> backends;
  for (v1::Backend backend : pool.backends()) {
    backend.set_weight(1);
    backends.push_back(std::make_shared<const v1::Backend>(backend));
  }
  return backends;
}

config::Context context() {
  config::Context context;
  context.registry = &config::builtins();
  return context;
}

// What a node makes of a pool and its backends.
std::shared_ptr<const upstream::ClusterSpec> cluster(const std::string& pool) {
  const auto made =
      config::makeCluster(compileCluster(parse<v1::Pool>("name: \"p\" " + pool)), context());
  EXPECT_TRUE(made.ok()) << pool << "\n" << made.errors.text();
  return made.spec;
}

std::shared_ptr<const upstream::AssignmentSpec> assignment(const std::string& pool) {
  const auto made =
      config::makeAssignment(compileAssignment("p", backendsOf(parse<v1::Pool>(pool))), context());
  EXPECT_TRUE(made.ok()) << pool << "\n" << made.errors.text();
  return made.spec;
}

TEST(GroupingTest, ZonesMatterIfAskedFor) {
  EXPECT_EQ(cluster("")->grouping.zone_percent, 0) << "wherever the callers are";
  EXPECT_EQ(cluster("algorithm: ALGORITHM_MAGLEV")->grouping.localities,
            GroupingSpec::Localities::Ignored);
  const GroupingSpec spec = cluster("zone_aware: true")->grouping;
  EXPECT_TRUE(spec.zone_aware_asked);
  EXPECT_EQ(spec.zone_percent, 100);
  EXPECT_EQ(spec.zone_least_hosts, 1u);
}

TEST(GroupingTest, BackendsOfOnePlaceAreTogether) {
  const auto spec = assignment(R"(
    backends { address: "10.0.0.1:80" zone: "a" } backends { address: "10.0.0.2:80" zone: "b" }
    backends { address: "10.0.0.3:80" zone: "a" })");
  ASSERT_EQ(spec->localities.size(), 2u);
  EXPECT_EQ(spec->localities[0].zone, "a");
  EXPECT_EQ(spec->localities[0].endpoints.size(), 2u);
  EXPECT_EQ(spec->overprovisioning_percent, 140u);
}

// A node that is to see the backends of some priorities only.
TEST(GroupingTest, PrioritiesLeaveNoneOut) {
  const auto spec = assignment(R"(
    backends { address: "10.0.0.1:80" priority: 7 } backends { address: "10.0.0.2:80" priority: 2 })");
  ASSERT_EQ(spec->localities.size(), 2u);
  EXPECT_EQ(spec->localities[0].priority, 1u);
  EXPECT_EQ(spec->localities[1].priority, 0u);
}

TEST(GroupingTest, BackupsServeWhenNobodyElseCan) {
  const auto spec = assignment(R"(
    backends { address: "10.0.0.1:80" } backends { address: "10.0.0.2:80" backup: true })");
  ASSERT_EQ(spec->localities.size(), 2u);
  EXPECT_EQ(spec->localities[1].priority, 1u);
  EXPECT_EQ(spec->overprovisioning_percent, 10'000'000u);
}

TEST(GroupingTest, SubsetsOfBackendsAndWhatRoutesAskFor) {
  const std::string pool = R"(
    subsets { by { labels: "version" } fallback: FALLBACK_NONE }
    backends { address: "10.0.0.1:80" labels { key: "version" value: "v2" } })";
  const auto subsets = cluster(pool)->grouping.subsets;
  ASSERT_NE(subsets, nullptr);
  ASSERT_EQ(subsets->selectors.size(), 1u);
  EXPECT_EQ(subsets->fallback, upstream::SubsetFallback::None);
  const auto spec = assignment(pool);
  const auto& endpoint = spec->localities[0].endpoints[0];
  std::string pairs;
  ASSERT_TRUE(base::subsetPairs(endpoint.subset_labels, subsets->selectors[0].names, &pairs));

  const auto table = parse<v1::RouteTable>(
      R"(name: "t" routes { pool: "p" subset { key: "version" value: "v2" } })");
  const auto routes = config::makeRouteTable(compileRoutes("t", table.routes()), context());
  ASSERT_TRUE(routes.ok()) << routes.errors.text();
  const auto& action = routes.spec->virtual_hosts[0].routes[0].action;
  EXPECT_EQ(std::get<route::Forward>(action).subset.pairs, pairs);
}

TEST(GroupingTest, Fallbacks) {
  const std::string by = "subsets { by { labels: \"a\" } ";
  EXPECT_EQ(cluster(by + "}")->grouping.subsets->fallback, upstream::SubsetFallback::Any);
  const auto named =
      cluster(by + "fallback: FALLBACK_DEFAULT default_labels { key: \"a\" value: \"x\" } }")
          ->grouping.subsets;
  EXPECT_EQ(named->fallback, upstream::SubsetFallback::Default);
  EXPECT_EQ(named->default_labels.size(), 1u);
}

}  // namespace
}  // namespace convoy::controlplane::compile
