#include "proxy/upstream/host_loss.h"

#include <gtest/gtest.h>

namespace convoy::upstream {
namespace {

using namespace std::chrono_literals;

constexpr event::MonotonicTime kStart{event::Duration(1h)};

// Of requests that a host breaks as soon as they come, one each `every`, for ten minutes.
int repeatedFree(event::Duration every) {
  HostLoss loss;
  int free = 0;
  for (auto now = kStart; now < kStart + 10min; now += every) free += loss.note(now, now + 1ms);
  return free;
}

TEST(HostLoss, WhatWasUnderWayIsLostTogether) {
  HostLoss loss;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(loss.note(kStart - i * 1s, kStart + i * 1ms)) << i;
}

TEST(HostLoss, SoIsWhatIsSentInTheNextSecond) {
  HostLoss loss;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(loss.note(kStart - 1s, kStart));
  EXPECT_TRUE(loss.note(kStart + 1s, kStart + 5s)) << "sent in time, lost later";
  EXPECT_FALSE(loss.note(kStart + 1001ms, kStart + 5s));
}

TEST(HostLoss, OneThatOnlyBreaksConnectionsHasAMomentInTenSeconds) {
  EXPECT_EQ(repeatedFree(10ms), 60 * 101) << "of 60,000";
}

TEST(HostLoss, AFewAreNeverTooMany) {
  EXPECT_EQ(repeatedFree(400ms), 1500) << "all of them";
}

// One that was lost for itself does not stand in the way of a host that dies a little later.
TEST(HostLoss, AFewBeginNoMoment) {
  HostLoss loss;
  for (uint64_t i = 0; i < HostLoss::kFew; ++i) EXPECT_TRUE(loss.note(kStart, kStart));
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(loss.note(kStart + 4s, kStart + 5s));
}

TEST(HostLoss, ThatMayDieAgainAfterTenSeconds) {
  HostLoss loss;
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(loss.note(kStart, kStart));
  EXPECT_FALSE(loss.note(kStart + 9s, kStart + 9999ms));
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(loss.note(kStart + 9s, kStart + 10s));
}

}  // namespace
}  // namespace convoy::upstream
