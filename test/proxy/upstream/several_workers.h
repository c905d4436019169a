#pragma once

// The fixture with several workers, which take turns on the test's own thread, and the cluster
// "web".

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/proxy/upstream/fixture.h"

namespace convoy::test {

class SeveralWorkersTest : public UpstreamTest {
 protected:
  static constexpr size_t kWorkers = 3;

  SeveralWorkersTest() {
    manager_ = std::make_unique<upstream::ClusterManager>(
        loop_.loop(), std::vector<event::Loop*>(kWorkers, &loop_.loop()), registry_, io_);
  }
  upstream::WorkerCluster& on(size_t worker) { return *manager_->worker(worker).find("web"); }
  static upstream::EndpointSpec limited(int index, uint32_t most) {
    upstream::EndpointSpec spec = endpoint(index);
    spec.max_connections = most;
    return spec;
  }
  void make(std::vector<upstream::EndpointSpec> hosts,
            std::shared_ptr<upstream::ClusterSpec> spec = clusterSpec()) {
    setHosts(std::move(hosts), {std::move(spec)});
  }
  // Host 1 alone has as many connections as it may have; they are idle on worker 0.
  void keepIdle(uint32_t most = 1) {
    make({limited(1, most)});
    std::vector<TestRequest> requests(most);
    for (TestRequest& request : requests) sendOn(0, request);
    for (uint32_t i = 0; i < most; ++i) answer(peer(i));
    ASSERT_EQ(idleOn(0), most);
  }
  uint32_t idleOn(size_t worker, int host_index = 1) {
    const upstream::HostPool* const pool = on(worker).poolForTest(host(host_index));
    return pool == nullptr ? 0 : pool->counts().idle;
  }
  void sendOn(size_t worker, TestRequest& request,
              upstream::Priority priority = upstream::Priority::Default) {
    request.start(on(worker), {}, priority);
    run();
  }
  // To that host, whatever the policy says.
  void sendTo(int host_index, size_t worker, TestRequest& request) {
    const std::string address_text = address(host_index).text();
    const upstream::HostPreference preferred{address_text, /*strict=*/true};
    request.start(on(worker), on(worker).pick({}, nullptr, std::nullopt, &preferred));
    run();
  }
  const upstream::Host& host(int index) {
    const upstream::Host* found = nullptr;
    manager_->forEach([&](const upstream::ClusterManager::ClusterView& view) {
      for (const auto& one : view.hosts) {
        if (one.host.address() == address(index)) found = &one.host;
      }
    });
    return *found;
  }
  // Of all workers.
  uint64_t sum(observe::Counter upstream::ClusterMetrics::*counter) {
    uint64_t sum = 0;
    for (size_t i = 0; i < kWorkers; ++i) sum += (on(i).metrics().*counter).value();
    return sum;
  }
};

}  // namespace convoy::test
