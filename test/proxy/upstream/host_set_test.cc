#include "proxy/upstream/host_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "proxy/upstream/wrr_sequence.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::Hosts;

std::vector<uint32_t> slotsOf(const HostSet::WeightClass& of) {
  std::vector<uint32_t> slots;
  for (const HostSet::WeightClass::Part& part : of.parts) {
    for (const uint32_t member : part.members) slots.push_back(part.entries[member].slot);
  }
  return slots;
}

TEST(HostSetTest, AnEmptySetHasNothing) {
  const HostSet set(HostPieces{});
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
}

TEST(HostSetTest, SmallSetsHaveTheSmoothOrder) {
  const Hosts hosts({3, 1, 2});
  const HostSet& set = hosts.set();
  EXPECT_FALSE(set.equalWeights());
  EXPECT_EQ(set.smoothOrder().size(), 6u);
  EXPECT_TRUE(set.weightClasses().empty());
}

TEST(HostSetTest, LargeSetsHaveClassesHeaviestFirstInConfiguredOrder) {
  std::vector<uint32_t> weights(kSmoothMaxHosts + 2);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = i % 3 == 0 ? 10 : i % 3;
  const Hosts hosts(weights);
  const HostSet& set = hosts.set();
  EXPECT_TRUE(set.smoothOrder().empty());
  ASSERT_EQ(set.weightClasses().size(), 3u);
  uint64_t seen = 0;
  uint32_t last_weight = 11;
  for (const HostSet::WeightClass& of : set.weightClasses()) {
    EXPECT_LT(of.weight, last_weight);
    last_weight = of.weight;
    seen += of.count;
    const std::vector<uint32_t> slots = slotsOf(of);
    EXPECT_EQ(slots.size(), of.count);
    EXPECT_TRUE(std::ranges::is_sorted(slots));
    for (const uint32_t slot : slots) EXPECT_EQ(weights[slot], of.weight);
  }
  EXPECT_EQ(seen, set.size());
  EXPECT_EQ(set.totalWeight(), std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
}

// Of more hosts than fit in one piece.
class PiecesTest : public testing::Test {
 protected:
  static constexpr size_t kPiece = HostPiece::kMostHosts;

  // Pieces of so many hosts each.
  HostPieces piecesOf(const std::vector<size_t>& sizes) const {
    HostPieces pieces;
    size_t next = 0;
    for (const size_t size : sizes) {
      std::vector<HostEntry> entries;
      for (size_t i = 0; i < size; ++i, ++next) entries.emplace_back(&hosts_[next], weights_[next]);
      pieces.push_back(std::make_shared<const HostPiece>(std::move(entries)));
    }
    return pieces;
  }
  static std::vector<uint32_t> mixedWeights() {
    std::vector<uint32_t> weights(4 * kPiece);
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = 1 + static_cast<uint32_t>(i % 4);
    return weights;
  }

  const std::vector<uint32_t> weights_ = mixedWeights();
  const Hosts hosts_{weights_};
};

TEST_F(PiecesTest, EveryHostIsAtItsIndexWhateverThePieces) {
  event::Random random(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<size_t> sizes;
    size_t count = 0;
    while (count < 3 * kPiece) {
      sizes.push_back(1 + random.below(random.below(2) == 0 ? 20 : kPiece));
      count += sizes.back();
    }
    const HostSet set(piecesOf(sizes));
    ASSERT_EQ(set.size(), count);
    size_t index = 0;
    for (const HostSet::Entry& entry : set.entries()) {
      ASSERT_EQ(entry.slot, index);
      ASSERT_EQ(&set.at(index), &entry);
      ++index;
    }
    ASSERT_EQ(index, count);
    for (size_t i = 1; i < set.pieces().size(); ++i) {
      ASSERT_GT(set.pieces()[i - 1]->entries().size() + set.pieces()[i]->entries().size(), 64u)
          << "small neighbours are one piece";
    }
  }
}

TEST_F(PiecesTest, SetsShareWhatTheyHaveInCommon) {
  const HostPieces pieces = piecesOf({kPiece, kPiece, kPiece});
  EXPECT_EQ(HostSet(pieces).pieces(), pieces);
  EXPECT_EQ(HostSet({pieces[0], pieces[2]}).pieces(), (HostPieces{pieces[0], pieces[2]}));
  const HostPieces few = piecesOf({100, 200, 300});
  EXPECT_EQ(HostSet(few).pieces().size(), 1u) << "few hosts are one piece";
  EXPECT_EQ(HostSet(few).few().size(), 600u);
}

TEST_F(PiecesTest, ATableIsMadeOfOnePiece) {
  class Last final : public HashTable {
   public:
    explicit Last(size_t last) : last_(last) {}
    size_t find(uint64_t) const override { return last_; }

   private:
    const size_t last_;
  };
  const HostSet set(piecesOf({kPiece, 5, kPiece}), [](const HostSet& hosts) {
    EXPECT_EQ(hosts.shares().total(), hosts.totalWeight());
    return std::make_shared<const Last>(hosts.size() - 1);
  });
  EXPECT_EQ(set.pieces().size(), 1u);
  EXPECT_EQ(set.at(set.hashTable()->find(0)).slot, 2 * kPiece + 4);
}

TEST_F(PiecesTest, DrawsByWeightAcrossPieces) {
  const HostSet set(piecesOf({kPiece, 100, kPiece, 3 * kPiece / 2}));
  event::Random random(9);
  constexpr size_t kDraws = 400'000;
  std::vector<uint64_t> of_weight(5);
  std::vector<uint64_t> of_piece(4);
  for (size_t i = 0; i < kDraws; ++i) {
    const HostSet::Entry& drawn = set.draw(random);
    ++of_weight[drawn.weight];
    ++of_piece[drawn.slot / kPiece];
  }
  const auto expected = [&](uint64_t weight) {
    return static_cast<double>(kDraws * weight) / static_cast<double>(set.totalWeight());
  };
  std::vector<uint64_t> weight_of_piece(4);
  std::vector<uint64_t> sum_of_weight(5);
  for (const HostSet::Entry& entry : set.entries()) {
    sum_of_weight[entry.weight] += entry.weight;
    weight_of_piece[entry.slot / kPiece] += entry.weight;
  }
  for (size_t w = 1; w < 5; ++w) {
    EXPECT_NEAR(of_weight[w], expected(sum_of_weight[w]),
                5 * std::sqrt(expected(sum_of_weight[w])));
  }
  for (size_t p = 0; p < 4; ++p) {
    EXPECT_NEAR(of_piece[p], expected(weight_of_piece[p]),
                5 * std::sqrt(expected(weight_of_piece[p])));
  }
}

TEST_F(PiecesTest, AClassGoesThroughAllPieces) {
  const HostSet set(piecesOf({kPiece, 100, kPiece}));
  ASSERT_EQ(set.weightClasses().size(), 4u);
  for (const HostSet::WeightClass& of : set.weightClasses()) {
    const std::vector<uint32_t> slots = slotsOf(of);
    EXPECT_EQ(of.count, (2 * kPiece + 100) / 4);
    ASSERT_EQ(slots.size(), of.count);
    for (size_t i = 0; i < slots.size(); ++i) EXPECT_EQ(slots[i], 4 * i + of.weight - 1);
  }
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
