#include "proxy/upstream/outlier/governor.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Standing = Governor::Standing;

class GovernorTest : public testing::Test {
 protected:
  GovernorTest() { configure({.max_requests = 50, .requests_per_second = 10}); }
  void configure(RecoverySpec spec) {
    spec.jitter = seconds(4);
    spec.settle_time = seconds(20);
    governor_.configure(spec);
  }
  // Another round; returns how many serve.
  size_t round(const std::set<size_t>& out) {
    governor_.beginRound();
    size_t serve = 0;
    for (size_t i = 0; i < kHosts; ++i) {
      serve += governor_.note(test::hostAddress(i), !out.contains(i), now_);
    }
    governor_.endRound(now_);
    governor_.noteServing(serve);
    return serve;
  }
  Standing standing(size_t host) { return governor_.standing(test::hostAddress(host)); }
  uint32_t cap() { return governor_.cap(now_); }

  static constexpr size_t kHosts = 10;
  const std::set<size_t> all_{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  event::Random random_{7};
  Governor governor_{random_};
  event::MonotonicTime now_{seconds(1000)};
};

TEST_F(GovernorTest, FewHostsMayComeAndGo) {
  EXPECT_EQ(round({0, 1, 2, 3, 4}), 5u);
  EXPECT_FALSE(governor_.active()) << "half of them are not more than half";
  EXPECT_EQ(round({}), 10u);
  EXPECT_EQ(standing(0), Standing::Free);
  EXPECT_EQ(cap(), Governor::kNoCap);
  EXPECT_EQ(governor_.next(now_), std::nullopt);
}

TEST_F(GovernorTest, AfterAnOutageTheyComeBackOneByOneWithinTheCap) {
  round(all_);
  EXPECT_TRUE(governor_.active());
  EXPECT_EQ(governor_.next(now_), std::nullopt) << "nobody is back";
  now_ += seconds(60);
  const size_t at_once = round({});
  EXPECT_LT(at_once, 3u);
  size_t serve = at_once, before = at_once;
  bool stepwise = true;
  for (int i = 0; i < 40; ++i) {
    now_ += milliseconds(100);
    if (governor_.due(now_)) serve = round({});
    stepwise &= serve - before <= 3;
    before = serve;
  }
  EXPECT_TRUE(stepwise);
  EXPECT_EQ(serve, kHosts) << "within the jitter";
  EXPECT_EQ(standing(3), Standing::Metered);
  EXPECT_GE(cap(), 10u);
  EXPECT_LE(cap(), 50u);
  now_ += seconds(10);
  EXPECT_EQ(cap(), 50u);
  EXPECT_FALSE(governor_.due(now_));
  now_ += seconds(10);
  EXPECT_TRUE(governor_.due(now_)) << "settled";
  round({});
  EXPECT_FALSE(governor_.active());
  EXPECT_EQ(standing(3), Standing::Free);
  EXPECT_EQ(cap(), Governor::kNoCap);
}

TEST_F(GovernorTest, WhoeverServedThroughTheOutageIsNotMetered) {
  std::set<size_t> most = all_;
  most.erase(4);
  round(most);
  now_ += seconds(5);
  round({});
  now_ += seconds(5);
  round({});
  EXPECT_EQ(standing(4), Standing::Free);
  EXPECT_EQ(standing(5), Standing::Metered);
}

TEST_F(GovernorTest, AnotherOutageBeginsFromNothing) {
  round(all_);
  round({});
  now_ += seconds(5);
  round({});
  now_ += seconds(15);
  EXPECT_EQ(cap(), 50u);
  round(all_);
  round({});
  now_ += seconds(4);
  round({});
  EXPECT_LE(cap(), 50u);
  EXPECT_EQ(cap(), 10u) << "since the first return of this outage";
}

// What three of ten hosts had of the cap they keep, and no more comes in before somebody is back.
TEST_F(GovernorTest, AnotherOutageThatSomeServeThroughBeginsWithTheirShare) {
  round(all_);
  round({});
  now_ += seconds(5);
  round({});
  now_ += seconds(10);
  ASSERT_EQ(cap(), 50u);
  round({0, 1, 2, 3, 4});
  EXPECT_EQ(cap(), 50u) << "half of them are not more than half";
  const std::set<size_t> seven{0, 1, 2, 3, 4, 5, 6};
  round(seven);
  EXPECT_EQ(cap(), 15u);
  now_ += seconds(60);
  round(seven);
  EXPECT_EQ(cap(), 15u) << "whatever time passes";
  EXPECT_EQ(standing(7), Standing::Metered);
  round({});
  now_ += seconds(4);
  round({});
  EXPECT_EQ(cap(), 25u) << "with the first return";
  now_ += seconds(2);
  EXPECT_EQ(cap(), 45u);
  now_ += seconds(2);
  EXPECT_EQ(cap(), 50u);
  // When these are out as well, nobody has anything.
  round(seven);
  round(all_);
  round({});
  now_ += seconds(4);
  round({});
  EXPECT_EQ(cap(), 10u);
}

// REQUIREMENTS A2: jitter, uniform over 0 to 10 s.
TEST_F(GovernorTest, TheWaitsOfTheDefaultAreUniformOverTenSeconds) {
  constexpr size_t kMany = 2000, kSlots = 20;
  governor_.configure({});
  std::vector<double> returned(kSlots);
  const auto roundOf = [&](bool usable) {
    governor_.beginRound();
    size_t serve = 0;
    for (size_t i = 0; i < kMany; ++i) serve += governor_.note(test::hostAddress(i), usable, now_);
    governor_.endRound(now_);
    return serve;
  };
  roundOf(false);
  size_t before = roundOf(true);
  EXPECT_EQ(before, 0u);
  for (double& slot : returned) {
    now_ += milliseconds(500);
    const size_t serve = roundOf(true);
    slot = static_cast<double>(serve - before);
    before = serve;
  }
  EXPECT_EQ(before, kMany) << "nobody waits for longer";
  // Chi-square with 19 degrees of freedom: above 43.8 once in a thousand.
  constexpr double kExpected = static_cast<double>(kMany) / kSlots;
  double chi = 0;
  for (const double slot : returned) chi += (slot - kExpected) * (slot - kExpected) / kExpected;
  EXPECT_LT(chi, 43.8);
}

// A machine that is dead, or flaps, is no outage of many.
TEST_F(GovernorTest, OneThatNeverComesBackDoesNotKeepTheCap) {
  for (const bool flaps : {false, true}) {
    governor_.reset();
    round(all_);
    const std::set<size_t> dead{9};
    event::Duration held{};
    for (int i = 0; governor_.active() && i < 600; ++i) {
      now_ += milliseconds(100);
      held += milliseconds(100);
      // Two seconds down, eight up, of which four at most it waits.
      const bool up = flaps && i % 100 >= 20;
      if (governor_.due(now_) || (flaps && i % 10 == 0) || i == 0) {
        round(up ? std::set<size_t>() : dead);
      }
    }
    EXPECT_LE(held, seconds(4 + 20 + 9)) << flaps;
    EXPECT_GE(held, seconds(20)) << flaps;
    EXPECT_EQ(cap(), Governor::kNoCap);
    EXPECT_EQ(standing(0), Standing::Free);
    round({});
    EXPECT_EQ(standing(9), Standing::Free) << "when it comes after all";
  }
}

// The outage's end is nobody's return.
TEST_F(GovernorTest, HostsThatAreAddedDoNotEndTheRecovery) {
  const std::set<size_t> first_half{0, 1, 2, 3, 4};
  governor_.beginRound();
  for (const size_t host : first_half) governor_.note(test::hostAddress(host), false, now_);
  governor_.endRound(now_);
  ASSERT_TRUE(governor_.active());
  now_ += seconds(60);
  round(first_half);
  EXPECT_TRUE(governor_.active());
  now_ += seconds(10);
  round({});
  EXPECT_NE(standing(0), Standing::Free);
  now_ += seconds(4);
  round({});
  EXPECT_EQ(standing(0), Standing::Metered);
  now_ += seconds(20);
  round({});
  EXPECT_FALSE(governor_.active());
}

TEST_F(GovernorTest, HalfOfAnOutageIsNotOverYet) {
  round(all_);
  const std::set<size_t> some{0, 1, 2};
  const std::set<size_t> few{0, 1};
  round(some);
  now_ += seconds(60);
  round(some);
  now_ += seconds(60);
  round(some);
  EXPECT_TRUE(governor_.active());
  round(few);
  now_ += seconds(60);
  round(few);
  now_ += seconds(60);
  round(few);
  EXPECT_FALSE(governor_.active());
}

// Else a cap without a request for them could never grow again.
TEST_F(GovernorTest, WhoServesOnHasARequestAtLeast) {
  configure({.outage_percent = 80, .max_requests = 10, .requests_per_second = 1});
  round(all_);
  std::set<size_t> nine = all_;
  nine.erase(3);
  while (round(nine) == 0) now_ += milliseconds(100);
  EXPECT_EQ(cap(), 1u);
  const std::set<size_t> eight{0, 1, 2, 4, 5, 6, 7, 8};
  while (round(eight) == 1) now_ += milliseconds(100);
  round(nine);
  EXPECT_EQ(cap(), 1u) << "a tenth of what there was";
  now_ += seconds(60);
  EXPECT_EQ(cap(), 1u);
}

// It is told, so that those that wait serve in panic after all.
TEST_F(GovernorTest, WhenTheLastOneThatServesGoesNobodyMayWait) {
  round(all_);
  std::set<size_t> out;
  while (round(out) == 0) now_ += milliseconds(10);
  governor_.noteServing(1);
  const auto waiting = [&] {
    for (size_t i = 0; i < kHosts; ++i) {
      if (standing(i) == Standing::Waits) return test::hostAddress(i);
    }
    return test::hostAddress(kHosts);
  }();
  EXPECT_TRUE(governor_.mayWait(waiting));
  EXPECT_FALSE(governor_.due(now_));
  governor_.noteServing(0);
  EXPECT_TRUE(governor_.due(now_));
  EXPECT_FALSE(governor_.mayWait(waiting));
}

// In panic hosts serve that are out.
TEST_F(GovernorTest, BeforeAnybodyIsBackThereIsACapToo) {
  round(all_);
  EXPECT_EQ(cap(), 50u);
  EXPECT_FALSE(governor_.mayWait(test::hostAddress(0)));
  size_t serve = 0;
  while ((serve = round({})) == 0) {
    EXPECT_EQ(cap(), 50u);
    for (size_t i = 0; i < kHosts; ++i) {
      EXPECT_FALSE(governor_.mayWait(test::hostAddress(i))) << "nobody serves";
    }
    now_ += milliseconds(10);
  }
  EXPECT_EQ(cap(), 10u);
  EXPECT_TRUE(governor_.due(now_)) << "so that the others wait for real";
  size_t waits = 0;
  for (size_t i = 0; i < kHosts; ++i) waits += governor_.mayWait(test::hostAddress(i));
  EXPECT_EQ(waits, kHosts - serve);
  round({});
  EXPECT_FALSE(governor_.due(now_));
}

TEST_F(GovernorTest, HostsThatAreGoneAreForgotten) {
  round(all_);
  governor_.beginRound();
  governor_.note(test::hostAddress(0), true, now_);
  governor_.endRound(now_);
  EXPECT_EQ(standing(1), Standing::Free);
  governor_.reset();
  EXPECT_FALSE(governor_.active());
}

}  // namespace
}  // namespace convoy::upstream
