#include "proxy/upstream/algorithms/least_active.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;
using test::Picks;

struct Case {
  const char* name;
  std::vector<uint32_t> weights;
  std::vector<uint32_t> active;
  char pick;
};

TEST(LeastActiveTest, TakesTheSmallestShareInUse) {
  const Case cases[] = {
      {"least of three", {1, 1, 1}, {10, 5, 8}, 'B'},
      {"first is least", {1, 1, 1}, {10, 25, 18}, 'A'},
      {"least of four", {1, 1, 1, 1}, {5, 3, 8, 6}, 'B'},
      {"first wins ties", {1, 1, 1}, {4, 2, 2}, 'B'},
      {"by weight", {5, 2, 1}, {10, 6, 4}, 'A'},
      {"by weight, the weak one", {10, 5, 2}, {40, 25, 6}, 'C'},
      {"weight counts at zero load", {1, 2, 4}, {0, 0, 0}, 'C'},
      {"equal shares, the first", {2, 4}, {1, 3}, 'A'},
      {"largest weight and load", {4294967295u, 1}, {4294967294u, 0}, 'A'},
      {"an idle light one", {3, 1}, {3, 0}, 'B'},
  };
  for (const Case& c : cases) {
    const Hosts hosts(c.weights);
    hosts.setActive(c.active);
    LeastActive policy;
    policy.setHosts(hosts.set());
    EXPECT_EQ(Picks(policy).text(1), std::string(1, c.pick)) << c.name;
  }
}

TEST(LeastActiveTest, TakingAHostCountsIt) {
  const Hosts hosts({1, 1, 1});
  LeastActive policy;
  policy.setHosts(hosts.set());
  Picks picks(policy);
  EXPECT_EQ(picks.text(3), "ABC");
  EXPECT_TRUE(picks.one().counted);
  EXPECT_EQ(hosts[0].active(), 2u);
  EXPECT_EQ(hosts[1].active(), 1u);
}

TEST(LeastActiveTest, FollowsRequestsThatEnd) {
  const Hosts hosts({1, 1, 1});
  LeastActive policy;
  policy.setHosts(hosts.set());
  Picks picks(policy);
  EXPECT_EQ(picks.text(3), "ABC");
  hosts[0].active() -= 1;
  EXPECT_EQ(picks.text(3), "AAB");
  hosts[2].active() -= 1;
  EXPECT_EQ(picks.text(1), "C");
}

TEST(LeastActiveTest, ASlowHostGetsNoMoreThanItsFirstRequest) {
  const Hosts hosts({1, 1, 1});
  LeastActive policy;
  policy.setHosts(hosts.set());
  Picks picks(policy);
  EXPECT_EQ(picks.text(3), "ABC");
  for (int i = 0; i < 20; ++i) {
    hosts[0].active() -= 1;
    ASSERT_EQ(picks.text(1), "A") << "the host that is still busy with its slow request";
  }
}

// Requests 1 and 3 end where it says so.
TEST(LeastActiveTest, TheTraceOfTheRequirements) {
  const Hosts hosts({1, 1, 1});
  LeastActive policy(LeastActive::Weights::Ignored);
  policy.setHosts(hosts.set());
  Picks picks(policy);
  EXPECT_EQ(picks.text(4), "ABCA");
  hosts[0].active() -= 1;
  EXPECT_EQ(picks.text(3), "ABC");
  hosts[2].active() -= 1;
  EXPECT_EQ(picks.text(1), "C");
}

TEST(LeastActiveTest, WeightsMayBeIgnored) {
  const Hosts hosts({3, 1});
  hosts.setActive({1, 0});
  LeastActive counted(LeastActive::Weights::Counted);
  counted.setHosts(hosts.set());
  EXPECT_EQ(Picks(counted).text(1), "A");
  hosts.setActive({1, 0});
  LeastActive ignored(LeastActive::Weights::Ignored);
  ignored.setHosts(hosts.set());
  EXPECT_EQ(Picks(ignored).text(3), "BAB");
}

TEST(LeastActiveTest, LargePoolsFindAGoodOne) {
  const Hosts hosts(std::vector<uint32_t>(1000, 1));
  for (uint32_t i = 0; i < 1000; ++i) hosts[i].active() = i;
  LeastActive policy;
  policy.setHosts(hosts.set());
  Picks picks(policy);
  uint64_t sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const Pick pick = picks.one();
    sum += pick.host->slot();
    pick.host->active() -= 1;
  }
  // The mean of the best of eight of 0..999 is 1000 / 9.
  EXPECT_NEAR(static_cast<double>(sum) / 1000, 111, 15);
}

TEST(LeastActiveTest, LargePoolsPassOverTriedHosts) {
  std::vector<uint32_t> weights(100, 1);
  weights[0] = 1'000'000'000;
  const Hosts hosts(weights);
  LeastActive policy;
  policy.setHosts(hosts.set());
  Picks picks(policy);
  for (int i = 0; i < 100; ++i) ASSERT_NE(picks.one({&hosts[0]}).host, &hosts[0]);
  std::vector<const Host*> all;
  for (size_t i = 0; i < 100; ++i) all.push_back(&hosts[i]);
  EXPECT_EQ(picks.one(all).kind, Pick::Kind::Host);
}

TEST(LeastActiveTest, PassesOverTriedHosts) {
  const Hosts hosts({1, 1, 1});
  LeastActive policy;
  policy.setHosts(hosts.set());
  Picks picks(policy);
  hosts.setActive({0, 7, 9});
  EXPECT_EQ(picks.one({&hosts[0]}).host, &hosts[1]);
  EXPECT_EQ(picks.one({&hosts[0], &hosts[1]}).host, &hosts[2]);
  EXPECT_EQ(picks.one({&hosts[0], &hosts[1], &hosts[2]}).host, &hosts[0]);
}

TEST(LeastActiveTest, NoHosts) {
  LeastActive policy;
  Picks picks(policy);
  EXPECT_EQ(picks.one().kind, Pick::Kind::None);
  const HostSet none(HostPieces{});
  policy.setHosts(none);
  EXPECT_EQ(picks.one().kind, Pick::Kind::None);
}

TEST(LeastActiveTest, AgreesWithANaiveModel) {
  event::Random random(11);
  for (int round = 0; round < 500; ++round) {
    std::vector<uint32_t> weights(1 + random.below(20));
    std::vector<uint32_t> active(weights.size());
    for (size_t i = 0; i < weights.size(); ++i) {
      weights[i] = static_cast<uint32_t>(1 + random.below(4));
      active[i] = static_cast<uint32_t>(random.below(6));
    }
    const Hosts hosts(weights);
    hosts.setActive(active);
    LeastActive policy;
    policy.setHosts(hosts.set());
    size_t expected = 0;
    for (size_t i = 1; i < weights.size(); ++i) {
      const double share = (active[i] + 1.0) / weights[i];
      if (share < (active[expected] + 1.0) / weights[expected] - 1e-9) expected = i;
    }
    ASSERT_EQ(Picks(policy).one().host->slot(), expected) << "round " << round;
  }
}

// Workers that only take: the counts add up, and no host gets ahead of another by more than the
// workers that may have chosen at the same time.
TEST(LeastActiveTest, WorkersShareTheCounts) {
  const Hosts hosts(std::vector<uint32_t>(8, 1));
  constexpr int kWorkers = 4;
  constexpr int kEach = 2000;
  std::vector<std::thread> workers;
  for (int w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&hosts] {
      LeastActive policy;
      policy.setHosts(hosts.set());
      Picks picks(policy);
      for (int i = 0; i < kEach; ++i) picks.one();
    });
  }
  for (std::thread& worker : workers) worker.join();
  uint32_t sum = 0;
  for (size_t i = 0; i < 8; ++i) {
    sum += hosts[i].active();
    EXPECT_NEAR(hosts[i].active(), kWorkers * kEach / 8, kWorkers);
  }
  EXPECT_EQ(sum, static_cast<uint32_t>(kWorkers * kEach));
}

}  // namespace
}  // namespace convoy::upstream::algorithms
