#include "proxy/server/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "test/proxy/server/fixture.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {
namespace {

using test::RawSocket;

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    clusters = std::make_unique<upstream::ClusterManager>(
        main.loop(), std::vector<event::Loop*>{&worker->loop()}, metrics, io);
    worker->equip(clusters->worker(0), filters, kDrainTime, redis_metrics);
  }

  test::SimulatedClock clock;
  test::TestLoop main{clock};
  observe::MetricRegistry metrics;
  redis::ClientMetricGroups redis_metrics{metrics, 1};
  filter::Registry filters;
  upstream::SocketIo io;
  std::unique_ptr<Worker> worker = std::make_unique<Worker>(0, clock, event::Random(1));
  std::unique_ptr<upstream::ClusterManager> clusters;  // outlived by the worker's loop
};

TEST_F(WorkerTest, RunsWhatIsPostedOnAThreadOfItsOwn) {
  EXPECT_EQ(worker->index(), 0u);
  EXPECT_EQ(worker->loop().name(), "worker-0");
  std::thread::id ran_on;
  worker->loop().post([&] { ran_on = std::this_thread::get_id(); });  // before it runs
  worker->start();
  worker->stopAndJoin();
  EXPECT_NE(ran_on, std::thread::id());
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST_F(WorkerTest, WhatWasPostedBeforeTheStopIsDone) {
  worker->start();
  std::atomic<int> done{0};
  for (int i = 0; i < 100; ++i) worker->loop().post([&] { ++done; });
  worker->stopAndJoin();
  EXPECT_EQ(done, 100);
  worker->stopAndJoin();  // once is enough
}

TEST_F(WorkerTest, NeverStartedItNeedsNoStop) {
  worker->stopAndJoin();
  clusters.reset();
  worker.reset();
  EXPECT_EQ(worker, nullptr);
}

TEST(WorkerStopTest, ClosesEveryConnection) {
  DataPlane plane(2);
  const RawSocket backend = RawSocket::listening();
  upstream::ClusterChanges changes;
  changes.clusters = {clusterOf("web", backend.localAddress())};
  plane.clusters->apply(changes);
  plane.put(listenerOf("l", {"127.0.0.1:0"}, chain(manager(tableTo("inline", "web")))));
  const RawSocket waiting = RawSocket::connectedTo(plane.address("l"));
  waiting.send(request());
  const RawSocket upstream = backend.accept();
  EXPECT_NE(upstream.receive(), "");
  for (const auto& worker : plane.workers) {
    plane.clock.detach(worker->loop());
    worker->stopAndJoin();
  }
  EXPECT_EQ(waiting.receive(), "");
  EXPECT_EQ(upstream.receive(), "");
  EXPECT_EQ(plane.metricOf("cluster.web.upstream_cx_active"), 0);
}

}  // namespace
}  // namespace convoy::server
