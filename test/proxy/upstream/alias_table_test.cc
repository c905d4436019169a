#include "proxy/upstream/alias_table.h"

#include <gtest/gtest.h>

#include "proxy/event/random.h"

namespace convoy::upstream {
namespace {

// Every one of the equally likely draws: each index comes up exactly as often as its weight says.
TEST(AliasTableTest, ProbabilitiesAreExact) {
  const std::vector<uint64_t> cases[] = {{1}, {1, 1}, {5, 3, 2}, {1, 100, 1000}, {7, 7, 1, 7, 30}};
  for (const std::vector<uint64_t>& weights : cases) {
    const AliasTable table(weights);
    ASSERT_EQ(table.size(), weights.size());
    std::vector<uint64_t> counts(weights.size());
    for (size_t index = 0; index < table.size(); ++index) {
      for (uint64_t part = 0; part < table.total(); ++part) ++counts[table.at(index, part)];
    }
    for (size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(counts[i], weights[i] * weights.size());
  }
}

TEST(AliasTableTest, TheLargestWeights) {
  const std::vector<uint64_t> weights = {4294967295u, 1, 4294967295u};
  const AliasTable table(weights);
  EXPECT_EQ(table.total(), 8589934591u);
  event::Random random(3);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_NE(table.at(random.below(3), random.below(table.total())), 1u);
  }
}

TEST(AliasTableTest, EmptyWithoutWeights) {
  EXPECT_TRUE(AliasTable().empty());
  EXPECT_TRUE(AliasTable(std::vector<uint64_t>()).empty());
}

}  // namespace
}  // namespace convoy::upstream
