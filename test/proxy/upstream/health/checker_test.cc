#include "proxy/upstream/health/checker.h"

#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

using std::chrono::seconds;

class CheckerTest : public test::HealthTest {
 protected:
  CheckerTest()
      : checker_(loop_.loop(), io_, 0, 0, "", [this](std::vector<HealthReport> reports) {
          ++deliveries_;
          for (HealthReport& report : reports) reports_.push_back(std::move(report));
        }) {}
  ~CheckerTest() override { checker_.shutdown(); }

  void assign(const std::vector<int>& hosts, uint64_t id = 1) {
    std::vector<ProbeTarget> targets;
    for (const int host : hosts) targets.push_back(target(host));
    const event::Loop::TurnScope turn(loop_.loop());
    checker_.assign(std::make_shared<const CheckedCluster>(CheckedCluster{
                        id, owner(test::everyTwoSeconds()), metrics_, [] { return true; }}),
                    targets);
  }

  observe::MetricRegistry registry_;
  std::shared_ptr<observe::MetricGroup<HealthMetrics>> metrics_ =
      std::make_shared<observe::MetricGroup<HealthMetrics>>(registry_, "cluster", observe::Labels{},
                                                            1);
  int deliveries_ = 0;
  std::vector<HealthReport> reports_;
  Checker checker_;
};

TEST_F(CheckerTest, HostsComeStayAndGo) {
  assign({1, 2, 2});
  pass(seconds(2));
  EXPECT_EQ(reports_.size(), 2u);
  EXPECT_EQ(metrics_->slot(0).healthy.value(), 2);
  assign({2, 3});
  EXPECT_EQ(metrics_->slot(0).healthy.value(), 1);  // 2 has kept its verdict
  pass(seconds(2));
  EXPECT_EQ(reports_.size(), 3u);
  EXPECT_EQ(reports_.back().host, address(3));
  checker_.drop(1);
  EXPECT_EQ(metrics_->slot(0).healthy.value(), 0);
  const int connects = io_.connects;
  pass(seconds(4));
  EXPECT_EQ(io_.connects, connects);
}

TEST_F(CheckerTest, WhatHappensTogetherIsToldTogether) {
  std::vector<int> hosts;
  for (int i = 1; i <= 100; ++i) hosts.push_back(i);
  assign(hosts);
  clock_.advance(seconds(2));
  run();
  EXPECT_EQ(reports_.size(), 100u);
  EXPECT_LE(deliveries_, 3);
}

TEST_F(CheckerTest, AfterTheShutdownNothingIsChecked) {
  checker_.shutdown();
  assign({1});
  pass(seconds(4));
  EXPECT_EQ(io_.connects, 0);
}

}  // namespace
}  // namespace convoy::upstream
