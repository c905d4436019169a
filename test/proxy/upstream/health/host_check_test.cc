#include "proxy/upstream/health/host_check.h"

#include <vector>

#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HostCheckTest : public test::HealthTest {
 protected:
  std::shared_ptr<const CheckedCluster> cluster(std::shared_ptr<const HealthCheckSpec> check) {
    return std::make_shared<const CheckedCluster>(CheckedCluster{
        1, owner(std::move(check)), metrics_, [this] { return used_; }, tells_passes_});
  }
  void makeCheck(const std::shared_ptr<const HealthCheckSpec>& check) {
    check_ = std::make_unique<HostCheck>(
        services_, 0, cluster(check), target(),
        [this](const net::Address& host, CheckedHost checked, bool passed) {
          EXPECT_EQ(host, address());
          passes_ += passed;
          reports_.push_back(std::move(checked));
        });
  }
  // To the moment of the first check, and through it.
  void toFirst(const HealthCheckSpec& check) {
    pass(HostCheck::phase("web", address(),
                          std::min<event::Duration>(check.interval, HostCheck::kSpread)));
  }
  HealthMetrics& metrics() { return metrics_->slot(0); }

  bool used_ = true;
  bool tells_passes_ = false;
  int passes_ = 0;
  observe::MetricRegistry registry_;
  std::shared_ptr<observe::MetricGroup<HealthMetrics>> metrics_ =
      std::make_shared<observe::MetricGroup<HealthMetrics>>(registry_, "cluster", observe::Labels{},
                                                            1);
  std::vector<CheckedHost> reports_;
  std::unique_ptr<HostCheck> check_;
};

TEST_F(HostCheckTest, EachPassIsToldWhereThatIsWanted) {
  tells_passes_ = true;
  const auto check = test::everyTwoSeconds();
  makeCheck(check);
  toFirst(*check);
  pass(seconds(4));
  EXPECT_EQ(passes_, 3);
  EXPECT_EQ(reports_.size(), 3u);
  io_.all_down = true;
  pass(seconds(4));
  EXPECT_EQ(passes_, 3);
}

TEST_F(HostCheckTest, CountsWhatItDoes) {
  const auto check = test::everyTwoSeconds();
  makeCheck(check);
  toFirst(*check);
  pass(seconds(2));
  EXPECT_EQ(metrics().attempt.value(), 2u);
  EXPECT_EQ(metrics().success.value(), 2u);
  EXPECT_EQ(metrics().healthy.value(), 1);
  io_.all_down = true;
  pass(seconds(8));
  EXPECT_EQ(metrics().failure.value(), 4u);
  EXPECT_EQ(metrics().network_failure.value(), 4u);
  EXPECT_EQ(metrics().healthy.value(), 0);
  // One report for each change of the verdict.
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_EQ(reports_[0].health, ActiveHealth::Healthy);
  EXPECT_EQ(reports_[1].health, ActiveHealth::Unhealthy);
  EXPECT_EQ(reports_[1].reason, "connection failed: Connection refused");
  io_.all_down = false;
  pass(seconds(4));
  EXPECT_EQ(metrics().healthy.value(), 1);
  check_.reset();
  EXPECT_EQ(metrics().healthy.value(), 0);
}

TEST_F(HostCheckTest, ACheckThatTakesTooLongFails) {
  auto check = test::everyTwoSeconds();
  check->checker = TcpCheckSpec{.send = "a", .receive = {"b"}};
  check->timeout = milliseconds(500);
  check->unhealthy_threshold = 1;
  makeCheck(check);
  toFirst(*check);
  EXPECT_TRUE(reports_.empty());
  pass(milliseconds(600));
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].reason, "no answer within 500 ms");
  // The connection went with it: a late answer is nobody's.
  peer().send("b");
  run();
  pass(milliseconds(1500));
  EXPECT_EQ(io_.connects, 2);
}

// Timeouts in a row take a slow host out; unloaded it recovers, and stays (A2, gray degradation).
TEST_F(HostCheckTest, ASlowHostGoesOutOnceAndComesBackOnce) {
  auto check = test::everyTwoSeconds();
  check->checker = TcpCheckSpec{.send = "a", .receive = {"b"}};
  check->timeout = milliseconds(500);
  makeCheck(check);
  toFirst(*check);
  const auto answerAfter = [&](event::Duration delay) {
    pass(delay);
    if (!io_.peers.empty()) peer().send("b");
    run();
    pass(seconds(2) - delay);
  };
  for (const int ms : {50, 450, 500, 550, 600, 650, 50, 450, 50, 50}) answerAfter(milliseconds(ms));
  ASSERT_EQ(reports_.size(), 3u);
  EXPECT_EQ(reports_[0].health, ActiveHealth::Healthy);
  EXPECT_EQ(reports_[1].health, ActiveHealth::Unhealthy);
  EXPECT_EQ(reports_[2].health, ActiveHealth::Healthy);
}

TEST_F(HostCheckTest, AClusterThatWasNeverUsedIsCheckedRarely) {
  auto check = test::everyTwoSeconds();
  check->no_traffic_interval = check->no_traffic_healthy_interval = seconds(60);
  used_ = false;
  makeCheck(check);
  toFirst(*check);
  pass(seconds(59));
  EXPECT_EQ(metrics().attempt.value(), 1u);
  used_ = true;
  pass(seconds(1));
  pass(seconds(4));
  EXPECT_EQ(metrics().attempt.value(), 4u);
}

TEST_F(HostCheckTest, AnotherCheckIsVerifiedBeforeTheVerdictFalls) {
  const auto check = test::everyTwoSeconds();
  makeCheck(check);
  toFirst(*check);
  ASSERT_EQ(check_->health(), ActiveHealth::Healthy);
  // A wrong port: no host would pass.
  auto wrong = test::everyTwoSeconds();
  wrong->hash = 2;
  io_.all_down = true;
  check_->reconfigure(cluster(wrong), target());
  toFirst(*wrong);
  pass(seconds(2));
  EXPECT_EQ(check_->health(), ActiveHealth::Healthy);
  // Set right again before it had failed for good.
  io_.all_down = false;
  check_->reconfigure(cluster(check), target());
  toFirst(*check);
  pass(seconds(8));
  EXPECT_EQ(reports_.size(), 1u);
}

TEST_F(HostCheckTest, AnUnrelatedEditKeepsCountsAndTime) {
  const auto check = test::everyTwoSeconds();
  makeCheck(check);
  toFirst(*check);
  io_.all_down = true;
  pass(seconds(4));  // two failures
  pass(seconds(1));
  check_->reconfigure(cluster(test::everyTwoSeconds()), target());
  EXPECT_EQ(check_->health(), ActiveHealth::Healthy);
  pass(seconds(1));
  EXPECT_EQ(check_->health(), ActiveHealth::Unhealthy);
}

TEST_F(HostCheckTest, TheWayToTheHostMayChangeWithoutAnotherVerdict) {
  const auto check = test::everyTwoSeconds();
  makeCheck(check);
  toFirst(*check);
  ProbeTarget other = target();
  other.address = address(9);
  check_->reconfigure(cluster(check), other);
  pass(seconds(2));
  EXPECT_EQ(io_.last_address, address(9));
  EXPECT_EQ(reports_.size(), 1u);
}

TEST_F(HostCheckTest, ACommandThatMayNotBeRunIsAFailure) {
  auto check = test::everyTwoSeconds();
  check->interval = seconds(30);
  check->checker = CommandCheckSpec{.command = "check", .arguments = {}};
  makeCheck(check);
  toFirst(*check);
  pass(seconds(1));
  EXPECT_EQ(metrics().attempt.value(), 1u);
  EXPECT_EQ(metrics().failure.value(), 1u);
  EXPECT_EQ(metrics().skipped.value(), 0u);
}

TEST_F(HostCheckTest, PhasesAreSpreadAndAlwaysTheSame) {
  constexpr int kSlots = 20;
  std::vector<int> slots(kSlots);
  const event::Duration window = seconds(5);
  for (int i = 0; i < 1000; ++i) {
    const net::Address host =
        net::Address::fromIp("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250), 80)
            .value();
    const event::Duration phase = HostCheck::phase("web", host, window);
    EXPECT_EQ(phase, HostCheck::phase("web", host, window));
    ASSERT_GE(phase, event::Duration::zero());
    ASSERT_LT(phase, window);
    ++slots[static_cast<size_t>(phase / (window / kSlots))];
  }
  // Chi-square with 19 degrees of freedom: above 43.8 once in a thousand.
  double chi = 0;
  for (const int count : slots) chi += (count - 50.0) * (count - 50.0) / 50.0;
  EXPECT_LT(chi, 43.8);
}

TEST_F(HostCheckTest, InitialJitterComesOnTop) {
  auto check = test::everyTwoSeconds();
  check->initial_jitter = seconds(10);
  makeCheck(check);
  pass(seconds(13));
  EXPECT_GE(metrics().attempt.value(), 1u);
  EXPECT_LE(metrics().attempt.value(), 7u);
}

}  // namespace
}  // namespace convoy::upstream
