#include "proxy/upstream/breakers.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace convoy::upstream {
namespace {

TEST(BreakersTest, ALimitGivesExactlyThatMany) {
  Limit limit;
  EXPECT_FALSE(limit.tryAcquire(0));
  EXPECT_TRUE(limit.tryAcquire(2));
  EXPECT_TRUE(limit.tryAcquire(2));
  EXPECT_FALSE(limit.tryAcquire(2));
  limit.release();
  EXPECT_TRUE(limit.tryAcquire(2));
  EXPECT_EQ(limit.used(), 2u);
  EXPECT_FALSE(limit.tryAcquire(1)) << "a lower limit gives none, and takes none away";
  EXPECT_EQ(limit.used(), 2u);
}

TEST(BreakersTest, WorkersTogetherNeverExceedIt) {
  Limit limit;
  constexpr uint32_t kMost = 3;
  std::atomic<int> held{0};
  std::atomic<int> most_held{0};
  std::vector<std::thread> workers;
  for (int w = 0; w < 4; ++w) {
    workers.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        if (!limit.tryAcquire(kMost)) continue;
        const int now = held.fetch_add(1) + 1;
        int seen = most_held.load();
        while (now > seen && !most_held.compare_exchange_weak(seen, now)) {
        }
        held.fetch_sub(1);
        limit.release();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_LE(most_held, static_cast<int>(kMost));
  EXPECT_GE(most_held, 1);
  EXPECT_EQ(limit.used(), 0u);
}

TEST(BreakersTest, CountsRequestsOnlyWhereConnectionsDoNotBoundThem) {
  ClusterSpec spec;
  EXPECT_FALSE(Breakers::countsRequests(spec));
  spec.breakers.max_requests = 1023;
  EXPECT_TRUE(Breakers::countsRequests(spec));
  spec.breakers.max_requests = 2000;
  EXPECT_FALSE(Breakers::countsRequests(spec));
  spec.breakers.retry_budget = RetryBudget{};
  EXPECT_FALSE(Breakers::countsRequests(spec));
  EXPECT_TRUE(Breakers::countsRequests(spec, Priority::High))
      << "so that it is no part of the rest";
  spec.protocol = UpstreamProtocol::Http2;
  EXPECT_TRUE(Breakers::countsRequests(spec));
}

}  // namespace
}  // namespace convoy::upstream
