#include "proxy/http/h2_flood.h"

#include <chrono>

#include "gtest/gtest.h"
#include "test/common/simulated_clock.h"

namespace convoy::http {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(H2FloodTest, IsSpentByFramesAlone) {
  test::SimulatedClock clock;
  H2Flood flood(clock, 10, 5);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(flood.pay(H2Flood::kFrame)) << i;
  EXPECT_FALSE(flood.pay(H2Flood::kFrame));
}

TEST(H2FloodTest, TimeFillsItUpToTheBudget) {
  test::SimulatedClock clock;
  H2Flood flood(clock, 10, 5);
  EXPECT_TRUE(flood.pay(10));
  clock.advance(milliseconds(400));
  EXPECT_TRUE(flood.pay(2));
  EXPECT_FALSE(flood.pay(1));
  clock.advance(hours(100));
  EXPECT_TRUE(flood.pay(1));
  EXPECT_LE(flood.left(), 10);
}

TEST(H2FloodTest, WorkFillsItUpToTheBudget) {
  test::SimulatedClock clock;
  H2Flood flood(clock, 10, 0);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(flood.pay(H2Flood::kFrame));
    flood.earn(H2Flood::kDataFrame);
  }
  EXPECT_EQ(flood.left(), 10);
}

TEST(H2FloodTest, AnIdleClientThatPingsForADayNeverTrips) {
  test::SimulatedClock clock;
  H2Flood flood(clock, 4000, 200);
  for (int i = 0; i < 24 * 3600; ++i) {
    clock.advance(seconds(1));
    ASSERT_TRUE(flood.pay(H2Flood::kFrame)) << i;
  }
}

TEST(H2FloodTest, AClientThatCancelsATenthOfItsRequestsNeverTrips) {
  test::SimulatedClock clock;
  H2Flood flood(clock, 4000, 200);
  for (int i = 0; i < 1'000'000; ++i) {
    if (i % 10 == 0) {
      ASSERT_TRUE(flood.pay(H2Flood::kReset)) << i;
    } else {
      flood.earn(H2Flood::kStreamEnded);
    }
  }
}

}  // namespace
}  // namespace convoy::http
