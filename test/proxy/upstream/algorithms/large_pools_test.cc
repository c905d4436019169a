// Policies that do something else in large pools (more hosts than they look through, or a longer
// order than is computed ahead), against models that do it in the simplest way, over random
// operations.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <vector>

#include "proxy/upstream/algorithms/candidates.h"
#include "proxy/upstream/algorithms/registry.h"
#include "proxy/upstream/wrr_sequence.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;
using test::Picks;

// --- the least of a sample ---

// The chance of each host to be the best of kSampledHosts that are drawn by weight. Hosts of equal
// load are taken as they come.
std::vector<double> oddsOfSample(const std::vector<uint32_t>& weights,
                                 const std::vector<uint32_t>& active, bool weighted) {
  std::map<uint64_t, std::vector<size_t>> by_load;
  for (size_t i = 0; i < weights.size(); ++i) {
    // Weights are 1, 2, 3 or none.
    if (weights[i] > 0)
      by_load[uint64_t{active[i] + 1} * 6 / (weighted ? weights[i] : 1)].push_back(i);
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const auto noneOf = [](double share) {
    return std::pow(std::max(0.0, 1 - share), static_cast<double>(kSampledHosts));
  };
  std::vector<double> odds(weights.size());
  double better = 0;  // share of those with less load
  for (const auto& [load, hosts] : by_load) {
    double share = 0;
    for (const size_t host : hosts) share += weights[host] / total;
    const double chance = noneOf(better) - noneOf(better + share);
    for (const size_t host : hosts) odds[host] = chance * (weights[host] / total) / share;
    better += share;
  }
  return odds;
}

void runSampled(Algorithm algorithm, size_t count) {
  ASSERT_GT(count, kScannedHosts);
  event::Random random(count);
  const Hosts hosts(std::vector<uint32_t>(count, 1));
  const auto policy = makeLoadBalancer({.algorithm = algorithm}, 0, 1);
  Picks picks(*policy, count);
  std::vector<uint32_t> weights(count, 1), active(count);
  std::vector<double> expected(count), variance(count), taken(count);
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
    const auto odds =
        oddsOfSample(weights, active, algorithm == Algorithm::WeightedLeastConnections);
    const size_t host = picks.one().host->slot();
    ASSERT_GT(odds[host], 0) << step;
    for (size_t i = 0; i < count; ++i) {
      expected[i] += odds[i];
      variance[i] += odds[i] * (1 - odds[i]);
    }
    ++taken[host];
    ++active[host];
    under_way.push_back(host);
  }
  // As in differential_test.cc.
  for (size_t i = 0; i < count; ++i) {
    EXPECT_NEAR(taken[i], expected[i], 4.5 * std::sqrt(variance[i])) << i;
  }
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

}  // namespace
}  // namespace convoy::upstream::algorithms
