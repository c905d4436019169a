#include "proxy/upstream/zone_aware.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>

namespace convoy::upstream {
namespace {

// Percents of the requests of a node in zone 0.
std::string shares(const std::vector<ZoneCount>& zones, uint64_t callers_elsewhere = 0) {
  uint64_t callers = callers_elsewhere;
  for (const ZoneCount& zone : zones) callers += zone.callers;
  const std::vector<uint64_t> weights = zoneWeights(zones, 0, callers);
  const auto sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
  std::string out;
  for (const uint64_t weight : weights) {
    out += std::to_string(
               std::lround(100.0 * static_cast<double>(weight) / static_cast<double>(sum))) +
           " ";
  }
  return out;
}

TEST(ZoneAwareTest, AsMuchAsPossibleStaysWhileHostsAreLoadedEvenly) {
  const struct {
    const char* name;
    std::vector<ZoneCount> zones;  // hosts, callers
    const char* shares;
  } kCases[] = {
      {"alike", {{5, 10}, {5, 10}}, "100 0 "},
      {"room to spare at home", {{8, 10}, {2, 10}}, "100 0 "},
      {"half the callers and a quarter of the hosts: half of the requests stay",
       {{1, 2}, {3, 2}},
       "50 50 "},
      {"the rest goes where there is room",
       {{10, 50}, {30, 25}, {60, 25}},
       "20 10 70 "},  // residual 5 and 35 of 40 for the 80 %
      {"a zone without callers", {{2, 4}, {2, 0}}, "50 50 "},
      {"nobody at home", {{0, 1}, {3, 1}, {1, 1}}, "0 100 0 "},
      {"nobody at home, and no callers there that are known", {{0, 0}, {6, 4}}, "0 100 "},
      {"no callers at home that are known", {{1, 0}, {3, 4}}, "100 0 "},
  };
  for (const auto& c : kCases) EXPECT_EQ(shares(c.zones), c.shares) << c.name;
}

TEST(ZoneAwareTest, CallersInZonesWithoutHostsCount) {
  // A third of the callers and half of the hosts.
  EXPECT_EQ(shares({{1, 1}, {1, 1}}, 1), "100 0 ");
}

// Every zone's nodes by the same rule: all hosts get about the same.
TEST(ZoneAwareTest, HostsAreLoadedAlikeWhateverTheZones) {
  const std::vector<ZoneCount> zones{{10, 50}, {30, 25}, {60, 25}};
  std::vector<double> load(zones.size());
  for (size_t from = 0; from < zones.size(); ++from) {
    const auto weights = zoneWeights(zones, from, 100);
    const auto sum =
        static_cast<double>(std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
    for (size_t to = 0; to < zones.size(); ++to) {
      load[to] += static_cast<double>(zones[from].callers) * static_cast<double>(weights[to]) / sum;
    }
  }
  for (size_t i = 0; i < zones.size(); ++i) {
    EXPECT_NEAR(load[i] / static_cast<double>(zones[i].hosts), 1.0, 0.02) << i;
  }
}

}  // namespace
}  // namespace convoy::upstream
