#include "proxy/event/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace convoy::event {
namespace {

TEST(Random, SameSeedSameSequence) {
  Random a(42);
  Random b(42);
  Random c(43);
  int differences = 0;
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    if (value != c.next()) ++differences;
  }
  EXPECT_EQ(differences, 100);
}

// The state that splitmix64 makes of seed 0, and xoshiro256++'s first output for it.
TEST(Random, FirstOutputFollowsTheDefinition) {
  const uint64_t s0 = 0xe220a8397b1dcdaf;
  const uint64_t s3 = 0xf88bb8a8724c81ec;
  const uint64_t sum = s0 + s3;
  EXPECT_EQ(Random(0).next(), ((sum << 23) | (sum >> 41)) + s0);
}

TEST(Random, BelowIsUniformAndBounded) {
  Random random(7);
  std::array<int, 6> seen{};
  constexpr int kDraws = 60'000;
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t value = random.below(seen.size());
    ASSERT_LT(value, seen.size());
    ++seen[value];
  }
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 500);  // over five deviations
}

// With this bound a plain product would give the upper half of the results too often: every third
// low half must be redrawn.
TEST(Random, BelowHasNoBiasNearTheTopOfTheRange) {
  Random random(7);
  constexpr uint64_t kBound = uint64_t{3} << 62;
  int in_lowest_third = 0;
  constexpr int kDraws = 30'000;
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t value = random.below(kBound);
    ASSERT_LT(value, kBound);
    if (value < kBound / 3) ++in_lowest_third;
  }
  EXPECT_NEAR(in_lowest_third, 10'000, 450);
}

TEST(Random, BelowOneIsZero) {
  Random random(1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, KernelSeedsDiffer) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 8; ++i) seen.insert(Random::fromKernel().next());
  EXPECT_EQ(seen.size(), 8u);
}

TEST(RandomDeathTest, BelowZeroIsABug) {
  Random random(1);
  EXPECT_DEATH(random.below(0), "bound > 0");
}

}  // namespace
}  // namespace convoy::event
