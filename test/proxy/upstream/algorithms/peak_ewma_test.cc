#include "proxy/upstream/algorithms/peak_ewma.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Hosts;
using test::Picks;

constexpr event::MonotonicTime kStart{seconds(100)};

RequestResult took(int ms, event::MonotonicTime now = kStart, bool failed = false) {
  return {.failed = failed, .took = milliseconds(ms), .now = now};
}

TEST(PeakTimeTest, APeakCountsAtOnceAndIsForgottenWithTime) {
  PeakTime peak;
  peak.note(took(10), 0, seconds(10));
  EXPECT_FLOAT_EQ(peak.cost(), .01F);
  peak.note(took(1000), 0, seconds(10));
  EXPECT_FLOAT_EQ(peak.cost(), 1);
  peak.note(took(0), 0, seconds(10));
  EXPECT_FLOAT_EQ(peak.cost(), 1) << "no time has passed";
  peak.note(took(0, kStart + seconds(10)), 0, seconds(10));
  EXPECT_NEAR(peak.cost(), std::exp(-1), 1e-4);
  // In small steps as in a large one.
  for (int i = 1; i <= 100; ++i) {
    peak.note(took(0, kStart + seconds(10) + i * milliseconds(100)), 0, seconds(10));
  }
  EXPECT_NEAR(peak.cost(), std::exp(-2), 1e-4);
}

TEST(PeakTimeTest, FailuresCountAsSlow) {
  PeakTime peak;
  peak.note(took(100), 0, seconds(10));
  peak.note(took(0, kStart, true), 0, seconds(10));
  EXPECT_FLOAT_EQ(peak.cost(), .2F);
  PeakTime unknown;
  unknown.note(took(0, kStart, true), .05F, seconds(10));
  EXPECT_FLOAT_EQ(unknown.cost(), .1F);
}

TEST(PeakEwmaTest, OneStallMovesTheTraffic) {
  const Hosts hosts({1, 1});
  PeakEwma policy(seconds(10));
  policy.setHosts(hosts.set());
  policy.onResult(hosts[0], took(10));
  policy.onResult(hosts[1], took(20));
  EXPECT_EQ(Picks(policy).one().host, &hosts[0]);
  policy.onResult(hosts[0], took(500));
  hosts.setActive({0, 9});
  EXPECT_EQ(Picks(policy).one().host, &hosts[1]);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
