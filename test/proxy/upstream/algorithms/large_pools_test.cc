// Policies that do something else in large pools (more hosts than they look through, or a longer
// order than is computed ahead), against models that do it in the simplest way, over random
// operations.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "proxy/upstream/algorithms/candidates.h"
#include "proxy/upstream/algorithms/registry.h"
#include "proxy/upstream/wrr_sequence.h"
#include "test/proxy/upstream/algorithms/odds.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;
using test::Picks;

// --- the least of a sample ---

// Weights are 1, 2, 3 or none.
std::vector<uint64_t> loads(const std::vector<uint32_t>& weights,
                            const std::vector<uint32_t>& active, bool weighted) {
  std::vector<uint64_t> loads(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    loads[i] = uint64_t{active[i] + 1} * 6 / (weighted ? std::max(1u, weights[i]) : 1);
  }
  return loads;
}

void runSampled(Algorithm algorithm, size_t count) {
  ASSERT_GT(count, kScannedHosts);
  event::Random random(count);
  const Hosts hosts(std::vector<uint32_t>(count, 1));
  const auto policy = makeLoadBalancer({.algorithm = algorithm}, 0, 1);
  Picks picks(*policy, count);
  std::vector<uint32_t> weights(count, 1), active(count);
  test::Odds odds;
  std::vector<size_t> under_way;
  std::unique_ptr<const HostSet> set, retired;
  for (int step = 0; step < 40'000; ++step) {
    if (step % 1000 == 0) {
      // At least half of them are there.
      for (uint32_t& weight : weights) weight = static_cast<uint32_t>(1 + random.below(3));
      for (size_t i = 0; i < count / 2; ++i) weights[random.below(count)] = 0;
      set.swap(retired);
      set = hosts.snapshot(weights);
      policy->setHosts(*set);
    }
    if (random.below(5) < 2 && !under_way.empty()) {
      const size_t at = random.below(under_way.size());
      --active[under_way[at]];
      hosts[under_way[at]].active() -= 1;
      under_way.erase(under_way.begin() + static_cast<ptrdiff_t>(at));
      continue;
    }
    const bool weighted = algorithm == Algorithm::WeightedLeastConnections;
    const auto ranks = loads(weights, active, weighted);
    const size_t host = picks.one().host->slot();
    std::vector<uint32_t> drawn = weights;
    for (uint32_t& weight : drawn) weight = weighted ? weight : std::min(weight, 1u);
    odds.add(test::oddsOfBest(kSampledHosts, drawn, ranks), host);
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << step;
    ++active[host];
    under_way.push_back(host);
  }
  odds.expectKept();
}

TEST(LargePoolsTest, TheBestOfASampleIsTaken) {
  for (const size_t count : {66u, 120u}) {
    runSampled(Algorithm::LeastConnections, count);
    runSampled(Algorithm::WeightedLeastConnections, count);
  }
}

// --- earliest deadline first ---

// Of the classes of equal weight that one whose next turn is due first, k / (weight * hosts), and
// the heavier one on a tie; of a class its hosts in turn.
class DeadlinesModel {
 public:
  explicit DeadlinesModel(const std::vector<uint32_t>& weights) {
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) classes_[weights[i]].hosts.push_back(i);
      cycle_ += weights[i];
    }
  }
  size_t next() {
    Class* due = nullptr;
    uint64_t share_of_due = 0;
    for (auto& [weight, one] : classes_) {
      const uint64_t share = weight * one.hosts.size();
      if (due == nullptr || (one.turns + 1) * share_of_due < (due->turns + 1) * share) {
        due = &one;
        share_of_due = share;
      }
    }
    const size_t host = due->hosts[due->host++ % due->hosts.size()];
    ++due->turns;
    if (++picks_ % cycle_ == 0) {
      for (auto& [weight, one] : classes_) one.turns = 0;
    }
    return host;
  }
  uint64_t cycle() const { return cycle_; }

 private:
  struct Class {
    std::vector<size_t> hosts;
    uint64_t turns = 0;  // in this cycle
    size_t host = 0;
  };
  std::map<uint64_t, Class, std::greater<>> classes_;
  uint64_t cycle_ = 0;
  uint64_t picks_ = 0;
};

TEST(LargePoolsTest, LongOrdersAreEarliestDeadlineFirst) {
  event::Random random(5);
  for (int round = 0; round < 12; ++round) {
    // Many hosts, or few with large weights.
    const bool many = round % 2 == 0;
    std::vector<uint32_t> weights(many ? kSmoothMaxHosts + 1 + random.below(300) : 5);
    for (uint32_t& weight : weights) {
      weight = static_cast<uint32_t>(1 + random.below(many ? 4 : 3000));
    }
    weights[0] = static_cast<uint32_t>(many ? 2 : kSmoothMaxCycle);
    weights[1] = 1;
    const Hosts hosts(weights);
    ASSERT_FALSE(hosts.set().weightClasses().empty());
    const auto policy = makeLoadBalancer({}, 0, 1);
    policy->setHosts(hosts.set());
    Picks picks(*policy);
    DeadlinesModel model(weights);
    std::vector<uint64_t> counts(weights.size());
    for (uint64_t i = 0; i < 2 * model.cycle(); ++i) {
      const size_t host = picks.one().host->slot();
      ASSERT_EQ(host, model.next()) << "pick " << i << " of round " << round;
      ++counts[host];
    }
    for (size_t i = 0; i < weights.size(); ++i) ASSERT_EQ(counts[i], 2 * weights[i]);
  }
}

// A set that is told anew, as after a verdict on a host of another group, interrupts nothing.
TEST(LargePoolsTest, ALongOrderGoesOnOverUpdates) {
  event::Random random(7);
  std::vector<uint32_t> weights(kSmoothMaxHosts + 200);
  for (uint32_t& weight : weights) weight = static_cast<uint32_t>(1 + random.below(4));
  const Hosts hosts(weights);
  const auto policy = makeLoadBalancer({}, 0, 1);
  Picks picks(*policy);
  DeadlinesModel model(weights);
  std::unique_ptr<const HostSet> set, retired;
  for (int update = 0; update < 200; ++update) {
    set.swap(retired);
    set = hosts.snapshot(weights);
    ASSERT_FALSE(set->weightClasses().empty());
    policy->setHosts(*set);
    for (uint64_t i = random.below(20); i > 0; --i) {
      ASSERT_EQ(picks.one().host->slot(), model.next()) << i << " of " << update;
    }
  }
}

// Every so many picks another set of the same hosts, some of them absent: one of those that the
// changes lead to. How often each host was picked, and how often it should have been.
struct Shares {
  std::vector<double> picked, due;
};
Shares sharesOver(int picks_each, std::vector<uint32_t> weights, event::Random& random,
                  const std::function<void(std::vector<uint32_t>&)>& change) {
  constexpr size_t kSets = 64;
  const Hosts hosts(weights);
  std::vector<std::unique_ptr<const HostSet>> sets;
  std::vector<uint64_t> picks_of(kSets);
  while (sets.size() < kSets) {
    change(weights);
    sets.push_back(hosts.snapshot(weights));
  }
  const auto policy = makeLoadBalancer({}, 0, 1);
  Picks picks(*policy);
  Shares shares{std::vector<double>(weights.size()), std::vector<double>(weights.size())};
  for (int update = 0; update < 300'000 / picks_each; ++update) {
    const size_t now = random.below(kSets);
    policy->setHosts(*sets[now]);
    for (int i = 0; i < picks_each; ++i) shares.picked[picks.one().host->slot()] += 1;
    picks_of[now] += static_cast<uint64_t>(picks_each);
  }
  for (size_t i = 0; i < kSets; ++i) {
    const double each = static_cast<double>(picks_of[i]) / sets[i]->totalWeight();
    for (const HostSet::Entry& entry : sets[i]->entries()) {
      shares.due[entry.host->slot()] += each * entry.weight;
    }
  }
  return shares;
}

// However often hosts come, go and change their weights, everybody has about its share, also where
// a pick is all that comes between two changes.
TEST(LargePoolsTest, UpdatesTakeNobodysShare) {
  event::Random random(11);
  const auto flap = [&random](std::vector<uint32_t>& weights, size_t first, size_t count,
                              uint32_t weight) {
    uint32_t& one = weights[first + random.below(count)];
    one = one == 0 ? weight : 0;
  };
  struct {
    const char* name;
    std::vector<uint32_t> weights;
    std::function<void(std::vector<uint32_t>&)> change;
  } cases[] = {
      {"canary beside others that flap", std::vector<uint32_t>(36, 100),
       [&](auto& weights) { flap(weights, 30, 6, 100); }},
      {"canary that flaps, too", std::vector<uint32_t>(36, 100),
       [&](auto& weights) { flap(weights, 0, 1, 1); }},
      {"three canaries, two flap", std::vector<uint32_t>(36, 100),
       [&](auto& weights) { flap(weights, 1, 2, 1); }},
      {"half with twice the weight", std::vector<uint32_t>(1000, 1),
       [&](auto& weights) { flap(weights, 990, 10, 1); }},
      {"one weight moves", std::vector<uint32_t>(1000, 100),
       [&](auto& weights) { weights[0] = static_cast<uint32_t>(20 + random.below(80)); }},
      {"half of the weights move together", std::vector<uint32_t>(1000, 1000),
       [&](auto& weights) { std::fill_n(weights.begin(), 500, weights[0] == 1000 ? 1001 : 1000); }},
      {"a canary of many takes over", std::vector<uint32_t>(400, 100),
       [&](auto& weights) {
         const uint32_t part = weights[0] % 99 + 1;
         std::fill_n(weights.begin(), 200, part);
         std::fill_n(weights.begin() + 200, 200, 100 - part);
       }},
      {"all weights move", std::vector<uint32_t>(200, 100),
       [&](auto& weights) {
         for (size_t i = 0; i < weights.size(); ++i) {
           weights[i] = static_cast<uint32_t>(100 + 2 * i + random.below(2));
         }
       }},
  };
  cases[0].weights[0] = cases[1].weights[0] = 1;
  for (int i = 0; i < 3; ++i) cases[2].weights[i] = 1;
  for (size_t i = 0; i < 500; ++i) cases[3].weights[i] = 2;
  for (const auto& one : cases) {
    for (const int picks_each : {1, 10, 100}) {
      const Shares shares = sharesOver(picks_each, one.weights, random, one.change);
      for (size_t i = 0; i < shares.due.size(); ++i) {
        EXPECT_GE(shares.picked[i], .4 * shares.due[i]) << one.name << picks_each << " host " << i;
        EXPECT_LE(shares.picked[i], 2 * shares.due[i]) << one.name << picks_each << " host " << i;
      }
    }
  }
}

}  // namespace
}  // namespace convoy::upstream::algorithms
