#include "proxy/upstream/algorithms/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "proxy/base/xxhash.h"
#include "proxy/event/random.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;

uint64_t degrees(double angle) {
  return static_cast<uint64_t>(angle / 360 * 18446744073709551616.0);
}

TEST(RingTest, AKeyBelongsToTheNextPoint) {
  const Ring ring({{degrees(150), 1}, {degrees(30), 0}, {degrees(200), 2}});
  EXPECT_EQ(ring.find(degrees(100)), 1u);
  EXPECT_EQ(ring.find(degrees(220)), 0u) << "round the end";
  EXPECT_EQ(ring.find(degrees(30)), 0u) << "the point itself";
  EXPECT_EQ(ring.find(degrees(30) + 1), 1u);
  EXPECT_EQ(ring.find(0), 0u);
  EXPECT_EQ(ring.find(~uint64_t{0}), 0u);
}

// Host B leaves: what moves is what B had, all of (30, 150], to the next one, C.
TEST(RingTest, OnlyTheKeysOfAHostThatLeavesMove) {
  const Ring before({{degrees(30), 0}, {degrees(150), 1}, {degrees(200), 2}});
  const Ring after({{degrees(30), 0}, {degrees(200), 2}});
  for (int angle = 0; angle < 360; ++angle) {
    const bool was_its = angle > 30 && angle <= 150;
    EXPECT_EQ(after.find(degrees(angle)), was_its ? 2u : before.find(degrees(angle))) << angle;
  }
}

TEST(RingTest, AgreesWithASortedMap) {
  event::Random random(4);
  for (int round = 0; round < 200; ++round) {
    std::map<uint64_t, uint32_t> model;
    std::vector<Ring::Point> points;
    const uint64_t count = 1 + random.below(50);
    for (uint64_t i = 0; i < count; ++i) {
      // Some crowd one slice.
      const uint64_t place = random.below(3) == 0 ? random.below(100) : random.next();
      points.push_back({place, static_cast<uint32_t>(i)});
      model.emplace(place, static_cast<uint32_t>(i));
    }
    const Ring ring(points);
    for (int i = 0; i < 200; ++i) {
      const uint64_t hash = i % 4 == 0 ? random.below(100) : random.next();
      const auto next = model.lower_bound(hash);
      ASSERT_EQ(ring.find(hash), next == model.end() ? model.begin()->second : next->second);
    }
  }
}

// Where Envoy puts them.
TEST(RingTest, PointsAreHashesOfAddressAndNumber) {
  const Hosts hosts({1, 1});
  BalancingSpec spec;
  spec.ring_min_size = 4;
  auto points = ringPoints(hosts.set(), spec);
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[0].place, base::xxHash64("10.0.0.0:80_0"));
  EXPECT_EQ(points[1].place, base::xxHash64("10.0.0.0:80_1"));
  EXPECT_EQ(points[3].place, base::xxHash64("10.0.0.1:80_1"));
  EXPECT_EQ(points[3].host, 1u);
  spec.ring_hash = BalancingSpec::HashFunction::Murmur2;
  points = ringPoints(hosts.set(), spec);
  EXPECT_EQ(points[0].place, std::hash<std::string>()("10.0.0.0:80_0"));
}

TEST(RingTest, SizesFollowTheirLimitsAndTheWeights) {
  struct Case {
    std::vector<uint32_t> weights;
    uint64_t min;
    uint64_t max;
    std::vector<int> points;
  };
  const Case cases[] = {
      {{1, 1, 1}, 1024, 8'388'608, {342, 342, 342}},  // whole numbers of them, at least 1024
      {{1, 2, 1}, 8, 8'388'608, {2, 4, 2}},
      {{1, 1}, 1, 8'388'608, {1, 1}},  // a host has at least one
      {{1, 3}, 1, 8'388'608, {1, 3}},
      {{1, 1}, 100, 100, {50, 50}},
      {{1, 1, 1, 1}, 1, 2, {1, 0, 1, 0}},  // the maximum holds, whoever is left out
  };
  for (const Case& c : cases) {
    const Hosts hosts(c.weights);
    BalancingSpec spec;
    spec.ring_min_size = c.min;
    spec.ring_max_size = c.max;
    std::vector<int> counts(c.weights.size());
    for (const Ring::Point& point : ringPoints(hosts.set(), spec)) ++counts[point.host];
    EXPECT_EQ(counts, c.points) << c.min;
  }
}

BalancingSpec perWeight(uint32_t points, uint64_t most = 1'048'576) {
  return {
      .algorithm = Algorithm::RingHash, .ring_max_size = most, .ring_points_per_weight = points};
}

std::vector<int> pointsOf(const std::vector<uint32_t>& weights, const BalancingSpec& spec) {
  const Hosts hosts(weights);
  std::vector<int> counts(weights.size());
  for (const Ring::Point& point : ringPoints(hosts.set(), spec)) ++counts[point.host];
  return counts;
}

TEST(RingTest, PointsPerWeightDependOnTheHostAlone) {
  EXPECT_EQ(pointsOf({1}, perWeight(150)), std::vector<int>({150}));
  EXPECT_EQ(pointsOf({1, 3, 128}, perWeight(150)), std::vector<int>({150, 450, 19'200}));
  const auto points = ringPoints(Hosts({1, 1}).set(), perWeight(2));
  EXPECT_EQ(points[0].place, base::xxHash64("10.0.0.0:80_0"));
  EXPECT_EQ(points[3].place, base::xxHash64("10.0.0.1:80_1"));
}

// Halved, as often as it takes; never less than one.
TEST(RingTest, PointsPerWeightEndAtTheMaximum) {
  EXPECT_EQ(pointsOf({1, 1, 2}, perWeight(100, 400)), std::vector<int>({100, 100, 200}));
  EXPECT_EQ(pointsOf({1, 1, 2}, perWeight(100, 399)), std::vector<int>({50, 50, 100}));
  EXPECT_EQ(pointsOf({1, 1, 2}, perWeight(100, 100)), std::vector<int>({25, 25, 50}));
  EXPECT_EQ(pointsOf({1, 1, 2}, perWeight(100, 1)), std::vector<int>({1, 1, 1}));
}

// From one set of hosts to another by a ring of 150 points per unit of weight.
struct Moves {
  int moved = 0;
  int others = 0;  // from a host that stays to a host that was there, whose weights are the same
};

Moves movesOf30000Keys(const std::vector<uint32_t>& from, const std::vector<uint32_t>& to) {
  const Hosts hosts(std::vector<uint32_t>(from.size(), 1));
  const auto before = hosts.snapshot(from);
  const auto after = hosts.snapshot(to);
  const Ring ring_before(ringPoints(*before, perWeight(150)));
  const Ring ring_after(ringPoints(*after, perWeight(150)));
  Moves moves;
  for (int i = 0; i < 30'000; ++i) {
    const uint64_t hash = base::xxHash64("key" + std::to_string(i));
    const uint32_t was = before->entries()[ring_before.find(hash)].host->slot();
    const uint32_t is = after->entries()[ring_after.find(hash)].host->slot();
    if (was == is) continue;
    ++moves.moved;
    // A key may leave a host that has less than before, and go to one that has more.
    if (to[was] >= from[was] && to[is] <= from[is]) ++moves.others;
  }
  return moves;
}

// What each change moves is known exactly, and none of it is anybody else's.
TEST(RingTest, OnlyKeysOfHostsThatChangeMove) {
  struct Case {
    std::vector<uint32_t> from;
    std::vector<uint32_t> to;
    int moved;
  };
  std::vector<uint32_t> hundred(101, 1);
  std::vector<uint32_t> without = hundred;
  without[42] = 0;
  const Case cases[] = {
      {{1, 1, 1}, {1, 1, 0}, 9402},
      {{1, 1, 0}, {1, 1, 1}, 9402},
      {{1, 1, 1, 1}, {1, 1, 1, 0}, 7286},
      {{2, 2, 2, 2}, {2, 3, 2, 2}, 2101},
      {{2, 2, 2, 2}, {2, 2, 1, 2}, 3657},
      {{5, 1, 3}, {5, 0, 3}, 3272},
      {hundred, without, 273},
      {without, hundred, 273},
  };
  for (const Case& c : cases) {
    const Moves moves = movesOf30000Keys(c.from, c.to);
    EXPECT_EQ(moves.others, 0) << c.from.size();
    EXPECT_EQ(moves.moved, c.moved) << c.from.size();
  }
}

// REQUIREMENTS A1: of 30,000 keys 33.2 % move when one of three hosts goes, none of them another
// host's. By how much a host's share differs from a third depends on where the hash puts its 150
// points (the document's is MD5; ours is Envoy's, xxHash64), with a standard deviation of
// sqrt(1/3 * 2/3 / 450) = 2.2 %.
TEST(RingTest, OneOfThreeHostsTakesAThirdOfTheKeysAlong) {
  int together = 0;
  for (size_t gone = 0; gone < 3; ++gone) {
    std::vector<uint32_t> rest(3, 1);
    rest[gone] = 0;
    const Moves moves = movesOf30000Keys({1, 1, 1}, rest);
    EXPECT_EQ(moves.others, 0);
    EXPECT_NEAR(moves.moved / 30'000.0, 1 / 3.0, 3 * 0.022) << gone;
    together += moves.moved;
  }
  EXPECT_EQ(together, 30'000) << "each key is one host's";
}

// Envoy's sizes: the hosts that stay have more points afterwards, and take keys from one another.
TEST(RingTest, RingsOfEnvoysSizeMoveSomeMore) {
  const Hosts hosts({1, 1, 1, 1});
  const BalancingSpec spec = {.algorithm = Algorithm::RingHash, .ring_min_size = 16'384};
  const auto fewer = hosts.snapshot({1, 1, 1});
  const Ring before(ringPoints(hosts.set(), spec));
  const Ring after(ringPoints(*fewer, spec));
  int others = 0;
  for (int i = 0; i < 30'000; ++i) {
    const uint64_t hash = base::xxHash64("key" + std::to_string(i));
    if (before.find(hash) != 3 && before.find(hash) != after.find(hash)) ++others;
  }
  EXPECT_EQ(others, 3065);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
