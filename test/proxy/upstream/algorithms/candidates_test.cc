#include "proxy/upstream/algorithms/candidates.h"

#include <gtest/gtest.h>

#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;

std::vector<uint32_t> candidates(const HostSet& hosts, event::Random& random,
                                 Draw draw = Draw::ByWeight) {
  std::vector<uint32_t> slots;
  forEachCandidate(hosts, random, draw, [&slots](const HostSet::Entry& entry) {
    slots.push_back(entry.host->slot());
    return true;
  });
  return slots;
}

TEST(CandidatesTest, SmallPoolsAreLookedThroughInOrder) {
  const Hosts hosts(std::vector<uint32_t>(kScannedHosts, 1));
  event::Random random(1);
  const auto slots = candidates(hosts.set(), random);
  ASSERT_EQ(slots.size(), kScannedHosts);
  for (size_t i = 0; i < slots.size(); ++i) EXPECT_EQ(slots[i], i);
}

TEST(CandidatesTest, OfLargePoolsSomeAreDrawnByWeightOrEvenly) {
  std::vector<uint32_t> weights(kScannedHosts + 1, 1);
  weights[5] = static_cast<uint32_t>(kScannedHosts);  // half of all weight
  const Hosts hosts(weights);
  for (const Draw draw : {Draw::ByWeight, Draw::Evenly}) {
    event::Random random(1);
    size_t heavy = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto slots = candidates(hosts.set(), random, draw);
      ASSERT_EQ(slots.size(), kSampledHosts);
      for (const uint32_t slot : slots) heavy += slot == 5 ? 1 : 0;
    }
    const double share = draw == Draw::ByWeight ? .5 : 1. / (kScannedHosts + 1);
    EXPECT_NEAR(static_cast<double>(heavy) / (1000 * kSampledHosts), share, .03);
  }
}

TEST(CandidatesTest, TheLookCanBeStopped) {
  for (const size_t count : {size_t{3}, kScannedHosts + 1}) {
    const Hosts hosts(std::vector<uint32_t>(count, 1));
    event::Random random(1);
    int seen = 0;
    forEachCandidate(hosts.set(), random, Draw::ByWeight,
                     [&seen](const HostSet::Entry&) { return ++seen < 2; });
    EXPECT_EQ(seen, 2);
  }
}

TEST(CandidatesTest, DrawsUntriedHostsWhileThereAreSome) {
  const Hosts hosts({1'000'000'000, 1, 1});
  event::Random random(1);
  const Host* tried[] = {&hosts[0], &hosts[1], &hosts[2]};
  PickContext context{.random = random, .tried = std::span(tried).first(2)};
  EXPECT_EQ(drawUntried(hosts.set(), context), &hosts[2]);
  context.tried = tried;
  EXPECT_NE(drawUntried(hosts.set(), context), nullptr);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
