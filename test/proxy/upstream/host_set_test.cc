#include "proxy/upstream/host_set.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "proxy/upstream/wrr_sequence.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::Hosts;

TEST(HostSetTest, AnEmptySetHasNothing) {
  const HostSet set({});
  EXPECT_TRUE(set.empty());
  EXPECT_TRUE(set.equalWeights());
  EXPECT_EQ(set.totalWeight(), 0u);
  EXPECT_TRUE(set.smoothOrder().empty());
  EXPECT_TRUE(set.weightClasses().empty());
}

TEST(HostSetTest, EqualWeightsNeedNoOrder) {
  const Hosts hosts({7, 7, 7});
  const HostSet& set = hosts.set();
  EXPECT_EQ(set.size(), 3u);
  EXPECT_TRUE(set.equalWeights());
  EXPECT_EQ(set.maxWeight(), 7u);
  EXPECT_EQ(set.totalWeight(), 21u);
  EXPECT_TRUE(set.smoothOrder().empty());
  EXPECT_TRUE(set.weightClasses().empty());
  EXPECT_TRUE(set.shares().empty());
}

TEST(HostSetTest, SmallSetsHaveTheSmoothOrder) {
  const Hosts hosts({3, 1, 2});
  const HostSet& set = hosts.set();
  EXPECT_FALSE(set.equalWeights());
  EXPECT_EQ(set.smoothOrder().size(), 6u);
  EXPECT_TRUE(set.weightClasses().empty());
  EXPECT_EQ(set.shares().total(), 6u);
}

TEST(HostSetTest, LargeSetsHaveClassesHeaviestFirstInConfiguredOrder) {
  std::vector<uint32_t> weights(kSmoothMaxHosts + 2);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = i % 3 == 0 ? 10 : i % 3;
  const Hosts hosts(weights);
  const HostSet& set = hosts.set();
  EXPECT_TRUE(set.smoothOrder().empty());
  ASSERT_EQ(set.weightClasses().size(), 3u);
  uint32_t seen = 0;
  uint32_t last_weight = 11;
  for (const HostSet::WeightClass& of : set.weightClasses()) {
    EXPECT_LT(of.weight, last_weight);
    last_weight = of.weight;
    EXPECT_EQ(of.first, seen);
    seen += of.count;
    for (uint32_t i = of.first; i < of.first + of.count; ++i) {
      EXPECT_EQ(set.entries()[set.members()[i]].weight, of.weight);
      if (i > of.first) {
        EXPECT_LT(set.members()[i - 1], set.members()[i]);
      }
    }
  }
  EXPECT_EQ(seen, set.size());
  EXPECT_EQ(set.totalWeight(), std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
}

TEST(HostSetTest, MakesATableOfHostsIfAskedTo) {
  class First final : public HashTable {
    size_t find(uint64_t) const override { return 0; }
  };
  const MakeHashTable make = [](const HostSet& hosts) {
    EXPECT_EQ(hosts.totalWeight(), 3u);
    return std::make_shared<const First>();
  };
  const Hosts hosts({2, 1});
  EXPECT_EQ(hosts.set().hashTable(), nullptr);
  EXPECT_NE(hosts.snapshot({2, 1}, make)->hashTable(), nullptr);
  EXPECT_EQ(hosts.snapshot({}, make)->hashTable(), nullptr);
}

TEST(HostSetTest, TheLargestWeightsDoNotOverflow) {
  const Hosts hosts({4294967295u, 4294967295u, 1});
  EXPECT_EQ(hosts.set().totalWeight(), 8589934591u);
  EXPECT_FALSE(hosts.set().equalWeights());
  EXPECT_EQ(hosts.set().weightClasses().size(), 2u);
}

}  // namespace
}  // namespace convoy::upstream
