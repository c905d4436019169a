#include "proxy/upstream/outlier/correlation.h"

#include <gtest/gtest.h>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using std::chrono::seconds;
using test::hostAddress;

class CorrelationTest : public testing::Test {
 protected:
  CorrelationTest() {
    correlation_.configure({.percent = 30, .window = seconds(10)});
    correlation_.setHosts(10);
  }
  void note(size_t host, FailureWay way = FailureWay::Errors) {
    correlation_.note(way, hostAddress(host), now_);
  }

  Correlation correlation_;
  event::MonotonicTime now_{seconds(1000)};
};

TEST_F(CorrelationTest, MoreThanSoManyWithinTheWindow) {
  for (size_t i = 0; i < 3; ++i) note(i);
  EXPECT_FALSE(correlation_.alarm(FailureWay::Errors)) << "30 % are not more than 30 %";
  note(2);
  EXPECT_FALSE(correlation_.alarm(FailureWay::Errors)) << "it counts once";
  note(3, FailureWay::Slow);
  EXPECT_FALSE(correlation_.alarm(FailureWay::Errors)) << "fails in another way";
  EXPECT_FALSE(correlation_.concerns(FailureWay::Errors, hostAddress(0)));
  now_ += seconds(10);
  note(4);
  EXPECT_TRUE(correlation_.alarm(FailureWay::Errors));
  EXPECT_TRUE(correlation_.concerns(FailureWay::Errors, hostAddress(0)));
  EXPECT_FALSE(correlation_.concerns(FailureWay::Errors, hostAddress(3)));
  EXPECT_FALSE(correlation_.alarm(FailureWay::Slow));
}

TEST_F(CorrelationTest, OneHostAloneHasNothingInCommon) {
  for (const size_t hosts : {1, 2, 3}) {
    correlation_ = {};
    correlation_.configure({.percent = 30, .window = seconds(10)});
    correlation_.setHosts(hosts);
    note(0);
    note(0);
    EXPECT_FALSE(correlation_.alarm(FailureWay::Errors)) << hosts;
    if (hosts > 1) note(1);
    EXPECT_EQ(correlation_.alarm(FailureWay::Errors), hosts > 1) << hosts;
  }
}

TEST_F(CorrelationTest, FailuresFarApartHaveTheirOwnCauses) {
  for (size_t i = 0; i < 10; ++i) {
    note(i, FailureWay::CheckWrong);
    now_ += seconds(4);
  }
  EXPECT_FALSE(correlation_.alarm(FailureWay::CheckWrong));
}

TEST_F(CorrelationTest, TheAlarmEndsWhenFewEnoughFail) {
  for (size_t i = 0; i < 5; ++i) note(i, FailureWay::CheckUnanswered);
  EXPECT_TRUE(correlation_.alarm(FailureWay::CheckUnanswered));
  now_ += seconds(100);
  for (size_t i = 0; i < 3; ++i) correlation_.clear(FailureWay::CheckUnanswered, hostAddress(i));
  EXPECT_TRUE(correlation_.alarm(FailureWay::CheckUnanswered)) << "20 % are more than half of 30 %";
  correlation_.clear(FailureWay::CheckUnanswered, hostAddress(3));
  EXPECT_FALSE(correlation_.alarm(FailureWay::CheckUnanswered));
}

TEST_F(CorrelationTest, FailuresOfRequestsAreForgotten) {
  for (size_t i = 0; i < 4; ++i) note(i);
  now_ += seconds(10);
  note(0);
  correlation_.forgetOld(FailureWay::Errors, now_);
  EXPECT_TRUE(correlation_.alarm(FailureWay::Errors));
  now_ += seconds(1);
  correlation_.forgetOld(FailureWay::Errors, now_);
  EXPECT_FALSE(correlation_.alarm(FailureWay::Errors));
  EXPECT_EQ(correlation_.failing(FailureWay::Errors), 1u);
}

TEST_F(CorrelationTest, WaysOfDetections) {
  EXPECT_EQ(wayOf(Detection::SuccessRate), FailureWay::Errors);
  EXPECT_EQ(wayOf(Detection::ConsecutiveLocalOriginFailure), FailureWay::Unreachable);
  EXPECT_EQ(wayOf(Detection::Latency), FailureWay::Slow);
}

}  // namespace
}  // namespace convoy::upstream
