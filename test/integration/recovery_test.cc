// Fifty servers that come back at once after an outage: what they depend on is weak still, and gets
// no more than it can stand.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proxy/event/clock.h"
#include "test/common/proxy_harness.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 60s;
constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Which of the sockets can be read; waits a little if none can.
std::vector<bool> readable(const std::vector<const RawSocket*>& sockets) {
  std::vector<pollfd> watched;
  for (const RawSocket* socket : sockets) watched.push_back({socket->fd(), POLLIN, 0});
  ::poll(watched.data(), watched.size(), /*timeout=*/20);
  std::vector<bool> ready;
  for (const pollfd& one : watched) ready.push_back((one.revents & POLLIN) != 0);
  return ready;
}

[[nodiscard]] bool until(const std::function<bool()>& done) {
  const event::SystemClock clock;
  const event::MonotonicTime end = clock.monotonicNow() + kPatience;
  while (!done()) {
    if (clock.monotonicNow() > end) return false;
  }
  return true;
}

// All of them are down, or up and answer when the test says so.
class Servers {
 public:
  explicit Servers(int count) {
    for (int i = 0; i < count; ++i) {
      listening_.push_back(RawSocket::boundTo(net::Address::fromIp("127.0.0.1", 0).value()));
    }
  }
  std::vector<net::Address> addresses() const {
    std::vector<net::Address> addresses;
    for (const RawSocket& socket : listening_) addresses.push_back(socket.localAddress());
    return addresses;
  }
  void comeUp() {
    for (const RawSocket& socket : listening_) ASSERT_EQ(::listen(socket.fd(), SOMAXCONN), 0);
    up_ = true;
  }
  // Takes connections and requests that have come.
  void take() {
    std::vector<const RawSocket*> sockets;
    for (const auto& connection : connections_) sockets.push_back(&connection->socket);
    const size_t open = connections_.size();
    for (size_t i = 0; up_ && i < listening_.size(); ++i) sockets.push_back(&listening_[i]);
    const std::vector<bool> ready = readable(sockets);
    for (size_t i = 0; i < open; ++i) {
      if (!ready[i]) continue;
      Connection& connection = *connections_[i];
      connection.asked = !connection.socket.receive().empty();
      if (!connection.asked) connection.socket.close();
    }
    for (size_t i = open; i < ready.size(); ++i) {
      if (!ready[i]) continue;
      connections_.push_back(std::make_unique<Connection>(listening_[i - open].accept()));
    }
    std::erase_if(connections_, [](const auto& connection) { return connection->socket.fd() < 0; });
    most_ = std::max(most_, underWay());
  }
  size_t underWay() const {
    size_t count = 0;
    for (const auto& connection : connections_) count += connection->asked;
    return count;
  }
  size_t most() const { return most_; }
  void answerAll() {
    for (const auto& connection : connections_) {
      if (std::exchange(connection->asked, false)) connection->socket.send(kAnswer);
    }
  }

 private:
  struct Connection {
    explicit Connection(RawSocket of) : socket(std::move(of)) {}
    RawSocket socket;
    bool asked = false;
  };
  bool up_ = false;
  std::vector<RawSocket> listening_;
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t most_ = 0;  // requests under way at a time, ever
};

// Each with one request under way.
class Clients {
 public:
  Clients(const ProxyHarness& proxy, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      waiting_.push_back(RawSocket::connectedTo(proxy.address()));
      waiting_.back().send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    }
  }
  void take() {
    std::vector<const RawSocket*> sockets;
    for (const RawSocket& socket : waiting_) sockets.push_back(&socket);
    const std::vector<bool> ready = readable(sockets);
    for (size_t i = 0; i < ready.size(); ++i) {
      if (!ready[i]) continue;
      const int status = parseReply(waiting_[i].receiveAll()).status;
      ++(status == 200 ? served_ : status == 503 ? refused_ : odd_);
      waiting_[i].close();
    }
    std::erase_if(waiting_, [](const RawSocket& socket) { return socket.fd() < 0; });
  }
  size_t served() const { return served_; }
  size_t refused() const { return refused_; }
  size_t odd() const { return odd_; }

 private:
  std::vector<RawSocket> waiting_;
  size_t served_ = 0, refused_ = 0, odd_ = 0;
};

class RecoveryTest : public testing::Test {
 protected:
  static constexpr int kServers = 50;
  static constexpr size_t kMost = 20;
  static constexpr size_t kClients = 200;

  RecoveryTest()
      : proxy_(absl::StrCat(staticBootstrap(servers_.addresses(),
                                            "{match: {prefix: /}, route: {cluster: web}}"),
                            "    metadata:\n      typed_filter_metadata:\n"
                            "        convoy.ext.FailurePolicy: {\"@type\": "
                            "type.googleapis.com/convoy.ext.FailurePolicy, panic: {mode: FAIL}, "
                            "host_breaker: {failures: 1}, recovery: {max_requests: ",
                            kMost, ", requests_per_second: 1000, jitter: 0s}}\n"),
               time_) {}
  uint64_t stat(const std::string& name) {
    return proxy_.metric(absl::StrCat("cluster.web.", name));
  }
  // One request after the other, until the metric says that all servers are through.
  void askUntilAll(const std::string& name, bool up) {
    for (int i = 0; i < 20 * kServers && stat(name) < kServers; ++i) {
      Clients one(proxy_, 1);
      ASSERT_TRUE(until([&] {
        servers_.take();
        servers_.answerAll();
        one.take();
        return one.served() + one.refused() == 1;
      }));
      EXPECT_EQ(one.served(), up ? 1u : 0u);
    }
    ASSERT_EQ(stat(name), uint64_t{kServers});
  }

  Servers servers_{kServers};
  SimulatedClock time_;
  ProxyHarness proxy_;
};

TEST_F(RecoveryTest, FiftyServersComeBackAtOnceWithinTheCap) {
  askUntilAll("host_breaker.opened", /*up=*/false);
  EXPECT_EQ(stat("recovery.active"), 1u);
  servers_.comeUp();
  time_.advance(61s);
  time_.advance(1ms);  // by then the worker has heard of it
  askUntilAll("host_breaker.closed", /*up=*/true);
  for (uint64_t round = 1; round <= 3; ++round) {
    Clients clients(proxy_, kClients);
    EXPECT_TRUE(until([&] {
      servers_.take();
      clients.take();
      return clients.refused() >= kClients - kMost && servers_.underWay() >= kMost;
    }));
    EXPECT_EQ(servers_.underWay(), kMost);
    servers_.answerAll();
    EXPECT_TRUE(until([&] {
      clients.take();
      return clients.served() == kMost;
    }));
    EXPECT_EQ(clients.odd(), 0u);
    EXPECT_EQ(stat("recovery.overflow"), round * (kClients - kMost));
  }
  EXPECT_EQ(servers_.most(), kMost) << "reached and never exceeded";

  // When all have been back for long enough there is no limit any more.
  time_.advanceInSteps(31s, 500ms);
  EXPECT_EQ(stat("recovery.active"), 0u);
  Clients clients(proxy_, kClients);
  EXPECT_TRUE(until([&] {
    servers_.take();
    return servers_.underWay() == kClients;
  }));
  servers_.answerAll();
  EXPECT_TRUE(until([&] {
    clients.take();
    return clients.served() == kClients;
  }));
}

}  // namespace
}  // namespace convoy::test
