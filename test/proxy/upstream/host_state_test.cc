#include "proxy/upstream/host_state.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "test/proxy/upstream/guard_fixture.h"

namespace convoy::upstream {
namespace {

using std::chrono::seconds;

TEST(HostStateTest, SaysWhatIsSaidOfAHostInOneWord) {
  using enum OutBy;
  const CheckedHost passes{ActiveHealth::Healthy}, fails{ActiveHealth::Unhealthy},
      relapsed{ActiveHealth::Relapsed}, unchecked{ActiveHealth::Unknown};
  const EjectionView none, ejected{.ejected = true}, open{.breaker_open = true},
      half_open{.breaker_half_open = true}, held{.held = true}, waits{.waits = true};
  const struct {
    HealthStatus told;
    CheckedHost checked;
    EjectionView ejection;
    HostState state;
    OutBy by;
  } cases[] = {
      {HealthStatus::Unknown, {}, none, HostState::Healthy, Nobody},
      {HealthStatus::Healthy, passes, none, HostState::Healthy, Nobody},
      {HealthStatus::Degraded, {ActiveHealth::Degraded}, none, HostState::Healthy, Nobody},
      {HealthStatus::Healthy, unchecked, none, HostState::Unknown, Nobody},
      {HealthStatus::Unhealthy, passes, ejected, HostState::Unhealthy, ControlPlane},
      {HealthStatus::Timeout, unchecked, none, HostState::Unhealthy, ControlPlane},
      {HealthStatus::Healthy, fails, ejected, HostState::Unhealthy, HealthCheck},
      {HealthStatus::Healthy, relapsed, none, HostState::Unhealthy, HealthCheck},
      {HealthStatus::Healthy, fails, held, HostState::Healthy, Nobody},
      {HealthStatus::Healthy, passes, ejected, HostState::Unhealthy, Ejection},
      {HealthStatus::Healthy, unchecked, ejected, HostState::Unhealthy, Ejection},
      {HealthStatus::Healthy, passes, open, HostState::Unhealthy, BreakerOpen},
      {HealthStatus::Healthy, passes, half_open, HostState::Unhealthy, BreakerHalfOpen},
      {HealthStatus::Healthy, passes, waits, HostState::Unhealthy, Recovery},
      {HealthStatus::Draining, fails, ejected, HostState::Draining, Nobody},
      {HealthStatus::Draining, unchecked, none, HostState::Draining, Nobody},
  };
  for (const auto& c : cases) {
    const HostStanding standing = standingOf(c.told, c.checked, c.ejection);
    const auto row = &c - cases;
    EXPECT_EQ(nameOf(standing.state), nameOf(c.state)) << row;
    EXPECT_EQ(static_cast<int>(standing.by), static_cast<int>(c.by)) << row;
  }
  EXPECT_EQ(nameOf(HostState::Removed), "removed");
}

// --- as the rules about failing hosts have it ---

class StandingTest : public test::GuardTest {
 protected:
  OutBy outBy(int index) {
    OutBy by = OutBy::Nobody;
    manager_->forEach([&](const ClusterManager::ClusterView& view) {
      for (const auto& host : view.hosts) {
        if (host.host.address() == address(index)) by = host.standing().by;
      }
    });
    return by;
  }
};

TEST_F(StandingTest, EjectionsAndBreakersAreToldApart) {
  auto spec = guarded(outliers());
  makeCluster(spec, 4);
  fail(1);
  EXPECT_EQ(outBy(1), OutBy::Ejection);
  EXPECT_EQ(outBy(2), OutBy::Nobody);
  auto other = clusterSpec();
  other->host_breaker.emplace();
  apply({.clusters = {other}});
  fail(2);
  EXPECT_EQ(outBy(1), OutBy::Nobody);
  EXPECT_EQ(outBy(2), OutBy::BreakerOpen);
  pass(seconds(61));
  EXPECT_EQ(outBy(2), OutBy::BreakerHalfOpen);
}

TEST_F(StandingTest, AHostThatWaitsForItsTurnSaysSo) {
  auto spec = guarded(outliers(100));
  spec->recovery =
      RecoverySpec{.max_requests = 10, .requests_per_second = 1, .jitter = seconds(20)};
  makeCluster(spec, 4);
  for (int i = 1; i <= 3; ++i) fail(i);
  int waiting = 0;
  for (int tenths = 0; tenths < 600 && waiting == 0; ++tenths) {
    pass(std::chrono::milliseconds(100));
    for (int i = 1; i <= 3; ++i) waiting += outBy(i) == OutBy::Recovery;
  }
  EXPECT_GT(waiting, 0) << "nobody is against it any more, and it gets no requests yet";
  pass(seconds(30));
  EXPECT_EQ(eligible(), "1 2 3 4 ");
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(outBy(i), OutBy::Nobody) << i;
}

}  // namespace
}  // namespace convoy::upstream
