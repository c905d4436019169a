#include "proxy/upstream/outlier/detector.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using Kind = Detector::Event::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

class DetectorTest : public testing::Test {
 protected:
  DetectorTest() {
    spec_->max_ejection_percent = 100;
    detector_.configure(spec_);
    hosts(10);
  }
  void hosts(size_t count) {
    hosts_.clear();
    for (size_t i = 0; i < count; ++i) {
      hosts_.push_back(std::make_shared<Host>(test::hostAddress(i), static_cast<uint32_t>(i), 2));
    }
    tell();
  }
  void tell() {
    detector_.setHosts({hosts_.begin(), hosts_.end()});
    detector_.setServing(static_cast<uint32_t>(hosts_.size()));
  }
  // Requests of the present interval, on two workers.
  void answers(size_t host, uint64_t ok, uint64_t failed) {
    hosts_[host]->metrics(0).answers_ok.add(ok / 2);
    hosts_[host]->metrics(1).answers_ok.add(ok - ok / 2);
    hosts_[host]->metrics(1).answers_failed.add(failed);
  }
  void times(size_t host, uint64_t requests, milliseconds each) {
    hosts_[host]->metrics(0).timed_answers.add(requests);
    hosts_[host]->metrics(0).answer_time_us.add(requests * static_cast<uint64_t>(each.count()) *
                                                1000);
  }
  Detector::Events fail(size_t host, uint32_t times = 5, Streak streak = Streak::ServerErrors) {
    for (uint32_t i = 0; i < times; ++i) hosts_[host]->streaks().extend(streak, 5);
    return detector_.onStreak(*hosts_[host], streak, now_);
  }
  Detector::Events sweep(event::Duration later = seconds(10)) {
    now_ += later;
    return detector_.sweep(now_);
  }
  // "3 out, 4 stays (overflow)" as numbers of hosts and kinds: "-3 !4 ~5 +6" for ejected, overflow,
  // not enforced and returned; "^7" for held.
  std::string text(const Detector::Events& events) {
    std::string out;
    for (const auto& event : events) {
      for (size_t i = 0; i < hosts_.size(); ++i) {
        if (hosts_[i]->address() != event.host) continue;
        out += (out.empty() ? "" : " ") + std::string(1, "-~!^+"[static_cast<size_t>(event.kind)]) +
               std::to_string(i);
      }
    }
    return out;
  }
  std::string out() {
    std::string out;
    for (size_t i = 0; i < hosts_.size(); ++i) {
      if (detector_.ejected(hosts_[i]->address())) out += std::to_string(i);
    }
    return out;
  }
  uint64_t detected(Detection by) { return metrics_.detected[static_cast<size_t>(by)].value(); }

  event::Random random_{1};
  OutlierMetrics metrics_;
  std::shared_ptr<OutlierSpec> spec_ = std::make_shared<OutlierSpec>();
  Detector detector_{random_, metrics_};
  std::vector<std::shared_ptr<Host>> hosts_;
  event::MonotonicTime now_{seconds(1000)};
};

// --- in a row ---

TEST_F(DetectorTest, FiveInARowAreOutForThirtySeconds) {
  EXPECT_EQ(text(fail(3, 4)), "") << "a success came between the fifth and its news";
  const auto events = fail(3, 1);
  ASSERT_EQ(text(events), "-3");
  EXPECT_EQ(events[0].by, Detection::Consecutive5xx);
  EXPECT_EQ(events[0].evidence, "5 responses of 5xx, or none, in a row");
  EXPECT_EQ(events[0].time, seconds(30));
  EXPECT_EQ(detector_.view(hosts_[3]->address()).evidence, events[0].evidence);
  EXPECT_EQ(hosts_[3]->streaks().length(Streak::ServerErrors), 0u);
  EXPECT_EQ(text(fail(3)), "") << "is out already";
  EXPECT_EQ(text(sweep()), "");
  EXPECT_EQ(text(sweep()), "");
  EXPECT_EQ(out(), "3");
  EXPECT_EQ(text(sweep()), "+3");
  EXPECT_EQ(out(), "");
  EXPECT_EQ(detector_.view(hosts_[3]->address()).evidence, "");
  EXPECT_EQ(detector_.view(hosts_[3]->address()).ejections, 1u);
  EXPECT_EQ(metrics_.ejections_active.value(), 0);
  EXPECT_EQ(metrics_.ejections_enforced_total.value(), 1u);
}

// REQUIREMENTS A2: max_fails=3 fail_timeout=30s.
TEST_F(DetectorTest, ThreeInARowAreOutForThirtySecondsWhereThreeAreEnough) {
  spec_->consecutive_5xx = 3;
  EXPECT_EQ(text(fail(3, 2)), "");
  const auto events = fail(3, 1);
  ASSERT_EQ(text(events), "-3");
  EXPECT_EQ(events[0].time, seconds(30));
  EXPECT_EQ(text(sweep(milliseconds(29'900))), "");
  EXPECT_EQ(text(sweep(milliseconds(100))), "+3");
}

TEST_F(DetectorTest, GatewayFailuresAreOnlyCountedUnlessEnforced) {
  EXPECT_EQ(text(fail(1, 5, Streak::GatewayFailures)), "~1");
  spec_->enforcing[static_cast<size_t>(Detection::ConsecutiveGatewayFailure)] = 100;
  EXPECT_EQ(text(fail(1, 5, Streak::GatewayFailures)), "-1");
  EXPECT_EQ(text(fail(2, 5, Streak::LocalFailures)), "-2");
  EXPECT_EQ(detected(Detection::ConsecutiveGatewayFailure), 2u);
  EXPECT_EQ(metrics_.enforced[static_cast<size_t>(Detection::ConsecutiveGatewayFailure)].value(),
            1u);
  EXPECT_EQ(detected(Detection::ConsecutiveLocalOriginFailure), 1u);
}

TEST_F(DetectorTest, EnforcingIsAChance) {
  spec_->enforcing.fill(30);
  int ejected = 0;
  for (int i = 0; i < 1000; ++i) {
    ejected += text(fail(0)) == "-0";
    if (!out().empty()) {
      spec_->health_check_unejects = true;
      detector_.onCheckPassed(hosts_[0]->address(), now_);
      tell();
    }
  }
  EXPECT_NEAR(ejected, 300, 60);
}

// --- for how long ---

TEST_F(DetectorTest, EachTimeInARowItIsOutForLonger) {
  spec_->max_ejection_time = seconds(100);
  for (const int expected : {30, 60, 90, 100, 100}) {
    const auto events = fail(0);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].time, seconds(expected));
    while (!out().empty()) sweep(seconds(1));
  }
  // Quiet intervals take it back, one by one: from four times to two.
  for (int i = 0; i < 3; ++i) sweep();
  EXPECT_EQ(fail(0)[0].time, seconds(60));
}

TEST_F(DetectorTest, JitterIsAddedWithinItsBounds) {
  spec_->max_ejection_jitter = seconds(10);
  event::Duration least = seconds(99), most{};
  for (size_t i = 0; i < 9; ++i) {
    const auto events = fail(i);
    ASSERT_EQ(events.size(), 1u);
    least = std::min(least, events[0].time);
    most = std::max(most, events[0].time);
  }
  EXPECT_GE(least, seconds(30));
  EXPECT_LT(most, seconds(40));
  EXPECT_GT(most - least, seconds(2));
}

TEST_F(DetectorTest, APassedCheckBringsItBackIfItMay) {
  fail(0);
  spec_->health_check_unejects = false;
  EXPECT_EQ(text(detector_.onCheckPassed(hosts_[0]->address(), now_)), "");
  spec_->health_check_unejects = true;
  EXPECT_EQ(text(detector_.onCheckPassed(hosts_[0]->address(), now_)), "+0");
  EXPECT_EQ(text(detector_.onCheckPassed(hosts_[0]->address(), now_)), "");
  EXPECT_EQ(text(detector_.onCheckPassed(test::hostAddress(99), now_)), "");
}

// --- how many ---

TEST_F(DetectorTest, ThePercentageIsRoundedDown) {
  const std::tuple<size_t, uint32_t, std::string> kCases[] = {
      {9, 10, ""},  {10, 10, "0"}, {19, 10, "0"},         {20, 10, "01"},
      {3, 50, "0"}, {2, 49, ""},   {10, 99, "012345678"}, {10, 0, ""}};
  for (const auto& [count, percent, expected] : kCases) {
    hosts(count);
    spec_->max_ejection_percent = percent;
    for (size_t i = 0; i < count; ++i) fail(i);
    EXPECT_EQ(out(), expected) << count << " hosts, " << percent << " %";
  }
}

TEST_F(DetectorTest, OneMayBeOutWhateverThePercentage) {
  hosts(3);
  spec_->max_ejection_percent = 0;
  spec_->always_eject_one = true;
  EXPECT_EQ(text(fail(1)), "-1");
  EXPECT_EQ(text(fail(2)), "!2");
  EXPECT_EQ(metrics_.ejections_overflow.value(), 1u);
}

TEST_F(DetectorTest, TheLastHostStays) {
  hosts(3);
  spec_->always_eject_one = true;
  EXPECT_EQ(text(fail(0)), "-0");
  EXPECT_EQ(text(fail(1)), "-1");
  EXPECT_EQ(text(fail(2)), "!2");
  // Also if it is health checks that have left only one, or a circuit breaker that takes one out.
  hosts(3);
  detector_.setServing(1);
  EXPECT_EQ(text(fail(0)), "!0");
  hosts(3);
  for (int i = 0; i < 5; ++i) detector_.noteOut();
  EXPECT_EQ(text(fail(0)), "!0");
}

// Its own time is over, but its checks may fail by now.
TEST_F(DetectorTest, WhoeverComesBackIsNotKnownToServe) {
  hosts(2);
  spec_->enforcing.fill(100);
  spec_->failure_percentage_minimum_hosts = 1;
  EXPECT_EQ(text(fail(0)), "-0");
  detector_.setServing(1);
  answers(1, 10, 90);
  EXPECT_EQ(text(sweep(seconds(30))), "+0 !1");
  tell();
  answers(1, 10, 90);
  EXPECT_EQ(text(sweep()), "-1");
}

// --- rates ---

// Worked by hand: rates 100 x 9 and 50: mean 95, deviation 15, threshold 95 - 1.9 x 15 = 66.5.
TEST_F(DetectorTest, SuccessRateFarBelowTheOthers) {
  for (size_t i = 0; i < 9; ++i) answers(i, 100, 0);
  answers(9, 50, 50);
  const auto events = sweep();
  ASSERT_EQ(text(events), "-9");
  EXPECT_EQ(events[0].evidence,
            "success rate 50.0 % of 100 requests, below 66.5 % (mean 95.0, standard deviation 15.0 "
            "of 10 hosts)");
  EXPECT_EQ(detector_.view(hosts_[9]->address()).success_rate, 50.0);
  EXPECT_EQ(detector_.view(hosts_[0]->address()).success_rate, 100.0);
  EXPECT_EQ(text(sweep()), "") << "counts from interval to interval";
  EXPECT_EQ(detector_.view(hosts_[0]->address()).success_rate, std::nullopt);
}

TEST_F(DetectorTest, SuccessRatesNeedRequestsAndHosts) {
  for (size_t i = 0; i < 9; ++i) answers(i, 100, 0);
  answers(9, 0, 49);  // too few requests
  EXPECT_EQ(text(sweep()), "");
  for (size_t i = 0; i < 4; ++i) answers(i, i == 3 ? 0 : 1000, i == 3 ? 1000 : 0);
  EXPECT_EQ(text(sweep()), "") << "four hosts of five";
  hosts(4);
  spec_->success_rate_minimum_hosts = 4;
  spec_->success_rate_factor = 1.5;
  for (size_t i = 0; i < 4; ++i) answers(i, i == 3 ? 0 : 1000, i == 3 ? 1000 : 0);
  EXPECT_EQ(text(sweep()), "-3");
}

TEST_F(DetectorTest, FailurePercentage) {
  spec_->enforcing = {0, 0, 0, 0, 0, 100, 100, 0};
  for (size_t i = 0; i < 5; ++i) answers(i, 50, 0);
  answers(5, 8, 42);  // 84 %
  answers(6, 6, 34);  // 85 %, but only 40 requests
  EXPECT_EQ(text(sweep()), "");
  for (size_t i = 0; i < 5; ++i) answers(i, 50, 0);
  answers(5, 15, 85);
  answers(6, 0, 50);
  EXPECT_EQ(text(sweep()), "-6 -5") << "the worst first";
  answers(0, 0, 50);
  EXPECT_EQ(text(sweep()), "") << "one host of five";
}

TEST_F(DetectorTest, RatesOfLocalOriginOnlyIfToldApart) {
  const auto unreached = [&] {
    for (size_t i = 0; i < 10; ++i) {
      hosts_[i]->metrics(0).reached.add(i == 4 ? 0 : 100);
      hosts_[i]->metrics(0).unreached.add(i == 4 ? 100 : 0);
    }
  };
  unreached();
  EXPECT_EQ(text(sweep()), "");
  spec_->split_local_errors = true;
  unreached();
  const auto events = sweep();
  ASSERT_EQ(text(events), "-4");
  EXPECT_EQ(events[0].by, Detection::LocalOriginSuccessRate);
  EXPECT_EQ(detector_.view(hosts_[4]->address()).local_origin_success_rate, 0.0);
}

TEST_F(DetectorTest, SlowHosts) {
  hosts(4);
  spec_->latency.emplace();
  const auto interval = [&](milliseconds slow, uint64_t requests = 20) {
    for (size_t i = 0; i < 3; ++i) times(i, 20, milliseconds(100));
    times(3, requests, slow);
    return sweep();
  };
  EXPECT_EQ(text(interval(milliseconds(300))), "") << "three times is not more than three times";
  EXPECT_EQ(text(interval(milliseconds(900), 19)), "");
  const auto events = interval(milliseconds(301));
  ASSERT_EQ(text(events), "-3");
  EXPECT_EQ(events[0].by, Detection::Latency);
  EXPECT_EQ(events[0].evidence,
            "mean response time 301 ms of 20 requests, above 300 ms (median 100 ms of 4 hosts)");
  // Of fast hosts one that is slower by less than the excess is none.
  hosts(4);
  for (size_t i = 0; i < 3; ++i) times(i, 20, milliseconds(1));
  times(3, 20, milliseconds(100));
  EXPECT_EQ(text(sweep()), "");
}

// --- hosts come and go ---

TEST_F(DetectorTest, WhatIsKnownOfHostsThatStayIsKept) {
  fail(0);
  fail(1);
  auto gone = hosts_[0];
  hosts_.erase(hosts_.begin());
  tell();
  EXPECT_EQ(out(), "0") << "the one that was second";
  EXPECT_EQ(metrics_.ejections_active.value(), 1);
  EXPECT_TRUE(detector_.onStreak(*gone, Streak::ServerErrors, now_).empty());
  // Counts of before a host was known are not of its first interval.
  hosts(10);
  for (size_t i = 0; i < 9; ++i) answers(i, 100, 0);
  hosts_.push_back(std::make_shared<Host>(test::hostAddress(50), 50, 2));
  answers(10, 0, 1000);
  tell();
  EXPECT_EQ(text(sweep()), "");
}

TEST_F(DetectorTest, AnAddressThatOccursTwiceIsOneHost) {
  for (const bool is_new : {false, true}) {
    hosts(3);
    if (is_new) detector_.setHosts({});
    detector_.setHosts({hosts_[0], hosts_[0], hosts_[1]});
    spec_->max_ejection_percent = 50;
    EXPECT_EQ(text(fail(0)), "-0");
    EXPECT_EQ(out(), "0") << is_new;
    EXPECT_EQ(text(fail(1)), "!1");
  }
}

// Whatever comes between a row and its news, the next row is told.
TEST_F(DetectorTest, ARowThatNothingWasDoneAboutIsToldAgain) {
  Streaks& streaks = hosts_[0]->streaks();
  const auto row = [&] {
    int told = 0;
    for (int i = 0; i < 5; ++i) told += streaks.extend(Streak::ServerErrors, 5);
    return told;
  };
  const auto news = [&] {
    return text(detector_.onStreak(*hosts_[0], Streak::ServerErrors, now_));
  };
  // As if a success had come on another worker, between the fifth failure and its note that main is
  // told: the row is short, and told.
  EXPECT_TRUE(streaks.extend(Streak::ServerErrors, 1));
  EXPECT_EQ(news(), "");
  EXPECT_EQ(row(), 1);
  EXPECT_EQ(news(), "-0");
  // While it is out, as in panic.
  EXPECT_EQ(row(), 1);
  EXPECT_EQ(news(), "");
  sweep(seconds(30));
  EXPECT_EQ(row(), 1);
  EXPECT_EQ(news(), "-0");
  // While nobody watches.
  detector_.setHosts({});
  EXPECT_EQ(row(), 1);
  EXPECT_EQ(news(), "");
  tell();
  EXPECT_EQ(row(), 1);
  EXPECT_EQ(news(), "-0");
}

TEST_F(DetectorTest, WhatIsHeldIsCountedAndStays) {
  detector_.holdBy(
      [this](const net::Address& host, Detection) { return host == hosts_[1]->address(); });
  EXPECT_EQ(text(fail(1)), "^1");
  EXPECT_EQ(text(fail(0)), "-0");
  EXPECT_EQ(text(fail(1, 5, Streak::GatewayFailures)), "~1") << "is only counted";
  EXPECT_EQ(text(fail(2, 5, Streak::LocalFailures)), "-2");
  EXPECT_EQ(metrics_.ejections_held.value(), 1u);
  EXPECT_EQ(
      text(detector_.takeBack(
          [](const net::Address&, Detection by) { return by == Detection::Consecutive5xx; }, now_)),
      "+0");
  EXPECT_EQ(out(), "2");
}

// A host that answers its checks, serves well for a while after each return and then fails again:
// out for longer each time, so that it settles at being out.
TEST_F(DetectorTest, AGrayFailureDoesNotOscillate) {
  spec_->health_check_unejects = false;
  event::Duration served{};
  int ejections = 0;
  const auto end = now_ + std::chrono::hours(2);
  while (now_ < end) {
    const bool out = detector_.ejected(hosts_[0]->address());
    for (size_t i = 1; i < 10; ++i) answers(i, 1000, 0);
    if (!out) {
      served += seconds(10);
      ejections += text(fail(0)) == "-0";
    }
    sweep();
    tell();
  }
  const event::Duration all = std::chrono::hours(2);
  EXPECT_LT(ejections, 30) << "one every ten seconds without back-off";
  EXPECT_LT(served, all / 20);
}

}  // namespace
}  // namespace convoy::upstream
