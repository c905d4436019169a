#include "proxy/server/connection_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace convoy::server {
namespace {

TEST(ConnectionLimitTest, LetsInAsManyAsItSays) {
  ConnectionLimit two(2);
  EXPECT_TRUE(two.tryTake());
  EXPECT_TRUE(two.tryTake());
  EXPECT_FALSE(two.tryTake());
  EXPECT_FALSE(two.tryTake());
  two.giveBack();
  EXPECT_TRUE(two.tryTake());
  EXPECT_FALSE(two.tryTake());
}

TEST(ConnectionLimitTest, ZeroLetsNobodyInAndUnsetEverybody) {
  EXPECT_FALSE(ConnectionLimit(0).tryTake());
  ConnectionLimit none(std::nullopt);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(none.tryTake());
  none.giveBack();
  EXPECT_TRUE(none.tryTake());
}

TEST(ConnectionLimitTest, WhoLooksFirstMayTakeMore) {
  ConnectionLimit one(1);
  EXPECT_FALSE(one.full());
  one.take();
  EXPECT_TRUE(one.full());
  one.take();  // another worker had looked as well
  one.giveBack();
  EXPECT_TRUE(one.full());
  one.giveBack();
  EXPECT_FALSE(one.full());
  ConnectionLimit none(std::nullopt);
  none.take();
  EXPECT_FALSE(none.full());
}

TEST(ConnectionLimitTest, PlacesCanBeSetAsideButForOne) {
  ConnectionLimit four(4);
  four.setAside(2);
  four.take();
  EXPECT_FALSE(four.full());
  four.take();
  EXPECT_TRUE(four.full());
  four.putBack(1);
  EXPECT_FALSE(four.full());
  four.setAside(100);
  EXPECT_TRUE(four.full());
  four.giveBack();
  four.giveBack();
  EXPECT_FALSE(four.full()) << "somebody is let in all the same";
  ConnectionLimit nobody(0);
  nobody.setAside(1);
  EXPECT_TRUE(nobody.full());
  ConnectionLimit none(std::nullopt);
  none.setAside(1);
  EXPECT_FALSE(none.full());
}

TEST(ConnectionLimitTest, IsNeverExceededByWorkersInARace) {
  constexpr int kMost = 3;
  ConnectionLimit limit(kMost);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        if (!limit.tryTake()) continue;
        const int now = ++inside;
        int seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        --inside;
        limit.giveBack();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, kMost);
  for (int i = 0; i < kMost; ++i) EXPECT_TRUE(limit.tryTake());
  EXPECT_FALSE(limit.tryTake());
}

}  // namespace
}  // namespace convoy::server
