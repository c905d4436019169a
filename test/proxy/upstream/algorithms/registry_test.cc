#include "proxy/upstream/algorithms/registry.h"

#include <gtest/gtest.h>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;
using test::Picks;

TEST(RegistryTest, EveryAlgorithmHasItsPolicy) {
  const Hosts hosts({1, 3});
  struct Case {
    Algorithm algorithm;
    const char* picks;
    bool counted;
  };
  const Case cases[] = {
      {Algorithm::RoundRobin, "BABB", false},
      // (0+1)/3, then (1+1)/3, then 3/3 against 1/1: the first of the two.
      {Algorithm::WeightedLeastConnections, "BBAB", true},
      {Algorithm::LeastRequest, "BBAB", true},
  };
  for (const Case& c : cases) {
    hosts.setActive({0, 0});
    const auto policy = makeLoadBalancer(c.algorithm, 0, 1);
    policy->setHosts(hosts.set());
    Picks picks(*policy);
    EXPECT_EQ(picks.text(4), c.picks) << static_cast<int>(c.algorithm);
    EXPECT_EQ(picks.one().counted, c.counted) << static_cast<int>(c.algorithm);
  }
}

TEST(RegistryTest, RandomIsRandom) {
  const Hosts hosts({1, 1});
  const auto policy = makeLoadBalancer(Algorithm::Random, 0, 1);
  policy->setHosts(hosts.set());
  EXPECT_NE(Picks(*policy, 1).text(64), Picks(*policy, 2).text(64));
}

}  // namespace
}  // namespace convoy::upstream::algorithms
