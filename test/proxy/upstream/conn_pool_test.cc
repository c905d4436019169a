#include "proxy/upstream/conn_pool.h"

#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using http::Failure;
using test::TestRequest;

class ConnPoolTest : public test::UpstreamTest {
 protected:
  static std::shared_ptr<ClusterSpec> withConnections(uint32_t most) {
    auto spec = clusterSpec();
    spec->breakers.max_connections = most;
    return spec;
  }
};

TEST_F(ConnPoolTest, OpensAConnectionAndUsesItAgain) {
  makeCluster();
  TestRequest first;
  first.start(cluster());
  EXPECT_TRUE(first.waiting());
  EXPECT_EQ(counts(first.host).pending, 1u);
  EXPECT_EQ(counts(first.host).connecting, 1u);
  run();
  EXPECT_FALSE(first.waiting());
  EXPECT_EQ(first.streams_before, 0u);
  ASSERT_EQ(io_.peers.size(), 1u);
  EXPECT_EQ(peer(0).address, address(1));
  EXPECT_EQ(peer(0).take().substr(0, 16), "GET / HTTP/1.1\r\n");
  EXPECT_EQ(counts(first.host).busy, 1u);
  answer(peer(0), "hello");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "hello");
  EXPECT_EQ(first.ends, 1);
  EXPECT_EQ(counts(first.host).idle, 1u);

  TestRequest second;
  second.start(cluster());
  EXPECT_FALSE(second.waiting()) << "ready from inside newStream()";
  EXPECT_EQ(second.streams_before, 1u);
  run();
  answer(peer(0));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(io_.peers.size(), 1u);
  EXPECT_EQ(metrics().upstream_cx_total.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_total.value(), 2u);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
  EXPECT_EQ(metrics().upstream_rq_pending_total.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_pending_active.value(), 0);
  EXPECT_EQ(first.host.metrics().rq_total.value(), 2u);
  EXPECT_EQ(first.host.metrics().rq_active.value(), 0);
  EXPECT_EQ(first.host.metrics().cx_total.value(), 1u);
}

TEST_F(ConnPoolTest, TakesTheConnectionUsedLast) {
  makeCluster();
  TestRequest requests[3];
  for (TestRequest& request : requests) request.start(cluster());
  run();
  ASSERT_EQ(io_.peers.size(), 3u);
  for (const size_t order : {2, 0, 1}) answer(peer(order));
  EXPECT_EQ(counts(requests[0].host).idle, 3u);
  for (int i = 0; i < 5; ++i) {
    for (size_t p = 0; p < 3; ++p) peer(p).take();
    TestRequest next;
    send(next);
    EXPECT_FALSE(peer(1).take().empty()) << "the one that was used last";
    EXPECT_TRUE(peer(0).take().empty());
    EXPECT_TRUE(peer(2).take().empty());
    answer(peer(1));
    EXPECT_EQ(next.status, 200);
  }
}

TEST_F(ConnPoolTest, AConnectionThatComesFreeServesTheOldestInTheQueue) {
  makeCluster(withConnections(1));
  TestRequest first;
  TestRequest second;
  TestRequest third;
  send(first);
  send(second);
  send(third);
  EXPECT_TRUE(second.waiting());
  EXPECT_TRUE(third.waiting());
  EXPECT_EQ(io_.peers.size(), 1u);
  answer(peer(0));
  EXPECT_FALSE(second.waiting());
  EXPECT_TRUE(third.waiting());
  EXPECT_EQ(second.streams_before, 1u);
  answer(peer(0));
  EXPECT_FALSE(third.waiting());
  answer(peer(0));
  EXPECT_EQ(third.status, 200);
  EXPECT_EQ(metrics().upstream_cx_overflow.value(), 2u);
}

TEST_F(ConnPoolTest, OpensOneConnectionForEachThatWaits) {
  makeCluster();
  TestRequest requests[4];
  for (TestRequest& request : requests) request.start(cluster());
  EXPECT_EQ(counts(requests[0].host).connecting, 4u);
  EXPECT_EQ(counts(requests[0].host).pending, 4u);
  run();
  EXPECT_EQ(counts(requests[0].host).busy, 4u);
  EXPECT_EQ(counts(requests[0].host).pending, 0u);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 4);
}

TEST_F(ConnPoolTest, AConnectionThatCameTooLateForItsRequestIsKept) {
  makeCluster();
  TestRequest first;
  first.start(cluster());
  first.giveUp();
  EXPECT_EQ(counts(first.host).pending, 0u);
  EXPECT_EQ(metrics().upstream_rq_cancelled.value(), 1u);
  run();
  EXPECT_EQ(counts(first.host).idle, 1u);
  TestRequest second;
  send(second);
  answer(peer(0));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(io_.peers.size(), 1u);
  EXPECT_EQ(first.failed, std::nullopt);
}

TEST_F(ConnPoolTest, CancellingOneLeavesTheOthersInOrder) {
  makeCluster(withConnections(1));
  TestRequest busy;
  send(busy);
  TestRequest a;
  TestRequest b;
  TestRequest c;
  for (TestRequest* request : {&a, &b, &c}) send(*request);
  b.giveUp();
  EXPECT_EQ(counts(a.host).pending, 2u);
  answer(peer(0));
  EXPECT_FALSE(a.waiting());
  answer(peer(0));
  EXPECT_FALSE(c.waiting());
  EXPECT_EQ(b.sender, nullptr);
}

// --- connects that fail ---

TEST_F(ConnPoolTest, ARefusedConnectFailsTheRequest) {
  makeCluster();
  io_.refuse = true;
  TestRequest request;
  request.start(cluster());
  EXPECT_TRUE(request.waiting()) << "never from inside the call";
  run();
  EXPECT_EQ(request.failed, Failure::UpstreamConnectFailure);
  EXPECT_EQ(counts(request.host).connecting, 0u);
  EXPECT_EQ(metrics().upstream_cx_connect_fail.value(), 1u);
  EXPECT_EQ(metrics().upstream_cx_connect_timeout.value(), 0u);
  EXPECT_EQ(metrics().upstream_rq_pending_failure_eject.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_pending_active.value(), 0);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
  EXPECT_EQ(metrics().upstream_rq_total.value(), 0u);
  EXPECT_EQ(request.host.metrics().cx_connect_fail.value(), 1u);
}

TEST_F(ConnPoolTest, EachFailedConnectFailsOneRequest) {
  makeCluster();
  io_.refuse = true;
  TestRequest requests[3];
  for (TestRequest& request : requests) request.start(cluster());
  run();
  for (TestRequest& request : requests) {
    EXPECT_EQ(request.failed, Failure::UpstreamConnectFailure);
  }
  EXPECT_EQ(io_.peers.size(), 3u);
}

TEST_F(ConnPoolTest, AFailedConnectLeavesThoseAloneThatOthersWillServe) {
  makeCluster();
  TestRequest first;
  send(first);
  io_.refuse = true;
  TestRequest second;
  second.start(cluster());
  io_.refuse = false;
  TestRequest third;
  third.start(cluster());
  run();
  EXPECT_EQ(second.failed, Failure::UpstreamConnectFailure) << "the oldest goes with it";
  EXPECT_EQ(third.failed, std::nullopt);
  EXPECT_NE(third.sender, nullptr);
}

TEST_F(ConnPoolTest, ASurplusConnectThatFailsHurtsNobody) {
  makeCluster();
  TestRequest first;
  TestRequest second;
  TestRequest third;
  send(first);
  // While the first is being answered its connection is not free yet: the second opens another,
  // which fails after the first connection has served it.
  first.when_head = [&] {
    io_.refuse = true;
    second.start(cluster());
    EXPECT_EQ(counts(second.host).connecting, 1u);
  };
  answer(peer(0));
  EXPECT_EQ(second.failed, std::nullopt);
  EXPECT_EQ(second.streams_before, 1u);
  EXPECT_NE(second.sender, nullptr);
  EXPECT_EQ(counts(second.host).connecting, 0u);
  EXPECT_EQ(metrics().upstream_cx_connect_fail.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_pending_failure_eject.value(), 0u);
}

TEST_F(ConnPoolTest, WithoutAnyConnectionLeftAllThatWaitFail) {
  makeCluster(withConnections(1));
  io_.refuse = true;
  TestRequest requests[3];
  for (TestRequest& request : requests) request.start(cluster());
  run();
  EXPECT_EQ(io_.peers.size(), 1u) << "there was room for one";
  for (TestRequest& request : requests) {
    EXPECT_EQ(request.failed, Failure::UpstreamConnectFailure);
  }
}

TEST_F(ConnPoolTest, ARequestThatTriesAgainInItsCallbackIsNotFailedWithTheOthers) {
  makeCluster(withConnections(1));
  io_.refuse = true;
  TestRequest first;
  TestRequest second;
  TestRequest again;
  first.start(cluster());
  second.start(cluster());
  first.when_failed = [&] {
    io_.refuse = false;
    again.start(cluster());
  };
  run();
  EXPECT_TRUE(first.failed.has_value());
  EXPECT_TRUE(second.failed.has_value());
  EXPECT_EQ(again.failed, std::nullopt);
  EXPECT_NE(again.sender, nullptr);
}

TEST_F(ConnPoolTest, ACallbackMayCancelAnotherThatFailsToo) {
  makeCluster(withConnections(1));
  io_.refuse = true;
  TestRequest first;
  TestRequest second;
  first.start(cluster());
  second.start(cluster());
  first.when_failed = [&] { second.giveUp(); };
  run();
  EXPECT_TRUE(first.failed.has_value());
  EXPECT_EQ(second.failed, std::nullopt);
  EXPECT_EQ(counts(first.host).pending, 0u);
  EXPECT_EQ(cluster().breakers().pending.used(), 0u);
}

TEST_F(ConnPoolTest, AConnectThatTakesTooLongFailsTheRequest) {
  auto spec = clusterSpec();
  spec->connect_timeout = Milliseconds(250);
  makeCluster(spec);
  TestRequest request;
  request.start(cluster());
  // Not a turn of the loop in between: the connect has had no chance to finish.
  clock_.advance(std::chrono::milliseconds(240));
  EXPECT_TRUE(request.waiting());
  clock_.advance(std::chrono::milliseconds(20));
  EXPECT_EQ(request.failed, Failure::UpstreamConnectTimeout);
  EXPECT_EQ(metrics().upstream_cx_connect_timeout.value(), 1u);
  EXPECT_EQ(metrics().upstream_cx_connect_fail.value(), 1u);
  run();
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
}

// --- circuit breakers ---

TEST_F(ConnPoolTest, TheQueueHasALimit) {
  auto spec = clusterSpec();
  spec->breakers.max_pending_requests = 1;
  makeCluster(spec);
  TestRequest first;
  TestRequest second;
  first.start(cluster());
  second.start(cluster());
  EXPECT_TRUE(first.waiting());
  EXPECT_EQ(second.failed, Failure::UpstreamOverflow) << "from inside newStream()";
  EXPECT_EQ(metrics().upstream_rq_pending_overflow.value(), 1u);
  run();
  TestRequest third;
  third.start(cluster());
  EXPECT_TRUE(third.waiting()) << "the place is free again";
}

TEST_F(ConnPoolTest, NoQueueAtAll) {
  auto spec = clusterSpec();
  spec->breakers.max_pending_requests = 0;
  makeCluster(spec);
  TestRequest request;
  request.start(cluster());
  EXPECT_EQ(request.failed, Failure::UpstreamOverflow);
  EXPECT_EQ(io_.peers.size(), 0u);
}

TEST_F(ConnPoolTest, RequestsHaveALimitOfTheirOwn) {
  auto spec = clusterSpec();
  spec->breakers.max_requests = 1;
  makeCluster(spec);
  TestRequest first;
  TestRequest second;
  first.start(cluster());
  second.start(cluster());
  run();
  EXPECT_NE(first.sender, nullptr);
  EXPECT_EQ(second.failed, Failure::UpstreamOverflow) << "when its connection was there";
  TestRequest third;
  third.start(cluster());
  EXPECT_EQ(third.failed, Failure::UpstreamOverflow) << "at once";
  answer(peer(0));
  TestRequest fourth;
  send(fourth);
  EXPECT_NE(fourth.sender, nullptr) << "the permit came back";
  EXPECT_EQ(cluster().breakers().requests.used(), 1u);
  fourth.giveUp();
  EXPECT_EQ(cluster().breakers().requests.used(), 0u);
}

TEST_F(ConnPoolTest, AtTheConnectionLimitAnIdleOneOfAnotherHostMakesWay) {
  makeCluster(withConnections(1), 2);
  TestRequest first;
  send(first);
  answer(peer(0));
  EXPECT_EQ(counts(first.host).idle, 1u);
  TestRequest second;
  send(second);
  ASSERT_NE(&second.host.host(), &first.host.host());
  EXPECT_EQ(counts(first.host).idle, 0u);
  EXPECT_TRUE(peer(0).handler.ended);
  EXPECT_NE(second.sender, nullptr);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 1);
  EXPECT_EQ(cluster().breakers().connections.used(), 1u);
}

TEST_F(ConnPoolTest, AHostWithoutAConnectionWaitsForItsTurn) {
  makeCluster(withConnections(1), 2);
  TestRequest first;
  TestRequest second;
  TestRequest third;
  send(first);
  send(second);
  send(third);
  EXPECT_TRUE(second.waiting());
  EXPECT_EQ(cluster().breakers().connections.used(), 1u) << "never more";
  answer(peer(0));
  EXPECT_NE(second.sender, nullptr) << "before the third, whose host has had the connection";
  EXPECT_TRUE(third.waiting());
  answer(peer(1));
  answer(peer(2));
  EXPECT_EQ(third.status, 200);
  EXPECT_EQ(cluster().breakers().connections.used(), 1u);
}

TEST_F(ConnPoolTest, AConnectionThatEndsMakesRoomForThoseThatWait) {
  makeCluster(withConnections(1));
  TestRequest first;
  TestRequest second;
  send(first);
  send(second);
  EXPECT_TRUE(second.waiting());
  peer(0).send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  run();
  EXPECT_EQ(first.status, 200);
  EXPECT_NE(second.sender, nullptr);
  EXPECT_EQ(io_.peers.size(), 2u);
}

// --- draining ---

TEST_F(ConnPoolTest, DrainingClosesIdleOnesAndLetsBusyOnesFinish) {
  makeCluster();
  TestRequest busy;
  TestRequest idle;
  busy.start(cluster());
  idle.start(cluster());
  run();
  answer(peer(1));
  ASSERT_EQ(counts(busy.host).idle, 1u);
  busy.host.pool()->drain(std::nullopt, /*served=*/true);
  run();
  EXPECT_EQ(counts(busy.host).idle, 0u);
  EXPECT_EQ(counts(busy.host).busy, 1u);
  answer(peer(0), "done");
  EXPECT_EQ(busy.body, "done");
  EXPECT_EQ(counts(busy.host).idle, 0u);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
}

TEST_F(ConnPoolTest, DrainingServesThoseThatWait) {
  makeCluster();
  TestRequest request;
  request.start(cluster());
  request.host.pool()->drain(std::nullopt, /*served=*/true);
  run();
  ASSERT_NE(request.sender, nullptr);
  answer(peer(0));
  EXPECT_EQ(request.status, 200);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
}

TEST_F(ConnPoolTest, DrainingGivesUpConnectsThatNobodyWaitsFor) {
  makeCluster();
  TestRequest request;
  request.start(cluster());
  request.host.pool()->drain(std::nullopt, /*served=*/true);
  EXPECT_EQ(counts(request.host).connecting, 1u);
  request.giveUp();
  EXPECT_EQ(counts(request.host).connecting, 0u);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
}

TEST_F(ConnPoolTest, ThePickedHostOfADrainingPoolIsInUseAgain) {
  makeCluster();
  TestRequest first;
  send(first);
  first.host.pool()->drain(std::nullopt, /*served=*/true);
  answer(peer(0));
  TestRequest second;
  send(second);
  EXPECT_FALSE(second.host.pool()->draining());
  answer(peer(1));
  EXPECT_EQ(counts(second.host).idle, 1u);
}

TEST_F(ConnPoolTest, ClosingAllFailsEverything) {
  makeCluster(withConnections(2));
  TestRequest first;
  TestRequest second;
  TestRequest queued;
  TestRequest late;
  first.start(cluster());
  second.start(cluster());
  run();
  answer(peer(0));
  late.start(cluster());
  queued.start(cluster());
  ASSERT_NE(late.sender, nullptr);
  ASSERT_TRUE(queued.waiting());
  first.host.pool()->closeAll(Failure::Draining);
  run();
  EXPECT_EQ(second.reset, Failure::Draining);
  EXPECT_EQ(late.reset, Failure::Draining);
  EXPECT_EQ(queued.failed, Failure::Draining);
  const HostPool::Counts after = counts(first.host);
  EXPECT_EQ(after.busy + after.idle + after.connecting + after.pending, 0u);
  EXPECT_EQ(cluster().breakers().connections.used(), 0u);
  EXPECT_EQ(cluster().breakers().pending.used(), 0u);
}

// --- leases ---

TEST_F(ConnPoolTest, ALeaseGivesBackWhatThePickTook) {
  auto spec = clusterSpec();
  spec->balancing.algorithm = Algorithm::WeightedLeastConnections;
  makeCluster(spec);
  {
    PickResult unused = cluster().pick();
    ASSERT_EQ(unused.kind, Pick::Kind::Host);
    EXPECT_EQ(unused.lease.host().active(), 1u);
    const HostLease moved = std::move(unused.lease);
    EXPECT_FALSE(static_cast<bool>(unused.lease));  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(moved.host().active(), 1u);
  }
  TestRequest request;
  request.start(cluster());
  const Host& host = request.host.host();
  EXPECT_EQ(host.active(), 1u) << "the unused one was given back, this one counts while it waits";
  run();
  EXPECT_EQ(host.active(), 1u);
  answer(peer(0));
  EXPECT_EQ(host.active(), 0u);
}

TEST_F(ConnPoolTest, EveryEndingGivesTheHostBack) {
  auto spec = clusterSpec();
  spec->balancing.algorithm = Algorithm::WeightedLeastConnections;
  spec->breakers.max_pending_requests = 1;
  makeCluster(spec);
  io_.refuse = true;
  TestRequest refused;
  refused.start(cluster());
  const Host& host = refused.host.host();
  TestRequest overflow;
  overflow.start(cluster());
  EXPECT_EQ(overflow.failed, Failure::UpstreamOverflow);
  EXPECT_EQ(host.active(), 1u);
  run();
  EXPECT_EQ(host.active(), 0u);
  TestRequest cancelled;
  cancelled.start(cluster());
  cancelled.giveUp();
  EXPECT_EQ(host.active(), 0u);
  run();
  io_.refuse = false;
  TestRequest lost;
  send(lost);
  EXPECT_EQ(host.active(), 1u);
  io_.peers.back()->connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(lost.reset, Failure::UpstreamReset);
  EXPECT_EQ(host.active(), 0u);
}

TEST_F(ConnPoolTest, ARefKeepsTheHostAfterItsClusterHasGone) {
  makeCluster();
  TestRequest request;
  send(request);
  answer(peer(0));
  const HostRef copy = request.host;
  apply({.removed = {"web"}});
  EXPECT_EQ(find(), nullptr);
  EXPECT_EQ(copy.address(), address(1));
  EXPECT_EQ(copy.metrics().rq_total.value(), 1u);
  EXPECT_EQ(copy.pool()->cluster().name(), "web");
}

}  // namespace
}  // namespace convoy::upstream
