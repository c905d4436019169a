#include "proxy/upstream/cluster_manager.h"

#include <atomic>
#include <map>

#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using test::TestRequest;

class ClusterManagerTest : public test::UpstreamTest {
 protected:
  // The merged metrics of all clusters, as a reader is shown them: "web.membership_total" and so
  // on; a name that occurs twice is an error.
  std::map<std::string, int64_t> readMetrics() {
    struct Reader final : observe::MetricReader {
      void add(const observe::Labels& labels, std::string_view name, int64_t value) {
        const std::string key = labels.at(0).second + "." + std::string(name);
        EXPECT_TRUE(values.emplace(key, value).second) << key;
      }
      void counter(std::string_view prefix, const observe::Labels& labels, std::string_view name,
                   std::string_view, uint64_t value) override {
        EXPECT_EQ(prefix, "cluster");
        add(labels, name, static_cast<int64_t>(value));
      }
      void gauge(std::string_view, const observe::Labels& labels, std::string_view name,
                 std::string_view, int64_t value) override {
        add(labels, name, value);
      }
      void histogram(std::string_view, const observe::Labels& labels, std::string_view name,
                     std::string_view, const observe::HistogramSnapshot& value) override {
        add(labels, name, static_cast<int64_t>(value.count));
      }
      std::map<std::string, int64_t> values;
    } reader;
    registry_.read(reader);
    return reader.values;
  }
};

TEST_F(ClusterManagerTest, AStaticClusterBringsItsHosts) {
  auto spec = clusterSpec();
  spec->discovery = ClusterSpec::Discovery::Static;
  spec->assignment = assignment({endpoint(1), endpoint(2)});
  apply({.clusters = {spec}});
  EXPECT_TRUE(manager_->has("web"));
  EXPECT_FALSE(manager_->has("we"));
  EXPECT_EQ(manager_->size(), 1u);
  TestRequest request;
  send(request);
  EXPECT_NE(request.sender, nullptr);
}

TEST_F(ClusterManagerTest, TheWorkersSeeOnePublicationAtOnce) {
  manager_->apply({.clusters = {clusterSpec("a"), clusterSpec("b")}});
  EXPECT_EQ(find("a"), nullptr) << "not before their turn";
  run();
  EXPECT_NE(find("a"), nullptr);
  EXPECT_NE(find("b"), nullptr);
  apply({.clusters = {clusterSpec("c")}, .removed = {"a", "never was"}});
  EXPECT_EQ(find("a"), nullptr);
  EXPECT_NE(find("c"), nullptr);
  EXPECT_EQ(manager_->size(), 2u);
}

TEST_F(ClusterManagerTest, TellsWhenEveryWorkerHasIt) {
  bool everywhere = false;
  manager_->apply({.clusters = {clusterSpec()}}, [&] {
    everywhere = true;
    EXPECT_NE(find(), nullptr);
  });
  EXPECT_FALSE(everywhere);
  run();
  EXPECT_TRUE(everywhere);
  everywhere = false;
  manager_->apply({}, [&] { everywhere = true; });
  run();
  EXPECT_TRUE(everywhere) << "also of a publication without anything in it";
}

TEST_F(ClusterManagerTest, WithoutWorkersMainIsToldToo) {
  ClusterManager manager(loop_.loop(), {}, registry_, io_);
  bool told = false;
  manager.apply({.clusters = {clusterSpec("lonely")}}, [&] { told = true; });
  run();
  EXPECT_TRUE(told);
}

TEST_F(ClusterManagerTest, WhatDidNotChangeIsLeftAlone) {
  auto spec = clusterSpec();
  spec->version = "7";
  auto hosts = assignment({endpoint(1), endpoint(2), endpoint(3)});
  hosts->version = "1";
  apply({.clusters = {spec}, .assignments = {{"web", hosts}}});
  EXPECT_EQ(cluster().pick().lease.host().address(), address(1));
  const ClusterSpec* in_force = &cluster().spec();

  auto same_spec = std::make_shared<ClusterSpec>(*spec);
  auto same_hosts = std::make_shared<AssignmentSpec>(*hosts);
  apply({.clusters = {same_spec}, .assignments = {{"web", same_hosts}}});
  EXPECT_EQ(&cluster().spec(), in_force);
  EXPECT_EQ(cluster().pick().lease.host().address(), address(2)) << "the order goes on";
  EXPECT_EQ(readMetrics().at("web.assignment_update"), 1);

  // Another version of the same hosts: counted, and otherwise nothing.
  same_hosts->version = "2";
  apply({.assignments = {{"web", std::make_shared<AssignmentSpec>(*same_hosts)}}});
  EXPECT_EQ(cluster().pick().lease.host().address(), address(3));
  EXPECT_EQ(readMetrics().at("web.assignment_update"), 2);
  EXPECT_EQ(readMetrics().at("web.membership_change"), 1);
}

TEST_F(ClusterManagerTest, AnAssignmentOfNoClusterIsForNobody) {
  apply({.assignments = {{"nobody", assignment({endpoint(1)})}}});
  EXPECT_FALSE(manager_->has("nobody"));
  EXPECT_EQ(find("nobody"), nullptr);
}

TEST_F(ClusterManagerTest, OneMayBeChangedAndRemovedInOnePublication) {
  makeCluster();
  apply({.assignments = {{"web", assignment({endpoint(2)})}}, .removed = {"web"}});
  EXPECT_EQ(find(), nullptr);
  EXPECT_FALSE(manager_->has("web"));
}

TEST_F(ClusterManagerTest, CountsItsMembers) {
  makeCluster();
  setHosts({endpoint(1, 4), endpoint(2), endpoint(3, 1, HealthStatus::Degraded),
            endpoint(4, 1, HealthStatus::Draining)});
  const auto metrics = readMetrics();
  EXPECT_EQ(metrics.at("web.membership_total"), 4);
  EXPECT_EQ(metrics.at("web.membership_healthy"), 2);
  EXPECT_EQ(metrics.at("web.membership_degraded"), 1);
  EXPECT_EQ(metrics.at("web.membership_excluded"), 1);
  EXPECT_EQ(metrics.at("web.max_host_weight"), 4);
  EXPECT_EQ(metrics.at("web.membership_change"), 2);
}

TEST_F(ClusterManagerTest, ShowsItsHostsForPeople) {
  auto hosts = std::make_shared<AssignmentSpec>();
  hosts->localities.resize(2);
  hosts->localities[0].zone = "a";
  hosts->localities[0].endpoints = {endpoint(1, 3), endpoint(2, 1, HealthStatus::Unhealthy)};
  hosts->localities[1].zone = "b";
  hosts->localities[1].priority = 1;
  hosts->localities[1].endpoints = {endpoint(3), endpoint(1)};
  apply({.clusters = {clusterSpec("web"), clusterSpec("empty")}, .assignments = {{"web", hosts}}});
  std::string shown;
  manager_->forEach([&](const ClusterManager::ClusterView& view) {
    shown += view.spec.name + (view.assignment == nullptr ? "?" : "") + ":";
    for (const ClusterManager::HostView& host : view.hosts) {
      shown += " " + host.host.addressText() + "*" + std::to_string(host.spec.weight) +
               host.locality.zone + (host.eligible ? "+" : "-");
    }
    shown += "\n";
  });
  // Half of priority 0 is too little for all requests, so that priority 1 gets some.
  EXPECT_EQ(shown,
            "empty?:\n"
            "web: 10.0.0.1:80*3a+ 10.0.0.2:80*1a- 10.0.0.3:80*1b+\n");
}

TEST_F(ClusterManagerTest, AClusterThatComesBackWhileOldRequestsRunKeepsItsCounts) {
  makeCluster();
  TestRequest running;
  send(running);
  apply({.removed = {"web"}});
  makeCluster();
  EXPECT_EQ(readMetrics().at("web.upstream_rq_active"), 1) << "one group of that name";
  EXPECT_EQ(cluster().breakers().connections.used(), 1u);
  answer(peer(0));
  EXPECT_EQ(readMetrics().at("web.upstream_rq_active"), 0);
}

TEST_F(ClusterManagerTest, MetricsGoWithTheLastUser) {
  makeCluster();
  TestRequest running;
  send(running);
  apply({.removed = {"web"}});
  EXPECT_EQ(readMetrics().count("web.upstream_rq_active"), 1u);
  answer(peer(0));
  running.host = {};
  run();
  EXPECT_EQ(readMetrics().size(), 0u);
}

TEST_F(ClusterManagerTest, ManyUpdatesUnderWay) {
  makeCluster();
  event::Random random(9);
  std::vector<std::unique_ptr<TestRequest>> requests;
  for (int round = 0; round < 200; ++round) {
    std::vector<EndpointSpec> endpoints;
    for (int i = 1; i <= 6; ++i) {
      if (random.below(3) > 0) endpoints.push_back(endpoint(i, 1 + random.below(3)));
    }
    manager_->apply({.assignments = {{"web", assignment(endpoints)}}});
    auto& request = *requests.emplace_back(std::make_unique<TestRequest>());
    request.start(cluster());
    run();
    for (auto& open : io_.peers) {
      if (open->connection != nullptr && open->handler.closed_calls == 0 && !open->handler.ended &&
          !open->take().empty() && random.below(4) > 0) {
        open->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      }
    }
    run();
  }
  int served = 0;
  int open = 0;
  for (const auto& request : requests) {
    EXPECT_EQ(request->failed, std::nullopt);
    EXPECT_EQ(request->reset, std::nullopt) << "no update ends a request";
    if (request->status == 200) ++served;
    if (request->sender != nullptr) ++open;
    if (request->kind == Pick::Kind::None) ++served;
  }
  EXPECT_EQ(served + open, 200);
  EXPECT_EQ(metrics().upstream_rq_active.value(), open);
}

// --- workers on threads of their own ---

class WorkersTest : public testing::Test {
 protected:
  WorkersTest() : main_(clock_), workers_{test::LoopThread(clock_), test::LoopThread(clock_)} {}

  std::vector<event::Loop*> loops() { return {&workers_[0].loop(), &workers_[1].loop()}; }

  event::SystemClock clock_;
  observe::MetricRegistry registry_;
  SocketIo io_;
  test::TestLoop main_;
  test::LoopThread workers_[2];
};

std::shared_ptr<const AssignmentSpec> hostsFrom(int first, int count) {
  auto spec = std::make_shared<AssignmentSpec>();
  auto& endpoints = spec->localities.emplace_back().endpoints;
  for (int i = 0; i < count; ++i) {
    endpoints.emplace_back().address =
        net::Address::fromIp("10.1.0." + std::to_string(first + i), 80).value();
  }
  return spec;
}

// Hosts come and go, and so do clusters, while the workers pick.
TEST_F(WorkersTest, PickWhileMainPublishes) {
  auto manager = std::make_unique<ClusterManager>(main_.loop(), loops(), registry_, io_);
  auto spec = std::make_shared<ClusterSpec>();
  spec->name = "web";
  spec->balancing.algorithm = Algorithm::WeightedLeastConnections;
  bool ready = false;
  manager->apply({.clusters = {spec}, .assignments = {{"web", hostsFrom(1, 3)}}},
                 [&] { ready = true; });
  ASSERT_TRUE(main_.runUntil([&] { return ready; }));

  std::atomic<int> picked[2] = {};
  std::function<void(size_t)> pick_on = [&](size_t worker) {
    WorkerCluster* cluster = manager->worker(worker).find("web");
    if (cluster != nullptr) {
      for (int i = 0; i < 20; ++i) {
        const PickResult result = cluster->pick();
        if (result.kind == Pick::Kind::Host && result.lease.host().address().port() == 80) {
          ++picked[worker];
        }
      }
    }
    if (picked[worker] < 100'000) loops()[worker]->post([&pick_on, worker] { pick_on(worker); });
  };
  for (size_t w = 0; w < 2; ++w) loops()[w]->post([&pick_on, w] { pick_on(w); });

  int published = 0;
  for (int i = 0; i < 300; ++i) {
    if (i % 50 == 49) manager->apply({.removed = {"web"}});
    ready = false;
    manager->apply({.clusters = {spec}, .assignments = {{"web", hostsFrom(1 + i % 7, 3)}}},
                   [&] { ready = true; });
    ASSERT_TRUE(main_.runUntil([&] { return ready; }));
    ++published;
  }
  EXPECT_EQ(published, 300);
  ASSERT_TRUE(main_.runUntil([&] {
    main_.loop().post([] {});
    return picked[0] >= 100'000 && picked[1] >= 100'000;
  }));
  // What the picks took, they gave back.
  for (auto& worker : workers_) worker.run([] {});
  manager->forEach([&](const ClusterManager::ClusterView& view) {
    for (const auto& host : view.hosts) EXPECT_EQ(host.host.active(), 0u);
  });
  manager.reset();
  for (auto& worker : workers_) worker.run([] {});
}

TEST_F(WorkersTest, TheLastOfTheManagerLeavesTheWorkersClean) {
  auto manager = std::make_unique<ClusterManager>(main_.loop(), loops(), registry_, io_);
  auto spec = std::make_shared<ClusterSpec>();
  spec->name = "web";
  bool ready = false;
  manager->apply({.clusters = {spec}, .assignments = {{"web", hostsFrom(1, 2)}}},
                 [&] { ready = true; });
  ASSERT_TRUE(main_.runUntil([&] { return ready; }));
  for (size_t w = 0; w < 2; ++w) {
    workers_[w].run([&] {
      HostRef kept = manager->worker(w).find("web")->pick().lease.ref();
      EXPECT_TRUE(static_cast<bool>(kept));
    });
  }
  manager.reset();
  for (auto& worker : workers_) worker.run([] {});
  struct Nobody final : observe::MetricReader {
    void counter(std::string_view, const observe::Labels&, std::string_view, std::string_view,
                 uint64_t) override {
      ++seen;
    }
    void gauge(std::string_view, const observe::Labels&, std::string_view, std::string_view,
               int64_t) override {
      ++seen;
    }
    void histogram(std::string_view, const observe::Labels&, std::string_view, std::string_view,
                   const observe::HistogramSnapshot&) override {
      ++seen;
    }
    int seen = 0;
  } nobody;
  registry_.read(nobody);
  EXPECT_EQ(nobody.seen, 0);
}

}  // namespace
}  // namespace convoy::upstream
