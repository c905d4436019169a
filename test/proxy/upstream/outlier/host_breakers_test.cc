#include "proxy/upstream/outlier/host_breakers.h"

#include <gtest/gtest.h>

#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using std::chrono::seconds;
using State = HostBreakers::State;

class HostBreakersTest : public testing::Test {
 protected:
  HostBreakersTest() {
    for (uint32_t i = 0; i < 3; ++i) {
      hosts_.push_back(std::make_shared<Host>(test::hostAddress(i), i, 1));
    }
    tell();
  }
  void tell() { breakers_.setHosts({hosts_.begin(), hosts_.end()}); }
  bool fail(size_t host, uint32_t times = 5) {
    for (uint32_t i = 0; i < times; ++i) hosts_[host]->streaks().extend(Streak::Failures, 5);
    return breakers_.onFailures(*hosts_[host], now_);
  }
  State state(size_t host) { return breakers_.state(hosts_[host]->address()); }
  size_t after(event::Duration time) {
    now_ += time;
    return breakers_.advance(now_).size();
  }

  HostBreakers breakers_;
  std::vector<std::shared_ptr<Host>> hosts_;
  event::MonotonicTime now_{seconds(1000)};
};

TEST_F(HostBreakersTest, FiveFailuresSixtySecondsAndOneProbe) {
  EXPECT_FALSE(fail(0, 4)) << "a success came meanwhile";
  EXPECT_EQ(breakers_.next(), std::nullopt);
  EXPECT_TRUE(fail(0, 1));
  EXPECT_EQ(state(0), State::Open);
  EXPECT_EQ(breakers_.next(), now_ + seconds(60));
  EXPECT_FALSE(fail(0)) << "requests that were under way";
  EXPECT_EQ(after(seconds(59)), 0u);
  EXPECT_FALSE(hosts_[0]->streaks().takeProbe());
  EXPECT_EQ(after(seconds(1)), 1u);
  EXPECT_EQ(state(0), State::HalfOpen);
  ASSERT_EQ(breakers_.halfOpen().size(), 1u);
  EXPECT_EQ(breakers_.halfOpen()[0], hosts_[0]);
  EXPECT_TRUE(hosts_[0]->streaks().takeProbe());
  EXPECT_TRUE(breakers_.onProbe(*hosts_[0], true, now_));
  EXPECT_EQ(state(0), State::Closed);
  EXPECT_FALSE(breakers_.onProbe(*hosts_[0], false, now_)) << "late news";
  EXPECT_FALSE(hosts_[0]->streaks().takeProbe());
  EXPECT_FALSE(fail(0, 4)) << "it counts from nothing";
  EXPECT_TRUE(fail(0, 1));
}

// A10.5: entering the half-open state resets nothing that one failed probe would need.
TEST_F(HostBreakersTest, TheFirstFailedProbeOpensItAgain) {
  fail(0);
  after(seconds(60));
  EXPECT_TRUE(breakers_.onProbe(*hosts_[0], false, now_));
  EXPECT_EQ(state(0), State::Open);
  EXPECT_EQ(breakers_.next(), now_ + seconds(60));
  EXPECT_FALSE(hosts_[0]->streaks().takeProbe());
  EXPECT_EQ(after(seconds(60)), 1u);
}

// Whatever comes between a row and its news, the next row is told.
TEST_F(HostBreakersTest, ARowThatNothingWasDoneAboutIsToldAgain) {
  Streaks& streaks = hosts_[0]->streaks();
  const auto row = [&] {
    int told = 0;
    for (int i = 0; i < 5; ++i) told += streaks.extend(Streak::Failures, 5);
    return told;
  };
  EXPECT_TRUE(streaks.extend(Streak::Failures, 1)) << "short, and told";
  EXPECT_FALSE(breakers_.onFailures(*hosts_[0], now_));
  EXPECT_EQ(row(), 1);
  EXPECT_TRUE(breakers_.onFailures(*hosts_[0], now_));
  // The rule goes and comes.
  breakers_.setHosts({});
  tell();
  EXPECT_EQ(row(), 1);
  EXPECT_TRUE(breakers_.onFailures(*hosts_[0], now_));
}

TEST_F(HostBreakersTest, AHostThatOthersAreAgainstIsNotProbed) {
  fail(0);
  EXPECT_FALSE(breakers_.allowProbes(hosts_[0]->address(), false)) << "nobody probes it yet";
  after(seconds(60));
  EXPECT_EQ(state(0), State::HalfOpen);
  EXPECT_TRUE(breakers_.halfOpen().empty());
  EXPECT_TRUE(breakers_.allowProbes(hosts_[0]->address(), true));
  EXPECT_EQ(breakers_.halfOpen().size(), 1u);
  EXPECT_FALSE(breakers_.allowProbes(hosts_[0]->address(), true));
  EXPECT_FALSE(breakers_.allowProbes(test::hostAddress(99), false));
}

TEST_F(HostBreakersTest, HostsComeAndGo) {
  fail(0);
  const auto gone = hosts_[0];
  now_ += seconds(10);
  fail(1);
  EXPECT_EQ(breakers_.next(), now_ + seconds(50)) << "the earliest";
  hosts_[0] = std::make_shared<Host>(test::hostAddress(0), 0, 1);
  hosts_.push_back(hosts_[0]);  // twice
  tell();
  EXPECT_EQ(state(0), State::Closed) << "another host of the same address";
  EXPECT_EQ(state(1), State::Open);
  EXPECT_FALSE(breakers_.onFailures(*gone, now_));
  EXPECT_FALSE(breakers_.onProbe(*gone, true, now_));
  EXPECT_EQ(breakers_.state(test::hostAddress(99)), State::Closed);
}

}  // namespace
}  // namespace convoy::upstream
