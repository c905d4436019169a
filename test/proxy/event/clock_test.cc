#include "proxy/event/clock.h"

#include <gtest/gtest.h>

#include <ctime>

#include "test/common/simulated_clock.h"

namespace convoy::event {
namespace {

TEST(SystemClock, MonotonicTimeNeverGoesBack) {
  const SystemClock clock;
  MonotonicTime last = clock.monotonicNow();
  for (int i = 0; i < 1000; ++i) {
    const MonotonicTime now = clock.monotonicNow();
    EXPECT_GE(now, last);
    last = now;
  }
  EXPECT_TRUE(clock.flowsByItself());
}

TEST(SystemClock, WallTimeIsTheSystems) {
  const SystemClock clock;
  const uint64_t before = wallMicroseconds();
  const auto wall =
      std::chrono::duration_cast<std::chrono::microseconds>(clock.wallNow().time_since_epoch());
  const uint64_t after = wallMicroseconds();
  EXPECT_LE(before, static_cast<uint64_t>(wall.count()));
  EXPECT_LE(static_cast<uint64_t>(wall.count()), after);
  EXPECT_GT(before, 1'600'000'000'000'000u);  // after September 2020
}

TEST(WallTimeOf, WhatCannotBeHeldIsTheNearestThatCan) {
  using std::chrono::sys_days;
  using std::chrono::year;
  const std::chrono::sys_seconds some = sys_days(year(2026) / 11 / 29) + std::chrono::seconds(7);
  EXPECT_EQ(wallTimeOf(some), some);
  EXPECT_EQ(wallTimeOf(sys_days(year(1) / 1 / 1)), WallTime());
  EXPECT_EQ(wallTimeOf(sys_days(year(9999) / 12 / 31)), sys_days(year(2262) / 1 / 1));
}

TEST(SimulatedClock, StandsStillUntilAdvanced) {
  test::SimulatedClock clock;
  const MonotonicTime start = clock.monotonicNow();
  const WallTime wall = clock.wallNow();
  EXPECT_EQ(clock.monotonicNow(), start);
  clock.advance(std::chrono::seconds(3));
  clock.advanceInSteps(std::chrono::seconds(2), std::chrono::milliseconds(300));
  EXPECT_EQ(clock.monotonicNow() - start, std::chrono::seconds(5));
  EXPECT_EQ(clock.wallNow() - wall, std::chrono::seconds(5));
  EXPECT_FALSE(clock.flowsByItself());
}

}  // namespace
}  // namespace convoy::event
