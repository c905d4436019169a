// Picks among hosts that have limits of their own, on several workers.

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxy/base/subset_key.h"
#include "proxy/upstream/grouping_spec.h"
#include "proxy/upstream/outlier/spec.h"
#include "test/proxy/http/h2_frames.h"
#include "test/proxy/upstream/several_workers.h"

namespace convoy::upstream {
namespace {

using http::Failure;
using test::TestRequest;
using namespace std::chrono_literals;

class GuardedPickTest : public test::SeveralWorkersTest {
 protected:
  static int lastPart(const PickResult& picked) {
    const std::string ip = picked.lease.host().address().ipText();
    return std::stoi(ip.substr(ip.rfind('.') + 1));
  }
};

// Picks as the router does: again when it is told to.
class Waiter final : public PickWaiter {
 public:
  explicit Waiter(WorkerCluster& cluster, const base::SubsetKey* subset = nullptr,
                  const HostPreference* preferred = nullptr)
      : cluster_(cluster.shared_from_this()), subset_(subset), preferred_(preferred) {
    onPickReady();
  }
  void onPickReady() override {
    picked = cluster_->pick({}, this, std::nullopt, preferred_, Priority::Default, subset_);
    ++picks;
  }
  PickResult picked;
  int picks = 0;

 private:
  const std::shared_ptr<WorkerCluster> cluster_;
  const base::SubsetKey* const subset_;
  const HostPreference* const preferred_;
};

// --- connections of a host ---

TEST_F(GuardedPickTest, AHostAtItsLimitIsPassedOver) {
  make({limited(1, 1), endpoint(2)});
  TestRequest requests[4];
  for (TestRequest& request : requests) sendOn(0, request);
  EXPECT_EQ(requests[0].host.address(), address(1));
  for (const int i : {1, 2, 3}) EXPECT_EQ(requests[i].host.address(), address(2)) << i;
  EXPECT_EQ(host(1).limits().connections(), 1u);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_passed_over), 2u);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_overflow), 0u);
  // A connection that is there is used again.
  answer(peer(0));
  std::vector<PickResult> held;
  for (int i = 0; i < 4; ++i) held.push_back(on(0).pick());
  int ones = 0;
  for (const PickResult& picked : held) ones += lastPart(picked) == 1;
  EXPECT_EQ(ones, 2) << "an idle one is no new one: half of the picks";
}

TEST_F(GuardedPickTest, IfAllHostsAreAtTheirLimitsRequestsAreRefused) {
  make({limited(1, 1), limited(2, 2)});
  TestRequest requests[3];
  for (TestRequest& request : requests) {
    sendOn(0, request);
    ASSERT_EQ(request.kind, Pick::Kind::Host);
  }
  const PickResult refused = on(0).pick();
  EXPECT_EQ(refused.kind, Pick::Kind::None);
  EXPECT_TRUE(refused.overflow);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_overflow), 1u);
  EXPECT_EQ(sum(&ClusterMetrics::upstream_cx_none_healthy), 0u);
  EXPECT_EQ(io_.peers.size(), 3u);
  for (TestRequest& request : requests) request.giveUp();
  run();
  EXPECT_EQ(host(1).limits().connections() + host(2).limits().connections(), 0u)
      << "HTTP/1.1 cannot use a connection again whose response nobody wants";
  EXPECT_EQ(on(0).pick().kind, Pick::Kind::Host);
}

TEST_F(GuardedPickTest, ALimitOfEachHostIsEnvoys) {
  auto spec = clusterSpec();
  spec->max_connections_per_host = 2;
  make({endpoint(1), limited(2, 1)}, spec);
  TestRequest requests[3];
  for (TestRequest& request : requests) sendOn(0, request);
  EXPECT_TRUE(on(0).pick().overflow);
  EXPECT_EQ(host(1).limits().connections(), 2u);
  EXPECT_EQ(host(2).limits().connections(), 1u);
  // Without limits there is no such answer, and what is open stays.
  make({endpoint(1), endpoint(2)});
  EXPECT_EQ(on(0).pick().kind, Pick::Kind::Host);
  EXPECT_EQ(host(1).limits().connections(), 2u);
}

// The policy is asked a few times; whoever has room is found all the same.
TEST_F(GuardedPickTest, TheLastHostWithRoomIsFoundAmongMany) {
  std::vector<EndpointSpec> hosts;
  for (int i = 1; i <= 40; ++i) hosts.push_back(limited(i, i == 33 ? 2 : 1));
  make(hosts);
  std::vector<TestRequest> requests(40);
  for (TestRequest& request : requests) {
    request.start(on(0));
    ASSERT_EQ(request.kind, Pick::Kind::Host);
  }
  run();
  EXPECT_EQ(io_.peers.size(), 40u);
  EXPECT_EQ(lastPart(on(0).pick()), 33);
}

// A permit goes with the pick: no other worker can take it before the connection is opened.
TEST_F(GuardedPickTest, WhatWasPickedCanBeConnected) {
  make({limited(1, 1)});
  PickResult first = on(0).pick();
  ASSERT_EQ(first.kind, Pick::Kind::Host);
  EXPECT_EQ(host(1).limits().connections(), 1u);
  EXPECT_TRUE(on(1).pick().overflow);
  TestRequest request;
  request.start(on(0), std::move(first));
  run();
  EXPECT_EQ(host(1).limits().connections(), 1u);
  answer(peer(0));
  EXPECT_EQ(request.status, 200);
  // One that is not used goes back.
  make({limited(2, 1)});
  { const PickResult unused = on(0).pick(); }
  EXPECT_EQ(host(2).limits().connections(), 0u);
  EXPECT_EQ(on(1).pick().kind, Pick::Kind::Host);
}

TEST_F(GuardedPickTest, ConnectionsOfAllWorkersCount) {
  make({limited(1, 2)});
  TestRequest requests[2];
  sendOn(0, requests[0]);
  sendOn(1, requests[1]);
  for (size_t i = 0; i < kWorkers; ++i) EXPECT_TRUE(on(i).pick().overflow) << i;
  answer(peer(0));
  EXPECT_EQ(on(0).pick().kind, Pick::Kind::Host) << "it has an idle one";
  EXPECT_TRUE(on(2).pick().overflow);
}

TEST_F(GuardedPickTest, IdleConnectionsOfOtherWorkersAreGivenUp) {
  keepIdle();
  Waiter waiter(on(1));
  Waiter second(on(1));
  EXPECT_EQ(waiter.picked.kind, Pick::Kind::Later);
  run();
  EXPECT_EQ(waiter.picks, 2);
  ASSERT_EQ(waiter.picked.kind, Pick::Kind::Host);
  EXPECT_TRUE(second.picked.overflow) << "there was one";
  EXPECT_EQ(idleOn(0), 0u);
  EXPECT_EQ(host(1).limits().connections(), 1u);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_overflow), 1u);
}

TEST_F(GuardedPickTest, NoMoreIsGivenUpOfAHostThanRequestsWait) {
  keepIdle(3);
  Waiter waiter(on(1));
  run();
  EXPECT_EQ(waiter.picked.kind, Pick::Kind::Host);
  EXPECT_EQ(idleOn(0), 2u);
  EXPECT_EQ(host(1).limits().connections(), 3u);
  // Two more at a time.
  Waiter second(on(1)), third(on(1));
  run();
  EXPECT_EQ(second.picked.kind, Pick::Kind::Host);
  EXPECT_EQ(third.picked.kind, Pick::Kind::Host);
  EXPECT_EQ(idleOn(0), 0u);
  EXPECT_EQ(host(1).limits().connections(), 3u);
}

TEST_F(GuardedPickTest, NoMoreIsGivenUpOfAllHostsAndWorkersThanRequestsWait) {
  std::vector<EndpointSpec> hosts;
  for (int i = 1; i <= 6; ++i) hosts.push_back(limited(i, 2));
  make(hosts);
  std::vector<TestRequest> requests(12);
  for (size_t i = 0; i < requests.size(); ++i) {
    sendTo(1 + static_cast<int>(i) % 6, i < 6 ? 0 : 2, requests[i]);
    answer(peer(i));
  }
  const auto idle = [&] {
    uint32_t all = 0;
    for (int i = 1; i <= 6; ++i) all += idleOn(0, i) + idleOn(2, i);
    return all;
  };
  ASSERT_EQ(idle(), 12u);
  Waiter waiter(on(1));
  run();
  EXPECT_EQ(waiter.picked.kind, Pick::Kind::Host);
  EXPECT_EQ(idle(), 11u);
}

// Two workers ask at the same time, and a connection comes free on one of them.
TEST_F(GuardedPickTest, WhatComesFreeIsForTheRequestThatWaitsThere) {
  make({limited(1, 2)});
  TestRequest busy, idle;
  sendOn(0, busy);
  sendOn(2, idle);
  answer(peer(1));
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");  // on its way
  Waiter own(on(0));
  Waiter other(on(1));
  run();
  EXPECT_EQ(busy.status, 200);
  ASSERT_EQ(own.picked.kind, Pick::Kind::Host);
  ASSERT_EQ(other.picked.kind, Pick::Kind::Host);
  EXPECT_EQ(sum(&ClusterMetrics::connection_limit_given_up), 1u) << "one is used as it is";
}

// Each has what the other needs.
TEST_F(GuardedPickTest, WorkersGiveEachOtherWhatTheyNeed) {
  make({limited(1, 1), limited(2, 1)});
  TestRequest first, second;
  sendTo(1, 0, first);
  answer(peer(0));
  sendTo(2, 1, second);
  answer(peer(1));
  const std::string one = address(1).text(), two = address(2).text();
  const HostPreference to_one{one, /*strict=*/true}, to_two{two, /*strict=*/true};
  Waiter here(on(0), nullptr, &to_two);
  Waiter there(on(1), nullptr, &to_one);
  run();
  EXPECT_EQ(here.picked.kind, Pick::Kind::Host);
  EXPECT_EQ(there.picked.kind, Pick::Kind::Host);
  EXPECT_LE(here.picks + there.picks, 6);
}

// The host of a session may be in none of the groups that the request is for.
TEST_F(GuardedPickTest, ASessionsHostOutsideOfTheSubsetMakesWayToo) {
  auto spec = clusterSpec();
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  spec->grouping.subsets = subsets;
  std::vector<EndpointSpec> hosts = {limited(1, 1), limited(2, 1)};
  hosts[0].subset_labels = {{"version", "a"}};
  hosts[1].subset_labels = {{"version", "b"}};
  make(hosts, spec);
  TestRequest idle, busy;
  sendTo(1, 0, idle);
  answer(peer(0));
  sendTo(2, 0, busy);
  const base::SubsetKey subset = base::subsetKeyOf(hosts[1].subset_labels);
  const std::string one = address(1).text();
  const HostPreference session{one, /*strict=*/false};
  Waiter waiter(on(1), &subset, &session);
  run();
  ASSERT_EQ(waiter.picked.kind, Pick::Kind::Host);
  EXPECT_EQ(lastPart(waiter.picked), 1);
}

// What cannot be reached ends the asking, however long it is seen.
TEST_F(GuardedPickTest, NobodyAsksInVainForEver) {
  make({limited(1, 1)});
  TestRequest busy;
  sendOn(0, busy);
  host(1).limits().changeSpare(1);
  Waiter waiter(on(1));
  ASSERT_EQ(waiter.picked.kind, Pick::Kind::Later);
  for (int i = 0; i < 20; ++i) run();
  EXPECT_TRUE(waiter.picked.overflow);
  EXPECT_LE(waiter.picks, 10);
  host(1).limits().changeSpare(UINT32_MAX);
}

// At the limit there is nothing to wait for.
TEST_F(GuardedPickTest, WhereAllConnectionsAreInUseNobodyIsAsked) {
  make({limited(1, 1)});
  TestRequest busy;
  sendOn(0, busy);
  Waiter first(on(1));
  EXPECT_EQ(first.picked.kind, Pick::Kind::Later) << "the others may not have told theirs yet";
  run();
  EXPECT_TRUE(first.picked.overflow);
  Waiter second(on(1));
  EXPECT_TRUE(second.picked.overflow);
  EXPECT_EQ(host(1).limits().spare(), 0u);
  answer(peer(0));
  EXPECT_EQ(host(1).limits().spare(), 1u);
  // Without a limit nobody wants to know, and with one all of them count.
  setHosts({endpoint(1)});
  EXPECT_EQ(host(1).limits().spare(), 0u);
  setHosts({limited(1, 1)});
  EXPECT_EQ(host(1).limits().spare(), 1u);
}

// Nor does one that is being opened for nobody keep a request from the host.
TEST_F(GuardedPickTest, AConnectionThatNobodyWaitsForMakesWay) {
  make({limited(1, 1)});
  {
    TestRequest gone;
    gone.start(on(0));  // while it is being opened
  }
  ASSERT_EQ(on(0).poolForTest(host(1))->counts().connecting, 1u);
  EXPECT_EQ(host(1).limits().spare(), 1u);
  Waiter waiter(on(1));
  ASSERT_EQ(waiter.picked.kind, Pick::Kind::Later);
  run();
  EXPECT_EQ(waiter.picked.kind, Pick::Kind::Host);
}

// What is idle to hosts that the request may not go to is left alone.
TEST_F(GuardedPickTest, WhatIsGivenUpIsOfHostsThatTheRequestAsksFor) {
  auto spec = clusterSpec();
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  spec->grouping.subsets = subsets;
  std::vector<EndpointSpec> hosts;
  for (int i = 1; i <= 6; ++i) {
    hosts.push_back(limited(i, 1));
    hosts.back().subset_labels = {{"version", i == 4 ? "new" : "old"}};
  }
  make(hosts, spec);
  std::vector<TestRequest> requests(6);
  for (size_t i = 0; i < requests.size(); ++i) {
    sendTo(1 + static_cast<int>(i), 0, requests[i]);
    answer(peer(i));
  }
  const base::SubsetKey subset = base::subsetKeyOf(hosts[3].subset_labels);
  const std::string named = address(2).text();
  const HostPreference session{named, /*strict=*/true};
  for (const bool strict : {false, true}) {
    Waiter waiter(on(1), &subset, strict ? &session : nullptr);
    ASSERT_EQ(waiter.picked.kind, Pick::Kind::Later) << strict;
    run();
    ASSERT_EQ(waiter.picked.kind, Pick::Kind::Host) << strict;
    EXPECT_EQ(lastPart(waiter.picked), strict ? 2 : 4);
    for (const int i : {1, 3, 5, 6}) EXPECT_EQ(idleOn(0, i), 1u) << i;
  }
}

// What the others give up may be taken by one that has not waited.
TEST_F(GuardedPickTest, WhoIsNotQuickEnoughAsksAgain) {
  keepIdle(2);
  Waiter waiter(on(1));
  ASSERT_EQ(waiter.picked.kind, Pick::Kind::Later);
  // Main has asked, and worker 0 has given one up, when worker 2 picks.
  PickResult quicker;
  loop_.loop().post([&] { loop_.loop().post([&] { quicker = on(2).pick(); }); });
  run();
  EXPECT_EQ(waiter.picked.kind, Pick::Kind::Host);
  EXPECT_EQ(idleOn(0), 0u);
  EXPECT_EQ(quicker.kind, Pick::Kind::Host);
  EXPECT_GE(waiter.picks, 2);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_overflow), 0u);
}

TEST_F(GuardedPickTest, WhatIsFullIsFullForAllOfAMoment) {
  make({limited(1, 1), limited(2, 1)});
  TestRequest requests[2];
  for (TestRequest& request : requests) sendOn(0, request);
  EXPECT_TRUE(on(0).pick().overflow);
  const uint64_t passed = sum(&ClusterMetrics::host_limit_passed_over);
  EXPECT_TRUE(on(0).pick().overflow);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_passed_over), passed + 1) << "one look";
  EXPECT_TRUE(on(0).pick({}, nullptr, std::nullopt, nullptr, Priority::High).overflow);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_overflow), 3u);
  // What ends leaves room at once.
  answer(peer(0));
  EXPECT_EQ(on(0).pick().kind, Pick::Kind::Host);
  requests[1].giveUp();
  const std::vector<const Host*> tried{&host(1)};
  EXPECT_EQ(on(0).pick(tried).kind, Pick::Kind::Host);
}

TEST_F(GuardedPickTest, WhoWaitsInVainIsRefused) {
  keepIdle();
  Waiter waiter(on(1));
  Waiter gone(on(2));
  EXPECT_EQ(waiter.picked.kind, Pick::Kind::Later);
  TestRequest busy;
  busy.start(on(0));
  apply({.removed = {"api"}});
  EXPECT_TRUE(waiter.picked.overflow);
  EXPECT_TRUE(gone.picked.overflow);
  EXPECT_EQ(waiter.picks, 2);
  // A removed cluster lets nobody wait.
  answer(peer(0));
  Waiter last(on(1));
  ASSERT_EQ(last.picked.kind, Pick::Kind::Later);
  apply({.removed = {"web"}});
  EXPECT_EQ(last.picked.kind, Pick::Kind::None);
}

TEST_F(GuardedPickTest, AConnectionThatIsLostLeavesItsPlace) {
  make({limited(1, 1)});
  TestRequest first;
  sendOn(0, first);
  peer(0).connection->close(net::CloseMode::Now);
  run();
  EXPECT_EQ(first.reset, Failure::UpstreamReset);
  io_.refuse = true;
  TestRequest second;
  sendOn(1, second);
  EXPECT_EQ(second.failed, Failure::UpstreamConnectFailure);
  EXPECT_EQ(host(1).limits().connections(), 0u);
}

// A request that is to have a connection of its own, while all that there may be are idle.
TEST_F(GuardedPickTest, AnIdleConnectionMakesWayForANewOne) {
  keepIdle();
  PickResult picked = on(0).pick();
  TestRequest second;
  second.host = picked.lease.ref();
  second.pending = on(0).newStream(std::move(picked.lease), second, second, ConnectionAge::New);
  run();
  EXPECT_EQ(second.streams_before, 0u);
  EXPECT_EQ(host(1).limits().connections(), 1u);
  answer(peer(1));
  EXPECT_EQ(second.status, 200);
}

TEST_F(GuardedPickTest, ASessionsHostAtItsLimitIsReplaced) {
  make({limited(1, 1), endpoint(2)});
  TestRequest busy;
  sendOn(0, busy);
  const std::string one = address(1).text();
  const HostPreference preferred{one, /*strict=*/false};
  const PickResult other = on(0).pick({}, nullptr, std::nullopt, &preferred);
  EXPECT_FALSE(other.preferred);
  EXPECT_EQ(lastPart(other), 2);
  const HostPreference strict{one, /*strict=*/true};
  EXPECT_TRUE(on(0).pick({}, nullptr, std::nullopt, &strict).overflow);
}

// Another pick follows, so the first one looks nowhere else and counts nothing.
TEST_F(GuardedPickTest, AHostThatIsTriedFirstIsAllThatIsLookedAt) {
  make({limited(1, 1), limited(2, 1)});
  const std::string one = address(1).text();
  const HostPreference named{.address = one, .try_only = true};
  const auto tryIt = [&](std::span<const Host* const> tried = {}) {
    return on(0).pick(tried, nullptr, std::nullopt, &named);
  };
  {
    const PickResult picked = tryIt();
    ASSERT_EQ(picked.kind, Pick::Kind::Host);
    EXPECT_TRUE(picked.preferred);
    EXPECT_EQ(lastPart(picked), 1);
    const PickResult none = tryIt();
    EXPECT_EQ(none.kind, Pick::Kind::None);
    EXPECT_FALSE(none.overflow);
    EXPECT_EQ(host(2).limits().connections(), 0u);
  }
  const std::vector<const Host*> tried{&host(1)};
  EXPECT_EQ(tryIt(tried).kind, Pick::Kind::None);
  EXPECT_EQ(tryIt().kind, Pick::Kind::Host);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_overflow), 0u);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_passed_over), 0u);
  EXPECT_EQ(sum(&ClusterMetrics::upstream_cx_none_healthy), 0u);
}

// --- circuit breakers of hosts ---

class HalfOpenPickTest : public GuardedPickTest {
 protected:
  static std::shared_ptr<ClusterSpec> withHostBreaker() {
    auto spec = clusterSpec();
    spec->host_breaker = HostBreakerSpec{.failures = 1, .open_time = 1s};
    return spec;
  }
  void failAndWait(const HostRef& host) {
    on(0).noteOutcome(host, Outcome::answered(500, {}));
    run();
    clock_.advance(1100ms);
    run();
  }
};

TEST_F(HalfOpenPickTest, AHostThatIsFullIsNotProbed) {
  make({limited(1, 1), endpoint(2), endpoint(3)}, withHostBreaker());
  TestRequest running;
  sendOn(0, running);
  ASSERT_EQ(running.host.address(), address(1));
  failAndWait(running.host);
  for (const size_t worker : {0, 0, 1, 1}) {
    const PickResult picked = on(worker).pick();
    ASSERT_EQ(picked.kind, Pick::Kind::Host);
    EXPECT_NE(lastPart(picked), 1) << worker;
  }
  answer(peer(0));
  TestRequest probe;
  sendOn(1, probe);
  EXPECT_EQ(probe.host.address(), address(1));
  EXPECT_EQ(host(1).limits().connections(), 1u);
  EXPECT_NE(lastPart(on(1).pick()), 1) << "one at a time";
  answer(*io_.peers.back());
  EXPECT_EQ(probe.status, 200);
}

// What ran there before is broken off all the same, and nothing stays open on a host that is out.
TEST_F(HalfOpenPickTest, AProbeDoesNotEndTheDraining) {
  auto spec = withHostBreaker();
  spec->host_drain_timeout = 30s;
  make({endpoint(1), endpoint(2), endpoint(3)}, spec);
  TestRequest running;
  sendOn(0, running);
  ASSERT_EQ(running.host.address(), address(1));
  HostRef failed = running.host;
  for (const size_t worker : {0, 1}) {  // whose pool drains, and that has none yet
    failAndWait(failed);
    TestRequest probe;
    sendOn(worker, probe);
    ASSERT_EQ(probe.host.address(), address(1));
    failed = probe.host;
    on(worker).noteOutcome(failed, Outcome::answered(500, {}), probe.probe);
    answer(*io_.peers.back());
    EXPECT_EQ(probe.status, 200);
    EXPECT_EQ(counts(failed).idle, 0u);
    EXPECT_TRUE(io_.peers.back()->handler.ended);
  }
  clock_.advance(30s);
  run();
  EXPECT_EQ(running.reset, Failure::UpstreamDrained);
}

TEST_F(HalfOpenPickTest, AfterAProbeThatPassesItServesAsBefore) {
  make({endpoint(1), endpoint(2), endpoint(3)}, withHostBreaker());
  TestRequest first;
  sendOn(0, first);
  failAndWait(first.host);
  answer(peer(0));
  EXPECT_TRUE(peer(0).handler.ended);
  TestRequest probe;
  sendOn(0, probe);
  ASSERT_EQ(probe.host.address(), address(1));
  on(0).noteOutcome(probe.host, Outcome::answered(200, {}), probe.probe);
  answer(peer(1));
  TestRequest next[3];
  for (TestRequest& request : next) sendOn(0, request);
  for (size_t i = 2; i < io_.peers.size(); ++i) answer(peer(i));
  EXPECT_EQ(counts(probe.host).idle, 1u) << "kept";
}

// --- slow start ---

TEST_F(GuardedPickTest, AHostThatIsStartedSlowlyHasNeverMoreThanItsAllowance) {
  auto spec = clusterSpec();
  spec->balancing.slow_start = SlowStartSpec{};
  make({endpoint(1), endpoint(2)}, spec);
  clock_.advance(31s);
  run();
  std::vector<TestRequest> running(40);
  for (TestRequest& request : running) request.start(on(0));
  run();
  setHosts({endpoint(1), endpoint(2), endpoint(3)});
  const HostLimits& limits = host(3).limits();
  ASSERT_EQ(limits.mostRequests(), 2u) << "a tenth of twenty";
  std::vector<PickResult> held;
  uint32_t most = 0;
  for (int tenth = 0; tenth < 290; ++tenth) {
    for (size_t i = 0; i < 9; ++i) {
      held.push_back(on(i % kWorkers).pick());
      ASSERT_EQ(held.back().kind, Pick::Kind::Host);
      ASSERT_LE(limits.requests(), limits.mostRequests());
    }
    most = std::max(most, limits.requests());
    clock_.advance(100ms);
    run();
  }
  EXPECT_EQ(most, limits.mostRequests());
  EXPECT_EQ(limits.mostRequests(), 20u) << "its share, nearly";
  held.clear();
  EXPECT_EQ(limits.requests(), 0u);
  clock_.advance(2s);
  run();
  EXPECT_FALSE(limits.limitsRequests());
  for (TestRequest& request : running) request.giveUp();
}

class SlowlyStartedTest : public GuardedPickTest {
 protected:
  // Host 3 is new; the others are warm.
  void startThirdSlowly(EndpointSpec one, EndpointSpec two, EndpointSpec three) {
    auto spec = clusterSpec();
    spec->balancing.slow_start = SlowStartSpec{};
    make({one, two}, spec);
    clock_.advance(31s);
    run();
    setHosts({one, two, three});
    ASSERT_EQ(host(3).limits().mostRequests(), 1u) << "nobody has much to do";
  }
};

TEST_F(SlowlyStartedTest, ASessionIsNotKeptFromItsHost) {
  startThirdSlowly(endpoint(1), endpoint(2), endpoint(3));
  const std::string three = address(3).text();
  std::vector<PickResult> held;
  for (const bool strict : {true, true, false, false}) {
    const HostPreference preferred{three, strict};
    held.push_back(on(0).pick({}, nullptr, std::nullopt, &preferred));
    ASSERT_EQ(held.back().kind, Pick::Kind::Host) << held.size();
    EXPECT_TRUE(held.back().preferred) << held.size();
  }
  EXPECT_EQ(host(3).limits().requests(), 4u) << "they count";
  for (int i = 0; i < 6; ++i) {
    held.push_back(on(1).pick());
    EXPECT_NE(lastPart(held.back()), 3) << "the policy has a choice";
  }
  held.clear();
  EXPECT_EQ(host(3).limits().requests(), 0u);
}

TEST_F(SlowlyStartedTest, ItGetsMoreIfNobodyElseHasRoom) {
  startThirdSlowly(limited(1, 2), limited(2, 1), limited(3, 5));
  TestRequest requests[8];
  for (TestRequest& request : requests) {
    sendOn(0, request);
    ASSERT_EQ(request.kind, Pick::Kind::Host);
  }
  EXPECT_EQ(host(1).limits().connections(), 2u);
  EXPECT_EQ(host(2).limits().connections(), 1u);
  EXPECT_EQ(host(3).limits().connections(), 5u);
  EXPECT_EQ(sum(&ClusterMetrics::host_limit_overflow), 0u);
  EXPECT_TRUE(on(0).pick().overflow) << "its connections are a limit all the same";
}

// A request that failed on the others, and those alone.
TEST_F(SlowlyStartedTest, ARetryMayGoThere) {
  startThirdSlowly(limited(1, 1), limited(2, 1), endpoint(3));
  TestRequest busy[3];
  for (TestRequest& request : busy) sendOn(0, request);
  const std::vector<const Host*> tried{&host(1), &host(2)};
  EXPECT_EQ(lastPart(on(1).pick(tried)), 3);
}

// --- priorities ---

TEST_F(GuardedPickTest, PrioritiesHaveLimitsAndConnectionsOfTheirOwn) {
  auto spec = clusterSpec();
  spec->breakers.max_connections = 1;
  spec->breakers.max_pending_requests = 1;
  spec->breakers.max_retries = 1;
  spec->high_breakers.max_connections = 2;
  spec->high_breakers.max_requests = 1;
  spec->high_breakers.max_retries = 2;
  make({endpoint(1)}, spec);
  TestRequest busy, waits, refused, high;
  sendOn(0, busy);
  sendOn(0, waits);
  sendOn(1, refused);
  EXPECT_TRUE(waits.waiting());
  EXPECT_EQ(refused.failed, Failure::UpstreamOverflow);
  sendOn(0, high, Priority::High);
  EXPECT_EQ(peer(1).take().substr(0, 5), "GET /") << "not behind those that wait";
  const Breakers& breakers = on(0).breakers();
  EXPECT_EQ(breakers.connections.used(), 1u);
  EXPECT_EQ(breakers.of(Priority::High).connections.used(), 1u);
  EXPECT_EQ(breakers.of(Priority::High).requests.used(), 1u);
  EXPECT_EQ(host(1).limits().connections(), 2u);
  // Its own limit on requests.
  TestRequest more;
  sendOn(0, more, Priority::High);
  EXPECT_EQ(more.failed, Failure::UpstreamOverflow);
  EXPECT_TRUE(on(0).tryStartRetry());
  EXPECT_FALSE(on(0).tryStartRetry());
  EXPECT_TRUE(on(0).tryStartRetry(Priority::High));
  EXPECT_TRUE(on(0).tryStartRetry(Priority::High));
  EXPECT_FALSE(on(0).tryStartRetry(Priority::High));
  for (const Priority priority : {Priority::Default, Priority::High, Priority::High}) {
    on(0).endRetry(priority);
  }
  EXPECT_EQ(breakers.high.retries.used(), 0u);
  answer(peer(1));
  EXPECT_EQ(high.status, 200);
  EXPECT_EQ(breakers.high.requests.used(), 0u);
  EXPECT_TRUE(waits.waiting()) << "a connection of the other priority is none for it";
  answer(peer(0));
  EXPECT_FALSE(waits.waiting());
  setHosts({});
  answer(peer(0));
  EXPECT_EQ(waits.status, 200);
  EXPECT_EQ(breakers.high.connections.used(), 0u) << "drained with the host";
}

TEST_F(GuardedPickTest, ARetryBudgetIsOfThePrioritysOwnRequests) {
  for (const bool both : {true, false}) {
    auto spec = clusterSpec();
    spec->breakers.retry_budget = RetryBudget{.percent = 50, .min_concurrency = 0};
    if (both) spec->high_breakers.retry_budget = spec->breakers.retry_budget;
    make({endpoint(1)}, spec);
    TestRequest requests[4], high[2];
    for (TestRequest& request : requests) sendOn(0, request);
    for (TestRequest& request : high) sendOn(1, request, Priority::High);
    high[1].giveUp();
    EXPECT_TRUE(on(0).tryStartRetry());
    EXPECT_TRUE(on(1).tryStartRetry());
    EXPECT_FALSE(on(0).tryStartRetry()) << "half of four";
    TestRequest second;
    sendOn(2, second, Priority::High);
    EXPECT_FALSE(on(1).tryStartRetry());
    EXPECT_TRUE(on(0).tryStartRetry(Priority::High));
    EXPECT_EQ(on(0).tryStartRetry(Priority::High), !both) << "half of two, or three";
    if (!both) on(0).endRetry(Priority::High);
    on(0).endRetry(Priority::High);
    for (int i = 0; i < 2; ++i) on(0).endRetry();
  }
}

// The limit of a host is for both together, on one worker too.
TEST_F(GuardedPickTest, AnIdleConnectionOfTheOtherPriorityMakesWay) {
  make({limited(1, 1), limited(2, 1)});
  const auto sendBoth = [&](size_t first, Priority priority) {
    TestRequest one, two;
    sendOn(0, one, priority);
    sendOn(0, two, priority);
    ASSERT_EQ(one.kind, Pick::Kind::Host);
    ASSERT_EQ(two.kind, Pick::Kind::Host);
    EXPECT_TRUE(on(0).pick({}, nullptr, std::nullopt, nullptr, Priority::Default).overflow);
    EXPECT_TRUE(on(0).pick({}, nullptr, std::nullopt, nullptr, Priority::High).overflow);
    answer(peer(first));
    answer(peer(first + 1));
    EXPECT_EQ(one.status, 200);
    EXPECT_EQ(two.status, 200);
    EXPECT_EQ(counts(one.host).idle + counts(two.host).idle, 2u);
  };
  sendBoth(0, Priority::Default);
  sendBoth(2, Priority::High);
  sendBoth(4, Priority::Default);
  for (const int i : {1, 2}) EXPECT_EQ(host(i).limits().connections(), 1u) << i;
  EXPECT_EQ(sum(&ClusterMetrics::connection_limit_given_up), 4u);
}

// --- hosts that get no more requests ---

class HostDrainTest : public GuardedPickTest, public testing::WithParamInterface<int> {
 protected:
  // What becomes of host 1: removed, `enabled: false`, or unhealthy.
  void takeAway() {
    if (GetParam() == 0) return setHosts({endpoint(2)});
    setHosts({endpoint(1, 1, GetParam() == 1 ? HealthStatus::Draining : HealthStatus::Unhealthy),
              endpoint(2)});
  }
  static std::shared_ptr<ClusterSpec> drainedAfter(std::optional<Milliseconds> timeout) {
    auto spec = clusterSpec();
    spec->host_drain_timeout = timeout;
    return spec;
  }
  // One that runs on host 1, and an idle connection to it.
  void begin(TestRequest& running) {
    sendOn(0, running);
    TestRequest other, idle;
    sendOn(0, other);
    sendOn(0, idle);
    ASSERT_EQ(idle.host.address(), address(1));
    answer(peer(1));
    answer(peer(2));
    ASSERT_EQ(running.host.address(), address(1));
  }
};

TEST_P(HostDrainTest, NewWorkStopsAtOnceAndWhatRunsFinishes) {
  make({endpoint(1), endpoint(2)}, drainedAfter(30s));
  TestRequest running;
  begin(running);
  takeAway();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(lastPart(on(0).pick()), 2);
  EXPECT_TRUE(peer(2).handler.ended) << "idle connections go";
  clock_.advance(29s);
  run();
  answer(peer(0), "in time");
  EXPECT_EQ(running.body, "in time");
  EXPECT_TRUE(peer(0).handler.ended);
  clock_.advance(2s);
  run();
  EXPECT_EQ(sum(&ClusterMetrics::host_drain_timeout), 0u) << "there was nothing to break off";
}

TEST_P(HostDrainTest, WhatDoesNotFinishIsBrokenOff) {
  make({endpoint(1), endpoint(2)}, drainedAfter(30s));
  TestRequest running;
  begin(running);
  takeAway();
  clock_.advance(30'100ms);
  run();
  EXPECT_EQ(running.reset, Failure::UpstreamDrained);
  EXPECT_TRUE(peer(0).handler.ended);
  EXPECT_EQ(sum(&ClusterMetrics::host_drain_timeout), 1u);
}

TEST_P(HostDrainTest, WithoutATimeoutItIsLeftToFinish) {
  make({endpoint(1), endpoint(2)}, drainedAfter(std::nullopt));
  TestRequest running;
  begin(running);
  takeAway();
  clock_.advance(3600s);
  run();
  answer(peer(0), "late");
  EXPECT_EQ(running.body, "late");
  EXPECT_EQ(sum(&ClusterMetrics::host_drain_timeout), 0u);
}

// Several on one connection.
TEST_P(HostDrainTest, StreamsOfHttp2FinishOrAreBrokenOffTogether) {
  const auto spec = drainedAfter(30s);
  spec->protocol = UpstreamProtocol::Http2;
  make({endpoint(1), endpoint(2)}, spec);
  TestRequest requests[6];
  for (TestRequest& request : requests) sendOn(0, request);
  ASSERT_EQ(io_.peers.size(), 2u);
  ASSERT_EQ(requests[0].host.address(), address(1));
  for (const int i : {0, 1}) {
    peer(i).send(http::h2::settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}}));
  }
  run();
  takeAway();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(lastPart(on(0).pick()), 2);
  peer(0).send(http::h2::headers(1, {{":status", "200"}}, http::h2::kEndStream));
  run();
  EXPECT_EQ(requests[0].status, 200);
  clock_.advance(29'900ms);
  run();
  EXPECT_FALSE(peer(0).handler.ended);
  clock_.advance(200ms);
  run();
  EXPECT_TRUE(peer(0).handler.ended);
  for (const int i : {2, 4}) EXPECT_EQ(requests[i].reset, Failure::UpstreamDrained) << i;
  for (const int i : {1, 3, 5}) EXPECT_FALSE(requests[i].reset.has_value()) << i;
  EXPECT_EQ(sum(&ClusterMetrics::host_drain_timeout), 1u);
  EXPECT_FALSE(peer(1).handler.ended);
}

INSTANTIATE_TEST_SUITE_P(Causes, HostDrainTest, testing::Values(0, 1, 2));

TEST_F(GuardedPickTest, AHostThatComesBackKeepsWhatRuns) {
  auto spec = clusterSpec();
  spec->host_drain_timeout = 30s;
  make({endpoint(1)}, spec);
  TestRequest running;
  sendOn(0, running);
  setHosts({endpoint(1, 1, HealthStatus::Unhealthy)});
  clock_.advance(20s);
  run();
  setHosts({endpoint(1)});
  TestRequest next;
  sendOn(0, next);
  clock_.advance(20s);
  run();
  answer(peer(0), "still here");
  EXPECT_EQ(running.body, "still here");
  next.giveUp();
}

TEST_F(GuardedPickTest, AHostThatComesBackKeepsWhatRunsEvenIfNobodyAsksForIt) {
  auto spec = clusterSpec();
  spec->host_drain_timeout = 30s;
  make({endpoint(1)}, spec);
  TestRequest running;
  sendOn(0, running);
  setHosts({endpoint(1, 1, HealthStatus::Unhealthy)});
  setHosts({endpoint(1)});
  clock_.advance(31s);
  run();
  answer(peer(0), "still here");
  EXPECT_EQ(running.body, "still here");
  EXPECT_EQ(counts(running.host).idle, 1u) << "kept for the next";
  // Another host of the same address is not the one that has gone.
  TestRequest last;
  sendOn(0, last);
  setHosts({});
  setHosts({endpoint(1)});
  clock_.advance(31s);
  run();
  EXPECT_EQ(last.reset, Failure::UpstreamDrained);
}

TEST_F(GuardedPickTest, TheTimeToDrainIsThatOfTheSameUpdate) {
  auto spec = clusterSpec();
  spec->host_drain_timeout = 5s;
  make({endpoint(1), endpoint(2)}, spec);
  TestRequest running, other;
  sendOn(0, running);
  sendOn(0, other);
  auto longer = std::make_shared<ClusterSpec>(*spec);
  longer->host_drain_timeout = 120s;
  make({endpoint(2)}, longer);
  clock_.advance(119s);
  run();
  EXPECT_FALSE(running.reset.has_value());
  clock_.advance(2s);
  run();
  EXPECT_EQ(running.reset, Failure::UpstreamDrained);
  // From none to one, of a host that stays.
  auto none = std::make_shared<ClusterSpec>(*longer);
  none->host_drain_timeout.reset();
  make({endpoint(2)}, none);
  auto shorter = std::make_shared<ClusterSpec>(*none);
  shorter->host_drain_timeout = 1s;
  make({endpoint(2, 1, HealthStatus::Draining)}, shorter);
  clock_.advance(1100ms);
  run();
  EXPECT_EQ(other.reset, Failure::UpstreamDrained);
}

// Out at 0 s, back at 5 s, out again at 28 s; no request comes in between.
TEST_F(GuardedPickTest, TheTimeToDrainBeginsAnewWithEachOutage) {
  for (const bool removed : {false, true}) {
    auto spec = clusterSpec();
    spec->host_drain_timeout = 30s;
    make({endpoint(1)}, spec);
    TestRequest running;
    sendOn(0, running);
    setHosts({endpoint(1, 1, HealthStatus::Unhealthy)});
    clock_.advance(5s);
    setHosts({endpoint(1)});
    clock_.advance(23s);
    run();
    if (removed) {
      setHosts({});
    } else {
      setHosts({endpoint(1, 1, HealthStatus::Unhealthy)});
    }
    clock_.advance(29s);
    run();
    EXPECT_FALSE(running.reset.has_value()) << removed;
    clock_.advance(2s);
    run();
    EXPECT_EQ(running.reset, Failure::UpstreamDrained) << removed;
  }
}

// A host that is removed while it drains has no more time for that.
TEST_F(GuardedPickTest, TheTimeToDrainGoesOnWhenTheHostIsRemoved) {
  auto spec = clusterSpec();
  spec->host_drain_timeout = 30s;
  make({endpoint(1)}, spec);
  TestRequest running;
  sendOn(0, running);
  setHosts({endpoint(1, 1, HealthStatus::Draining)});
  clock_.advance(20s);
  run();
  setHosts({});
  clock_.advance(11s);
  run();
  EXPECT_EQ(running.reset, Failure::UpstreamDrained);
}

// The pool that a change of TLS leaves behind ends with its streams, though its host serves.
TEST_F(GuardedPickTest, ConnectionsOfTheFormerTlsAreNotKept) {
  auto spec = clusterSpec();
  spec->host_drain_timeout = 30s;
  make({limited(1, 2)}, spec);
  TestRequest running;
  sendOn(0, running);
  auto other = std::make_shared<ClusterSpec>(*spec);
  other->transport_hash = 1;
  apply({.clusters = {other}});
  TestRequest next;
  sendOn(0, next);
  ASSERT_NE(next.host.pool(), running.host.pool());
  clock_.advance(31s);
  run();
  EXPECT_FALSE(running.reset.has_value()) << "its host has not gone";
  answer(peer(0), "late");
  EXPECT_EQ(running.body, "late");
  EXPECT_TRUE(peer(0).handler.ended);
  answer(peer(1));
  EXPECT_EQ(host(1).limits().connections(), 1u) << "the new one";
  EXPECT_EQ(on(0).breakers().connections.used(), 1u);
}

}  // namespace
}  // namespace convoy::upstream
