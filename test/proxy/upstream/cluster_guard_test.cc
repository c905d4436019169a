#include "proxy/upstream/cluster_guard.h"

#include "test/proxy/upstream/guard_fixture.h"

namespace convoy::upstream {
namespace {

using std::chrono::seconds;

constexpr auto kUnhealthy = HealthStatus::Unhealthy;

using ClusterGuardTest = test::GuardTest;

// A session keeps to its host only as long as the host may have requests.
TEST_F(ClusterGuardTest, AnEjectedHostIsNoSessionsHost) {
  makeCluster(guarded(outliers()), 3);
  const std::string two = address(2).text();
  EXPECT_TRUE(pickFor(two).preferred);
  fail(2);
  const PickResult moved = pickFor(two);
  EXPECT_FALSE(moved.preferred);
  EXPECT_NE(moved.lease.host().address(), address(2));
  EXPECT_EQ(pickFor(two, /*strict=*/true).kind, Pick::Kind::None);
  pass(seconds(41));
  EXPECT_EQ(pickFor(two, /*strict=*/true).lease.host().address(), address(2));
}

// Hosts that only sessions get: those of another priority.
TEST_F(ClusterGuardTest, AnEjectedSpareIsNone) {
  makeCluster(guarded(outliers()), 2);
  auto hosts = assignment({endpoint(1), endpoint(2)});
  hosts->localities.emplace_back().priority = 1;
  hosts->localities[1].endpoints = {endpoint(3), endpoint(4)};
  apply({.assignments = {{"web", hosts}}});
  const std::string three = address(3).text();
  {
    const PickResult spare = pickFor(three);
    ASSERT_TRUE(spare.preferred);
    for (int i = 0; i < 5; ++i) {
      cluster().noteOutcome(spare.lease.ref(), Outcome::answered(500, {}));
    }
    run();
  }
  EXPECT_TRUE(ejection(3).ejected);
  EXPECT_FALSE(pickFor(three).preferred);
  EXPECT_TRUE(pickFor(address(4).text()).preferred);
}

// As DNS discovery does: the same addresses, again and again.
TEST_F(ClusterGuardTest, AnotherAssignmentBringsNobodyBack) {
  auto spec = guarded(outliers());
  spec->discovery = ClusterSpec::Discovery::Dns;
  makeCluster(spec, 3);
  fail(2);
  for (const char* version : {"1", "2", "3"}) {
    auto hosts = assignment({endpoint(3), endpoint(2), endpoint(1)});
    hosts->version = version;
    apply({.assignments = {{"web", hosts}}});
    EXPECT_EQ(eligible(), "3 1 ");
  }
}

TEST_F(ClusterGuardTest, InPanicRequestsGoToAll) {
  auto spec = clusterSpec();
  spec->panic = {PanicSpec::Mode::ServeAll, 50};
  makeCluster(spec, 2);
  const auto served = [&] {
    int served = 0;
    for (int i = 0; i < 4; ++i) served += cluster().pick().kind == Pick::Kind::Host;
    return served;
  };
  EXPECT_EQ(served(), 4);
  EXPECT_FALSE(cluster().watchesHeads());
  setHosts({endpoint(1, 1, kUnhealthy), endpoint(2, 1, kUnhealthy)});
  EXPECT_TRUE(cluster().pick().panic);
  EXPECT_TRUE(cluster().watchesHeads());
  EXPECT_EQ(served(), 4);
  EXPECT_EQ(metrics().lb_healthy_panic.value(), 5u);
  // Without the mode the same hosts get nothing.
  apply({.clusters = {clusterSpec()}});
  EXPECT_FALSE(cluster().pick().panic);
  EXPECT_EQ(served(), 0);
}

TEST_F(ClusterGuardTest, PanicBeginsAndEnds) {
  const auto shared = std::make_shared<ClusterShared>(registry_, "api", 1);
  ClusterMetrics& metrics = shared->metrics.slot(1);
  ClusterGuard guard(loop_.loop(), registry_, shared, metrics, [](const auto*) {});
  auto spec = clusterSpec("api");
  spec->panic = {PanicSpec::Mode::ServeAll, 50};
  EXPECT_TRUE(guard.configure(*spec));
  EXPECT_FALSE(guard.configure(*spec)) << "nothing is another";
  EXPECT_EQ(guard.guard(), nullptr);
  Membership membership(1);
  const auto update = [&](HealthStatus health) {
    const auto hosts = assignment({endpoint(1, 1, health), endpoint(2, 1, health)});
    return guard.update(membership, *hosts, [](const EndpointSpec&) { return CheckedHost{}; })
        .panic;
  };
  for (const bool panic : {false, true, false}) {
    EXPECT_EQ(update(panic ? kUnhealthy : HealthStatus::Healthy), panic);
    EXPECT_EQ(guard.inPanic(), panic);
    EXPECT_EQ(metrics.panic.value(), panic ? 1 : 0);
  }
  EXPECT_TRUE(guard.configure(*clusterSpec("api")));
}

// A thousand that break within a moment are no thousand host sets.
TEST_F(ClusterGuardTest, ManyNewsMakeOneHostSet) {
  auto spec = guarded(outliers(90));
  spec->host_breaker.emplace();
  makeCluster(spec, 50);
  std::vector<HostRef> hosts;
  for (int i = 1; i <= 50; ++i) hosts.push_back(hostOf(i));
  const int64_t before = counter("membership_change");
  for (int i = 0; i < 40; ++i) {
    for (int n = 0; n < 5; ++n) {
      cluster().noteOutcome(hosts[static_cast<size_t>(i)], Outcome::answered(500, {}));
    }
  }
  run();
  EXPECT_EQ(eligible(), "41 42 43 44 45 46 47 48 49 50 ");
  EXPECT_EQ(counter("membership_change"), before + 1);
}

// A worker may destroy it then.
TEST_F(ClusterGuardTest, AClusterThatEndsTellsNoNews) {
  const auto shared = std::make_shared<ClusterShared>(registry_, "api", 1);
  int told = 0;
  ClusterGuard guard(loop_.loop(), registry_, shared, shared->metrics.slot(1),
                     [&](const auto*) { ++told; });
  auto spec = clusterSpec("api");
  spec->host_breaker = HostBreakerSpec{.failures = 1};
  Membership membership(1);
  const auto hosts = assignment({endpoint(1), endpoint(2)});
  const auto fail = [&] {
    guard.configure(*spec);
    guard.update(membership, *hosts, [](const EndpointSpec&) { return CheckedHost{}; });
    const Host* const host = membership.find(address(1));
    host->streaks().extend(Streak::Failures, 1);
    guard.guard()->onStreak(*host, Streak::Failures);
  };
  fail();
  run();
  EXPECT_EQ(told, 1);
  guard.end();
  fail();
  guard.end();
  run();
  EXPECT_EQ(told, 1);
  fail();
  guard.configure(*clusterSpec("api"));
  run();
  EXPECT_EQ(told, 1) << "without rules there is no news";
}

// Whom a guard has nothing new of is not asked for, unless one host is judged by the others.
TEST_F(ClusterGuardTest, NewsOfOneHostAsksForThatOne) {
  const auto shared = std::make_shared<ClusterShared>(registry_, "api", 1);
  std::vector<net::Address> told;
  ClusterGuard guard(loop_.loop(), registry_, shared, shared->metrics.slot(1),
                     [&](const std::vector<net::Address>* of) { told = *of; });
  auto spec = clusterSpec("api");
  spec->host_breaker = HostBreakerSpec{.failures = 1};
  guard.configure(*spec);
  Membership membership(1);
  const auto hosts = assignment({endpoint(1), endpoint(2), endpoint(3)});
  int asked = 0;
  const auto checked = [&](const EndpointSpec&) {
    ++asked;
    return CheckedHost{};
  };
  guard.update(membership, *hosts, checked);
  const Host* const host = membership.find(address(2));
  host->streaks().extend(Streak::Failures, 1);
  guard.guard()->onStreak(*host, Streak::Failures);
  run();
  EXPECT_EQ(told, std::vector<net::Address>{address(2)});
  asked = 0;
  guard.refresh(membership, *hosts, checked, {}, &told);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(membership.counts().healthy, 2u);
  spec->recovery = RecoverySpec{.max_requests = 10, .requests_per_second = 1, .jitter = {}};
  guard.configure(*spec);
  asked = 0;
  guard.refresh(membership, *hosts, checked, {}, &told);
  EXPECT_EQ(asked, 3);
}

// What a check says of one host says nothing of those that were ejected in the same iteration.
TEST_F(ClusterGuardTest, TheLastOneStaysWhateverComesBetween) {
  const auto shared = std::make_shared<ClusterShared>(registry_, "api", 1);
  auto spec = clusterSpec("api");
  auto outlier = std::make_shared<OutlierSpec>();
  outlier->consecutive_5xx = 1;
  outlier->max_ejection_percent = 100;
  spec->outlier = outlier;
  Membership membership(1);
  const auto hosts = assignment({endpoint(1), endpoint(2), endpoint(3)});
  bool three_fails = false;
  const auto checked = [&](const EndpointSpec& endpoint) {
    const bool fails = three_fails && endpoint.address == address(3);
    return CheckedHost{fails ? ActiveHealth::Unhealthy : ActiveHealth::Healthy};
  };
  ClusterGuard* self = nullptr;
  ClusterGuard guard(loop_.loop(), registry_, shared, shared->metrics.slot(1),
                     [&](const std::vector<net::Address>* of) {
                       self->refresh(membership, *hosts, checked, {}, of);
                     });
  self = &guard;
  guard.configure(*spec);
  guard.update(membership, *hosts, checked);
  const auto fail = [&](int number) {
    const Host* const host = membership.find(address(number));
    host->streaks().extend(Streak::ServerErrors, 1);
    guard.guard()->onStreak(*host, Streak::ServerErrors);
  };
  fail(1);
  three_fails = true;
  const std::vector<net::Address> three{address(3)};
  guard.refresh(membership, *hosts, checked, {}, &three);
  EXPECT_EQ(membership.counts().healthy, 1u);
  fail(2);
  run();
  EXPECT_TRUE(guard.view(address(1)).ejected);
  EXPECT_FALSE(guard.view(address(2)).ejected);
  EXPECT_EQ(membership.counts().healthy, 1u);
}

TEST_F(ClusterGuardTest, AFormerClustersPanicIsOver) {
  auto spec = clusterSpec();
  spec->panic = {PanicSpec::Mode::ServeAll, 50};
  makeCluster(spec, 1);
  setHosts({endpoint(1, 1, kUnhealthy)});
  EXPECT_EQ(counter("panic"), 1);
  // Its requests keep its metrics.
  const PickResult running = cluster().pick();
  ASSERT_EQ(running.kind, Pick::Kind::Host);
  manager_->apply({.removed = {"web"}});
  run();
  makeCluster(spec, 1);
  EXPECT_EQ(counter("panic"), 0);
}

TEST_F(ClusterGuardTest, WithoutRulesNobodyIsWatched) {
  makeCluster(clusterSpec(), 2);
  EXPECT_FALSE(cluster().recordsOutcomes());
  EXPECT_FALSE(cluster().watchesHeads());
  fail(1, 100);
  EXPECT_EQ(eligible(), "1 2 ");
}

}  // namespace
}  // namespace convoy::upstream
