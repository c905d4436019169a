#include "proxy/upstream/algorithms/weighted_deadlines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;

// So many hosts of weight 1 that there is no smooth order, and those given.
std::vector<uint32_t> withManyLight(std::vector<uint32_t> weights, size_t light) {
  weights.insert(weights.end(), light, 1);
  return weights;
}

TEST(WeightedDeadlinesTest, SharesAreExactOverEveryCycle) {
  const std::vector<uint32_t> weights = withManyLight({1000, 500, 500, 7, 3}, 300);
  const Hosts hosts(weights);
  WeightedDeadlines deadlines;
  deadlines.setHosts(hosts.set(), 0);
  for (int cycle = 0; cycle < 3; ++cycle) {
    std::vector<uint32_t> counts(weights.size());
    for (uint64_t i = 0; i < hosts.set().totalWeight(); ++i) ++counts[deadlines.next().slot];
    EXPECT_EQ(counts, weights);
  }
}

// At every moment a host has had its share, give or take its class's turn and one of its own.
TEST(WeightedDeadlinesTest, SharesAreSpreadEvenly) {
  const std::vector<uint32_t> weights = withManyLight({400, 200, 100}, 300);
  const Hosts hosts(weights);
  WeightedDeadlines deadlines;
  deadlines.setHosts(hosts.set(), 0);
  std::vector<uint32_t> counts(weights.size());
  const auto total = static_cast<double>(hosts.set().totalWeight());
  for (int step = 1; step <= static_cast<int>(total); ++step) {
    ++counts[deadlines.next().slot];
    for (size_t i = 0; i < weights.size(); ++i) {
      ASSERT_NEAR(counts[i], step * weights[i] / total, 2.0) << "host " << i << ", step " << step;
    }
  }
}

TEST(WeightedDeadlinesTest, TheHeavierClassGoesFirstOnATie) {
  // Both classes are due 300 times a cycle: one host of weight 300, three hundred of weight 1.
  const Hosts hosts(withManyLight({300}, 300));
  WeightedDeadlines deadlines;
  deadlines.setHosts(hosts.set(), 0);
  for (size_t turn = 1; turn <= 300; ++turn) {
    ASSERT_EQ(deadlines.next().slot, 0u);
    ASSERT_EQ(deadlines.next().slot, turn);
  }
}

TEST(WeightedDeadlinesTest, BeginsWhereItIsTold) {
  const Hosts hosts(withManyLight({300}, 300));
  WeightedDeadlines deadlines;
  deadlines.setHosts(hosts.set(), 302);
  EXPECT_EQ(deadlines.next().slot, 0u);
  EXPECT_EQ(deadlines.next().slot, 3u);
}

// A set in which one class has become another: the others have what they are due in this cycle, and
// the new one its part of what is left.
TEST(WeightedDeadlinesTest, ACycleGoesOnWithOtherHosts) {
  const Hosts before(withManyLight({300}, 300));
  const Hosts after(withManyLight({200}, 300));
  WeightedDeadlines deadlines;
  deadlines.setHosts(before.set(), 0);
  for (int i = 0; i < 300; ++i) deadlines.next();  // half of the cycle
  deadlines.setHosts(after.set(), 0);
  std::vector<uint32_t> counts(301);
  for (int i = 0; i < 250; ++i) ++counts[deadlines.next().slot];
  EXPECT_EQ(counts[0], 100u) << "half of its weight";
  for (size_t i = 1; i <= 300; ++i) EXPECT_EQ(counts[i], i > 150 ? 1u : 0u) << i;
}

TEST(WeightedDeadlinesTest, TheLargestWeightsDoNotOverflow) {
  std::vector<uint32_t> weights(1000, 4294967295u);
  weights[0] = 4294967294u;
  const Hosts hosts(weights);
  WeightedDeadlines deadlines;
  deadlines.setHosts(hosts.set(), 0);
  std::vector<uint32_t> counts(weights.size());
  for (int i = 0; i < 10'000; ++i) ++counts[deadlines.next().slot];
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GE(*least, 9u);
  EXPECT_LE(*most, 11u);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
