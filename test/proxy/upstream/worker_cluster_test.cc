#include "proxy/upstream/worker_cluster.h"

#include <string>
#include <vector>

#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using http::Failure;
using test::TestRequest;
using namespace std::chrono_literals;

class WorkerClusterTest : public test::UpstreamTest {
 protected:
  // Which hosts the next picks go to: their last octets.
  std::string picks(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) {
      const PickResult picked = cluster().pick();
      if (picked.kind != Pick::Kind::Host) return out + "-";
      const std::string ip = picked.lease.host().address().ipText();
      out += ip.substr(ip.rfind('.') + 1);
    }
    return out;
  }
};

TEST_F(WorkerClusterTest, IsFoundByItsName) {
  makeCluster();
  EXPECT_EQ(find("other"), nullptr);
  EXPECT_EQ(find("we"), nullptr);
  ASSERT_NE(find("web"), nullptr);
  EXPECT_EQ(cluster().name(), "web");
  EXPECT_EQ(&cluster().spec(), &cluster().spec());
}

TEST_F(WorkerClusterTest, PicksByItsAlgorithm) {
  makeCluster();
  setHosts({endpoint(1, 5), endpoint(2, 3), endpoint(3, 2)});
  EXPECT_EQ(picks(10), "1231121321");
}

TEST_F(WorkerClusterTest, PicksByTheHashOfAKey) {
  auto spec = clusterSpec();
  makeCluster(spec, 5);
  EXPECT_FALSE(cluster().picksByHash());
  // The hosts stay; they get a table with the new algorithm.
  spec = clusterSpec();
  spec->balancing.algorithm = Algorithm::Maglev;
  apply({.clusters = {spec}});
  EXPECT_TRUE(cluster().picksByHash());
  const Host* const host = &cluster().pick({}, nullptr, 7).lease.host();
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(&cluster().pick({}, nullptr, 7).lease.host(), host);
  }
  // And so do the sets that follow.
  setHosts({endpoint(1), endpoint(2), endpoint(3), endpoint(4), endpoint(5), endpoint(6)});
  const Host* const later = &cluster().pick({}, nullptr, 7).lease.host();
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(&cluster().pick({}, nullptr, 7).lease.host(), later);
  }
}

TEST_F(WorkerClusterTest, ABoundOnAHostsShareIsGivenBackWithTheLease) {
  auto spec = clusterSpec();
  spec->balancing = {.algorithm = Algorithm::RingHash, .hash_balance_percent = 100};
  makeCluster(spec, 2);
  std::vector<PickResult> held;
  for (int i = 0; i < 8; ++i) held.push_back(cluster().pick({}, nullptr, 7));
  EXPECT_EQ(held[0].lease.host().active(), 4u);
  EXPECT_EQ(held[1].lease.host().active(), 4u);
  const Host* const first = &held[0].lease.host();
  held.clear();
  EXPECT_EQ(first->active(), 0u);
  // Nothing is under way: the key's own host has room again.
  EXPECT_EQ(&cluster().pick({}, nullptr, 7).lease.host(), first);
}

TEST_F(WorkerClusterTest, TellsItsAlgorithmWhatBecameOfRequests) {
  auto spec = clusterSpec();
  spec->balancing.algorithm = Algorithm::LeastResponseTime;
  makeCluster(spec, 2);
  const PickResult a = cluster().pick();
  const PickResult b = cluster().pick();
  ASSERT_NE(&a.lease.host(), &b.lease.host());
  cluster().noteResult(a.lease.ref(), 200, 300ms);
  cluster().noteResult(b.lease.ref(), 200, 10ms);
  EXPECT_EQ(picks(4), "2222");
  // A failure counts as more than what was expected; a client that left does not make it one.
  for (int i = 0; i < 10; ++i) cluster().noteResult(b.lease.ref(), 0, 10ms, /*abandoned=*/true);
  EXPECT_EQ(picks(1), "2");
  for (int i = 0; i < 60; ++i) cluster().noteResult(b.lease.ref(), 503, 1ms);
  EXPECT_EQ(picks(1), "1");
}

TEST_F(WorkerClusterTest, TellsItsAlgorithmOfConnectionsThatFailed) {
  auto spec = clusterSpec();
  spec->balancing.algorithm = Algorithm::AdaptiveScore;
  makeCluster(spec, 2);
  io_.refuse = true;
  TestRequest request;
  send(request);
  EXPECT_EQ(request.failed, Failure::UpstreamConnectFailure);
  EXPECT_EQ(request.host.address(), address(1));
  EXPECT_EQ(picks(4), "2222");
}

TEST_F(WorkerClusterTest, WithoutHostsThereIsNone) {
  apply({.clusters = {clusterSpec()}});
  EXPECT_EQ(picks(1), "-");
  EXPECT_EQ(metrics().upstream_cx_none_healthy.value(), 1u);
  setHosts({endpoint(1, 1, HealthStatus::Unhealthy)});
  EXPECT_EQ(picks(1), "-");
  setHosts({endpoint(1)});
  EXPECT_EQ(picks(1), "1");
}

TEST_F(WorkerClusterTest, PassesOverTriedHosts) {
  makeCluster(3);
  const PickResult first = cluster().pick();
  const Host* tried[] = {&first.lease.host()};
  for (int i = 0; i < 6; ++i) {
    EXPECT_NE(&cluster().pick(tried).lease.host(), tried[0]);
  }
}

// --- an answer that comes later ---

// Picks again when it is told to.
class Waiter final : public PickWaiter {
 public:
  explicit Waiter(WorkerCluster& cluster) : cluster_(cluster.shared_from_this()) { onPickReady(); }
  void onPickReady() override {
    PickResult picked = cluster_->pick({}, this);
    answers += picked.kind == Pick::Kind::Host    ? picked.lease.host().addressText() + "\n"
               : picked.kind == Pick::Kind::Later ? "later\n"
                                                  : "none\n";
  }
  std::string answers;

 private:
  const std::shared_ptr<WorkerCluster> cluster_;
};

TEST_F(WorkerClusterTest, AHostMayBeChosenLater) {
  makeCluster();
  test::LatePolicy& policy = pickLate();
  Waiter first(cluster());
  Waiter second(cluster());
  auto gone = std::make_unique<Waiter>(cluster());
  gone.reset();
  EXPECT_EQ(cluster().pick().kind, Pick::Kind::None) << "nobody is there to be told";
  answer(policy);
  EXPECT_EQ(first.answers, "later\n10.0.0.1:80\n");
  EXPECT_EQ(second.answers, "later\n10.0.0.1:80\n");
  EXPECT_EQ(policy.picks, 6);
  answer(policy);
  EXPECT_EQ(policy.picks, 6) << "told once";
  setHosts({endpoint(2)});
  EXPECT_EQ(picks(1), "2");
}

TEST_F(WorkerClusterTest, WhoIsToldTooEarlyWaitsAgain) {
  makeCluster();
  test::LatePolicy& policy = pickLate();
  Waiter waiter(cluster());
  {
    const event::Loop::TurnScope turn(loop_.loop());
    policy.tell();
  }
  EXPECT_EQ(waiter.answers, "later\nlater\n");
  EXPECT_EQ(metrics().upstream_cx_none_healthy.value(), 0u);
  setHosts({});
  answer(policy);
  EXPECT_EQ(waiter.answers, "later\nlater\nnone\n");
  EXPECT_EQ(metrics().upstream_cx_none_healthy.value(), 1u);
}

// Nobody waits for a policy that is gone.
TEST_F(WorkerClusterTest, WhoWaitsPicksFromTheNextPolicy) {
  makeCluster();
  pickLate();
  Waiter waiter(cluster());
  auto spec = clusterSpec();
  spec->balancing.algorithm = Algorithm::Random;
  setHosts({endpoint(2)}, {spec});
  EXPECT_EQ(waiter.answers, "later\n10.0.0.2:80\n");
}

TEST_F(WorkerClusterTest, WhoWaitsForARemovedClusterGetsNone) {
  makeCluster();
  pickLate();
  Waiter waiter(cluster());
  apply({.removed = {"web"}});
  EXPECT_EQ(find(), nullptr);
  EXPECT_EQ(waiter.answers, "later\nnone\n");
  makeCluster();
  pickLate();
  Waiter last(cluster());
  manager_->worker(0).shutdown();
  EXPECT_EQ(last.answers, "later\nnone\n");
}

TEST_F(WorkerClusterTest, AChangedEndpointSetKeepsTheConnectionsOfHostsThatStay) {
  makeCluster();
  setHosts({endpoint(1), endpoint(2)});
  TestRequest requests[2];
  for (TestRequest& request : requests) send(request);
  answer(peer(0));
  answer(peer(1));
  // Another weight, another order, one more, and one that left.
  setHosts({endpoint(3), endpoint(1, 7)});
  EXPECT_EQ(counts(requests[0].host).idle, 1u);
  EXPECT_EQ(counts(requests[1].host).idle, 0u);
  EXPECT_TRUE(peer(1).handler.ended);
  EXPECT_FALSE(peer(0).handler.ended);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 1);
}

TEST_F(WorkerClusterTest, ARemovedHostFinishesWhatItHas) {
  auto spec = clusterSpec();
  spec->breakers.max_connections = 1;
  makeCluster(spec);
  TestRequest running;
  TestRequest waiting;
  send(running);
  send(waiting);
  ASSERT_TRUE(waiting.waiting());
  const std::weak_ptr<const Host> host = running.host.host().weak_from_this();
  setHosts({endpoint(2)});
  EXPECT_EQ(picks(3), "222");
  answer(peer(0), "still here");
  EXPECT_EQ(running.body, "still here");
  ASSERT_NE(waiting.sender, nullptr);
  answer(peer(0), "me too");
  EXPECT_EQ(waiting.body, "me too");
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
  EXPECT_FALSE(host.expired()) << "pinned";
  running.host = {};
  waiting.host = {};
  run();
  EXPECT_TRUE(host.expired());
}

TEST_F(WorkerClusterTest, AHostThatComesBackStartsAfresh) {
  makeCluster();
  TestRequest before;
  send(before);
  setHosts({});
  setHosts({endpoint(1)});
  TestRequest after;
  send(after);
  EXPECT_NE(&before.host.host(), &after.host.host());
  EXPECT_EQ(before.host.host().slot(), after.host.host().slot()) << "slots are used again";
  answer(peer(0));
  answer(peer(1));
  EXPECT_EQ(before.status, 200);
  EXPECT_EQ(after.status, 200);
  EXPECT_EQ(counts(before.host).idle, 0u);
  EXPECT_EQ(counts(after.host).idle, 1u);
}

TEST_F(WorkerClusterTest, ADrainingHostGetsNothingNewAndKeepsNothingIdle) {
  makeCluster();
  setHosts({endpoint(1), endpoint(2)});
  TestRequest idle;
  TestRequest busy;
  send(idle);
  send(busy);
  answer(peer(0));
  setHosts({endpoint(1, 1, HealthStatus::Draining), endpoint(2, 1, HealthStatus::Draining)});
  EXPECT_EQ(picks(1), "-");
  EXPECT_EQ(counts(idle.host).idle, 0u);
  EXPECT_EQ(counts(busy.host).busy, 1u);
  answer(peer(1));
  EXPECT_EQ(busy.status, 200);
  EXPECT_EQ(counts(busy.host).idle, 0u);
  setHosts({endpoint(1), endpoint(2)});
  TestRequest again;
  send(again);
  answer(*io_.peers.back());
  EXPECT_EQ(counts(again.host).idle, 1u) << "and then serves as before";
}

TEST_F(WorkerClusterTest, ARemovedClusterFinishesWhatItHas) {
  makeCluster();
  TestRequest running;
  TestRequest waiting;
  send(running);
  waiting.start(cluster());
  const HostRef host = running.host;
  apply({.removed = {"web"}});
  EXPECT_EQ(find(), nullptr);
  ASSERT_NE(waiting.sender, nullptr);
  answer(peer(0), "one");
  answer(peer(1), "two");
  EXPECT_EQ(running.body, "one");
  EXPECT_EQ(waiting.body, "two");
  EXPECT_EQ(host.pool()->cluster().metrics().upstream_cx_active.value(), 0);
}

TEST_F(WorkerClusterTest, ANewSpecHoldsForNewConnectionsAndKeepsOldOnes) {
  makeCluster();
  TestRequest request;
  send(request);
  answer(peer(0));
  auto spec = clusterSpec();
  spec->idle_timeout = 5s;
  spec->balancing.algorithm = Algorithm::Random;
  spec->breakers.max_retries = 0;
  apply({.clusters = {spec}});
  EXPECT_EQ(counts(request.host).idle, 1u);
  EXPECT_EQ(cluster().spec().balancing.algorithm, Algorithm::Random);
  EXPECT_FALSE(cluster().tryStartRetry());
  TestRequest second;
  send(second);
  EXPECT_EQ(io_.peers.size(), 1u);
  answer(peer(0));
  clock_.advance(6s);
  EXPECT_EQ(counts(request.host).idle, 0u) << "the time-out in force";
}

TEST_F(WorkerClusterTest, AnotherBindAddressNeedsOtherConnections) {
  makeCluster();
  TestRequest idle;
  TestRequest busy;
  idle.start(cluster());
  busy.start(cluster());
  run();
  answer(peer(0));
  auto spec = clusterSpec();
  spec->bind_to = net::Address::parse("127.0.0.1:0").value();
  apply({.clusters = {spec}});
  EXPECT_TRUE(peer(0).handler.ended);
  TestRequest next;
  send(next);
  EXPECT_EQ(io_.peers.size(), 3u);
  EXPECT_EQ(io_.last_bind_to, spec->bind_to);
  answer(peer(1));
  EXPECT_EQ(busy.status, 200);
  answer(peer(2));
  EXPECT_EQ(next.status, 200);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 1);
}

TEST_F(WorkerClusterTest, CountsResponsesByClass) {
  makeCluster();
  const HostRef host = cluster().pick().lease.ref();
  for (const uint16_t status : {101, 200, 204, 302, 404, 499, 500, 503}) {
    cluster().countResponse(host, status, 3ms);
  }
  cluster().countResponse(host, 0, 1s);
  cluster().countTimeout(host);
  EXPECT_EQ(metrics().upstream_rq_completed.value(), 8u);
  EXPECT_EQ(metrics().upstream_rq_1xx.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_2xx.value(), 2u);
  EXPECT_EQ(metrics().upstream_rq_3xx.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_4xx.value(), 2u);
  EXPECT_EQ(metrics().upstream_rq_5xx.value(), 2u);
  EXPECT_EQ(metrics().upstream_rq_time.count(), 8u);
  EXPECT_EQ(metrics().upstream_rq_time.sum(), 8u * 3000);
  EXPECT_EQ(metrics().upstream_rq_timeout.value(), 1u);
  EXPECT_EQ(host.metrics().rq_success.value(), 6u);
  EXPECT_EQ(host.metrics().rq_error.value(), 3u);
  EXPECT_EQ(host.metrics().rq_timeout.value(), 1u);
}

TEST_F(WorkerClusterTest, RetriesHaveALimit) {
  auto spec = clusterSpec();
  spec->breakers.max_retries = 1;
  makeCluster(spec);
  EXPECT_TRUE(cluster().tryStartRetry());
  EXPECT_FALSE(cluster().tryStartRetry());
  EXPECT_EQ(metrics().upstream_rq_retry_overflow.value(), 1u);
  cluster().endRetry();
  EXPECT_TRUE(cluster().tryStartRetry());
  cluster().endRetry();
}

TEST_F(WorkerClusterTest, MakesAPoolOnlyForAHostThatIsUsed) {
  makeCluster(3);
  const PickResult picked = cluster().pick();
  EXPECT_NE(cluster().poolForTest(picked.lease.host()), nullptr);
  const PickResult second = cluster().pick();
  EXPECT_NE(cluster().poolForTest(second.lease.host()), cluster().poolForTest(picked.lease.host()));
  int pools = 0;
  manager_->forEach([&](const ClusterManager::ClusterView& view) {
    for (const auto& host : view.hosts) {
      if (cluster().poolForTest(host.host) != nullptr) ++pools;
    }
  });
  EXPECT_EQ(pools, 2);
}

TEST_F(WorkerClusterTest, ShutdownEndsEverything) {
  auto spec = clusterSpec();
  spec->breakers.max_connections = 1;
  makeCluster(spec);
  TestRequest running;
  TestRequest waiting;
  send(running);
  send(waiting);
  manager_->worker(0).shutdown();
  EXPECT_EQ(running.reset, Failure::Draining);
  EXPECT_EQ(waiting.failed, Failure::Draining);
  EXPECT_EQ(find(), nullptr);
  EXPECT_EQ(manager_->worker(0).size(), 0u);
  apply({.clusters = {clusterSpec("other")}});
  EXPECT_EQ(find("other"), nullptr) << "what comes later is not heard";
}

// --- a host that was asked for ---

class PreferredHostTest : public WorkerClusterTest {
 protected:
  // The host's last octet, with "!" if it is the one that was asked for.
  std::string pick(std::string_view address, bool strict = false,
                   std::vector<const Host*> tried = {}) {
    const HostPreference preferred{address, strict};
    last_ = cluster().pick(tried, nullptr, std::nullopt, &preferred);
    if (last_.kind != Pick::Kind::Host) return "-";
    const std::string ip = last_.lease.host().address().ipText();
    return ip.substr(ip.rfind('.') + 1) + (last_.preferred ? "!" : "");
  }
  PickResult last_;
};

TEST_F(PreferredHostTest, IsTakenWhateverTheAlgorithm) {
  makeCluster(3);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(pick("10.0.0.2:80"), "2!");
  EXPECT_EQ(pick(""), "1") << "the algorithm is where it was";
  EXPECT_EQ(pick("10.0.0.9:80"), "2") << "there is no such host";
  EXPECT_EQ(pick("10.0.0.1:81"), "3");
}

TEST_F(PreferredHostTest, NotIfItGetsNoRequests) {
  makeCluster(2);
  setHosts({endpoint(1), endpoint(2, 1, HealthStatus::Unhealthy)});
  EXPECT_EQ(pick("10.0.0.2:80"), "1");
  setHosts({endpoint(1), endpoint(2, 1, HealthStatus::Draining)});
  EXPECT_EQ(pick("10.0.0.2:80"), "1");
  setHosts({endpoint(1), endpoint(2, 1, HealthStatus::Degraded)});
  EXPECT_EQ(pick("10.0.0.2:80"), "2!") << "a session stays on a degraded host";
  setHosts({endpoint(1)});
  EXPECT_EQ(pick("10.0.0.2:80"), "1");
}

TEST_F(PreferredHostTest, WhatItFailedOnItDoesNotGetAgain) {
  makeCluster(2);
  EXPECT_EQ(pick("10.0.0.1:80"), "1!");
  const Host* const first = &last_.lease.host();
  EXPECT_EQ(pick("10.0.0.1:80", false, {first}), "2");
  EXPECT_EQ(pick("10.0.0.1:80", true, {first}), "1!") << "strict: this host or none";
}

TEST_F(PreferredHostTest, StrictIsThisHostOrNone) {
  makeCluster(2);
  EXPECT_EQ(pick("10.0.0.9:80", true), "-");
  EXPECT_EQ(metrics().upstream_cx_none_healthy.value(), 1u);
  EXPECT_EQ(pick("", true), "1") << "a new session goes anywhere";
}

TEST_F(PreferredHostTest, CountsForTheAlgorithmsThatCount) {
  auto spec = clusterSpec();
  spec->balancing.algorithm = Algorithm::LeastRequest;
  makeCluster(spec, 2);
  EXPECT_EQ(pick("10.0.0.1:80"), "1!");
  const PickResult held = std::move(last_);
  EXPECT_EQ(held.lease.host().active().load(), 1u);
  EXPECT_EQ(picks(1), "2") << "the first host has a request already";
}

}  // namespace
}  // namespace convoy::upstream
