#include "proxy/upstream/host_loss.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace convoy::upstream {
namespace {

using namespace std::chrono_literals;

constexpr event::MonotonicTime kStart{event::Duration(1h)};

TEST(HostLoss, WhatIsLostInOneSecondIsLostTogether) {
  HostLoss loss;
  for (int i = 0; i <= 1000; ++i) EXPECT_TRUE(loss.note(kStart + i * 1ms)) << i;
}

// Nor does one that begins when the machine does stand in the way.
TEST(HostLoss, OneLostForItselfIsNotTheOnlyOne) {
  for (const auto start : {kStart, event::MonotonicTime{}}) {
    HostLoss loss;
    EXPECT_TRUE(loss.note(start));
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(loss.note(start + 5s));
    EXPECT_FALSE(loss.note(start + 9999ms)) << "the third in ten seconds";
    EXPECT_TRUE(loss.note(start + 10s));
    EXPECT_FALSE(loss.note(start + 14999ms));
    EXPECT_TRUE(loss.note(start + 15s));
  }
}

TEST(HostLoss, OneThatOnlyBreaksConnectionsHasTwoSecondsInTen) {
  HostLoss loss;
  int together = 0;
  constexpr int kLost = 60'000;
  for (int i = 0; i < kLost; ++i) together += loss.note(kStart + i * 10ms);
  EXPECT_NEAR(together, kLost / 5, kLost / 100);
}

TEST(HostLoss, WorkersThatLoseAHostAtOnceShareTheMoment) {
  for (int round = 0; round < 200; ++round) {
    HostLoss loss;
    EXPECT_TRUE(loss.note(kStart - 5s));
    std::vector<std::thread> workers;
    std::atomic<int> together{0};
    for (int i = 0; i < 4; ++i) {
      workers.emplace_back([&loss, &together] { together += loss.note(kStart); });
    }
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(together, 4);
    EXPECT_FALSE(loss.note(kStart + 4s)) << "the third in ten seconds";
    EXPECT_TRUE(loss.note(kStart + 5s)) << "they have begun one, and not two";
  }
}

}  // namespace
}  // namespace convoy::upstream
