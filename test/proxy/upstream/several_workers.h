#pragma once

// The fixture with several workers, which take turns on the test's own thread, and the cluster
// "web".

#include <memory>
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
  void sendOn(size_t worker, TestRequest& request,
              upstream::Priority priority = upstream::Priority::Default) {
    request.start(on(worker), {}, priority);
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
