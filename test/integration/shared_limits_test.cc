// What holds for all workers together, through the whole proxy: limits on requests and on retries,
// and the one request that probes a half-open host.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"
#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

constexpr size_t kWorkers = 4;
constexpr char kOops[] = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

// --- requests ---

class RequestLimit : public testing::Test {
 protected:
  static constexpr size_t kHosts = 2;
  static constexpr size_t kMost = 7;
  static constexpr size_t kClients = 60;

  RequestLimit()
      : servers_(kHosts),
        proxy_(absl::StrCat(
                   staticBootstrap(servers_.addresses(),
                                   "{match: {prefix: /}, route: {cluster: web, timeout: 0s}}"),
                   "    circuit_breakers: {thresholds: [{max_requests: ", kMost, "}]}\n"),
               kWorkers) {
    servers_.comeUp();
  }
  uint64_t overflow() { return proxy_.metric("cluster.web.upstream_rq_pending_overflow"); }

  Servers servers_;
  ProxyHarness proxy_;
};

TEST_F(RequestLimit, IsReachedAndNeverExceeded) {
  for (uint64_t round = 1; round <= 3; ++round) {
    Clients clients(proxy_, kClients);
    EXPECT_TRUE(until([&] {
      servers_.take();
      clients.take();
      return clients.refused() + servers_.underWay() >= kClients;
    }));
    EXPECT_EQ(servers_.underWay(), kMost) << "in round " << round << ", also after a release";
    EXPECT_EQ(overflow(), round * (kClients - kMost));
    servers_.answerAll();
    EXPECT_TRUE(clients.areServed(kMost));
    EXPECT_EQ(clients.odd(), 0u);
    proxy_.untilWorkersKnow();
  }
  EXPECT_EQ(servers_.most(), kMost);
}

// Of each priority by itself, when requests of both come at once.
TEST(RequestLimits, OfThePrioritiesAreTwo) {
  constexpr size_t kMost = 7, kMostHigh = 11, kClients = 60;
  Servers servers(2);
  ProxyHarness proxy(
      absl::StrCat(staticBootstrap(servers.addresses(),
                                   "{match: {prefix: /high}, route: {cluster: web, timeout: 0s, "
                                   "priority: HIGH}}, "
                                   "{match: {prefix: /}, route: {cluster: web, timeout: 0s}}"),
                   "    circuit_breakers: {thresholds: [{max_requests: ", kMost,
                   "}, {priority: HIGH, max_requests: ", kMostHigh, "}]}\n"),
      kWorkers);
  servers.comeUp();
  for (uint64_t round = 1; round <= 3; ++round) {
    Clients clients(proxy, kClients), high(proxy, kClients, "/high");
    EXPECT_TRUE(until([&] {
      servers.take();
      clients.take();
      high.take();
      return clients.refused() + high.refused() + servers.underWay() >= 2 * kClients;
    }));
    ASSERT_EQ(clients.refused(), kClients - kMost) << "in round " << round;
    ASSERT_EQ(high.refused(), kClients - kMostHigh) << "in round " << round;
    servers.answerAll();
    EXPECT_TRUE(until([&] {
      clients.take();
      high.take();
      return clients.served() == kMost && high.served() == kMostHigh;
    }));
    proxy.untilWorkersKnow();
  }
  EXPECT_EQ(servers.most(), kMost + kMostHigh);
}

// --- waiting requests ---

// All connections are busy: so many requests wait for one, whatever workers they came to.
TEST(WaitingRequests, AreLimitedOfAllWorkersTogether) {
  constexpr size_t kBusy = 2, kMost = 9, kClients = 60;
  Servers servers(2);
  ProxyHarness proxy(
      absl::StrCat(staticBootstrap(servers.addresses(),
                                   "{match: {prefix: /}, route: {cluster: web, timeout: 0s}}"),
                   "    circuit_breakers: {thresholds: [{max_connections: ", kBusy,
                   ", max_pending_requests: ", kMost, "}]}\n"),
      kWorkers);
  const auto stat = [&](const std::string& name) {
    return proxy.metric(absl::StrCat("cluster.web.", name));
  };
  servers.comeUp();
  for (uint64_t round = 1; round <= 3; ++round) {
    Clients busy(proxy, kBusy);
    ASSERT_TRUE(servers.comeTo(kBusy));
    Clients clients(proxy, kClients);
    EXPECT_TRUE(until([&] {
      clients.take();
      return clients.refused() + stat("upstream_rq_pending_active") >= kClients;
    }));
    ASSERT_EQ(stat("upstream_rq_pending_active"), kMost) << "in round " << round;
    EXPECT_EQ(stat("upstream_rq_pending_overflow"), round * (kClients - kMost));
    EXPECT_TRUE(until([&] {
      servers.answerAll();
      servers.take();
      busy.take();
      clients.take();
      return busy.served() == kBusy && clients.served() == kMost;
    }));
    EXPECT_EQ(clients.odd(), 0u);
    proxy.untilWorkersKnow();
  }
}

// --- retries ---

// All requests fail, but for those that are held; a retry waits for as long as the test wants.
class RetryLimits : public testing::Test {
 protected:
  void start(const std::string& limits) {
    busy_.ignore("/held");
    proxy_.emplace(
        absl::StrCat(staticBootstrap({busy_.address()},
                                     "{match: {prefix: /}, route: {cluster: web, timeout: 0s, "
                                     "retry_policy: {retry_on: 5xx, num_retries: 1, retry_back_off:"
                                     " {base_interval: 10s, max_interval: 10s}}}}"),
                     "    circuit_breakers: {thresholds: [{", limits, "}]}\n"),
        time_, kWorkers);
  }
  uint64_t stat(const std::string& name) {
    return proxy_->metric(absl::StrCat("cluster.web.", name));
  }
  // So many more requests at a time, until each waits for its retry or has been refused one.
  void ask(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      clients_.push_back(RawSocket::connectedTo(proxy_->address()));
      clients_.back().send(kGet);
    }
    asked_ += count;
    EXPECT_TRUE(until(
        [&] { return stat("upstream_rq_retry") + stat("upstream_rq_retry_overflow") == asked_; }));
    proxy_->untilWorkersKnow();
  }
  // The retries are made, and all are answered.
  void finish() {
    time_.advance(10s);
    for (const RawSocket& client : clients_) {
      EXPECT_EQ(parseReply(client.receiveAll()).status, 503);
    }
    clients_.clear();
    proxy_->untilWorkersKnow();
  }

  FakeUpstream busy_{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
                     RawSocket::listening(SOMAXCONN)};
  SimulatedClock time_;
  std::optional<ProxyHarness> proxy_;
  std::vector<RawSocket> clients_;
  size_t asked_ = 0;
};

TEST_F(RetryLimits, AreOfAllWorkersTogether) {
  constexpr uint64_t kMost = 5, kClients = 40;
  start(absl::StrCat("max_retries: ", kMost));
  for (uint64_t round = 1; round <= 3; ++round) {
    ask(kClients);
    EXPECT_EQ(stat("upstream_rq_retry"), round * kMost);
    EXPECT_EQ(stat("upstream_rq_retry_overflow"), round * (kClients - kMost));
    finish();
    EXPECT_EQ(busy_.requests(), static_cast<int>(round * (kClients + kMost)));
  }
}

// A tenth of a hundred, wherever these are. Four more that are just being answered, each counted
// twice if it is looked at while it finds its connection, make no eleventh.
TEST_F(RetryLimits, AreAShareOfTheRequestsOfAllWorkers) {
  constexpr uint64_t kHeld = 100, kMost = 10, kTogether = 4, kTimes = 5;
  start("retry_budget: {budget_percent: {value: 10}, min_retry_concurrency: 1}");
  const Clients held(*proxy_, kHeld, "/held");
  ASSERT_TRUE(proxy_->becomes("cluster.web.upstream_rq_active", kHeld));
  for (uint64_t round = 1; round <= 2; ++round) {
    for (uint64_t i = 0; i < kTimes; ++i) ask(kTogether);
    EXPECT_EQ(stat("upstream_rq_retry"), round * kMost);
    EXPECT_EQ(stat("upstream_rq_retry_overflow"), round * (kTogether * kTimes - kMost));
    finish();
    EXPECT_EQ(busy_.requests(), static_cast<int>(round * (kTogether * kTimes + kMost)));
  }
}

// --- probes ---

class HalfOpenHost : public testing::Test {
 protected:
  static constexpr size_t kClients = 24;

  HalfOpenHost()
      : proxy_(staticBootstrap(servers_.addresses(),
                               "{match: {prefix: /}, route: {cluster: web, timeout: 0s}}") +
                   failurePolicy("panic: {mode: FAIL}, host_breaker: {failures: 5}"),
               time_, kWorkers) {
    servers_.comeUp();
  }
  uint64_t stat(const std::string& name) {
    return proxy_.metric(absl::StrCat("cluster.web.host_breaker.", name));
  }
  // So many come at a time, and so many of them to the host, which answers so; the others get 503.
  void expectReached(size_t reached, size_t count, std::string_view answer = kAnswer) {
    Clients clients(proxy_, count);
    EXPECT_TRUE(until([&] {
      servers_.take();
      clients.take();
      return clients.refused() + servers_.underWay() >= count;
    }));
    EXPECT_EQ(servers_.underWay(), reached);
    servers_.answer(0, answer);
    EXPECT_TRUE(until([&] {
      clients.take();
      return clients.served() + clients.odd() + clients.refused() == count;
    }));
    EXPECT_EQ(clients.refused(), count - reached);
    letAllKnow();
  }
  void pass(event::Duration time) {
    time_.advance(time);
    letAllKnow();
  }
  // Main of what came to the workers, and they of what it made of that.
  void letAllKnow() {
    proxy_.untilWorkersKnow();
    proxy_.untilWorkersKnow();
  }

  Servers servers_{1};
  SimulatedClock time_;
  ProxyHarness proxy_;
};

TEST_F(HalfOpenHost, OneRequestOfAllWorkersProbesAndItsFailureIsEnough) {
  expectReached(4, 4, kOops);
  EXPECT_EQ(stat("opened"), 0u);
  expectReached(1, 1, kOops);
  for (uint64_t opened = 1; opened <= 6; ++opened) {
    ASSERT_EQ(stat("opened"), opened);
    pass(59s);
    expectReached(0, kClients);
    pass(1s + 1ms);
    expectReached(1, kClients, kOops);
  }
  EXPECT_EQ(stat("closed"), 0u);
  pass(60s + 1ms);
  expectReached(1, kClients);
  EXPECT_EQ(stat("closed"), 1u);
  expectReached(kClients, kClients);
}

}  // namespace
}  // namespace convoy::test
