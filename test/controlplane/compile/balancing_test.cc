#include "controlplane/compile/balancing.h"

#include <gtest/gtest.h>

#include <string>

#include "controlplane/compile/routes.h"
#include "envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash.pb.h"
#include "proxy/config/builtins.h"
#include "proxy/config/resources.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

using envoy::config::cluster::v3::Cluster;
using upstream::Algorithm;

// What a node makes of a pool.
upstream::BalancingSpec onNode(const std::string& pool) {
  Cluster cluster;
  cluster.set_name("p");
  cluster.mutable_load_assignment()->set_cluster_name("p");
  compileBalancing(parse<v1::Pool>(pool), &cluster);
  config::Context context;
  context.registry = &config::builtins();
  const auto made = config::makeCluster(cluster, context);
  EXPECT_TRUE(made.ok()) << pool << "\n" << made.errors.text();
  return made.ok() ? made.spec->balancing : upstream::BalancingSpec{};
}

TEST(BalancingTest, NodesGetWhatPeopleWrite) {
  const std::pair<std::string, Algorithm> cases[] = {
      {"", Algorithm::WeightedLeastConnections},
      {"algorithm: ALGORITHM_ROUND_ROBIN", Algorithm::RoundRobin},
      {"algorithm: ALGORITHM_WEIGHTED_ROUND_ROBIN", Algorithm::RoundRobin},
      {"algorithm: ALGORITHM_LEAST_CONNECTIONS", Algorithm::LeastConnections},
      {"algorithm: ALGORITHM_WEIGHTED_LEAST_CONNECTIONS", Algorithm::WeightedLeastConnections},
      {"algorithm: ALGORITHM_LEAST_RESPONSE_TIME", Algorithm::LeastResponseTime},
      {"algorithm: ALGORITHM_PEAK_EWMA", Algorithm::PeakEwma},
      {"algorithm: ALGORITHM_RANDOM", Algorithm::Random},
      {"algorithm: ALGORITHM_POWER_OF_TWO", Algorithm::LeastRequest},
      {"algorithm: ALGORITHM_IP_HASH", Algorithm::IpHash},
      {"algorithm: ALGORITHM_CONSISTENT_HASH", Algorithm::RingHash},
      {"algorithm: ALGORITHM_MAGLEV", Algorithm::Maglev},
      {"algorithm: ALGORITHM_ADAPTIVE", Algorithm::AdaptiveScore},
  };
  for (const auto& [pool, algorithm] : cases) EXPECT_EQ(onNode(pool).algorithm, algorithm) << pool;
  EXPECT_EQ(onNode("algorithm: ALGORITHM_POWER_OF_TWO").choices, 2u);
  EXPECT_EQ(onNode("algorithm: ALGORITHM_CONSISTENT_HASH").ring_points_per_weight, 150u);
  const auto ring =
      onNode("algorithm: ALGORITHM_CONSISTENT_HASH points_per_weight: 7 max_load_percent: 150");
  EXPECT_EQ(ring.ring_points_per_weight, 7u);
  EXPECT_EQ(ring.hash_balance_percent, 150u);
  EXPECT_EQ(onNode("algorithm: ALGORITHM_MAGLEV max_load_percent: 150").hash_balance_percent, 150u);
}

// A client that does not know ours has one that does much the same.
TEST(BalancingTest, OtherClientsGetTheNearestTheyHave) {
  const std::pair<std::string, Cluster::LbPolicy> cases[] = {
      {"algorithm: ALGORITHM_LEAST_RESPONSE_TIME", Cluster::LEAST_REQUEST},
      {"algorithm: ALGORITHM_ADAPTIVE", Cluster::LEAST_REQUEST},
      {"algorithm: ALGORITHM_IP_HASH", Cluster::RING_HASH},
      {"algorithm: ALGORITHM_CONSISTENT_HASH", Cluster::RING_HASH},
  };
  for (const auto& [pool, policy] : cases) {
    Cluster cluster;
    compileBalancing(parse<v1::Pool>(pool), &cluster);
    EXPECT_EQ(cluster.lb_policy(), policy) << pool;
    EXPECT_GE(cluster.load_balancing_policy().policies_size(), 2) << pool;
  }
}

// Those that do not know our ring have Envoy's, with the same bound.
TEST(BalancingTest, OtherClientsHaveARing) {
  Cluster cluster;
  compileBalancing(parse<v1::Pool>("algorithm: ALGORITHM_CONSISTENT_HASH max_load_percent: 150"),
                   &cluster);
  envoy::extensions::load_balancing_policies::ring_hash::v3::RingHash ring;
  ASSERT_TRUE(
      cluster.load_balancing_policy().policies(1).typed_extension_config().typed_config().UnpackTo(
          &ring));
  EXPECT_EQ(shortText(ring),
            "hash_function: XX_HASH minimum_ring_size { value: 16384 } "
            "consistent_hashing_lb_config { hash_balance_factor { value: 150 } }");
}

TEST(BalancingTest, KeysBecomeHashPolicies) {
  struct Case {
    std::string route;
    std::string pool;
    std::string policy;
  };
  const std::string maglev = "algorithm: ALGORITHM_MAGLEV ";
  const std::string address = "hash_policy { connection_properties { source_ip: true } }";
  const Case cases[] = {
      {"", "algorithm: ALGORITHM_RANDOM", ""},
      {"", "algorithm: ALGORITHM_IP_HASH", address},
      {"", maglev, address},
      {"", maglev + "hash_key { source_ip: true }", address},
      {"", maglev + "hash_key { header: \"X-User\" }",
       R"(hash_policy { header { header_name: "x-user" } })"},
      {"", maglev + "hash_key { cookie: \"Id\" }", R"(hash_policy { cookie { name: "Id" } })"},
      {"", maglev + "hash_key { cookie: \"Id\" cookie_ttl { seconds: 5 } }",
       R"(hash_policy { cookie { name: "Id" ttl { seconds: 5 } path: "/" } })"},
      {"", maglev + "hash_key { query: \"user\" }",
       R"(hash_policy { query_parameter { name: "user" } })"},
      {"hash_key { path: true }", maglev + "hash_key { query: \"user\" }",
       R"(hash_policy { header { header_name: ":path" } })"},
  };
  for (const Case& c : cases) {
    envoy::config::route::v3::RouteAction action;
    compileHashPolicy(parse<v1::Route>(c.route), parse<v1::Pool>(c.pool), &action);
    EXPECT_EQ(shortText(action), c.policy) << c.pool;
  }
}

TEST(BalancingTest, RoutesHaveTheKeyOfTheirPool) {
  const auto pool = parse<v1::Pool>("algorithm: ALGORITHM_MAGLEV hash_key { path: true }");
  const auto table = compileRoutes("r", parse<v1::RouteTable>(R"(routes { pool: "p" })").routes(),
                                   [&pool](const std::string&) -> const v1::Pool& { return pool; });
  EXPECT_EQ(table.virtual_hosts(0).routes(0).route().hash_policy_size(), 1);
  EXPECT_NE(partOfRoutes(pool), partOfRoutes(v1::Pool()));
  EXPECT_EQ(partOfRoutes(parse<v1::Pool>("algorithm: ALGORITHM_RANDOM")), partOfRoutes(v1::Pool()));
}

}  // namespace
}  // namespace convoy::controlplane::compile
