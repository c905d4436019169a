#include "proxy/upstream/host_piece.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::Hosts;

constexpr size_t kPiece = HostPiece::kMostHosts;

class HostPieceTest : public testing::Test {
 protected:
  std::vector<HostEntry> entries(size_t count, size_t first = 0) const {
    std::vector<HostEntry> entries;
    for (size_t i = first; i < first + count; ++i) {
      entries.emplace_back(&hosts_[i], 1 + static_cast<uint32_t>(i % 3));
    }
    return entries;
  }
  // Pieces of so many hosts each.
  HostPieces pieces(const std::vector<size_t>& sizes) const {
    HostPieces pieces;
    size_t next = 0;
    for (const size_t size : sizes) {
      pieces.push_back(std::make_shared<const HostPiece>(entries(size, next)));
      next += size;
    }
    return pieces;
  }

  const Hosts hosts_{std::vector<uint32_t>(3 * kPiece, 1)};
};

TEST_F(HostPieceTest, ClassesAreHeaviestFirstAndInOrder) {
  const HostPiece piece(entries(7));
  EXPECT_FALSE(piece.equalWeights());
  EXPECT_EQ(piece.maxWeight(), 3u);
  EXPECT_EQ(piece.totalWeight(), 13u);
  EXPECT_EQ(piece.shares().total(), 13u);
  const auto classes = piece.weightClasses();
  ASSERT_EQ(classes.size(), 3u);
  const std::vector<std::vector<uint32_t>> expected = {{2, 5}, {1, 4}, {0, 3, 6}};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(classes[i].weight, 3 - i);
    EXPECT_EQ(std::vector<uint32_t>(classes[i].members.begin(), classes[i].members.end()),
              expected[i]);
  }
}

TEST_F(HostPieceTest, EqualWeightsAreOneClassWithoutATable) {
  const HostPiece piece({{&hosts_[4], 9}, {&hosts_[2], 9}});
  EXPECT_TRUE(piece.equalWeights());
  EXPECT_TRUE(piece.shares().empty());
  ASSERT_EQ(piece.weightClasses().size(), 1u);
  EXPECT_EQ(piece.weightClasses()[0].members.size(), 2u);
}

TEST_F(HostPieceTest, DrawsByWeight) {
  const HostPiece piece({{&hosts_[0], 1}, {&hosts_[1], 3}});
  event::Random random(2);
  int heavy = 0;
  for (int i = 0; i < 100'000; ++i) heavy += piece.draw(random).slot == 1;
  EXPECT_NEAR(heavy, 75'000, 700);
}

TEST_F(HostPieceTest, ManyHostsAreCut) {
  EXPECT_TRUE(piecesOf({}).empty());
  EXPECT_EQ(piecesOf(entries(kPiece)).size(), 1u);
  const HostPieces cut = piecesOf(entries(2 * kPiece + 1));
  ASSERT_EQ(cut.size(), 3u);
  EXPECT_EQ(cut[2]->entries().size(), 1u);
  EXPECT_EQ(countHosts(cut), 2 * kPiece + 1);
  EXPECT_TRUE(sameHosts(cut, pieces({2 * kPiece + 1})));
}

TEST_F(HostPieceTest, TheSameHostsHoweverTheyAreCut) {
  const HostPieces one = pieces({100, 50, 200});
  EXPECT_TRUE(sameHosts(one, one));
  EXPECT_TRUE(sameHosts(one, pieces({350})));
  EXPECT_TRUE(sameHosts(pieces({1, 349}), one));
  EXPECT_TRUE(sameHosts({}, {}));
  EXPECT_FALSE(sameHosts(one, {}));
  EXPECT_FALSE(sameHosts({}, one));
  EXPECT_FALSE(sameHosts(one, pieces({100, 50, 199})));
  EXPECT_FALSE(sameHosts(one, {one[0], one[2]}));
  EXPECT_FALSE(sameHosts(one, {one[0], one[1], one[2], one[0]}));
}

// Whoever has got the address in memory, or the weight, of another is not that one.
TEST_F(HostPieceTest, AHostIsAnotherWithAnotherWeight) {
  std::vector<HostEntry> other = entries(10);
  other[5].weight += 1;
  HostPieces changed{std::make_shared<const HostPiece>(std::move(other))};
  EXPECT_FALSE(sameHosts(pieces({10}), changed));
}

}  // namespace
}  // namespace convoy::upstream
