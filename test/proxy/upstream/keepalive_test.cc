#include "proxy/upstream/keepalive.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::upstream {
namespace {

using namespace std::chrono_literals;

class KeepaliveTest : public testing::Test, private KeepaliveLink {
 protected:
  KeepaliveTest() { clock_.attach(loop_.loop()); }
  ~KeepaliveTest() override { clock_.detach(loop_.loop()); }

  void watch(KeepaliveSpec spec) {
    loop_.runReady();  // reads the clock
    pings_.clear();
    silent_ = 0;
    began_ = clock_.monotonicNow();
    KeepaliveLink& link = *this;
    keepalive_ = std::make_unique<Keepalive>(loop_.loop(), spec, link);
  }
  void pass(event::Duration time) { clock_.advanceInSteps(time, 100ms); }
  // Seconds after the watch began at which PINGs were sent.
  std::vector<int> pings() const {
    std::vector<int> seconds;
    for (const event::Duration at : pings_) {
      seconds.push_back(static_cast<int>(std::chrono::round<std::chrono::seconds>(at).count()));
    }
    return seconds;
  }

  test::SimulatedClock clock_;
  test::TestLoop loop_{clock_};
  std::unique_ptr<Keepalive> keepalive_;
  uint64_t reads_ = 0;
  uint32_t streams_ = 1;
  uint32_t acknowledged_ = UINT32_MAX - 500;  // it wraps
  uint64_t owed_ = 0;
  bool answers_ = false;
  int silent_ = 0;
  event::MonotonicTime began_;
  std::vector<event::Duration> pings_;

 private:
  uint64_t reads() const override { return reads_; }
  uint32_t streams() const override { return streams_; }
  uint32_t acknowledged() override { return acknowledged_; }
  uint64_t unacknowledged() override { return owed_; }
  void sendPing() override {
    pings_.push_back(clock_.monotonicNow() - began_);
    if (answers_) ++reads_;
  }
  void onSilent() override {
    ++silent_;
    keepalive_.reset();
  }
};

constexpr KeepaliveSpec kSpec = {.interval = 30s, .jitter_percent = 0, .timeout = 10s};

TEST_F(KeepaliveTest, ASilentPeerIsFoundAfterTheIntervalAndTheTimeout) {
  watch(kSpec);
  pass(39s);
  EXPECT_EQ(pings(), (std::vector{30}));
  EXPECT_EQ(silent_, 0);
  pass(2s);
  EXPECT_EQ(silent_, 1);
}

TEST_F(KeepaliveTest, AnAnswerThatALoopHeldUpHasNotReadYetCounts) {
  watch(kSpec);
  pass(30s);
  ASSERT_EQ(pings(), (std::vector{30}));
  clock_.advance(1min);
  loop_.runReady();  // time-outs come first, then what waits in the sockets
  ++reads_;
  pass(5s);
  EXPECT_EQ(silent_, 0);
}

TEST_F(KeepaliveTest, APingThatALoopHeldUpSentLateGetsItsTime) {
  watch(kSpec);
  pass(30s);
  clock_.advance(1min);
  pass(9s);
  EXPECT_EQ(silent_, 0);
  pass(2s);
  EXPECT_EQ(silent_, 1);
}

TEST_F(KeepaliveTest, APeerThatIsHeardOfIsNotAsked) {
  watch(kSpec);
  for (int i = 0; i < 100; ++i) {
    ++reads_;
    pass(29s);
  }
  EXPECT_EQ(pings(), std::vector<int>());
  pass(80s);
  EXPECT_EQ(silent_, 1) << "within two intervals and a time-out";
}

// What a stock server of gRPC bears, for as long as the stream may be silent.
TEST_F(KeepaliveTest, InOneSilenceTwoPingsThenOneInSixMinutes) {
  answers_ = true;
  watch(kSpec);
  pass(15min);
  EXPECT_EQ(pings(), (std::vector{30, 60, 420, 780}));
  EXPECT_EQ(silent_, 0);
  ++reads_;  // something else than an answer: the silence is over
  pings_.clear();
  pass(90s);
  EXPECT_EQ(pings().size(), 2U);
}

TEST_F(KeepaliveTest, WhatComesBesidesTheAnswerEndsTheSilenceToo) {
  answers_ = true;
  watch(kSpec);
  for (int i = 0; i < 10; ++i) {
    pass(30s);
    ++reads_;
  }
  EXPECT_EQ(pings().size(), 10U);
}

TEST_F(KeepaliveTest, APeerThatIsSlowIsNotGone) {
  owed_ = 3000;
  watch(kSpec);
  pass(35s);
  // It is written to all the time.
  acknowledged_ += 1000;
  pass(10s);
  EXPECT_EQ(silent_, 0);
  acknowledged_ += 4000;
  pass(10s);
  EXPECT_EQ(silent_, 0) << "it has the PING now, and a time-out for the answer";
  pass(10s);
  EXPECT_EQ(silent_, 1);
}

TEST_F(KeepaliveTest, RequestsThatAreWrittenToADeadPeerDoNotKeepItAlive) {
  owed_ = 1000;
  watch(kSpec);
  for (int second = 0; second < 45; ++second) {
    owed_ += 1000;
    pass(1s);
  }
  EXPECT_EQ(silent_, 1);
}

TEST_F(KeepaliveTest, TheIntervalIsSpreadUpwardsByItsJitter) {
  KeepaliveSpec spec = kSpec;
  spec.jitter_percent = 15;
  std::vector<int> seconds(40);
  for (int i = 0; i < 200; ++i) {
    watch(spec);
    pass(40s);
    ASSERT_EQ(pings_.size(), 1U);
    EXPECT_GE(pings_[0], 30s);
    EXPECT_LE(pings_[0], 34600ms);
    ++seconds[static_cast<size_t>(pings_[0] / 1s)];
  }
  for (const size_t second : {30, 31, 32, 33}) EXPECT_GT(seconds[second], 20) << second;
}

TEST_F(KeepaliveTest, WithoutAnIntervalNobodyIsAsked) {
  watch({.timeout = 10s});
  keepalive_->onUse(24h);
  pass(1h);
  EXPECT_EQ(pings(), std::vector<int>());
}

TEST_F(KeepaliveTest, AConnectionThatWasIdleIsAskedWhenItIsUsed) {
  for (const auto interval : {0s, 30s}) {
    streams_ = 0;
    watch({.interval = interval, .jitter_percent = 0, .timeout = 10s, .idle_interval = 20s});
    pass(100s);
    keepalive_->onUse(19s);
    EXPECT_EQ(pings(), std::vector<int>()) << "while it is idle, and after a short time";
    streams_ = 1;
    keepalive_->onUse(20s);
    keepalive_->onUse(20s);
    EXPECT_EQ(pings(), (std::vector{100})) << "once";
    pass(11s);
    EXPECT_EQ(silent_, 1);
  }
}

TEST_F(KeepaliveTest, AConnectionThatIsIdleIsAskedEveryIntervalIfNotWhenItIsUsed) {
  streams_ = 0;
  watch(kSpec);
  pass(41s);
  EXPECT_EQ(pings(), (std::vector{30}));
  EXPECT_EQ(silent_, 1);
}

TEST_F(KeepaliveTest, ATimeoutLongerThanTheIntervalIsWaitedFor) {
  answers_ = true;
  watch({.interval = 1s, .jitter_percent = 0, .timeout = 60s});
  pass(62s);
  EXPECT_EQ(pings(), (std::vector{1, 61}));
}

}  // namespace
}  // namespace convoy::upstream
