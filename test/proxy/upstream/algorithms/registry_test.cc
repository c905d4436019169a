#include "proxy/upstream/algorithms/registry.h"

#include <gtest/gtest.h>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;
using test::Picks;

BalancingSpec specOf(Algorithm algorithm) {
  return {.algorithm = algorithm};
}

TEST(RegistryTest, EveryAlgorithmHasItsPolicy) {
  struct Case {
    Algorithm algorithm;
    const char* picks;
    bool counted;
    bool wants_results;
  };
  const Case cases[] = {
      {Algorithm::RoundRobin, "BABB", false, false},
      {Algorithm::LeastConnections, "ABAB", true, false},
      // (0+1)/3, then (1+1)/3, then 3/3 against 1/1: the first of the two.
      {Algorithm::WeightedLeastConnections, "BBAB", true, false},
      // As these, while all hosts answer alike.
      {Algorithm::LeastResponseTime, "BBAB", true, true},
      {Algorithm::PeakEwma, "BBAB", true, true},
      {Algorithm::AdaptiveScore, "BBBB", true, true},
  };
  for (const Case& c : cases) {
    const Hosts hosts({1, 3});
    const auto policy = makeLoadBalancer(specOf(c.algorithm), 0, 1);
    policy->setHosts(hosts.set());
    Picks picks(*policy);
    EXPECT_EQ(picks.text(4), c.picks) << static_cast<int>(c.algorithm);
    EXPECT_EQ(picks.one().counted, c.counted) << static_cast<int>(c.algorithm);
    EXPECT_EQ(policy->wantsResults(), c.wants_results) << static_cast<int>(c.algorithm);
    EXPECT_EQ(hashTableMaker(specOf(c.algorithm)), nullptr);
  }
}

TEST(RegistryTest, SomeAreRandom) {
  for (const Algorithm algorithm : {Algorithm::Random, Algorithm::LeastRequest}) {
    const auto text = [algorithm](uint64_t seed) {
      const Hosts hosts({1, 1});
      const auto policy = makeLoadBalancer(specOf(algorithm), 0, 1);
      policy->setHosts(hosts.set());
      return Picks(*policy, seed).text(64);
    };
    EXPECT_EQ(text(1), text(1));
    EXPECT_NE(text(1), text(2));
  }
}

TEST(RegistryTest, LeastRequestMayLookAtAll) {
  BalancingSpec spec = specOf(Algorithm::LeastRequest);
  spec.choices = 0;
  const Hosts hosts({1, 3});
  const auto policy = makeLoadBalancer(spec, 0, 1);
  policy->setHosts(hosts.set());
  EXPECT_EQ(Picks(*policy).text(4), "BBAB");
}

TEST(RegistryTest, HashesHaveTables) {
  const Hosts hosts({1, 1, 1});
  for (const Algorithm algorithm : {Algorithm::IpHash, Algorithm::RingHash, Algorithm::Maglev}) {
    const auto policy = makeLoadBalancer(specOf(algorithm), 0, 1);
    const auto set = hosts.snapshot({1, 1, 1}, hashTableMaker(specOf(algorithm)));
    ASSERT_NE(set->hashTable(), nullptr);
    policy->setHosts(*set);
    Picks picks(*policy);
    const char host = picks.of(0x1234567890abcdef);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(picks.of(0x1234567890abcdef), host);
    EXPECT_TRUE(picksByHash(algorithm));
  }
  EXPECT_FALSE(picksByHash(Algorithm::Random));
}

}  // namespace
}  // namespace convoy::upstream::algorithms
