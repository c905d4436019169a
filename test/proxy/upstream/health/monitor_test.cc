#include "proxy/upstream/health/monitor.h"

#include <set>

#include "proxy/base/xxhash.h"
#include "test/common/metric_value.h"
#include "test/proxy/upstream/fixture.h"
#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A cluster manager, one worker and the checks, all on the test's loop.
class MonitorTest : public test::UpstreamTest {
 protected:
  MonitorTest() : monitor_(loop_.loop(), {&loop_.loop()}, registry_, hosts_, Monitor::Options{}) {
    manager_->monitorHealthBy(monitor_);
  }
  ~MonitorTest() override {
    monitor_.shutdown();
    run();
    manager_.reset();
    run();
  }

  static std::shared_ptr<ClusterSpec> checkedSpec(uint64_t hash = 1) {
    auto spec = clusterSpec();
    auto check = test::everyTwoSeconds();
    check->hash = hash;
    spec->health_check = check;
    spec->ignore_health_on_removal = true;
    return spec;
  }
  void pass(event::Duration time) {
    for (; time > event::Duration::zero(); time -= milliseconds(50)) {
      clock_.advance(milliseconds(50));
      run();
    }
  }
  void down(int host) { hosts_.down.insert(address(host).text()); }
  void up(int host) { hosts_.down.erase(address(host).text()); }
  // Last parts of the addresses that new requests may go to.
  std::string eligible() {
    std::string out;
    manager_->forEach([&](const ClusterManager::ClusterView& view) {
      for (const auto& host : view.hosts) {
        const std::string ip = host.host.address().ipText();
        if (host.eligible) out += ip.substr(ip.rfind('.') + 1) + " ";
      }
    });
    // The worker sees the same.
    EXPECT_EQ(cluster().pick().kind == Pick::Kind::Host, !out.empty());
    return out;
  }
  ActiveHealth health(int host) { return monitor_.check("web", address(host)).health; }
  // To the next check of this host.
  void toCheckOf(int host) {
    const int before = hosts_.connects;
    while (hosts_.connects == before || hosts_.last_address != address(host)) {
      pass(milliseconds(50));
    }
  }

  test::HealthIo hosts_;
  Monitor monitor_;
};

// REQUIREMENTS A2: interval 2 s, fall 3, rise 2. Crash at 0:00, failures at :02 :04 :06: out.
// Restart at :10, successes at :12 :14: back.
TEST_F(MonitorTest, TheTimelineOfACrash) {
  makeCluster(checkedSpec(), 1);
  toCheckOf(1);
  ASSERT_EQ(eligible(), "1 ");
  down(1);
  pass(milliseconds(5950));
  EXPECT_EQ(eligible(), "1 ");
  pass(milliseconds(50));
  EXPECT_EQ(eligible(), "");  // 0:06
  pass(seconds(4));
  up(1);  // 0:10
  pass(milliseconds(3950));
  EXPECT_EQ(eligible(), "");
  pass(milliseconds(50));
  EXPECT_EQ(eligible(), "1 ");  // 0:14
}

TEST_F(MonitorTest, ANewHostGetsNothingBeforeItsFirstPass) {
  makeCluster(checkedSpec(), 1);
  toCheckOf(1);
  down(2);
  setHosts({endpoint(1), endpoint(2)});
  EXPECT_EQ(health(2), ActiveHealth::Unknown);
  EXPECT_EQ(eligible(), "1 ");
  pass(seconds(3));
  EXPECT_EQ(eligible(), "1 ");
  up(2);
  pass(seconds(2));
  EXPECT_EQ(eligible(), "1 2 ");
  EXPECT_EQ(health(2), ActiveHealth::Healthy);
}

// Else the first of a hundred hosts to pass would have the load of all.
TEST_F(MonitorTest, APoolThatStartsServesAtOnceUntilTheChecksSayOtherwise) {
  down(3);
  makeCluster(checkedSpec(), 3);
  EXPECT_EQ(eligible(), "1 2 3 ");
  toCheckOf(1);
  EXPECT_EQ(eligible(), "1 2 3 ");
  pass(seconds(6));
  EXPECT_EQ(eligible(), "1 2 ");
  EXPECT_EQ(health(3), ActiveHealth::Unhealthy);
}

TEST_F(MonitorTest, AnUnverifiedHostServesWhenNobodyElseCan) {
  makeCluster(checkedSpec(), 1);
  toCheckOf(1);
  down(1);
  pass(seconds(6));
  ASSERT_EQ(eligible(), "");
  setHosts({endpoint(1), endpoint(2)});
  EXPECT_EQ(eligible(), "2 ");
}

TEST_F(MonitorTest, AnUnrelatedEditKeepsVerdicts) {
  makeCluster(checkedSpec(), 2);
  pass(seconds(2));
  down(2);
  pass(seconds(6));
  ASSERT_EQ(eligible(), "1 ");
  const int connects = hosts_.connects;
  auto edited = checkedSpec();
  edited->version = "2";
  edited->connect_timeout = milliseconds(123);
  apply({.clusters = {edited}});
  EXPECT_EQ(eligible(), "1 ");
  setHosts({endpoint(1, 5), endpoint(2)});  // another weight
  EXPECT_EQ(eligible(), "1 ");
  EXPECT_EQ(hosts_.connects, connects);  // nothing is checked for that
}

TEST_F(MonitorTest, AnotherCheckIsVerifiedBeforeTheVerdictsFall) {
  makeCluster(checkedSpec(), 2);
  pass(seconds(2));
  down(2);
  pass(seconds(6));
  ASSERT_EQ(eligible(), "1 ");
  // The new check would fail on 1 and pass on 2.
  down(1);
  up(2);
  auto edited = checkedSpec(/*hash=*/2);
  edited->version = "2";
  apply({.clusters = {edited}});
  EXPECT_EQ(eligible(), "1 ");
  pass(seconds(2));
  EXPECT_EQ(eligible(), "1 ");
  pass(seconds(2));
  EXPECT_EQ(eligible(), "1 2 ");
  pass(seconds(2));
  EXPECT_EQ(eligible(), "2 ");
}

TEST_F(MonitorTest, ACheckThatComesOrGoesChangesNobodysTraffic) {
  makeCluster(clusterSpec(), 2);
  auto with = checkedSpec();
  with->version = "2";
  apply({.clusters = {with}});
  EXPECT_EQ(health(1), ActiveHealth::Unknown);
  EXPECT_EQ(eligible(), "1 2 ");
  down(1);
  down(2);
  pass(seconds(8));
  EXPECT_EQ(eligible(), "");
  auto without = clusterSpec();
  without->version = "3";
  apply({.clusters = {without}});
  EXPECT_EQ(eligible(), "1 2 ");
  const int connects = hosts_.connects;
  pass(seconds(4));
  EXPECT_EQ(hosts_.connects, connects);
}

TEST_F(MonitorTest, WhatTheControlPlaneSaysHoldsAsWell) {
  makeCluster(checkedSpec(), 1);
  setHosts({endpoint(1), endpoint(2, 1, HealthStatus::Unhealthy), endpoint(3)});
  down(3);
  pass(seconds(10));
  EXPECT_EQ(health(2), ActiveHealth::Healthy);
  EXPECT_EQ(eligible(), "1 ");
  setHosts({endpoint(1, 1, HealthStatus::Draining), endpoint(2), endpoint(3)});
  EXPECT_EQ(eligible(), "2 ");
}

TEST_F(MonitorTest, AnEndpointCanBeLeftOutOfTheChecksOrCheckedElsewhere) {
  EndpointSpec unchecked = endpoint(1);
  unchecked.health_check = false;
  EndpointSpec elsewhere = endpoint(2);
  elsewhere.health_address = address(2).withPort(9000);
  setHosts({unchecked, elsewhere}, {checkedSpec()});
  down(1);
  pass(seconds(8));
  EXPECT_EQ(health(2), ActiveHealth::Healthy);
  EXPECT_EQ(hosts_.last_address, address(2).withPort(9000));
  EXPECT_EQ(eligible(), "1 2 ");
}

TEST_F(MonitorTest, EnvoysRuleForRemovedHostsThatPass) {
  auto spec = checkedSpec();
  spec->ignore_health_on_removal = false;
  makeCluster(spec, 2);
  pass(seconds(2));
  setHosts({endpoint(1)});
  EXPECT_EQ(eligible(), "1 2 ");  // it still passes
  down(2);
  pass(seconds(6));
  EXPECT_EQ(eligible(), "1 ");
  int hosts = 0;
  manager_->forEach([&](const auto& view) { hosts += static_cast<int>(view.hosts.size()); });
  EXPECT_EQ(hosts, 1);
  // One that is told to go at once goes at once.
  auto at_once = checkedSpec();
  at_once->version = "2";
  setHosts({endpoint(1), endpoint(3)}, {at_once});
  pass(seconds(2));
  ASSERT_EQ(eligible(), "1 3 ");
  setHosts({endpoint(1)});
  EXPECT_EQ(eligible(), "1 ");
}

TEST_F(MonitorTest, ConnectionsToAHostThatGoesOutFinishAndClose) {
  makeCluster(checkedSpec(), 1);
  toCheckOf(1);
  test::TestRequest request;
  send(request);
  ASSERT_EQ(counts(request.host).busy, 1u);
  down(1);
  pass(seconds(6));
  ASSERT_EQ(eligible(), "");
  answer(peer(0));
  EXPECT_EQ(request.status, 200);
  run();
  EXPECT_TRUE(peer(0).handler.ended || peer(0).handler.closed.has_value());
}

TEST_F(MonitorTest, AClusterThatComesBackStartsAnew) {
  makeCluster(checkedSpec(), 1);
  toCheckOf(1);
  down(1);
  pass(seconds(6));
  ASSERT_EQ(eligible(), "");
  apply({.removed = {"web"}});
  const int connects = hosts_.connects;
  pass(seconds(4));
  EXPECT_EQ(hosts_.connects, connects);
  makeCluster(checkedSpec(), 1);
  EXPECT_EQ(health(1), ActiveHealth::Unknown);
  EXPECT_EQ(eligible(), "1 ");
}

// 1,000 hosts that appear at once are checked one after the other.
TEST_F(MonitorTest, ChecksOfManyHostsAreSpreadFromTheFirst) {
  std::vector<EndpointSpec> endpoints(1000);
  for (size_t i = 0; i < endpoints.size(); ++i) {
    endpoints[i].address =
        net::Address::fromIp("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250), 80)
            .value();
  }
  auto spec = checkedSpec();
  auto check = test::everyTwoSeconds();
  check->interval = check->no_traffic_interval = check->no_traffic_healthy_interval =
      check->healthy_edge_interval = seconds(5);
  spec->health_check = check;
  setHosts(endpoints, {spec});
  EXPECT_EQ(hosts_.connects, 0);
  for (int second = 0; second < 10; ++second) {
    const int before = hosts_.connects;
    pass(seconds(1));
    EXPECT_NEAR(hosts_.connects - before, 200, 60);
  }
  hosts_.peers.clear();
}

// A host that goes out, and one that comes back, whatever chooses among them.
TEST_F(MonitorTest, VerdictsReachEveryAlgorithm) {
  const auto served = [this] {
    std::set<std::string> hosts;
    std::vector<PickResult> held;
    for (uint64_t i = 0; i < 60; ++i) {
      held.push_back(cluster().pick({}, nullptr, base::mixBits(i)));
      hosts.insert(held.back().lease.host().address().ipText());
    }
    return hosts;
  };
  const std::set<std::string> all = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
  makeCluster(checkedSpec(), 3);
  pass(seconds(2));
  for (int algorithm = 0; algorithm <= static_cast<int>(Algorithm::Maglev); ++algorithm) {
    // Another check each time, so that going out again is no relapse.
    auto spec = checkedSpec(static_cast<uint64_t>(algorithm) + 2);
    spec->balancing.algorithm = static_cast<Algorithm>(algorithm);
    apply({.clusters = {spec}});
    EXPECT_EQ(served(), all) << algorithm;
    down(2);
    pass(seconds(7));
    EXPECT_EQ(served(), (std::set<std::string>{"10.0.0.1", "10.0.0.3"})) << algorithm;
    up(2);
    pass(seconds(5));
    EXPECT_EQ(served(), all) << algorithm;
  }
}

// When all fail, host sets are put together a few times, not for each host.
TEST_F(MonitorTest, ManyChangesArePublishedTogether) {
  std::vector<EndpointSpec> endpoints(200);
  for (size_t i = 0; i < endpoints.size(); ++i) {
    endpoints[i].address = net::Address::fromIp("10.1.0." + std::to_string(i), 80).value();
  }
  setHosts(endpoints, {checkedSpec()});
  pass(seconds(2));
  int announced = 0;
  manager_->onHostStateChanged([&] { ++announced; });
  hosts_.all_down = true;
  pass(seconds(8));
  EXPECT_EQ(eligible(), "");
  EXPECT_LE(announced, 2000 / 50 + 2);
}

// --- gray failures ---

// REQUIREMENTS A2, gray degradation: under its share of the load a host's memory fills, and from
// 95 % on it answers nothing, its check included; without load it is well again at 60 %.
class GrayFailureTest : public MonitorTest {
 protected:
  // A tenth of a second with twenty requests.
  void tenth() {
    bool loaded = false;
    for (int i = 0; i < 20; ++i) {
      const PickResult picked = cluster().pick();
      ASSERT_EQ(picked.kind, Pick::Kind::Host);
      loaded |= picked.lease.host().address() == address(1);
    }
    memory_ = loaded ? std::min(memory_ + 1, 100) : std::max(memory_ - 5, 60);
    if (memory_ >= 95) down(1);
    if (memory_ == 60) up(1);
    pass(milliseconds(100));
    const bool serves = eligible() == "1 2 3 4 ";
    times_out_ += served_ && !serves;
    served_ = serves;
    EXPECT_GE(cluster().hostCount(), 3u) << "the others have nothing to do with it";
  }
  int timesOutIn(event::Duration time) {
    const int before = times_out_;
    for (; time > event::Duration::zero(); time -= milliseconds(100)) tenth();
    return times_out_ - before;
  }

  int memory_ = 60;  // per cent
  bool served_ = true;
  int times_out_ = 0;
};

// Without a memory it would be out every 15 s: some 40 times in ten minutes.
TEST_F(GrayFailureTest, AHostThatIsWellOnlyWithoutLoadDoesNotOscillate) {
  makeCluster(checkedSpec(), 4);
  pass(seconds(3));
  const int first = timesOutIn(std::chrono::minutes(10));
  EXPECT_GE(first, 3);
  EXPECT_LE(first, 8) << "out for 4 s, 8 s, 16 s, ...";
  EXPECT_LE(timesOutIn(std::chrono::minutes(10)), 2) << "for five minutes each";
  EXPECT_LE(timesOutIn(std::chrono::minutes(10)), 2);
  EXPECT_EQ(test::metricValue(registry_, "cluster", "health_check.relapse"), times_out_ - 1);
}

// What makes most hosts fail, and again, is not theirs: nobody waits longer for it.
TEST_F(GrayFailureTest, WhenMostHostsRelapseNobodyWaits) {
  makeCluster(checkedSpec(), 4);
  pass(seconds(3));
  for (int outage = 0; outage < 3; ++outage) {
    hosts_.all_down = true;
    pass(seconds(8));
    ASSERT_EQ(eligible(), "");
    hosts_.all_down = false;
    pass(seconds(4));
    EXPECT_EQ(eligible(), "1 2 3 4 ") << outage;
    pass(seconds(2));
    EXPECT_EQ(eligible(), "1 2 3 4 ") << "and nobody goes out again";
  }
}

TEST_F(GrayFailureTest, AHostThatHasRelapsedServesWhenTheOthersCannot) {
  makeCluster(checkedSpec(), 3);
  pass(seconds(3));
  for (int round = 0; round < 2; ++round) {
    down(1);
    pass(seconds(8));
    ASSERT_EQ(eligible(), "2 3 ");
    up(1);
    pass(seconds(4));
  }
  EXPECT_EQ(eligible(), "2 3 ") << "two passes are not enough any more";
  EXPECT_EQ(health(1), ActiveHealth::Relapsed);
  EXPECT_EQ(
      monitor_.check("web", address(1)).reason,
      "it went out again soon after it had come back: 4 successes in a row bring it back, or 5 "
      "minutes of them");
  auto leaving = [](int index) { return endpoint(index, 1, HealthStatus::Draining); };
  setHosts({endpoint(1), leaving(2), leaving(3)});
  EXPECT_EQ(eligible(), "1 ") << "whatever the reason is";
  setHosts({endpoint(1), endpoint(2), endpoint(3)});
  pass(seconds(4));
  EXPECT_EQ(eligible(), "1 2 3 ");
  EXPECT_EQ(health(1), ActiveHealth::Healthy);
}

// The checks on a loop of their own: what they report waits until main looks.
class ReportsOnTheirWayTest : public test::UpstreamTest {
 protected:
  ReportsOnTheirWayTest()
      : checks_(clock_),
        monitor_(loop_.loop(), {&checks_.loop()}, registry_, hosts_, Monitor::Options{}) {
    clock_.attach(checks_.loop());
    manager_->monitorHealthBy(monitor_);
  }
  ~ReportsOnTheirWayTest() override {
    monitor_.shutdown();
    checks_.runReady();
    manager_.reset();
    run();
    clock_.detach(checks_.loop());
  }
  void check(event::Duration time) {
    for (; time > event::Duration::zero(); time -= milliseconds(50)) {
      clock_.advance(milliseconds(50));
      checks_.runReady();
    }
  }
  ActiveHealth health(int host) { return monitor_.check("web", address(host)).health; }

  test::HealthIo hosts_;
  test::TestLoop checks_;
  Monitor monitor_;
};

TEST_F(ReportsOnTheirWayTest, OfAHostThatHasGoneAreNotOfTheNextOneAtItsAddress) {
  auto spec = clusterSpec();
  spec->health_check = test::everyTwoSeconds();
  spec->ignore_health_on_removal = true;
  hosts_.all_down = true;
  makeCluster(spec, 1);
  check(seconds(10));
  ASSERT_EQ(health(1), ActiveHealth::Unknown) << "main has not looked yet";
  manager_->apply({.assignments = {{"web", assignment({})}}});
  manager_->apply({.assignments = {{"web", assignment({endpoint(1)})}}});
  run();
  EXPECT_EQ(health(1), ActiveHealth::Unknown);
  check(seconds(10));
  run();
  EXPECT_EQ(health(1), ActiveHealth::Unhealthy);
}

}  // namespace
}  // namespace convoy::upstream
