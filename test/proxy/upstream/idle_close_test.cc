#include "proxy/upstream/idle_close.h"

#include <gtest/gtest.h>

#include "proxy/upstream/retry_budget.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using namespace std::chrono_literals;

constexpr event::MonotonicTime kStart{event::Duration(1h)};

TEST(IdleClose, OneCloseTellsNothing) {
  IdleClose learned;
  EXPECT_FALSE(learned.noteClosed(5s, kStart));
  EXPECT_FALSE(learned.retireAfter(kStart).has_value());
}

TEST(IdleClose, TwoOfTheSameLengthDo) {
  IdleClose learned;
  learned.noteClosed(5010ms, kStart);
  EXPECT_TRUE(learned.noteClosed(5000ms, kStart + 2s));
  EXPECT_EQ(learned.retireAfter(kStart + 2s), event::Duration(4096ms)) << "7/8, rounded down";
}

// A host that restarts closes everything in one moment.
TEST(IdleClose, ARestartIsNoHabit) {
  IdleClose learned;
  for (int i = 0; i < 20; ++i) learned.noteClosed(3s + i * 1ms, kStart + i * 1ms);
  EXPECT_FALSE(learned.retireAfter(kStart).has_value());
  learned.noteClosed(9s, kStart + 60s);
  EXPECT_FALSE(learned.retireAfter(kStart + 60s).has_value()) << "another length";
}

TEST(IdleClose, ShortOnesAreNotLearned) {
  IdleClose learned;
  learned.noteClosed(50ms, kStart);
  EXPECT_FALSE(learned.noteClosed(50ms, kStart + 5s));
  EXPECT_FALSE(learned.noteTold(0s, kStart));
}

TEST(IdleClose, WhatIsToldIsBelieved) {
  IdleClose learned;
  EXPECT_TRUE(learned.noteTold(5s, kStart));
  EXPECT_FALSE(learned.noteTold(5s, kStart + 1s)) << "nothing new";
  EXPECT_EQ(learned.retireAfter(kStart), event::Duration(4096ms));
}

TEST(IdleClose, ItIsForgotten) {
  IdleClose learned;
  learned.noteTold(5s, kStart);
  EXPECT_TRUE(learned.retireAfter(kStart + 10min).has_value());
  EXPECT_FALSE(learned.retireAfter(kStart + 10min + 1ms).has_value());
}

TEST(IdleClose, FourStepsInADoubling) {
  EXPECT_EQ(IdleClose::rounded(4375ms), event::Duration(4096ms));
  EXPECT_EQ(IdleClose::rounded(5119ms), event::Duration(4096ms));
  EXPECT_EQ(IdleClose::rounded(5120ms), event::Duration(5120ms));
  EXPECT_EQ(IdleClose::rounded(7ms), event::Duration(7ms));
  EXPECT_EQ(IdleClose::rounded(0ms), event::Duration(0ms));
}

TEST(RetryBudget, IsAShareOfTheRequestsOrTheLimit) {
  CircuitBreakers breakers;
  breakers.max_retries = 7;
  EXPECT_EQ(mostRetries(breakers, 1000), 7u);
  breakers.retry_budget = RetryBudget{};
  EXPECT_EQ(mostRetries(breakers, 100), 20u);
  EXPECT_EQ(mostRetries(breakers, 104), 20u) << "whole ones";
  EXPECT_EQ(mostRetries(breakers, 15), 3u);
  EXPECT_EQ(mostRetries(breakers, -1), 3u);
  breakers.retry_budget = RetryBudget{.percent = 0, .min_concurrency = 0};
  EXPECT_EQ(mostRetries(breakers, 1000), 0u);
  breakers.retry_budget = RetryBudget{.percent = 100, .min_concurrency = 0};
  EXPECT_EQ(mostRetries(breakers, int64_t{1} << 40), UINT32_MAX);
}

class PoolIdleTest : public test::UpstreamTest {
 protected:
  // Leaves an idle connection.
  void use() {
    test::TestRequest request;
    send(request);
    answer(*io_.peers.back());
    EXPECT_EQ(request.status, 200);
  }
  bool idle() { return cluster().metrics().upstream_cx_active.value() == 1; }
};

TEST_F(PoolIdleTest, AConnectionIsGivenUpBeforeItsHostDoesIt) {
  makeCluster();
  for (int i = 0; i < 2; ++i) {
    use();
    clock_.advance(5s);
    run();
    EXPECT_TRUE(idle());
    io_.peers.back()->connection->close(net::CloseMode::Flush);
    run();
    EXPECT_FALSE(idle());
  }
  use();
  clock_.advance(4s);
  run();
  EXPECT_TRUE(idle());
  clock_.advance(200ms);
  run();
  EXPECT_FALSE(idle());
  EXPECT_EQ(metrics().upstream_cx_idle_timeout.value(), 1u);
}

TEST_F(PoolIdleTest, TheBudgetCountsRequestsUnderWay) {
  auto spec = clusterSpec();
  spec->breakers.retry_budget = RetryBudget{.percent = 50, .min_concurrency = 0};
  makeCluster(spec);
  EXPECT_FALSE(cluster().tryStartRetry());
  test::TestRequest first;
  test::TestRequest second;
  test::TestRequest third;
  for (test::TestRequest* request : {&first, &second, &third}) send(*request);
  EXPECT_TRUE(cluster().tryStartRetry());
  EXPECT_FALSE(cluster().tryStartRetry());
  EXPECT_EQ(metrics().upstream_rq_retry_overflow.value(), 2u);
  cluster().endRetry();
  EXPECT_TRUE(cluster().tryStartRetry());
  cluster().endRetry();
}

}  // namespace
}  // namespace convoy::upstream
