#include "proxy/upstream/algorithms/least_response_time.h"

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

TEST(LeastResponseTimeTest, TheNumbersOfTheRequirements) {
  struct Case {
    std::vector<int> means;
    std::vector<uint32_t> active;
    const char* pick;
  };
  const Case cases[] = {
      {{50, 30, 45}, {0, 0, 0}, "B"},
      {{50, 100, 30}, {10, 5, 8}, "C"},
      {{10, 50, 200}, {0, 0, 0}, "A"},
  };
  for (const Case& c : cases) {
    const Hosts hosts({1, 1, 1});
    LeastResponseTime policy(seconds(10));
    policy.setHosts(hosts.set());
    for (size_t i = 0; i < 3; ++i) policy.onResult(hosts[i], took(c.means[i]));
    hosts.setActive(c.active);
    EXPECT_EQ(Picks(policy).text(1), c.pick);
  }
}

// A10: a window that is divided by its full length while it fills makes new hosts look fast.
TEST(MeanTimeTest, TheFirstResultsAreTheirMean) {
  MeanTime mean;
  double sum = 0;
  for (int i = 1; i <= 10; ++i) {
    mean.note(took(10 * i), 0, seconds(10));
    sum += 10 * i;
    EXPECT_NEAR(mean.cost(), sum / i / 1000, 1e-6) << i;
  }
  // From then on one part in ten.
  const float before = mean.cost();
  mean.note(took(1000), 0, seconds(10));
  EXPECT_NEAR(mean.cost(), before + (1 - before) / 10, 1e-6);
}

TEST(MeanTimeTest, OldResultsAreForgotten) {
  MeanTime mean;
  for (int i = 0; i < 20; ++i) mean.note(took(1000), 0, seconds(10));
  mean.note(took(0, kStart + seconds(10)), 0, seconds(10));
  EXPECT_NEAR(mean.cost(), std::exp(-1), 1e-4);
  EXPECT_EQ(mean.at(), kStart + seconds(10));
}

TEST(MeanTimeTest, AHostThatFailsAtOnceIsNotFast) {
  MeanTime known;
  known.note(took(100), 0, seconds(10));
  known.note(took(0, kStart, true), 0, seconds(10));
  EXPECT_NEAR(known.cost(), .15, 1e-6);  // the mean of 100 and 200
  MeanTime unknown;
  unknown.note(took(1, kStart, true), .3F, seconds(10));
  EXPECT_NEAR(unknown.cost(), .6, 1e-6);  // twice the pool's median
  MeanTime slow;
  slow.note(took(90'000, kStart, true), 0, seconds(10));
  EXPECT_NEAR(slow.cost(), 90, 1e-3);  // what it took, if that is more
  for (int i = 0; i < 1000; ++i) known.note(took(0, kStart, true), 0, seconds(10));
  EXPECT_LE(known.cost(), 60.F);
}

// A client that leaves early says nothing good of the host; one that has waited long, nothing good
// either.
TEST(MeanTimeTest, AResponseThatNobodyWaitedForIsNoFastOne) {
  const auto left = [](int ms) {
    return RequestResult{.abandoned = true, .took = milliseconds(ms), .now = kStart};
  };
  MeanTime mean;
  mean.note(took(100), 0, seconds(10));
  mean.note(left(1), 0, seconds(10));
  EXPECT_NEAR(mean.cost(), .1, 1e-6);
  mean.note(left(400), 0, seconds(10));
  EXPECT_NEAR(mean.cost(), .2, 1e-6);
  MeanTime unknown;
  unknown.note(left(1), .3F, seconds(10));
  EXPECT_NEAR(unknown.cost(), .3, 1e-6) << "the pool's median";
}

// One host of three answers in 200 ms instead of 10: it loses its traffic, but for a look now and
// then.
TEST(LeastResponseTimeTest, TrafficLeavesASlowHost) {
  const Hosts hosts({1, 1, 1});
  LeastResponseTime policy(seconds(10));
  policy.setHosts(hosts.set());
  Picks picks(policy);
  picks.now = kStart;
  std::vector<int> counts(3);
  for (int i = 0; i < 3000; ++i) {
    const Pick pick = picks.one();
    picks.now += milliseconds(10);
    ++counts[pick.host->slot()];
    policy.onResult(*pick.host, took(pick.host == &hosts[1] ? 200 : 10, picks.now));
    pick.host->active() -= 1;
  }
  EXPECT_LT(counts[1], 10);
  EXPECT_GT(counts[1], 1);
  EXPECT_GT(counts[2], 1);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
