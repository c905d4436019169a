#include "proxy/upstream/algorithms/hashed.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "proxy/base/xxhash.h"
#include "proxy/upstream/algorithms/registry.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;
using test::Picks;

MakeHashTable tableOf(Algorithm algorithm) {
  return hashTableMaker({.algorithm = algorithm});
}

TEST(HashedTest, WithoutAKeyItIsRandom) {
  const Hosts hosts({1, 1, 1});
  const auto set = hosts.snapshot({1, 1, 1}, tableOf(Algorithm::Maglev));
  Hashed policy(0);
  policy.setHosts(*set);
  const auto counts = Picks(policy, 7).counts(3, 3000);
  for (const uint64_t count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(HashedTest, WithoutATableItIsRandom) {
  const Hosts hosts({1, 1, 1});
  Hashed policy(0);
  policy.setHosts(hosts.set());
  std::set<char> seen;
  Picks picks(policy);
  for (int i = 0; i < 100; ++i) seen.insert(picks.of(1));
  EXPECT_EQ(seen.size(), 3u);
}

TEST(HashedTest, TakesNothingThatMustBeGivenBack) {
  const Hosts hosts({1, 1});
  const auto set = hosts.snapshot({1, 1}, tableOf(Algorithm::RingHash));
  Hashed policy(0);
  policy.setHosts(*set);
  const Pick pick = Picks(policy).one({}, 1);
  EXPECT_FALSE(pick.counted);
  EXPECT_FALSE(pick.in_total);
}

TEST(HashedTest, ATriedHostIsReplacedByTheSameOtherEachTime) {
  const std::vector<uint32_t> weights(10, 1);
  const Hosts hosts(weights);
  const auto set = hosts.snapshot(weights, tableOf(Algorithm::RingHash));
  Hashed policy(0);
  policy.setHosts(*set);
  Picks picks(policy);
  std::set<const Host*> seconds;
  for (uint64_t key = 0; key < 200; ++key) {
    const uint64_t hash = base::mixBits(key);
    const Host* first = picks.one({}, hash).host;
    const Host* second = picks.one({first}, hash).host;
    ASSERT_NE(first, second);
    ASSERT_EQ(picks.one({first}, hash).host, second);
    if (first == &hosts[0]) seconds.insert(second);
  }
  EXPECT_GT(seconds.size(), 4u) << "the keys of one host spread over the others";
}

TEST(HashedTest, AllTried) {
  const Hosts hosts({1, 1});
  const auto set = hosts.snapshot({1, 1}, tableOf(Algorithm::Maglev));
  for (const uint32_t percent : {0u, 100u}) {
    Hashed policy(percent);
    policy.setHosts(*set);
    Picks picks(policy);
    EXPECT_EQ(picks.one({&hosts[0]}, 5).host, &hosts[1]);
    EXPECT_NE(picks.one({&hosts[0], &hosts[1]}, 5).host, nullptr);
  }
}

TEST(HashedTest, NoHosts) {
  Hashed policy(0);
  Picks picks(policy);
  EXPECT_EQ(picks.one({}, 1).kind, Pick::Kind::None);
  const HostSet none(HostPieces{});
  policy.setHosts(none);
  EXPECT_EQ(picks.one({}, 1).kind, Pick::Kind::None);
}

TEST(HashedTest, TheBoundIsRoundedUp) {
  EXPECT_EQ(boundedCapacity(100, 1, 1, 4), 1u);
  EXPECT_EQ(boundedCapacity(100, 8, 1, 4), 2u);
  EXPECT_EQ(boundedCapacity(100, 9, 1, 4), 3u);
  EXPECT_EQ(boundedCapacity(125, 8, 1, 4), 3u);
  EXPECT_EQ(boundedCapacity(150, 8, 1, 4), 3u);
  EXPECT_EQ(boundedCapacity(150, 8, 2, 4), 6u);
  EXPECT_EQ(boundedCapacity(4294967295u, 4294967295u, 4294967295u, 4294967295u),
            184467440651196171u);
}

// One key that everybody asks for: its host fills up to the bound, then others take over, and at no
// time has one more than its share of what is under way.
TEST(HashedTest, NoHostGetsMoreThanItsBoundedShare) {
  for (const Algorithm algorithm : {Algorithm::RingHash, Algorithm::Maglev}) {
    for (const uint32_t percent : {100u, 125u, 200u}) {
      const std::vector<uint32_t> weights = {1, 1, 2, 4};
      const Hosts hosts(weights);
      const auto set = hosts.snapshot(weights, tableOf(algorithm));
      Hashed policy(percent);
      policy.setHosts(*set);
      Picks picks(policy);
      for (uint32_t total = 1; total <= 400; ++total) {
        const Pick pick = picks.one({}, 42);
        ASSERT_TRUE(pick.counted && pick.in_total);
        ASSERT_EQ(picks.cluster_active, total);
        const uint32_t weight = weights[pick.host->slot()];
        ASSERT_LE(pick.host->active(), boundedCapacity(percent, total, weight, 8));
      }
    }
  }
}

TEST(HashedTest, ABoundThatIsNotReachedChangesNothing) {
  const std::vector<uint32_t> weights(5, 1);
  const Hosts hosts(weights);
  const auto set = hosts.snapshot(weights, tableOf(Algorithm::Maglev));
  Hashed free(0);
  Hashed bounded(150);
  free.setHosts(*set);
  bounded.setHosts(*set);
  Picks a(free);
  Picks b(bounded);
  for (uint64_t key = 0; key < 1000; ++key) {
    const uint64_t hash = base::mixBits(key);
    const Pick pick = b.one({}, hash);
    ASSERT_EQ(a.one({}, hash).host, pick.host);
    pick.host->active() -= 1;
    b.cluster_active -= 1;
  }
}

TEST(HashedTest, WorkersShareTheBound) {
  const std::vector<uint32_t> weights(8, 1);
  const Hosts hosts(weights);
  const auto set = hosts.snapshot(weights, tableOf(Algorithm::Maglev));
  std::atomic<uint32_t> total{0};
  std::vector<std::thread> workers;
  for (uint64_t w = 0; w < 4; ++w) {
    workers.emplace_back([&set, &total, w] {
      Hashed policy(100);
      policy.setHosts(*set);
      event::Random random(w + 1);
      for (uint64_t i = 0; i < 2000; ++i) {
        PickContext context{.random = random, .tried = {}, .hash = 42, .cluster_active = &total};
        EXPECT_EQ(policy.pick(context).kind, Pick::Kind::Host);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(total, 8000u);
  // A worker that counts itself in the total before it takes its host may let another one in early.
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(hosts[i].active(), 1000, 8);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
