#include "proxy/upstream/host_blocks.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::Hosts;

constexpr size_t kBlock = HostBlocks::kHosts;

class HostBlocksTest : public testing::Test {
 protected:
  // Three blocks, the last of 10 hosts; the second half is of another locality.
  HostBlocksTest() {
    for (size_t i = 0; i < kCount; ++i) {
      hosts_.push_back({.entry = {&made_[i], 1 + static_cast<uint32_t>(i % 2)},
                        .priority = 0,
                        .locality = i < kCount / 2 ? 0u : 1u,
                        .grade = HostGrade::Healthy,
                        .last_good = false});
    }
    blocks_.resize(kCount, 0);
    blocks_.refresh(hosts_);
  }

  HostPieces pieces(HostKind kind, uint32_t place = HostBlocks::kEverywhere) {
    const std::vector<uint32_t> places{0, 1};
    HostBlocks::PiecesByPlace to{{place, {}}};
    blocks_.refresh(hosts_);
    blocks_.addPieces(0, kind, hosts_, places, to);
    return to[place];
  }
  HostTally sum() const {
    HostTally sum;
    blocks_.forEachTally([&sum](const HostTally& tally) {
      sum.count.hosts += tally.count.hosts;
      sum.count.healthy += tally.count.healthy;
      sum.weight.hosts += tally.weight.hosts;
      sum.weight.healthy += tally.weight.healthy;
      sum.unproven += tally.unproven;
      sum.present += tally.present;
      sum.last_good += tally.last_good;
    });
    return sum;
  }
  void grade(size_t index, HostGrade grade) {
    hosts_[index].grade = grade;
    blocks_.touch(index);
  }

  static constexpr size_t kCount = 2 * kBlock + 10;
  const Hosts made_{std::vector<uint32_t>(kCount, 1)};
  std::vector<GroupedHost> hosts_;
  HostBlocks blocks_;
};

TEST_F(HostBlocksTest, SumsAreOfWhatIsKnown) {
  EXPECT_EQ(sum().count.hosts, kCount);
  EXPECT_EQ(sum().weight.hosts, kCount * 3 / 2);
  EXPECT_EQ(sum().present, kCount);
  grade(1, HostGrade::Relapsed);
  grade(kBlock, HostGrade::Away);
  EXPECT_EQ(sum().count.healthy, kCount) << "nobody has looked";
  blocks_.refresh(hosts_);
  EXPECT_EQ(sum().count.healthy, kCount - 2);
  EXPECT_EQ(sum().weight.healthy, kCount * 3 / 2 - 3);
  EXPECT_EQ(sum().unproven, 1u);
  EXPECT_EQ(sum().present, kCount - 1);
}

TEST_F(HostBlocksTest, ATallyIsOfOneLocalityAndPriority) {
  std::vector<std::pair<uint32_t, size_t>> runs;
  const auto look = [&] {
    runs.clear();
    blocks_.forEachTally(
        [&](const HostTally& tally) { runs.emplace_back(tally.locality, tally.first); });
  };
  look();
  using Runs = std::vector<std::pair<uint32_t, size_t>>;
  EXPECT_EQ(runs, (Runs{{0, 0}, {0, kBlock}, {1, kCount / 2}, {1, 2 * kBlock}}));
}

TEST_F(HostBlocksTest, APieceStaysAsLongAsItsHostsDo) {
  const HostPieces before = pieces(HostKind::Healthy);
  ASSERT_EQ(before.size(), 3u);
  EXPECT_EQ(pieces(HostKind::Healthy), before);
  blocks_.touchAll();
  EXPECT_EQ(pieces(HostKind::Healthy), before) << "they are as they were";
  grade(5, HostGrade::Excluded);
  const HostPieces after = pieces(HostKind::Healthy);
  EXPECT_EQ(after[0]->entries().size(), kBlock - 1);
  EXPECT_NE(after[0], before[0]);
  EXPECT_EQ(after[1], before[1]);
  EXPECT_EQ(after[2], before[2]);
}

TEST_F(HostBlocksTest, KindsAndPlaces) {
  EXPECT_TRUE(pieces(HostKind::Degraded).empty());
  grade(kCount - 1, HostGrade::Degraded);
  grade(0, HostGrade::Excluded);
  grade(1, HostGrade::Away);
  hosts_[0].last_good = true;
  EXPECT_EQ(countHosts(pieces(HostKind::Degraded)), 1u);
  EXPECT_EQ(countHosts(pieces(HostKind::Panic)), kCount - 1);
  hosts_[2].grade = HostGrade::Excluded;
  EXPECT_EQ(countHosts(pieces(HostKind::PanicLastGood)), kCount - 2);
  EXPECT_EQ(countHosts(pieces(HostKind::Healthy, 0)), kCount / 2 - 3);
  EXPECT_EQ(countHosts(pieces(HostKind::Healthy, 1)), kCount / 2 - 1);
}

TEST_F(HostBlocksTest, OfSeveralPlacesAtOnce) {
  const std::vector<uint32_t> places{7, 3};  // of the localities
  const auto add = [&](HostBlocks::PiecesByPlace to) {
    blocks_.addPieces(0, HostKind::Healthy, hosts_, places, to);
    return to;
  };
  constexpr uint32_t kEverywhere = HostBlocks::kEverywhere;
  const auto all = add({{3, {}}, {7, {}}, {9, {}}, {kEverywhere, {}}});
  EXPECT_EQ(countHosts(all.at(7)), kCount / 2);
  EXPECT_EQ(countHosts(all.at(3)), kCount - kCount / 2);
  EXPECT_EQ(countHosts(all.at(kEverywhere)), kCount);
  EXPECT_TRUE(all.at(9).empty());
  EXPECT_EQ(all.at(7).size(), 2u) << "blocks without such hosts have no piece";
  // Another division: a place less, and then all of them once more.
  const auto less = add({{3, {}}});
  EXPECT_EQ(less.size(), 1u);
  EXPECT_EQ(countHosts(less.at(3)), countHosts(all.at(3)));
  EXPECT_EQ(countHosts(add({{7, {}}, {kEverywhere, {}}}).at(kEverywhere)), kCount);
}

TEST_F(HostBlocksTest, APieceThatNobodyWantsGoes) {
  HostPieces before = pieces(HostKind::Healthy);
  const std::weak_ptr<const HostPiece> piece = before[0];
  before.clear();
  blocks_.forgetUnwanted();
  EXPECT_FALSE(piece.expired()) << "it was asked for since the last time";
  blocks_.forgetUnwanted();
  EXPECT_TRUE(piece.expired());
}

TEST_F(HostBlocksTest, SaysWhatWasTouched) {
  EXPECT_EQ(blocks_.takeTouched().size(), 3u);
  EXPECT_TRUE(blocks_.takeTouched().empty());
  blocks_.touch(kBlock + 3);
  const auto touched = blocks_.takeTouched();
  ASSERT_EQ(touched.size(), 1u);
  EXPECT_EQ(touched[0].first, kBlock);
  EXPECT_EQ(touched[0].end, 2 * kBlock);
  blocks_.resize(kBlock + 1, kBlock + 1);
  EXPECT_EQ(blocks_.takeTouched().size(), 1u) << "the block that has lost its end";
}

TEST_F(HostBlocksTest, SomeOfTheHosts) {
  HostBlocks odd({1, 3, 5});
  hosts_[3].grade = HostGrade::Excluded;
  odd.refresh(hosts_);
  HostBlocks::PiecesByPlace to{{HostBlocks::kEverywhere, {}}};
  odd.addPieces(0, HostKind::Healthy, hosts_, {}, to);
  const HostPieces& pieces = to[HostBlocks::kEverywhere];
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0]->entries()[0].slot, 1u);
  EXPECT_EQ(pieces[0]->entries()[1].slot, 5u);
}

}  // namespace
}  // namespace convoy::upstream
