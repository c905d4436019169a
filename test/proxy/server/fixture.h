#pragma once

// The parts of a Server without the Server, on simulated time. DataPlane: main on the test's own
// thread, workers on theirs. OneWorker: one worker, which is main, too, on the test's own thread.

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proxy/admin/stats.h"
#include "proxy/filter/registry.h"
#include "proxy/observe/log_writer.h"
#include "proxy/observe/metrics.h"
#include "proxy/server/listener_manager.h"
#include "proxy/server/route_tables.h"
#include "proxy/server/worker.h"
#include "proxy/tls/secret_manager.h"
#include "proxy/upstream/cluster_manager.h"
#include "proxy/upstream/socket_io.h"
#include "test/common/proxy_harness.h"
#include "test/common/raw_socket.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::server {

inline constexpr event::Duration kDrainTime = std::chrono::seconds(30);

inline std::string request(const std::string& path = "/") {
  return absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: test\r\n\r\n");
}

// The value of the metric whose whole name this is; -1: there is none.
inline int64_t metric(const observe::MetricRegistry& registry, const std::string& name) {
  const std::string all = "\n" + admin::renderStats(registry, name);
  const std::string line = absl::StrCat("\n", name, ": ");
  const size_t at = all.find(line);
  return at == std::string::npos ? -1 : std::stoll(all.substr(at + line.size()));
}

inline bool saysClose(const test::HttpReply& reply) {
  return reply.head.find("Connection: close") != std::string::npos;
}

class DataPlane {
 public:
  explicit DataPlane(size_t count = 2, ConnectionLimits limits = {})
      : redis_metrics(metrics, count) {
    filter::registerBuiltins(filters);
    std::vector<Worker*> pointers;
    std::vector<event::Loop*> loops;
    for (size_t i = 0; i < count; ++i) {
      workers.push_back(std::make_unique<Worker>(i, clock, event::Random(i + 1)));
      pointers.push_back(workers.back().get());
      loops.push_back(&workers.back()->loop());
    }
    routes = std::make_unique<RouteTables>(main, loops);
    clusters = std::make_unique<upstream::ClusterManager>(main, loops, metrics, io);
    secrets = std::make_unique<tls::SecretManager>(main, metrics, static_cast<int>(count) + 1);
    listeners = std::make_unique<ListenerManager>(main, pointers, *routes, logs, metrics, *secrets,
                                                  adopted, std::move(limits));
    for (const auto& worker : workers) {
      worker->equip(clusters->worker(worker->index()), filters, kDrainTime, redis_metrics);
      worker->start();
      clock.attach(worker->loop());
    }
    clock.attach(main);
  }
  ~DataPlane() {
    for (const auto& worker : workers) {
      clock.detach(worker->loop());
      worker->stopAndJoin();
    }
    clock.detach(main);
    test_loop.runReady();
  }

  // Until every worker has done what was posted to it, and main what they posted back.
  void settle() {
    for (int i = 0; i < 2; ++i) {
      std::latch done(static_cast<std::ptrdiff_t>(workers.size()));
      for (const auto& worker : workers) worker->loop().post([&done] { done.count_down(); });
      done.wait();
      test_loop.runReady();
    }
  }
  void put(const std::shared_ptr<const net::ListenerSpec>& spec) {
    const absl::Status admitted = listeners->admit(spec);
    ASSERT_TRUE(admitted.ok()) << admitted;
    listeners->apply(spec);
    settle();
  }
  net::Address address(const std::string& listener, size_t index = 0) const {
    return listeners->active().at(listener).addresses.at(index);
  }
  size_t connections() {
    size_t sum = 0;
    for (const auto& worker : workers) {
      std::latch done(1);
      worker->loop().post([&] {
        sum += worker->listeners().connections();
        done.count_down();
      });
      done.wait();
    }
    return sum;
  }
  // Settles until the condition holds.
  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    for (int i = 0; i < 100'000 && !condition(); ++i) settle();
    return condition();
  }
  int64_t metricOf(const std::string& name) { return metric(metrics, name); }

  test::SimulatedClock clock;
  test::TestLoop test_loop{clock};
  event::Loop& main = test_loop.loop();
  observe::MetricRegistry metrics;
  redis::ClientMetricGroups redis_metrics;
  observe::LogWriter logs{metrics};
  filter::Registry filters;
  net::AdoptedSockets adopted;
  std::vector<std::unique_ptr<Worker>> workers;
  upstream::SocketIo io;
  std::unique_ptr<RouteTables> routes;
  std::unique_ptr<tls::SecretManager> secrets;
  std::unique_ptr<upstream::ClusterManager> clusters;
  std::unique_ptr<ListenerManager> listeners;
};

// One request on an open connection.
inline test::HttpReply ask(const test::RawSocket& connection) {
  connection.send(request());
  return test::parseReply(connection.receive());
}
// One on a connection of its own.
inline test::HttpReply askAt(const net::Address& address) {
  return ask(test::RawSocket::connectedTo(address));
}
// Whether a connect is refused.
inline bool refused(const net::Address& address) {
  sockaddr_storage storage;
  const socklen_t length = address.toSockaddr(&storage);
  const test::RawSocket probe(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.fd(), reinterpret_cast<sockaddr*>(&storage), length) != 0;
}

class OneWorker {
 public:
  OneWorker() {
    filter::registerBuiltins(filters);
    clock.attach(loop);
  }
  ~OneWorker() {
    clusters.worker(0).shutdown();
    test_loop.runReady();
    clock.detach(loop);
  }

  // What comes next on the socket, while the loop runs; empty: its end.
  std::string receive(const test::RawSocket& socket, int* error = nullptr) {
    EXPECT_TRUE(test_loop.runUntil([&] { return readable(socket); }));
    return socket.receive(error);
  }
  bool closed(const test::RawSocket& socket) { return receive(socket).empty(); }
  test::HttpReply ask(const test::RawSocket& socket) {
    socket.send(request());
    return test::parseReply(receive(socket));
  }
  static bool readable(const test::RawSocket& socket) {
    pollfd watched{.fd = socket.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, 0) == 1;
  }

  test::SimulatedClock clock;
  test::TestLoop test_loop{clock};
  event::Loop& loop = test_loop.loop();
  observe::MetricRegistry metrics;
  observe::LogWriter logs{metrics};
  filter::Registry filters;
  upstream::SocketIo io;
  upstream::ClusterManager clusters{loop, {&loop}, metrics, io};
  RouteTables routes{loop, {&loop}};
  filter::WorkerServices services{loop, clusters.worker(0), 0};
};

}  // namespace convoy::server
