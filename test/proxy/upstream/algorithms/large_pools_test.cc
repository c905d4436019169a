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
    odds.add(test::oddsOfBest(kSampledHosts, weights, ranks), host);
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

// Hosts come, go and change weights in the middle of a cycle: another one begins.
TEST(LargePoolsTest, EachUpdateOfALongOrderBeginsACycle) {
  event::Random random(7);
  std::vector<uint32_t> weights(kSmoothMaxHosts + 200);
  for (uint32_t& weight : weights) weight = static_cast<uint32_t>(1 + random.below(4));
  const Hosts hosts(weights);
  const auto policy = makeLoadBalancer({}, 0, 1);
  Picks picks(*policy);
  std::unique_ptr<const HostSet> set, retired;
  for (int update = 0; update < 200; ++update) {
    for (int change = 0; change < 5; ++change) {
      weights[random.below(weights.size())] = static_cast<uint32_t>(random.below(5));
    }
    set.swap(retired);
    set = hosts.snapshot(weights);
    ASSERT_FALSE(set->weightClasses().empty());
    policy->setHosts(*set);
    DeadlinesModel model(weights);
    const uint64_t steps = random.below(2 * model.cycle());
    for (uint64_t i = 0; i < steps; ++i) {
      ASSERT_EQ(picks.one().host->slot(), model.next()) << "pick " << i << " of " << update;
    }
  }
}

}  // namespace
}  // namespace convoy::upstream::algorithms
