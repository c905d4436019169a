#pragma once

// Picks by chance, compared with what a model says of their odds.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

namespace convoy::test {

// What the odds of each pick add up to, whatever becomes of the world in between, is how often a
// host is taken, but for a deviation whose variance is known, too (the picks less their odds are a
// martingale). One run in some thousands is further off than this; the seeds are fixed.
class Odds {
 public:
  void add(const std::vector<double>& odds, size_t taken) {
    expected_.resize(odds.size());
    variance_.resize(odds.size());
    taken_.resize(odds.size());
    ASSERT_GT(odds[taken], 0);
    for (size_t host = 0; host < odds.size(); ++host) {
      expected_[host] += odds[host];
      variance_[host] += odds[host] * (1 - odds[host]);
    }
    ++taken_[taken];
  }
  void expectKept() const {
    for (size_t host = 0; host < taken_.size(); ++host) {
      EXPECT_NEAR(taken_[host], expected_[host], 4.5 * std::sqrt(variance_[host])) << host;
    }
  }

 private:
  std::vector<double> expected_, variance_, taken_;
};

// The chance of each host to be the best of so many that are drawn by weight. Ranks: the lower, the
// better; hosts of the same rank are taken as they come. Weight 0: it is not in the set.
template <class Rank>
std::vector<double> oddsOfBest(size_t drawn, const std::vector<uint32_t>& weights,
                               const std::vector<Rank>& ranks) {
  std::map<Rank, std::vector<size_t>> by_rank;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) by_rank[ranks[i]].push_back(i);
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const auto noneOf = [drawn](double share) {
    return std::pow(std::max(0.0, 1 - share), static_cast<double>(drawn));
  };
  std::vector<double> odds(weights.size());
  double better = 0;  // share of those of a lower rank
  for (const auto& [rank, hosts] : by_rank) {
    double share = 0;
    for (const size_t host : hosts) share += weights[host] / total;
    const double chance = noneOf(better) - noneOf(better + share);
    for (const size_t host : hosts) odds[host] = chance * (weights[host] / total) / share;
    better += share;
  }
  return odds;
}

}  // namespace convoy::test
