#pragma once

// Health checks on the test's own thread and simulated time, against hosts in memory that are up or
// down, and whose connections a test reads and writes by hand.

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/upstream/health/command_runner.h"
#include "proxy/upstream/health/probe.h"
#include "proxy/upstream/socket_io.h"
#include "test/common/in_memory_connection.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::test {

// The host's end of one connection of a check.
struct CheckedPeer {
  net::Address address;
  RecordingHandler handler;
  std::unique_ptr<net::Connection> connection;

  void send(std::string_view bytes) const { connection->write(bytes); }
  std::string take() { return std::exchange(handler.received, {}); }
};

class HealthIo final : public upstream::UpstreamIo {
 public:
  std::unique_ptr<net::Connection> connect(event::Loop& loop, const net::Address& to,
                                           const net::Address*,
                                           net::ConnectionHandler& handler) override {
    ++connects;
    last_address = to;
    if (all_down || down.contains(to.text())) {
      return InMemoryConnection::refused(loop, handler, ECONNREFUSED);
    }
    CheckedPeer& peer = *peers.emplace_back(std::make_unique<CheckedPeer>());
    peer.address = to;
    auto [ours, theirs] = InMemoryConnection::pair(loop, handler, peer.handler);
    peer.connection = std::move(theirs);
    return std::move(ours);
  }
  upstream::UpstreamCodec createCodec(event::Loop& loop, const upstream::ClusterSpec& spec,
                                      upstream::UpstreamProtocol protocol, http::H2Metrics& h2,
                                      http::ClientCodecHandler& handler) override {
    return sockets_.createCodec(loop, spec, protocol, h2, handler);
  }

  int connects = 0;
  std::optional<net::Address> last_address;
  bool all_down = false;
  std::set<std::string> down;
  std::vector<std::unique_ptr<CheckedPeer>> peers;

 private:
  upstream::SocketIo sockets_;
};

inline std::shared_ptr<upstream::HealthCheckSpec> tcpCheck() {
  auto check = std::make_shared<upstream::HealthCheckSpec>();
  check->checker = upstream::TcpCheckSpec{};
  check->hash = 1;
  return check;
}

// Every 2 s, three failures take a host out, two successes bring it back.
inline std::shared_ptr<upstream::HealthCheckSpec> everyTwoSeconds() {
  auto check = tcpCheck();
  check->interval = check->no_traffic_interval = check->no_traffic_healthy_interval =
      check->unhealthy_interval = check->unhealthy_edge_interval = check->healthy_edge_interval =
          std::chrono::seconds(2);
  return check;
}

class HealthTest : public testing::Test {
 protected:
  HealthTest()
      : loop_(clock_),
        commands_(loop_.loop(), ""),
        services_{.loop = loop_.loop(), .io = io_, .commands = commands_, .transport_slot = 0} {
    clock_.attach(loop_.loop());
  }
  ~HealthTest() override {
    probe_.reset();
    commands_.shutdown();
    loop_.runReady();
    io_.peers.clear();
    clock_.detach(loop_.loop());
  }

  static net::Address address(int index = 1) {
    return net::Address::fromIp("10.0.0." + std::to_string(index), 80).value();
  }
  static upstream::ProbeTarget target(int index = 1) {
    return {.address = address(index), .host = address(index), .hostname = {}};
  }
  static upstream::ProbeOwner owner(std::shared_ptr<const upstream::HealthCheckSpec> check) {
    auto cluster = std::make_shared<upstream::ClusterSpec>();
    cluster->name = "web";
    cluster->health_check = std::move(check);
    return {.cluster = cluster, .transports = nullptr};
  }
  void make(const upstream::ProbeOwner& owner, const upstream::ProbeTarget& target) {
    probe_ = upstream::makeProbe(services_, owner, target, [this](upstream::ProbeResult result) {
      EXPECT_FALSE(result_.has_value());
      result_ = std::move(result);
    });
  }
  void start() {
    result_.reset();
    const event::Loop::TurnScope turn(loop_.loop());
    probe_->start();
    EXPECT_FALSE(result_.has_value());
  }
  void run() { loop_.runReady(); }
  CheckedPeer& peer() { return *io_.peers.back(); }
  // "Pass", or the kind and the reason.
  std::string result() const {
    if (!result_.has_value()) return "none";
    constexpr const char* kKinds[] = {"Pass",       "Degraded", "Fail",
                                      "FailAtOnce", "Network",  "Skipped"};
    const std::string kind = kKinds[static_cast<size_t>(result_->kind)];
    return result_->reason.empty() ? kind : kind + ": " + result_->reason;
  }
  // In steps, so that what re-arms itself keeps its time.
  void pass(event::Duration time) {
    for (; time > event::Duration::zero(); time -= std::chrono::milliseconds(50)) {
      clock_.advance(std::chrono::milliseconds(50));
      run();
    }
  }

  SimulatedClock clock_;
  HealthIo io_;
  TestLoop loop_;
  upstream::CommandRunner commands_;
  upstream::ProbeServices services_;
  std::unique_ptr<upstream::Probe> probe_;
  std::optional<upstream::ProbeResult> result_;
};

}  // namespace convoy::test
