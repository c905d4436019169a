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

// 150 points per host, 30,000 keys, from 3 hosts to 2: a third moves, none of the others' keys.
TEST(RingTest, LeavingHostsMoveTheirShare) {
  const Hosts hosts({1, 1, 1});
  BalancingSpec spec;
  spec.ring_min_size = 450;
  const Ring three(ringPoints(hosts.set(), spec));
  spec.ring_min_size = 300;
  const auto fewer = hosts.snapshot({1, 1});
  const Ring two(ringPoints(*fewer, spec));
  ASSERT_EQ(three.size(), 450u);
  ASSERT_EQ(two.size(), 300u);
  int moved = 0;
  for (int i = 0; i < 30'000; ++i) {
    const uint64_t hash = base::xxHash64("key" + std::to_string(i));
    const size_t before = three.find(hash);
    if (before == 2) {
      ++moved;
    } else {
      ASSERT_EQ(two.find(hash), before);
    }
  }
  EXPECT_NEAR(moved / 30'000., 1 / 3., 0.04);
}

// Of a hundred hosts one leaves, or one joins: about a hundredth moves (its share is within what
// 160 points leave to chance), and nothing else.
TEST(RingTest, ChangesOfALargePoolMoveAHundredth) {
  std::vector<uint32_t> weights(101, 1);
  const Hosts hosts(weights);
  BalancingSpec spec;
  spec.ring_min_size = 160 * 101;
  const Ring more(ringPoints(hosts.set(), spec));
  weights[42] = 0;
  spec.ring_min_size = 160 * 100;
  const auto fewer = hosts.snapshot(weights);
  const Ring less(ringPoints(*fewer, spec));
  ASSERT_EQ(more.size(), 160u * 101);
  ASSERT_EQ(less.size(), 160u * 100);
  event::Random random(6);
  int moved = 0;
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t hash = random.next();
    const Host* const with = hosts.set().entries()[more.find(hash)].host;
    const Host* const without = fewer->entries()[less.find(hash)].host;
    if (with == without) continue;
    ASSERT_EQ(with, &hosts[42]);
    ++moved;
  }
  EXPECT_NEAR(moved / 1e5, 1 / 101., 0.4 / 101);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
