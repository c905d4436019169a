#include "proxy/upstream/algorithms/random.h"

#include <gtest/gtest.h>

#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;
using test::Picks;

// Chi-square of 100,000 picks. The bound is exceeded by one seed in 10,000 at this many degrees of
// freedom; the seed is fixed.
struct Case {
  std::vector<uint32_t> weights;
  double bound;
};

TEST(RandomTest, EveryHostHasItsProbability) {
  const Case cases[] = {
      {{1, 1}, 15.2},
      {{1, 1, 1, 1, 1, 1, 1, 1}, 29.9},
      {{5, 3, 2}, 18.5},
      {{1, 100, 1000}, 18.5},
  };
  constexpr int kPicks = 100'000;
  for (const Case& c : cases) {
    const Hosts hosts(c.weights);
    Random policy;
    policy.setHosts(hosts.set());
    const std::vector<uint64_t> counts = Picks(policy, 2024).counts(c.weights.size(), kPicks);
    double chi_square = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      const double expected = 1.0 * kPicks * c.weights[i] / hosts.set().totalWeight();
      chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    EXPECT_LT(chi_square, c.bound);
  }
}

TEST(RandomTest, FollowsItsSeed) {
  const Hosts hosts({1, 1, 1});
  Random policy;
  policy.setHosts(hosts.set());
  EXPECT_EQ(Picks(policy, 5).text(50), Picks(policy, 5).text(50));
  EXPECT_NE(Picks(policy, 5).text(50), Picks(policy, 6).text(50));
}

TEST(RandomTest, PassesOverTriedHosts) {
  const Hosts hosts({1'000'000'000, 1, 1});
  Random policy;
  policy.setHosts(hosts.set());
  Picks picks(policy);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(picks.one({&hosts[0], &hosts[1]}).host, &hosts[2]);
    ASSERT_NE(picks.one({&hosts[0]}).host, &hosts[0]);
    ASSERT_NE(picks.one({&hosts[0], &hosts[1], &hosts[2]}).host, nullptr);
  }
}

TEST(RandomTest, NoHosts) {
  Random policy;
  Picks picks(policy);
  EXPECT_EQ(picks.one().kind, Pick::Kind::None);
  const HostSet none(HostPieces{});
  policy.setHosts(none);
  EXPECT_EQ(picks.one().kind, Pick::Kind::None);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
