#include "proxy/upstream/algorithms/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "proxy/event/random.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;

std::vector<uint32_t> shares(const Maglev& table, size_t hosts, uint32_t size) {
  std::vector<uint32_t> counts(hosts);
  for (uint32_t place = 0; place < size; ++place) ++counts[table.find(place)];
  return counts;
}

TEST(MaglevTest, EqualHostsHaveEqualShares) {
  constexpr uint32_t kSize = 65537;
  const Hosts hosts(std::vector<uint32_t>(10, 1));
  for (const uint32_t count : shares(Maglev(hosts.set(), kSize), 10, kSize)) {
    EXPECT_NEAR(count, kSize / 10., 1);
  }
}

TEST(MaglevTest, SharesFollowTheWeights) {
  constexpr uint32_t kSize = 65537;
  const Hosts hosts({5, 3, 2});
  const auto counts = shares(Maglev(hosts.set(), kSize), 3, kSize);
  EXPECT_NEAR(counts[0], kSize * .5, 3);
  EXPECT_NEAR(counts[1], kSize * .3, 3);
  EXPECT_NEAR(counts[2], kSize * .2, 3);
}

TEST(MaglevTest, ExtremeWeightsEndInTime) {
  std::vector<uint32_t> weights(1000, 1);
  weights[7] = 4'000'000'000;
  const Hosts hosts(weights);
  const auto counts = shares(Maglev(hosts.set(), 65537), 1000, 65537);
  EXPECT_EQ(counts[7], 65537u);
}

TEST(MaglevTest, MoreHostsThanPlaces) {
  const Hosts hosts(std::vector<uint32_t>(20, 1));
  const auto counts = shares(Maglev(hosts.set(), 7), 20, 7);
  EXPECT_EQ(*std::max_element(counts.begin(), counts.end()), 1u);
}

TEST(MaglevTest, TheOrderOfTheHostsDoesNotMatter) {
  const Hosts hosts({1, 2, 3, 1});
  const auto entries = hosts.set().entries();
  std::vector<HostSet::Entry> backwards(entries.begin(), entries.end());
  std::ranges::reverse(backwards);
  const HostSet reversed(std::move(backwards));
  const Maglev one(hosts.set(), 251);
  const Maglev other(reversed, 251);
  for (uint64_t hash = 0; hash < 251; ++hash) {
    ASSERT_EQ(one.find(hash), 3 - other.find(hash));
  }
}

// A host of n that leaves, or comes (read it backwards), moves its own places, 1/n, and few others:
// the paper's bound for tables of a hundred places per host is two per cent.
TEST(MaglevTest, ALeavingHostDisturbsFewOthers) {
  constexpr uint32_t kSize = 65537;
  std::vector<uint32_t> weights(100, 1);
  const Hosts hosts(weights);
  const Maglev before(hosts.set(), kSize);
  weights[42] = 0;
  const auto fewer = hosts.snapshot(weights);
  const Maglev after(*fewer, kSize);
  int its = 0;
  int others = 0;
  for (uint64_t hash = 0; hash < kSize; ++hash) {
    const Host* was = hosts.set().entries()[before.find(hash)].host;
    const Host* is = fewer->entries()[after.find(hash)].host;
    if (was == &hosts[42]) {
      ++its;
    } else if (was != is) {
      ++others;
    }
  }
  EXPECT_NEAR(its, kSize / 100., 1);
  EXPECT_LT(others, kSize * 0.02);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
