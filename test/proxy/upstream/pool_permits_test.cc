// Pools of several workers that want more connections than the cluster, or a host, may have.

#include "proxy/upstream/permit_queues.h"
#include "test/proxy/http/h2_frames.h"
#include "test/proxy/upstream/several_workers.h"

namespace convoy::upstream {
namespace {

using http::Failure;
using test::TestRequest;

class PoolPermitsTest : public test::SeveralWorkersTest {
 protected:
  static std::shared_ptr<ClusterSpec> withConnections(uint32_t most) {
    auto spec = clusterSpec();
    spec->breakers.max_connections = most;
    spec->high_breakers.max_connections = 1;
    return spec;
  }
  void makeLimited(uint32_t most, int hosts = 1) {
    std::vector<EndpointSpec> endpoints;
    for (int i = 1; i <= hosts; ++i) endpoints.push_back(endpoint(i));
    make(std::move(endpoints), withConnections(most));
  }
  void setMost(uint32_t most) { apply({.clusters = {withConnections(most)}}); }
  uint32_t open() { return on(0).breakers().connections.used(); }
  uint64_t givenUp() { return sum(&ClusterMetrics::connection_limit_given_up); }
  bool anybodyWaits() { return on(0).permits().anybody(); }
  // A request that was placed on worker 0's idle connection to host 1, its only one: when that has
  // gone, and another worker has the permit.
  void placeLate(TestRequest& other, TestRequest& late) {
    keepIdle();
    PickResult picked = on(0).pick();
    ASSERT_EQ(picked.kind, Pick::Kind::Host);
    peer(0).connection->close(net::CloseMode::Flush);
    run();
    sendOn(1, other);
    late.start(on(0), std::move(picked));
    run();
    ASSERT_TRUE(late.waiting());
  }
};

// --- what is idle ---

TEST_F(PoolPermitsTest, AnIdleConnectionOfAnotherWorkerMakesWay) {
  makeLimited(1);
  TestRequest first, second;
  sendOn(0, first);
  answer(peer(0));
  ASSERT_EQ(counts(first.host).idle, 1u);
  second.start(on(1));
  EXPECT_TRUE(second.waiting());
  EXPECT_EQ(open(), 1u);
  run();
  EXPECT_NE(second.sender, nullptr);
  EXPECT_TRUE(peer(0).handler.ended);
  EXPECT_EQ(open(), 1u);
  EXPECT_FALSE(anybodyWaits());
  EXPECT_EQ(givenUp(), 1u);
  EXPECT_EQ(sum(&ClusterMetrics::connection_limit_waited), 1u);
  EXPECT_EQ(sum(&ClusterMetrics::upstream_cx_overflow), 1u);
  answer(peer(1));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(counts(second.host).idle, 1u) << "kept: nobody wants it";
}

TEST_F(PoolPermitsTest, NoMoreIsGivenUpThanIsWanted) {
  makeLimited(3);
  TestRequest first[3];
  for (TestRequest& request : first) request.start(on(0));
  run();
  for (size_t i = 0; i < 3; ++i) answer(peer(i));
  TestRequest second;
  sendOn(1, second);
  EXPECT_NE(second.sender, nullptr);
  EXPECT_EQ(counts(first[0].host).idle, 2u);
  EXPECT_EQ(givenUp(), 1u);
}

// A request behind a slow one does not wait for it while others keep what they don't use.
TEST_F(PoolPermitsTest, AWorkerWhoseConnectionsAreBusyGetsAnIdleOne) {
  makeLimited(2);
  TestRequest slow, other, second, third;
  sendOn(0, slow);
  sendOn(1, other);
  answer(peer(1));
  sendOn(0, second);
  EXPECT_NE(second.sender, nullptr);
  EXPECT_EQ(slow.status, 0);
  EXPECT_EQ(open(), 2u);
  sendOn(0, third);
  EXPECT_TRUE(third.waiting()) << "all are busy";
  answer(peer(2));
  EXPECT_NE(third.sender, nullptr);
  EXPECT_EQ(io_.peers.size(), 3u);
  EXPECT_EQ(givenUp(), 1u);
}

TEST_F(PoolPermitsTest, WhatIsIdleOnItsOwnWorkerGoesFirst) {
  makeLimited(2, 2);
  TestRequest own, others, next;
  sendOn(0, own);
  sendOn(1, others);
  answer(peer(0));
  answer(peer(1));
  sendOn(0, next);
  ASSERT_NE(&next.host.host(), &own.host.host());
  EXPECT_NE(next.sender, nullptr);
  EXPECT_EQ(counts(own.host).idle, 0u);
  EXPECT_EQ(counts(others.host).idle, 1u);
  EXPECT_EQ(sum(&ClusterMetrics::connection_limit_waited), 0u) << "at once";
}

TEST_F(PoolPermitsTest, PrioritiesDoNotGiveToEachOther) {
  makeLimited(1);
  TestRequest high, busy, waits;
  sendOn(0, high, Priority::High);
  answer(peer(0));
  sendOn(0, busy);
  sendOn(1, waits);
  EXPECT_TRUE(waits.waiting());
  EXPECT_EQ(counts(high.host).idle, 1u);
  answer(peer(1));
  EXPECT_NE(waits.sender, nullptr);
  EXPECT_EQ(counts(high.host).idle, 1u);
}

// --- what is in use ---

TEST_F(PoolPermitsTest, WorkersTakeTurns) {
  makeLimited(1);
  TestRequest a, b, c, d;
  sendOn(0, a);
  sendOn(0, b);
  sendOn(1, c);
  sendOn(2, d);
  TestRequest* const order[] = {&a, &c, &d, &b};
  for (size_t turn = 0; turn < 4; ++turn) {
    ASSERT_EQ(io_.peers.size(), turn + 1);
    EXPECT_EQ(open(), 1u);
    EXPECT_NE(order[turn]->sender, nullptr) << turn;
    answer(peer(turn));
    EXPECT_EQ(order[turn]->status, 200) << turn;
  }
  EXPECT_FALSE(anybodyWaits());
  EXPECT_EQ(sum(&ClusterMetrics::upstream_rq_pending_overflow), 0u);
}

TEST_F(PoolPermitsTest, AnEqualShareIsKept) {
  makeLimited(3);
  TestRequest a[3], b[2], c;
  for (TestRequest& request : a) sendOn(0, request);
  ASSERT_EQ(open(), 3u);
  sendOn(1, b[0]);
  answer(peer(0));
  ASSERT_NE(b[0].sender, nullptr);
  sendOn(1, b[1]);
  TestRequest more;
  sendOn(0, more);
  sendOn(2, c);
  answer(peer(3));
  EXPECT_NE(b[1].sender, nullptr) << "it has one of three, and its own wait for that";
  EXPECT_TRUE(c.waiting());
  answer(peer(1));
  EXPECT_TRUE(more.waiting());
  EXPECT_NE(c.sender, nullptr) << "from the one that has two";
  answer(peer(2));
  EXPECT_NE(more.sender, nullptr);
  EXPECT_EQ(open(), 3u);
}

TEST_F(PoolPermitsTest, HostsOfOneWorkerTakeTurns) {
  makeLimited(1, 2);
  TestRequest one, two, one_again, two_again;
  sendOn(0, one);
  sendOn(0, two);
  sendOn(0, one_again);
  sendOn(0, two_again);
  ASSERT_EQ(&one.host.host(), &one_again.host.host());
  TestRequest* const order[] = {&one, &two, &one_again, &two_again};
  for (size_t turn = 0; turn < 4; ++turn) {
    EXPECT_NE(order[turn]->sender, nullptr) << turn;
    answer(*io_.peers.back());
    EXPECT_EQ(open(), 1u);
  }
  EXPECT_EQ(two_again.status, 200);
}

// --- a host's limit ---

TEST_F(PoolPermitsTest, WhoWasPlacedOnAHostWaitsForItsTurn) {
  TestRequest other, late;
  placeLate(other, late);
  EXPECT_EQ(host(1).limits().connections(), 1u);
  answer(peer(1));
  EXPECT_NE(late.sender, nullptr);
  EXPECT_EQ(host(1).limits().connections(), 1u);
  EXPECT_EQ(givenUp(), 1u);
  answer(peer(2));
  EXPECT_EQ(late.status, 200);
}

TEST_F(PoolPermitsTest, AHigherLimitOfAHostLetsThoseThatWaitGoOn) {
  TestRequest other, late;
  placeLate(other, late);
  EXPECT_TRUE(on(2).pick().overflow);
  make({limited(1, 2)});
  EXPECT_NE(late.sender, nullptr);
  EXPECT_EQ(host(1).limits().connections(), 2u);
  EXPECT_TRUE(on(2).pick().overflow);
}

TEST_F(PoolPermitsTest, NobodyTakesAHostsPermitFromThoseThatWaitForIt) {
  TestRequest other, late;
  placeLate(other, late);
  other.giveUp();
  ASSERT_TRUE(host(1).limits().roomForConnection()) << "the look is under way";
  EXPECT_TRUE(on(2).pick().overflow);
  run();
  EXPECT_NE(late.sender, nullptr);
}

// --- connections that carry several requests ---

class Http2PermitsTest : public PoolPermitsTest {
 protected:
  // A connection of worker 0 to each host, with a stream that goes on, 1, and `more` others.
  void openTo(int hosts, uint32_t most, int more = 1) {
    spec_ = withConnections(most);
    spec_->protocol = UpstreamProtocol::Http2;
    std::vector<EndpointSpec> endpoints;
    for (int i = 1; i <= hosts; ++i) endpoints.push_back(endpoint(i));
    make(endpoints, spec_);
    running_ = std::vector<TestRequest>(static_cast<size_t>(hosts * (1 + more)));
    for (size_t i = 0; i < running_.size(); ++i) {
      sendTo(1 + static_cast<int>(i) % hosts, 0, running_[i]);
    }
    for (int i = 0; i < hosts; ++i) settle(i);
    ASSERT_EQ(open(), static_cast<uint32_t>(hosts));
    for (int i = hosts + 1; i <= hosts + kMoreHosts; ++i) endpoints.push_back(endpoint(i));
    make(endpoints, spec_);
  }
  void settle(int connection) {
    peer(static_cast<size_t>(connection))
        .send(http::h2::settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}}));
    run();
  }
  void end(int connection, uint32_t stream) {
    peer(static_cast<size_t>(connection))
        .send(http::h2::headers(stream, {{":status", "200"}}, http::h2::kEndStream));
    run();
  }

  static constexpr int kMoreHosts = 3;
  std::shared_ptr<ClusterSpec> spec_;
  std::vector<TestRequest> running_;
};

TEST_F(Http2PermitsTest, OneThatWaitsCostsOneConnection) {
  openTo(/*hosts=*/2, /*most=*/2);
  TestRequest waits;
  sendTo(3, 0, waits);
  ASSERT_TRUE(waits.waiting());
  end(0, 3);
  TestRequest next_of_one;
  sendTo(1, 0, next_of_one);
  EXPECT_TRUE(next_of_one.waiting()) << "it is on its way out";
  // The other one goes on serving, however often a request there ends.
  TestRequest served[3];
  for (uint32_t i = 0; i < 3; ++i) {
    end(1, 3 + 2 * i);
    sendTo(2, 0, served[i]);
    EXPECT_NE(served[i].sender, nullptr) << i;
  }
  EXPECT_EQ(served[1].status, 200);
  EXPECT_EQ(givenUp(), 1u);
  EXPECT_EQ(io_.peers.size(), 2u);
  end(0, 1);
  ASSERT_EQ(io_.peers.size(), 3u) << "with the end of the last stream";
  settle(2);
  EXPECT_NE(waits.sender, nullptr);
  EXPECT_EQ(open(), 2u);
  // Now it is another's turn to give.
  end(2, 1);
  EXPECT_EQ(waits.status, 200);
  settle(3);
  EXPECT_NE(next_of_one.sender, nullptr);
  EXPECT_FALSE(anybodyWaits());
  EXPECT_EQ(on(0).breakers().leaving.used(), 0u);
  EXPECT_EQ(host(1).limits().leaving().used(), 0u);
}

TEST_F(Http2PermitsTest, NoMoreLeaveThanAreWaitedForAndAnEighthAtMost) {
  constexpr int kHosts = 16;
  openTo(kHosts, kHosts, /*more=*/3);
  const auto endOnEach = [&](uint32_t stream) {
    for (int i = 0; i < kHosts; ++i) end(i, stream);
  };
  TestRequest waits[kMoreHosts];
  sendTo(kHosts + 1, 0, waits[0]);
  endOnEach(3);
  EXPECT_EQ(givenUp(), 1u) << "one waits";
  for (int i = 1; i < kMoreHosts; ++i) sendTo(kHosts + 1 + i, 0, waits[i]);
  endOnEach(5);
  EXPECT_EQ(givenUp(), 2u) << "three wait";
  EXPECT_EQ(on(0).breakers().leaving.used(), 2u);
  // Who is without streams goes at once.
  for (const uint32_t stream : {7, 1}) end(kHosts - 1, stream);
  EXPECT_EQ(givenUp(), 3u);
  settle(kHosts);
  EXPECT_NE(waits[0].sender, nullptr);
  EXPECT_TRUE(waits[1].waiting());
}

TEST_F(Http2PermitsTest, OneThatBreaksWhileItLeavesGivesItsPermitAtOnce) {
  openTo(/*hosts=*/2, /*most=*/2);
  TestRequest waits;
  sendTo(3, 0, waits);
  end(0, 3);
  ASSERT_EQ(on(0).breakers().leaving.used(), 1u);
  peer(0).connection->close(net::CloseMode::Now);
  run();
  EXPECT_EQ(running_[0].reset, Failure::UpstreamReset);
  settle(2);
  EXPECT_NE(waits.sender, nullptr);
  EXPECT_EQ(on(0).breakers().leaving.used(), 0u);
}

// --- the queue is left ---

TEST_F(PoolPermitsTest, WhoGivesUpLeavesTheQueue) {
  makeLimited(1);
  TestRequest busy, gone, next;
  sendOn(0, busy);
  sendOn(1, gone);
  sendOn(2, next);
  gone.giveUp();
  EXPECT_TRUE(anybodyWaits());
  next.giveUp();
  EXPECT_FALSE(anybodyWaits());
  run();
  answer(peer(0));
  EXPECT_EQ(counts(busy.host).idle, 1u);
  EXPECT_EQ(givenUp(), 0u);
  EXPECT_EQ(on(0).breakers().pending.used(), 0u);
}

TEST_F(PoolPermitsTest, WhoGivesUpOnItsTurnPassesItOn) {
  makeLimited(1);
  TestRequest busy, gone, next;
  sendOn(0, busy);
  sendOn(1, gone);
  sendOn(2, next);
  busy.giveUp();  // the connection is of no more use
  ASSERT_EQ(open(), 0u);
  gone.giveUp();
  run();
  EXPECT_NE(next.sender, nullptr);
}

TEST_F(PoolPermitsTest, AFailedConnectIsTheNextOnesTurn) {
  makeLimited(1);
  io_.refuse = true;
  TestRequest refused, next;
  refused.start(on(0));
  next.start(on(1));
  io_.refuse = false;
  run();
  EXPECT_EQ(refused.failed, Failure::UpstreamConnectFailure);
  EXPECT_NE(next.sender, nullptr);
}

TEST_F(PoolPermitsTest, TheQueueHasALimitOverAllWorkers) {
  auto spec = withConnections(1);
  spec->breakers.max_pending_requests = 2;
  make({endpoint(1)}, spec);
  TestRequest busy, waits[2], refused;
  sendOn(0, busy);
  sendOn(1, waits[0]);
  sendOn(2, waits[1]);
  sendOn(1, refused);
  EXPECT_TRUE(waits[1].waiting());
  EXPECT_EQ(refused.failed, Failure::UpstreamOverflow);
}

TEST_F(PoolPermitsTest, ALimitOfZeroRefuses) {
  makeLimited(0);
  TestRequest refused;
  refused.start(on(0));
  EXPECT_EQ(refused.failed, Failure::UpstreamOverflow);
  EXPECT_EQ(sum(&ClusterMetrics::upstream_rq_pending_overflow), 1u);
  setMost(1);
  TestRequest busy, waits;
  sendOn(0, busy);
  sendOn(1, waits);
  setMost(0);
  EXPECT_EQ(waits.failed, Failure::UpstreamOverflow);
  EXPECT_FALSE(anybodyWaits());
  answer(peer(0));
  EXPECT_EQ(busy.status, 200);
}

TEST_F(PoolPermitsTest, AHigherLimitLetsThoseThatWaitGoOn) {
  makeLimited(1);
  TestRequest busy, waits[2];
  sendOn(0, busy);
  sendOn(1, waits[0]);
  sendOn(2, waits[1]);
  setMost(3);
  EXPECT_NE(waits[0].sender, nullptr);
  EXPECT_NE(waits[1].sender, nullptr);
  EXPECT_EQ(open(), 3u);
  // And a lower one takes nothing away, and gives nothing.
  setMost(1);
  TestRequest late;
  sendOn(0, late);
  answer(peer(1));
  answer(peer(2));
  EXPECT_TRUE(late.waiting());
  EXPECT_EQ(open(), 1u) << "what is idle is closed while somebody waits";
  answer(peer(0));
  EXPECT_NE(late.sender, nullptr);
}

TEST_F(PoolPermitsTest, InARemovedClusterThoseThatWaitAreServed) {
  makeLimited(1);
  TestRequest busy, waits;
  sendOn(0, busy);
  sendOn(1, waits);
  const Breakers& breakers = busy.host.pool()->cluster().breakers();
  apply({.removed = {"web"}});
  EXPECT_TRUE(waits.waiting());
  answer(peer(0));
  EXPECT_EQ(busy.status, 200);
  ASSERT_NE(waits.sender, nullptr);
  EXPECT_EQ(breakers.connections.used(), 1u);
  answer(peer(1));
  EXPECT_EQ(waits.status, 200);
  EXPECT_EQ(breakers.connections.used(), 0u);
}

// It is still counted together with its former life.
TEST_F(PoolPermitsTest, AClusterThatComesBackWaitsForWhatIsLeft) {
  makeLimited(1);
  TestRequest busy, next;
  sendOn(0, busy);
  apply({.removed = {"web"}});
  makeLimited(1);
  sendOn(0, next);
  EXPECT_TRUE(next.waiting());
  answer(peer(0));
  EXPECT_NE(next.sender, nullptr);
  EXPECT_EQ(open(), 1u);
}

TEST_F(PoolPermitsTest, ARemovedHostsRequestsWaitOn) {
  makeLimited(1, 2);
  TestRequest busy, waits;
  sendOn(0, busy);
  sendOn(0, waits);
  ASSERT_NE(&busy.host.host(), &waits.host.host());
  setHosts({});
  EXPECT_TRUE(waits.waiting());
  answer(peer(0));
  answer(peer(1));
  EXPECT_EQ(waits.status, 200);
  EXPECT_EQ(open(), 0u);
}

TEST_F(PoolPermitsTest, TheEndOfAllIsTheEndOfTheWait) {
  makeLimited(1);
  TestRequest busy, waits[2];
  sendOn(0, busy);
  sendOn(1, waits[0]);
  waits[1].start(on(2));  // with a look under way
  manager_.reset();
  run();
  EXPECT_EQ(busy.reset, Failure::Draining);
  for (const TestRequest& request : waits) EXPECT_EQ(request.failed, Failure::Draining);
}

// A tunnel's connection serves nobody else: who waits behind it is as good as without one.
TEST_F(PoolPermitsTest, ATunnelIsNoConnectionToWaitFor) {
  makeLimited(2);
  TestRequest tunnel, busy, more, waits;
  tunnel.when_ready = [&] {
    http::RequestHead head;
    head.method = "CONNECT";
    head.target = head.authority = "host:1";
    tunnel.sender->sendHead(head, /*end_of_stream=*/false);
  };
  sendOn(0, tunnel);
  sendOn(1, busy);
  sendOn(1, more);
  sendOn(0, waits);
  peer(0).send("HTTP/1.1 200 OK\r\n\r\n");
  run();
  ASSERT_EQ(tunnel.status, 200);
  answer(peer(1));
  EXPECT_EQ(busy.status, 200);
  EXPECT_NE(waits.sender, nullptr);
  EXPECT_TRUE(more.waiting());
  tunnel.giveUp();
  run();
  EXPECT_NE(more.sender, nullptr);
}

}  // namespace
}  // namespace convoy::upstream
