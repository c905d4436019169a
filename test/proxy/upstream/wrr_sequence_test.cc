#include "proxy/upstream/wrr_sequence.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/event/random.h"

namespace convoy::upstream {
namespace {

std::string text(const std::vector<uint16_t>& order) {
  std::string out;
  for (const uint16_t index : order) out += static_cast<char>('A' + index);
  return out;
}

struct Case {
  std::vector<uint32_t> weights;
  std::string order;
};

TEST(WrrSequenceTest, FollowsTheSmoothOrder) {
  const Case cases[] = {
      {{}, ""},
      {{1}, "A"},
      {{7}, "A"},
      {{1, 1, 1}, "ABC"},
      {{5, 3, 2}, "ABCAABACBA"},
      {{50, 30, 20}, "ABCAABACBA"},  // only the ratio counts
      {{3, 1, 2}, "ACABCA"},
      {{5, 1, 1}, "AABACAA"},
      {{1, 9}, "BBBBABBBBB"},
      {{2, 1, 1}, "ABCA"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(text(smoothWeightedOrder(c.weights)), c.order);
  }
}

// The definition, step by step, over two cycles.
std::vector<size_t> naive(const std::vector<uint32_t>& weights, size_t steps) {
  std::vector<int64_t> current(weights.size());
  int64_t sum = 0;
  for (const uint32_t weight : weights) sum += weight;
  std::vector<size_t> order;
  while (order.size() < steps) {
    for (size_t i = 0; i < weights.size(); ++i) current[i] += weights[i];
    size_t best = 0;
    for (size_t i = 1; i < weights.size(); ++i) {
      if (current[i] > current[best]) best = i;
    }
    current[best] -= sum;
    order.push_back(best);
  }
  return order;
}

TEST(WrrSequenceTest, RepeatsAsTheDefinitionDoes) {
  event::Random random(42);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint32_t> weights(1 + random.below(12));
    const uint64_t factor = 1 + random.below(5);
    for (uint32_t& weight : weights) {
      weight = static_cast<uint32_t>(factor * (1 + random.below(30)));
    }
    const std::vector<uint16_t> order = smoothWeightedOrder(weights);
    ASSERT_FALSE(order.empty());
    const std::vector<size_t> expected = naive(weights, 2 * order.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(order[i % order.size()], expected[i]) << "round " << round << ", step " << i;
    }
  }
}

TEST(WrrSequenceTest, GivesUpAboveItsLimits) {
  std::vector<uint32_t> weights(kSmoothMaxHosts, 1);
  weights[0] = 2;
  EXPECT_EQ(smoothWeightedOrder(weights).size(), kSmoothMaxHosts + 1);
  weights.push_back(1);
  EXPECT_TRUE(smoothWeightedOrder(weights).empty());
  EXPECT_EQ(smoothWeightedOrder(std::vector<uint32_t>{1, kSmoothMaxCycle - 1}).size(),
            kSmoothMaxCycle);
  EXPECT_TRUE(smoothWeightedOrder(std::vector<uint32_t>{1, kSmoothMaxCycle}).empty());
  EXPECT_EQ(smoothWeightedOrder(std::vector<uint32_t>{4'000'000'000, 2'000'000'000}).size(), 3u);
}

}  // namespace
}  // namespace convoy::upstream
