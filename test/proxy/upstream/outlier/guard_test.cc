#include "proxy/upstream/outlier/guard.h"

#include <algorithm>
#include <map>
#include <string>

#include "proxy/upstream/health/monitor.h"
#include "proxy/upstream/outlier/spec.h"
#include "test/proxy/upstream/guard_fixture.h"
#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::GuardTest;

TEST_F(GuardTest, AHostThatFailsRequestsGetsNoMoreForAWhile) {
  makeCluster(guarded(outliers()), 4);
  fail(2, 4);
  EXPECT_EQ(eligible(), "1 2 3 4 ");
  fail(2, 1);
  EXPECT_EQ(eligible(), "1 3 4 ");
  EXPECT_TRUE(ejection(2).ejected);
  EXPECT_EQ(ejection(2).evidence, "5 responses of 5xx, or none, in a row");
  EXPECT_EQ(metrics().upstream_cx_none_healthy.value(), 0u);
  fail(4);
  fail(1);  // half of the hosts are out
  EXPECT_EQ(eligible(), "1 3 ");
  pass(seconds(29));
  EXPECT_EQ(eligible(), "1 3 ");
  pass(seconds(2));
  EXPECT_EQ(eligible(), "1 2 3 4 ");
}

// What docs/outlier.md says of the log.
TEST_F(GuardTest, TheLogTellsWhoIsOutAndWhyAndWhenItIsBack) {
  auto outlier = outliers();
  outlier->base_ejection_time = milliseconds(31'402);
  makeCluster(guarded(outlier), 3);
  testing::internal::CaptureStderr();
  fail(2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "warning cluster web: host 10.0.0.2:80 is ejected for 31.402 s: consecutive_5xx: 5 "
            "responses of 5xx, or none, in a row\n");
  testing::internal::CaptureStderr();
  clock_.advance(seconds(10));
  run();
  clock_.advance(seconds(10));
  run();
  clock_.advance(seconds(10));
  run();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  testing::internal::CaptureStderr();
  clock_.advance(seconds(10));
  run();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "info cluster web: host 10.0.0.2:80 gets requests again after 40 s\n");
}

TEST_F(GuardTest, ItsConnectionsFinishAndClose) {
  makeCluster(guarded(outliers()), 2);
  test::TestRequest request;
  send(request);
  const int index = request.host.address() == address(1) ? 1 : 2;
  fail(index);
  EXPECT_TRUE(ejection(index).ejected);
  answer(peer(0));
  EXPECT_EQ(request.status, 200);
  EXPECT_EQ(counts(request.host).idle, 0u);
}

TEST_F(GuardTest, HostsAndRulesMayChangeMeanwhile) {
  makeCluster(guarded(outliers()), 4);
  fail(2);
  setHosts({endpoint(1), endpoint(2, 7), endpoint(3)});
  EXPECT_EQ(eligible(), "1 3 ") << "a weight does not bring it back";
  setHosts({endpoint(1), endpoint(3), endpoint(4)});
  setHosts({endpoint(1), endpoint(2), endpoint(3)});
  EXPECT_EQ(eligible(), "1 2 3 ") << "one that was gone is another";
  fail(2);
  auto stricter = outliers();
  stricter->consecutive_5xx = 2;
  apply({.clusters = {guarded(stricter)}});
  EXPECT_EQ(eligible(), "1 3 ");
  apply({.clusters = {clusterSpec()}});
  EXPECT_EQ(eligible(), "1 2 3 ") << "nobody watches any more";
  EXPECT_FALSE(cluster().recordsOutcomes());
  fail(2);
  EXPECT_EQ(eligible(), "1 2 3 ");
  apply({.clusters = {guarded(stricter)}});
  fail(3, 2);
  EXPECT_EQ(eligible(), "1 2 ");
}

TEST_F(GuardTest, NewsOfAClusterThatIsGoneAreForNobody) {
  makeCluster(guarded(outliers()), 2);
  const HostRef host = hostOf(1);
  WorkerCluster& before = cluster();
  manager_->apply({.removed = {"web"}});
  for (int i = 0; i < 5; ++i) before.noteOutcome(host, Outcome::failed());
  run();
  EXPECT_EQ(find(), nullptr);
  pass(seconds(11));
  EXPECT_EQ(manager_->size(), 0u);
}

// --- many hosts, one cause ---

// The endpoint that is checked does real work: it fails when its host has more than so many
// requests, while the requests are served. Each host that goes out for it leads its share to
// others.
class CascadeTest : public GuardTest, public testing::WithParamInterface<bool> {
 protected:
  static constexpr size_t kHosts = 10;
  static constexpr size_t kRequests = 100;  // in each tenth of a second
  // Of hosts 1 to 3 a little less than their share.
  static size_t mostOf(size_t host) { return host <= 3 ? 9 : 12; }
};
INSTANTIATE_TEST_SUITE_P(Held, CascadeTest, testing::Bool());

TEST_P(CascadeTest, ASlowHealthEndpointDoesNotTakeThePoolDown) {
  test::HealthIo checks;
  Monitor monitor(loop_.loop(), {&loop_.loop()}, registry_, checks, Monitor::Options{});
  manager_->monitorHealthBy(monitor);
  auto spec = clusterSpec();
  // Who is out comes back later than the others follow.
  auto check = std::make_shared<HealthCheckSpec>(*test::everyTwoSeconds());
  check->healthy_threshold = 10;
  spec->health_check = check;
  if (GetParam()) spec->correlation = CorrelationSpec{.percent = 30, .window = seconds(20)};
  makeCluster(spec, kHosts);
  pass(seconds(3));
  size_t least = kHosts;
  for (int tenths = 0; tenths < 600; ++tenths) {
    std::map<size_t, size_t> shares;
    for (size_t i = 0; i < kRequests; ++i) {
      PickResult picked = cluster().pick();
      if (picked.kind != Pick::Kind::Host) continue;
      const std::string ip = picked.lease.host().address().ipText();
      ++shares[std::stoul(ip.substr(ip.rfind('.') + 1))];
      cluster().noteOutcome(picked.lease.ref(), Outcome::answered(200, {}));
    }
    for (size_t host = 1; host <= kHosts; ++host) {
      const std::string name = address(static_cast<int>(host)).text();
      shares[host] > mostOf(host) ? void(checks.down.insert(name)) : void(checks.down.erase(name));
    }
    pass(milliseconds(100));
    least = std::min(least, cluster().hostCount());
  }
  // The first three go out, and then nobody any more; or all follow them.
  EXPECT_EQ(least, GetParam() ? kHosts - 3 : 0u);
  if (GetParam()) {
    EXPECT_EQ(cluster().hostCount(), kHosts);
    EXPECT_TRUE(ejection(1).held);
  }
  monitor.shutdown();
  run();
  manager_.reset();
  run();
}

TEST_F(GuardTest, HostsThatAnswerNothingGoOutWhateverTheOthersDo) {
  test::HealthIo checks;
  Monitor monitor(loop_.loop(), {&loop_.loop()}, registry_, checks, Monitor::Options{});
  manager_->monitorHealthBy(monitor);
  auto spec = clusterSpec();
  spec->health_check = test::everyTwoSeconds();
  spec->correlation = CorrelationSpec{.percent = 30, .window = seconds(9)};
  makeCluster(spec, 4);
  pass(seconds(3));
  checks.all_down = true;
  pass(seconds(8));
  EXPECT_EQ(eligible(), "") << "all are dead, and one alarm changes nothing about it";
  EXPECT_FALSE(ejection(1).held);
  checks.down = {address(1).text(), address(3).text(), address(4).text()};
  checks.all_down = false;
  pass(seconds(5));
  EXPECT_EQ(eligible(), "2 ");
  monitor.shutdown();
  run();
  manager_.reset();
  run();
}

TEST_F(GuardTest, WhatFailsInTheSameWayStaysAndComesBack) {
  auto spec = guarded(outliers(90));
  auto held = std::make_shared<ClusterSpec>(*spec);
  held->correlation = CorrelationSpec{.percent = 50, .window = seconds(30)};
  makeCluster(held, 4);
  fail(1);
  fail(2);
  EXPECT_EQ(eligible(), "3 4 ");
  fail(3);
  EXPECT_EQ(eligible(), "1 2 3 4 ") << "it is not theirs";
  fail(4);
  fail(1);
  EXPECT_EQ(eligible(), "1 2 3 4 ");
  // Half a minute later each is judged by itself again.
  pass(seconds(45));
  fail(4);
  EXPECT_EQ(eligible(), "1 2 3 ");
}

// What is only counted, and finds a host with a single failure where nearly all succeed.
TEST_F(GuardTest, DetectionsThatAreOffRaiseNoAlarm) {
  auto outlier = outliers(90);
  outlier->enforcing.fill(0);
  outlier->enforcing[static_cast<size_t>(Detection::Consecutive5xx)] = 100;
  auto spec = guarded(outlier);
  spec->correlation = CorrelationSpec{.percent = 50, .window = seconds(30)};
  makeCluster(spec, 5);
  pass(seconds(1));
  std::vector<HostRef> hosts;
  for (int i = 1; i <= 5; ++i) hosts.push_back(hostOf(i));
  for (int interval = 0; interval < 3; ++interval) {
    for (int i = 0; i < 5; ++i) {
      for (int n = 0; n < 500; ++n) {
        const bool stray = i == interval && n == 0;
        cluster().noteOutcome(hosts[static_cast<size_t>(i)],
                              Outcome::answered(stray ? 500 : 200, {}));
      }
    }
    pass(seconds(10));
  }
  EXPECT_EQ(counter("outlier_detection.ejections_detected_success_rate"), 3);
  EXPECT_EQ(counter("outlier_detection.correlated_failures_total"), 0);
  hosts.clear();
  fail(5);
  EXPECT_EQ(eligible(), "1 2 3 4 ");
}

// A rolling deploy: a new cluster every few seconds.
TEST_F(GuardTest, ChangesOfTheClusterPutNoSweepOff) {
  auto outlier = outliers();
  outlier->base_ejection_time = seconds(5);
  makeCluster(guarded(outlier), 3);
  fail(1);
  EXPECT_EQ(eligible(), "2 3 ");
  for (int i = 0; i < 4; ++i) {
    pass(seconds(4));
    auto spec = guarded(outlier);
    spec->breakers.max_requests = static_cast<uint32_t>(1000 + i);
    apply({.clusters = {spec}});
  }
  EXPECT_EQ(eligible(), "1 2 3 ");
}

// --- circuit breakers ---

class BreakerTest : public GuardTest {
 protected:
  BreakerTest() {
    auto spec = clusterSpec();
    spec->host_breaker.emplace();
    makeCluster(spec, 2);
  }
  // To the moment when the breaker of host 1 is half-open.
  void toHalfOpen() {
    fail(1);
    pass(seconds(61));
  }
};

TEST_F(BreakerTest, OneRequestProbesAndOthersGoElsewhere) {
  fail(1, 4);
  EXPECT_EQ(eligible(), "1 2 ");
  fail(1, 1);
  EXPECT_EQ(eligible(), "2 ");
  EXPECT_TRUE(ejection(1).breaker_open);
  pass(seconds(59));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(cluster().pick().lease.host().address(), address(2));
  pass(seconds(2));
  EXPECT_EQ(eligible(), "2 ");
  EXPECT_TRUE(ejection(1).breaker_half_open);
  PickResult probe = cluster().pick();
  EXPECT_EQ(probe.lease.host().address(), address(1));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(cluster().pick().lease.host().address(), address(2));
  // Its client goes away: it was no answer, and the next request is the probe.
  probe = {};
  probe = cluster().pick();
  EXPECT_EQ(probe.lease.host().address(), address(1));
  note(probe, Outcome::answered(200, {}));
  run();
  EXPECT_EQ(eligible(), "1 2 ");
}

TEST_F(BreakerTest, AFailedProbeOpensItAgain) {
  toHalfOpen();
  {
    const PickResult probe = cluster().pick();
    ASSERT_EQ(probe.lease.host().address(), address(1));
    note(probe, Outcome::failed());
    run();
  }
  EXPECT_TRUE(ejection(1).breaker_open);
  EXPECT_EQ(cluster().pick().lease.host().address(), address(2));
  pass(seconds(61));
  EXPECT_EQ(cluster().pick().lease.host().address(), address(1));
}

TEST_F(BreakerTest, WhenAllAreOpenRequestsFailAtOnce) {
  fail(1);
  fail(2);
  EXPECT_EQ(eligible(), "");
  EXPECT_EQ(cluster().pick().kind, Pick::Kind::None);
  pass(seconds(61));
  // Each has its own probe.
  const PickResult first = cluster().pick(), second = cluster().pick();
  EXPECT_NE(&first.lease.host(), &second.lease.host());
  EXPECT_EQ(cluster().pick().kind, Pick::Kind::None);
}

TEST_F(BreakerTest, ARequestIsNotSentTwiceToTheHostThatItProbed) {
  toHalfOpen();
  const Host* tried[] = {&cluster().pick().lease.host()};
  ASSERT_EQ(tried[0]->address(), address(1));
  EXPECT_EQ(cluster().pick(tried).lease.host().address(), address(2));
}

TEST_F(BreakerTest, ARequestThatGoesToTheHostOfItsSessionIsNoProbe) {
  toHalfOpen();
  const std::string at_two = address(2).text(), at_one = address(1).text();
  EXPECT_EQ(pickFor(at_two).lease.host().address(), address(2));
  const PickResult strict = pickFor(at_one, /*strict=*/true);
  EXPECT_EQ(strict.kind, Pick::Kind::None);
  // The host of this one is out, so it may find out whether it is well again.
  const PickResult moved = pickFor(at_one);
  EXPECT_EQ(moved.lease.host().address(), address(1));
  EXPECT_FALSE(moved.preferred);
  EXPECT_EQ(pickFor(at_one).lease.host().address(), address(2)) << "one at a time";
}

TEST_F(BreakerTest, WithoutTheRuleTheHostIsBack) {
  toHalfOpen();
  apply({.clusters = {clusterSpec()}});
  EXPECT_EQ(eligible(), "1 2 ");
  EXPECT_EQ(cluster().pick().kind, Pick::Kind::Host);
}

TEST_F(BreakerTest, WithoutTheRuleItIsBackThoughOthersAreLeft) {
  for (const bool half_open : {false, true}) {
    auto spec = guarded(outliers());
    auto outlier = std::make_shared<OutlierSpec>(*outliers());
    outlier->enforcing.fill(0);
    spec->outlier = outlier;
    auto without = std::make_shared<ClusterSpec>(*spec);
    spec->host_breaker.emplace();
    apply({.clusters = {spec}});
    fail(1);
    if (half_open) pass(seconds(61));
    EXPECT_EQ(eligible(), "2 ");
    apply({.clusters = {without}});
    EXPECT_EQ(eligible(), "1 2 ") << half_open;
    EXPECT_FALSE(ejection(1).breaker_open || ejection(1).breaker_half_open);
    // And when the rule is back, it holds.
    apply({.clusters = {spec}});
    fail(1);
    EXPECT_EQ(eligible(), "2 ");
    apply({.clusters = {without}});
  }
}

// No request finds out about a host that somebody else is against.
TEST_F(BreakerTest, AHostThatIsOutForAnotherReasonIsNotProbed) {
  toHalfOpen();
  const auto probes = [&] { return cluster().pick().lease.host().address() == address(1); };
  EXPECT_TRUE(probes());
  for (const HealthStatus told :
       {HealthStatus::Draining, HealthStatus::Unhealthy, HealthStatus::Timeout}) {
    setHosts({endpoint(1, 1, told), endpoint(2)});
    EXPECT_TRUE(ejection(1).breaker_half_open);
    EXPECT_FALSE(probes());
    setHosts({endpoint(1), endpoint(2)});
    EXPECT_TRUE(probes());
  }
}

TEST_F(GuardTest, AnEjectedHostIsNotProbed) {
  auto outlier = outliers();
  outlier->base_ejection_time = seconds(120);
  auto spec = guarded(outlier);
  spec->host_breaker.emplace();
  makeCluster(spec, 3);
  fail(1);
  EXPECT_TRUE(ejection(1).ejected && ejection(1).breaker_open);
  const auto probes = [&] { return cluster().pick().lease.host().address() == address(1); };
  pass(seconds(65));
  EXPECT_TRUE(ejection(1).breaker_half_open);
  EXPECT_FALSE(probes());
  pass(seconds(70));
  EXPECT_FALSE(ejection(1).ejected);
  EXPECT_TRUE(probes());
}

// --- after an outage ---

// Fifty servers that come back at once, each of which would get a hundred connections: 5,000 for a
// database that stands 500.
TEST_F(GuardTest, FiftyServersComeBackWithinTheCap) {
  constexpr int kServers = 50;
  constexpr size_t kWanted = 5000;
  constexpr uint32_t kMost = 500;
  test::HealthIo checks;
  Monitor monitor(loop_.loop(), {&loop_.loop()}, registry_, checks, Monitor::Options{});
  manager_->monitorHealthBy(monitor);
  auto spec = clusterSpec();
  spec->health_check = test::everyTwoSeconds();
  spec->recovery = RecoverySpec{.max_requests = kMost, .requests_per_second = 50};
  spec->breakers.max_connections = spec->breakers.max_requests = 100'000;
  makeCluster(spec, kServers);
  pass(seconds(3));
  checks.all_down = true;
  pass(seconds(8));
  ASSERT_EQ(cluster().hostCount(), 0u);
  checks.all_down = false;
  std::vector<HostLease> running;
  size_t most = 0, refused = 0, hosts = 0;
  for (int tenths = 0; tenths < 300; ++tenths) {
    pass(milliseconds(100));
    while (running.size() < kWanted) {
      PickResult picked = cluster().pick();
      if (picked.kind != Pick::Kind::Host) {
        refused += picked.overflow;
        break;
      }
      running.push_back(std::move(picked.lease));
    }
    most = std::max(most, running.size());
    // A fifth of them ends.
    running.erase(running.begin(), running.begin() + static_cast<int64_t>(running.size() / 5));
    hosts = std::max(hosts, cluster().hostCount());
  }
  EXPECT_EQ(most, kMost) << "reached and never exceeded";
  EXPECT_EQ(hosts, size_t{kServers});
  EXPECT_GT(refused, 100u);
  EXPECT_EQ(cluster().breakers().recovering.used(), running.size());
  // When they have settled there is no limit any more.
  running.clear();
  pass(seconds(31));
  for (size_t i = 0; i < kWanted; ++i) running.push_back(cluster().pick().lease);
  EXPECT_EQ(cluster().breakers().recovering.used(), 0u);
  running.clear();
  monitor.shutdown();
  run();
  manager_.reset();
  run();
}

// Envoy's panic is on unless it is turned off.
TEST_F(GuardTest, InPanicTheCapHoldsAndHostsWait) {
  constexpr int kServers = 20;
  constexpr uint32_t kMost = 40;
  test::HealthIo checks;
  Monitor monitor(loop_.loop(), {&loop_.loop()}, registry_, checks, Monitor::Options{});
  manager_->monitorHealthBy(monitor);
  auto spec = clusterSpec();
  spec->health_check = test::everyTwoSeconds();
  spec->panic = {PanicSpec::Mode::ServeAll, 50};
  spec->recovery = RecoverySpec{.max_requests = kMost, .requests_per_second = 4};
  makeCluster(spec, kServers);
  pass(seconds(3));
  checks.all_down = true;
  pass(seconds(8));
  ASSERT_EQ(cluster().hostCount(), size_t{kServers}) << "panic";
  std::vector<HostLease> running;
  const auto fill = [&] {
    for (;;) {
      PickResult picked = cluster().pick();
      if (picked.kind != Pick::Kind::Host) break;
      running.push_back(std::move(picked.lease));
      ASSERT_LE(running.size(), 1000u);
    }
  };
  fill();
  EXPECT_EQ(running.size(), kMost);
  checks.all_down = false;
  size_t least_cap = kMost;
  for (int tenths = 0; tenths < 170; ++tenths) {
    pass(milliseconds(100));
    running.clear();
    fill();
    ASSERT_LE(running.size(), kMost);
    ASSERT_GE(running.size(), 1u) << "somebody serves at any time";
    least_cap = std::min(least_cap, running.size());
    if (tenths != 50) continue;
    EXPECT_LT(cluster().hostCount(), size_t{kServers}) << "all are well, and some wait";
  }
  EXPECT_EQ(least_cap, 4u) << "from the first return on it grows anew";
  EXPECT_EQ(cluster().hostCount(), size_t{kServers});
  running.clear();
  monitor.shutdown();
  run();
  manager_.reset();
  run();
}

// It passes its checks for a moment: it serves if nobody else can, and is not the first that is
// back.
TEST_F(GuardTest, AHostThatHasRelapsedIsNotBack) {
  auto spec = clusterSpec("api");
  spec->recovery = RecoverySpec{.max_requests = 10, .requests_per_second = 1, .jitter = {}};
  uint32_t most = 0;
  Guard guard(
      loop_.loop(), registry_, "api", [](const auto*) {}, [&most](uint32_t cap) { most = cap; });
  guard.configure(*spec);
  const std::vector<std::shared_ptr<const Host>> hosts{
      std::make_shared<const Host>(address(1), 0, 1),
      std::make_shared<const Host>(address(2), 1, 1)};
  const auto verdictOf = [&](ActiveHealth first) {
    guard.observe({});
    const ActiveHealth verdict = guard.judge(address(1), first);
    guard.judge(address(2), ActiveHealth::Unhealthy);
    guard.setHosts(hosts);
    return verdict;
  };
  EXPECT_EQ(verdictOf(ActiveHealth::Unhealthy), ActiveHealth::Unhealthy);
  EXPECT_EQ(verdictOf(ActiveHealth::Relapsed), ActiveHealth::Relapsed);
  EXPECT_EQ(most, 10u) << "as long as nobody is back";
  EXPECT_EQ(verdictOf(ActiveHealth::Healthy), ActiveHealth::Healthy);
  EXPECT_EQ(most, 1u) << "from then on it grows";
}

TEST_F(GuardTest, WithoutTheRuleNothingRecovers) {
  auto spec = guarded(outliers());
  auto without = std::make_shared<ClusterSpec>(*spec);
  spec->host_breaker = without->host_breaker = HostBreakerSpec{.failures = 1};
  spec->recovery = RecoverySpec{.outage_percent = 49, .max_requests = 1};
  makeCluster(spec, 2);
  for (int outage = 1; outage <= 2; ++outage) {
    fail(1, 1);
    EXPECT_EQ(counter("recovery.active"), 1);
    EXPECT_EQ(counter("recovery.outages"), outage);
    apply({.clusters = {without}});
    EXPECT_EQ(counter("recovery.active"), 0);
    pass(seconds(61));
    {
      const PickResult probe = cluster().pick();
      ASSERT_EQ(probe.lease.host().address(), address(1));
      note(probe, Outcome::answered(200, {}));
      run();
    }
    EXPECT_EQ(eligible(), "1 2 ");
    apply({.clusters = {spec}});
  }
}

// The policy is asked a few times; a free host is found all the same.
TEST_F(GuardTest, WhoServedThroughTheOutageIsFoundAmongMany) {
  auto spec = clusterSpec();
  spec->host_breaker = HostBreakerSpec{.failures = 1, .open_time = seconds(1)};
  spec->recovery = RecoverySpec{.max_requests = 1, .requests_per_second = 1, .jitter = {}};
  makeCluster(spec, 50);
  std::vector<HostRef> hosts;
  for (int i = 1; i <= 26; ++i) hosts.push_back(hostOf(i));
  for (const HostRef& host : hosts) cluster().noteOutcome(host, Outcome::answered(500, {}));
  run();
  pass(seconds(2));
  for (int i = 1; i <= 26; ++i) {
    const PickResult probe = cluster().pick();
    note(probe, Outcome::answered(200, {}));
    run();
  }
  ASSERT_EQ(cluster().hostCount(), 50u);
  auto random = std::make_shared<ClusterSpec>(*spec);
  random->balancing.algorithm = Algorithm::Random;
  apply({.clusters = {random}});
  std::vector<HostLease> running;
  for (int i = 0; i < 500; ++i) {
    PickResult picked = cluster().pick();
    ASSERT_EQ(picked.kind, Pick::Kind::Host);
    running.push_back(std::move(picked.lease));
  }
  EXPECT_EQ(cluster().breakers().recovering.used(), 1u);
}

// The breakers of the others are closed by requests that no cap holds back.
TEST_F(GuardTest, ProbesGoOnWhenTheCapIsUsedUp) {
  auto spec = clusterSpec();
  spec->host_breaker = HostBreakerSpec{.failures = 1, .open_time = seconds(1)};
  spec->recovery = RecoverySpec{.max_requests = 10, .requests_per_second = 1, .jitter = {}};
  makeCluster(spec, 4);
  const HostRef last = hostOf(4);
  for (const int host : {1, 2, 3}) fail(host, 1);
  EXPECT_EQ(counter("recovery.active"), 1);
  pass(seconds(2));
  {
    const PickResult probe = cluster().pick();
    note(probe, Outcome::answered(200, {}));
    run();
  }
  ASSERT_EQ(cluster().hostCount(), 2u);
  cluster().noteOutcome(last, Outcome::answered(500, {}));
  run();
  ASSERT_EQ(cluster().hostCount(), 1u) << "an outage again";
  PickResult probes[] = {cluster().pick(), cluster().pick()};
  const PickResult running = cluster().pick();
  EXPECT_EQ(running.kind, Pick::Kind::Host) << "who serves on has a request";
  EXPECT_EQ(running.lease.probe(), Streaks::kNoProbe);
  EXPECT_TRUE(cluster().pick().overflow);
  probes[0] = {};
  probes[0] = cluster().pick();
  for (const PickResult& probe : probes) {
    ASSERT_NE(probe.lease.probe(), Streaks::kNoProbe);
    note(probe, Outcome::answered(200, {}));
  }
  run();
  EXPECT_EQ(cluster().hostCount(), 3u);
}

TEST_F(GuardTest, SessionsKeepToTheCap) {
  auto spec = clusterSpec();
  spec->host_breaker = HostBreakerSpec{.failures = 1, .open_time = seconds(1)};
  spec->recovery =
      RecoverySpec{.outage_percent = 99, .max_requests = 1, .requests_per_second = 1, .jitter = {}};
  makeCluster(spec, 2);
  fail(1, 1);
  fail(2, 1);
  pass(seconds(2));
  for (int i = 0; i < 2; ++i) {
    const PickResult probe = cluster().pick();
    note(probe, Outcome::answered(200, {}));
    run();
  }
  ASSERT_EQ(eligible(), "1 2 ");
  const PickResult running = pickFor(address(1).text());
  EXPECT_TRUE(running.preferred);
  for (const bool strict : {false, true}) {
    const PickResult refused = pickFor(address(1).text(), strict);
    EXPECT_EQ(refused.kind, Pick::Kind::None);
    EXPECT_TRUE(refused.overflow);
  }
  EXPECT_EQ(metrics().recovery_overflow.value(), 2u);
}

TEST_F(GuardTest, PassedChecksBringHostsBackIfTheyMay) {
  test::HealthIo checks;
  Monitor monitor(loop_.loop(), {&loop_.loop()}, registry_, checks, Monitor::Options{});
  manager_->monitorHealthBy(monitor);
  auto outlier = outliers();
  auto spec = guarded(outlier);
  spec->health_check = test::everyTwoSeconds();
  makeCluster(spec, 2);
  pass(seconds(3));
  fail(1);
  EXPECT_EQ(eligible(), "2 ");
  checks.all_down = true;  // no pass
  pass(seconds(2));
  EXPECT_EQ(eligible(), "2 ");
  checks.all_down = false;
  pass(seconds(3));
  EXPECT_EQ(eligible(), "1 2 ");
  // And not, if they may not.
  auto patient = std::make_shared<OutlierSpec>(*outlier);
  patient->health_check_unejects = false;
  auto other = std::make_shared<ClusterSpec>(*spec);
  other->outlier = patient;
  apply({.clusters = {other}});
  fail(1);
  pass(seconds(5));
  EXPECT_EQ(eligible(), "2 ");
  monitor.shutdown();
  run();
  manager_.reset();
  run();
}

}  // namespace
}  // namespace convoy::upstream
