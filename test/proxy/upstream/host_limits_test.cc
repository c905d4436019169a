#include "proxy/upstream/host_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace convoy::upstream {
namespace {

TEST(HostLimitsTest, WithoutALimitEverythingIsCountedAndNothingRefused) {
  HostLimits limits;
  EXPECT_FALSE(limits.limitsConnections());
  EXPECT_FALSE(limits.limitsRequests());
  EXPECT_TRUE(limits.roomForConnection());
  EXPECT_TRUE(limits.roomForRequest());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limits.tryConnect());
  EXPECT_EQ(limits.connections(), 100u);
}

TEST(HostLimitsTest, ALowerLimitClosesNothingAndGivesNothing) {
  HostLimits limits;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limits.tryConnect());
  limits.setMostConnections(2);
  EXPECT_TRUE(limits.limitsConnections());
  EXPECT_FALSE(limits.tryConnect());
  limits.disconnect();
  EXPECT_FALSE(limits.tryConnect()) << "two are open";
  limits.disconnect();
  EXPECT_TRUE(limits.roomForConnection());
  EXPECT_TRUE(limits.tryConnect());
  EXPECT_EQ(limits.connections(), 2u);
}

TEST(HostLimitsTest, WorkersTogetherNeverExceedIt) {
  // On the heap: gcc 12's AddressSanitizer does not align it in a frame like this one.
  const auto of = std::make_unique<HostLimits>();
  HostLimits& limits = *of;
  constexpr uint32_t kMost = 3;
  limits.setMostConnections(kMost);
  limits.setMostRequests(kMost + 1);
  std::atomic<bool> exceeded{false};
  std::atomic<int> taken{0};
  std::vector<std::thread> workers;
  for (int w = 0; w < 4; ++w) {
    workers.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const bool connected = limits.tryConnect();
        const bool placed = limits.tryRequest();
        if (limits.connections() > kMost || limits.requests() > kMost + 1) exceeded = true;
        taken += connected;
        if (connected) limits.disconnect();
        if (placed) limits.endRequest();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_FALSE(exceeded);
  EXPECT_GT(taken, 0);
  EXPECT_EQ(limits.connections(), 0u);
  EXPECT_EQ(limits.requests(), 0u);
}

}  // namespace
}  // namespace convoy::upstream
