#include "proxy/upstream/algorithms/round_robin.h"

#include <gtest/gtest.h>

#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;
using test::Picks;

struct Case {
  std::vector<uint32_t> weights;
  std::string picks;
};

TEST(RoundRobinTest, FollowsTheDocumentedOrders) {
  const Case cases[] = {
      {{}, "---"},
      {{1}, "AAA"},
      {{1, 1, 1}, "ABCA"},
      {{1, 1, 1, 1}, "ABCDABCD"},
      {{5, 3, 2}, "ABCAABACBA"},
      {{5, 3, 2}, "ABCAABACBAABCAABACBA"},
      {{3, 1, 2}, "ACABCA"},
      // Not AAABBC, which gives the weights in blocks; twelve picks give 6, 3 and 3.
      {{2, 1, 1}, "ABCAABCAABCA"},
      {{50, 30, 20}, "ABCAABACBA"},
  };
  for (const Case& c : cases) {
    const Hosts hosts(c.weights);
    RoundRobin policy(0, 1);
    policy.setHosts(hosts.set());
    EXPECT_EQ(Picks(policy).text(static_cast<int>(c.picks.size())), c.picks);
  }
}

TEST(RoundRobinTest, TenRequestsOverThreeHosts) {
  const Hosts hosts({1, 1, 1});
  RoundRobin policy(0, 1);
  policy.setHosts(hosts.set());
  EXPECT_EQ(Picks(policy).counts(3, 10), (std::vector<uint64_t>{4, 3, 3}));
}

// What a list with each host as often as its weight would give, too.
TEST(RoundRobinTest, RequestsByWeight) {
  struct {
    std::vector<uint32_t> weights;
    int requests;
    std::vector<uint64_t> counts;
  } const cases[] = {
      {{5, 3, 1}, 100, {56, 33, 11}}, {{4, 2, 1}, 7, {4, 2, 1}},
      {{4, 2, 1}, 8, {5, 2, 1}},  // the eighth is the first one's again
      {{3, 2, 1}, 6, {3, 2, 1}},      {{9, 1}, 100, {90, 10}},  // a rollout
      {{2, 1, 1}, 12, {6, 3, 3}},
  };
  for (const auto& c : cases) {
    const Hosts hosts(c.weights);
    RoundRobin policy(0, 1);
    policy.setHosts(hosts.set());
    EXPECT_EQ(Picks(policy).counts(c.weights.size(), c.requests), c.counts);
  }
}

TEST(RoundRobinTest, NoHostsBeforeTheFirstSnapshot) {
  RoundRobin policy(0, 1);
  EXPECT_EQ(Picks(policy).one().kind, Pick::Kind::None);
}

TEST(RoundRobinTest, TakesNothingThatMustBeGivenBack) {
  const Hosts hosts({1, 1});
  RoundRobin policy(0, 1);
  policy.setHosts(hosts.set());
  EXPECT_FALSE(Picks(policy).one().counted);
  EXPECT_EQ(hosts[0].active(), 0u);
}

TEST(RoundRobinTest, GoesOnWhereItWasWhenHostsChange) {
  const Hosts hosts({1, 1, 1, 1});
  RoundRobin policy(0, 1);
  policy.setHosts(hosts.set());
  Picks picks(policy);
  EXPECT_EQ(picks.text(2), "AB");
  policy.setHosts(hosts.set());
  EXPECT_EQ(picks.text(2), "CD");
  EXPECT_EQ(picks.text(3), "ABC");
  const auto fewer = hosts.snapshot({1, 1});
  policy.setHosts(*fewer);
  EXPECT_EQ(picks.text(2), "BA");
  const auto none = hosts.snapshot({});
  policy.setHosts(*none);
  EXPECT_EQ(picks.text(1), "-");
  policy.setHosts(hosts.set());
  EXPECT_EQ(picks.text(4), "BCDA");
}

TEST(RoundRobinTest, WorkersBeginAtDifferentHosts) {
  const Hosts hosts({1, 1, 1, 1});
  std::string first;
  for (size_t worker = 0; worker < 4; ++worker) {
    RoundRobin policy(worker, 4);
    policy.setHosts(hosts.set());
    first += Picks(policy).text(1);
  }
  EXPECT_EQ(first, "ABCD");
}

TEST(RoundRobinTest, PassesOverTriedHosts) {
  for (const std::vector<uint32_t>& weights :
       {std::vector<uint32_t>{1, 1, 1}, std::vector<uint32_t>{2000, 1, 1}}) {
    const Hosts hosts(weights);
    RoundRobin policy(0, 1);
    policy.setHosts(hosts.set());
    Picks picks(policy);
    EXPECT_EQ(picks.one({&hosts[0], &hosts[1]}).host, &hosts[2]);
    EXPECT_NE(picks.one({&hosts[0]}).host, &hosts[0]);
    EXPECT_NE(picks.one({&hosts[0], &hosts[1], &hosts[2]}).host, nullptr);
  }
}

std::vector<uint32_t> manyWeights(size_t count) {
  std::vector<uint32_t> weights(count);
  for (size_t i = 0; i < count; ++i) weights[i] = 1 + static_cast<uint32_t>(i * 7 % 5);
  return weights;
}

TEST(RoundRobinTest, LargeSetsGiveExactSharesOverACycle) {
  const std::vector<uint32_t> weights = manyWeights(1000);
  const Hosts hosts(weights);
  RoundRobin policy(0, 1);
  policy.setHosts(hosts.set());
  Picks picks(policy);
  for (int cycle = 1; cycle <= 2; ++cycle) {
    const auto counts = picks.counts(weights.size(), static_cast<int>(hosts.set().totalWeight()));
    for (size_t i = 0; i < weights.size(); ++i) ASSERT_EQ(counts[i], weights[i]) << i;
  }
}

TEST(RoundRobinTest, LargeSetsPassOverTriedHostsToo) {
  std::vector<uint32_t> weights(200, 1);
  weights[0] = 4'000'000'000;
  const Hosts hosts(weights);
  RoundRobin policy(0, 1);
  policy.setHosts(hosts.set());
  Picks picks(policy);
  EXPECT_EQ(picks.text(3), "AAA");
  const Pick pick = picks.one({&hosts[0]});
  ASSERT_EQ(pick.kind, Pick::Kind::Host);
  EXPECT_NE(pick.host, &hosts[0]);
}

// A model that redoes the definition at every pick, against hosts that come, go and change weight.
TEST(RoundRobinTest, AgreesWithANaiveModel) {
  event::Random random(7);
  for (int round = 0; round < 100; ++round) {
    std::vector<uint32_t> weights(1 + random.below(10));
    uint64_t sum = 0;
    for (uint32_t& weight : weights) sum += weight = static_cast<uint32_t>(1 + random.below(9));
    const Hosts hosts(weights);
    RoundRobin policy(0, 1);
    policy.setHosts(hosts.set());
    Picks picks(policy);
    std::vector<int64_t> current(weights.size());
    for (uint64_t step = 0; step < 2 * sum; ++step) {
      size_t best = 0;
      for (size_t i = 0; i < weights.size(); ++i) {
        current[i] += weights[i];
        if (current[i] > current[best]) best = i;
      }
      current[best] -= static_cast<int64_t>(sum);
      ASSERT_EQ(picks.one().host->slot(), best) << "round " << round << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace convoy::upstream::algorithms
