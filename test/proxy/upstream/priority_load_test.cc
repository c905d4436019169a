#include "proxy/upstream/priority_load.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/upstream/grouping_spec.h"

namespace convoy::upstream {
namespace {

constexpr PanicSpec kNoPanic{};
constexpr PanicSpec kHalf{PanicSpec::Mode::ServeAll, 50};

// Each of 100 hosts.
std::vector<PriorityHealth> healths(const std::vector<uint64_t>& healthy) {
  std::vector<PriorityHealth> out;
  for (const uint64_t count : healthy) {
    out.push_back({.hosts = 100, .healthy = count, .present = true});
  }
  return out;
}

std::string text(const std::vector<PriorityLoad>& loads) {
  std::string out;
  for (const PriorityLoad& load : loads) {
    if (!out.empty()) out += " ";
    out += std::to_string(load.healthy);
    if (load.degraded > 0) out += "+" + std::to_string(load.degraded);
    if (load.panic) out += "!";
  }
  return out;
}

std::string loadsOf(const std::vector<uint64_t>& healthy, const PanicSpec& panic = kNoPanic,
                    uint32_t overprovisioning = 140) {
  return text(priorityLoads(healths(healthy), overprovisioning, panic));
}

// The tables of Envoy's documentation ("Priority levels"), in percent. Where the sum of healths is
// below 100 it has rounded numbers; ours are whole percents whose rest goes to the first priority.
TEST(PriorityLoadTest, EnvoysWorkedNumbers) {
  const struct {
    std::vector<uint64_t> healthy;
    const char* loads;
  } kCases[] = {
      {{100, 100}, "100 0"},       {{72, 100}, "100 0"},         {{71, 100}, "99 1"},
      {{50, 100}, "70 30"},        {{25, 100}, "35 65"},         {{0, 100}, "0 100"},
      {{72, 72}, "100 0"},         {{71, 71}, "99 1"},           {{50, 50}, "70 30"},
      {{25, 25}, "50 50"},         {{100, 100, 100}, "100 0 0"}, {{72, 72, 100}, "100 0 0"},
      {{71, 71, 100}, "99 1 0"},   {{50, 50, 100}, "70 30 0"},   {{25, 100, 100}, "35 65 0"},
      {{25, 25, 100}, "35 35 30"}, {{25, 25, 20}, "37 35 28"},   {{5, 65}, "8 92"},
  };
  for (const auto& c : kCases) EXPECT_EQ(loadsOf(c.healthy), c.loads);
}

// "Degraded endpoints": of one priority, healthy and degraded in percent.
TEST(PriorityLoadTest, EnvoysDegradedNumbers) {
  const struct {
    uint64_t healthy, degraded;
    const char* loads;
  } kCases[] = {
      {100, 0, "100"}, {71, 0, "100"}, {71, 29, "99+1"}, {25, 65, "35+65"}, {5, 0, "100"}};
  for (const auto& c : kCases) {
    const PriorityHealth health{
        .hosts = 100, .healthy = c.healthy, .degraded = c.degraded, .present = true};
    EXPECT_EQ(text(priorityLoads(std::vector{health}, 140, kNoPanic)), c.loads) << c.healthy;
  }
}

TEST(PriorityLoadTest, DegradedHostsAfterAllHealthyOnes) {
  const std::vector<PriorityHealth> both = {
      {.hosts = 100, .healthy = 25, .degraded = 75, .present = true},
      {.hosts = 100, .healthy = 25, .degraded = 75, .present = true}};
  EXPECT_EQ(text(priorityLoads(both, 140, kNoPanic)), "35+30 35");
}

// "Panic threshold", with the default of 50 %.
TEST(PriorityLoadTest, EnvoysPanicNumbers) {
  const struct {
    std::vector<uint64_t> healthy;
    const char* loads;
  } kCases[] = {
      {{72, 100}, "100 0"}, {{25, 100}, "35 65"},  {{0, 100}, "0 100"}, {{71, 71}, "99 1"},
      {{50, 60}, "70 30"},  {{25, 25}, "50! 50!"}, {{5, 65}, "8! 92"},  {{0, 0}, "50! 50!"},
  };
  for (const auto& c : kCases) EXPECT_EQ(loadsOf(c.healthy, kHalf), c.loads);
}

TEST(PriorityLoadTest, NobodyServesUnlessThePanicModeSaysSo) {
  EXPECT_EQ(loadsOf({0, 0}), "0 0");
  EXPECT_EQ(loadsOf({0, 0}, {PanicSpec::Mode::ServeLastGood, 0}), "50! 50!");
  std::vector<PriorityHealth> leaving = healths({0, 0});
  leaving[0].present = false;
  EXPECT_EQ(text(priorityLoads(leaving, 140, kHalf)), "0 100!");
  EXPECT_EQ(text(priorityLoads({}, 140, kHalf)), "");
}

// Envoy's rule for a total panic; its documentation leaves it out.
TEST(PriorityLoadTest, AllInPanicShareByTheirHosts) {
  std::vector<PriorityHealth> both = {{.hosts = 1, .present = true},
                                      {.hosts = 100, .healthy = 30, .present = true}};
  EXPECT_EQ(text(priorityLoads(both, 140, kHalf)), "1! 99!");
  both[1].healthy = 0;
  EXPECT_EQ(text(priorityLoads(both, 140, kHalf)), "1! 99!");
  both[0].healthy = 1;
  EXPECT_EQ(text(priorityLoads(both, 140, kHalf)), "100 0");
  both[0] = {.hosts = 3, .present = true};
  both[1] = {.hosts = 0, .present = true};  // none that counts
  EXPECT_EQ(text(priorityLoads(both, 140, kHalf)), "100! 0!");
  both.insert(both.begin(), PriorityHealth{.hosts = 0, .present = true});
  both[2].hosts = 4;
  EXPECT_EQ(text(priorityLoads(both, 140, kHalf)), "0! 43! 57!") << "the rest to one that counts";
}

TEST(PriorityLoadTest, OverprovisioningSaysWhenTheNextOneHelps) {
  EXPECT_EQ(loadsOf({50, 100}, kNoPanic, 100), "50 50");
  EXPECT_EQ(loadsOf({50, 100}, kNoPanic, 200), "100 0");
  EXPECT_EQ(loadsOf({1, 100}, kNoPanic, 10'000), "100 0") << "backups";
  EXPECT_EQ(loadsOf({0, 100}, kNoPanic, 10'000), "0 100");
}

TEST(PriorityLoadTest, BackupsDoNotHideThatFewAreLeft) {
  EXPECT_EQ(loadsOf({20, 20}, kHalf, 10'000), "50! 50!");
  EXPECT_EQ(loadsOf({40, 100}, kHalf, 10'000), "100 0") << "there are enough";
}

TEST(PriorityLoadTest, OneHealthyHostOfVeryManyServes) {
  const PriorityHealth health{.hosts = 100'000, .healthy = 1, .present = true};
  EXPECT_EQ(text(priorityLoads(std::vector{health}, 140, kNoPanic)), "100");
}

// Localities of the largest weights, and backups.
TEST(PriorityLoadTest, TheLargestNumbersDoNotOverflow) {
  constexpr uint64_t kMost = 1000ull * 4'294'967'295;
  const std::vector<PriorityHealth> both = {{.hosts = kMost, .healthy = kMost / 2, .present = true},
                                            {.hosts = kMost, .healthy = kMost, .present = true}};
  EXPECT_EQ(text(priorityLoads(both, kMostOverprovisioning, kNoPanic)), "100 0");
}

TEST(PriorityLoadTest, TheLoadsAddUpTo100) {
  for (uint64_t a = 0; a <= 100; a += 7) {
    for (uint64_t b = 0; b <= 100; b += 3) {
      for (uint64_t c = 0; c <= 100; c += 11) {
        uint32_t sum = 0;
        for (const PriorityLoad& load : priorityLoads(healths({a, b, c}), 140, kHalf)) {
          sum += load.sum();
        }
        ASSERT_EQ(sum, 100u) << a << " " << b << " " << c;
      }
    }
  }
}

}  // namespace
}  // namespace convoy::upstream
