// Active health checks every 2 s (three failures take a host out, two successes bring it back)
// through the whole proxy: real sockets, simulated time.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proxy/event/clock.h"
#include "test/common/proxy_harness.h"
#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

// The first retry waits for a random part of 1 ms in whole milliseconds: not at all.
constexpr char kRoute[] =
    "{match: {prefix: /}, route: {cluster: web, retry_policy: {retry_on: connect-failure, "
    "retry_back_off: {base_interval: 0.001s, max_interval: 0.001s}}}}";
constexpr char kChecks[] =
    "    health_checks: [{interval: 2s, no_traffic_interval: 2s, timeout: 1s, "
    "unhealthy_threshold: 3, healthy_threshold: 2, http_health_check: {path: /health}}]\n";

// What the checks have come to goes from their thread to main, and from there to the worker. Each
// turn of advance() ends behind what the turn before has posted.
void untilEverybodyKnows(SimulatedClock& time) {
  for (int turn = 0; turn < 4; ++turn) time.advance(0s);
}

// --- one host crashes ---

class CrashTimelineTest : public testing::Test {
 protected:
  static constexpr uint64_t kHosts = 3;

  CrashTimelineTest() { comeBack(); }

  void crash() { host_.reset(); }
  void comeBack() { host_.emplace(kAnswer, RawSocket::listeningOn(place_.localAddress())); }

  uint64_t stat(const std::string& name) {
    return proxy_.metric(absl::StrCat("cluster.web.", name));
  }
  // Moves the clock, and waits for the results of the checks that are due.
  void at(event::Duration when, uint64_t passed, uint64_t failed) {
    time_.advance(when - now_);
    now_ = when;
    ASSERT_TRUE(proxy_.becomes("cluster.web.health_check.success", passed_ += passed));
    ASSERT_TRUE(proxy_.becomes("cluster.web.health_check.failure", failed_ += failed));
    ASSERT_EQ(stat("health_check.attempt"), passed_ + failed_);
    untilEverybodyKnows(time_);
  }
  // How many of a round of requests this host got; every one of them is served.
  int askAll() {
    const int before = host_.has_value() ? host_->requests() : 0;
    for (uint64_t i = 0; i < 2 * kHosts; ++i) EXPECT_EQ(proxy_.get("/").status, 200);
    return host_.has_value() ? host_->requests() - before : 0;
  }

  // Keeps the port while nobody listens on it.
  const RawSocket place_ = RawSocket::boundTo(net::Address::fromIp("127.0.0.1", 0).value());
  std::optional<FakeUpstream> host_;
  const FakeUpstream others_[kHosts - 1];
  SimulatedClock time_;
  ProxyHarness proxy_{
      absl::StrCat(staticBootstrap(
                       {place_.localAddress(), others_[0].address(), others_[1].address()}, kRoute),
                   kChecks),
      time_};
  event::Duration now_{-2s};  // when the proxy started
  uint64_t passed_ = 0;
  uint64_t failed_ = 0;
};

// REQUIREMENTS A2: crash at 0:00, failures at :02 :04 :06, out at 6 s; restart at :10, successes at
// :12 :14, back at 14 s. No client notices any of it.
TEST_F(CrashTimelineTest, OutAfterSixSecondsAndBackAtFourteen) {
  at(0s, /*passed=*/3, /*failed=*/0);
  at(100ms, 0, 0);  // changes are announced in batches
  EXPECT_EQ(stat("membership_healthy"), kHosts);
  EXPECT_EQ(askAll(), 2);

  crash();
  at(2s, 2, 1);
  at(4s, 2, 1);
  EXPECT_EQ(stat("membership_healthy"), kHosts) << "two failures are not enough";
  askAll();
  EXPECT_GT(stat("upstream_cx_connect_fail"), 0u);
  EXPECT_GT(stat("upstream_rq_retry_success"), 0u);

  at(6s, 2, 1);
  EXPECT_EQ(stat("membership_healthy"), kHosts - 1);
  const uint64_t refused = stat("upstream_cx_connect_fail");
  askAll();
  EXPECT_EQ(stat("upstream_cx_connect_fail"), refused) << "nobody asks it any more";

  at(8s, 2, 1);
  at(10s, 2, 1);
  comeBack();
  at(12s, 3, 0);
  EXPECT_EQ(stat("membership_healthy"), kHosts - 1) << "one success is not enough";
  EXPECT_EQ(askAll(), 0);
  at(14s, 3, 0);
  EXPECT_EQ(stat("membership_healthy"), kHosts);
  EXPECT_EQ(askAll(), 2);
  EXPECT_EQ(stat("upstream_rq_5xx"), 0u);
}

// --- one host that breaks under its share of the load ---

// It is well again as soon as it has none. Each return costs requests, so each comes later than the
// one before: after 4 s without load, then 8 s, 16 s, 32 s, ...
TEST(GrayFailure, ThatRecoversWhenUnloadedDoesNotOscillate) {
  FakeUpstream gray("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngray"), others[2];
  SimulatedClock time;
  ProxyHarness proxy(
      absl::StrCat(
          staticBootstrap({gray.address(), others[0].address(), others[1].address()}, kRoute),
          kChecks),
      time);
  constexpr int kSeconds = 600;
  int returns = 0;
  int last_return = 0;
  bool loaded = false;
  for (int second = 0; second < kSeconds; ++second) {
    time.advance(1s);
    untilEverybodyKnows(time);
    bool asked = false;
    for (int i = 0; i < 6; ++i) {
      const HttpReply reply = proxy.get("/");
      EXPECT_EQ(reply.status, 200);
      asked = asked || reply.body == "gray";
    }
    gray.ignore(asked ? "/health" : "");
    if (!std::exchange(loaded, asked) && asked) {
      ++returns;
      last_return = second;
    }
  }
  EXPECT_GE(returns, 5);
  EXPECT_LE(returns, 9) << "60 would be one each 10 s";
  EXPECT_GT(last_return, kSeconds / 3) << "it is not given up";
}

// --- one cause, and all hosts ---

// The checks' endpoint does real work, and under load it is the first that gives no answer any
// more; requests are served. Without the detector of correlated failures the checks take everything
// down.
TEST(HealthEndpointTest, ThatSlowsUnderLoadTakesNobodyOut) {
  constexpr int kAsked = 8;
  FakeUpstream hosts[4];
  std::vector<net::Address> addresses;
  for (const FakeUpstream& host : hosts) addresses.push_back(host.address());
  for (const bool correlates : {false, true}) {
    SimulatedClock time;
    ProxyHarness proxy(
        absl::StrCat(staticBootstrap(addresses, kRoute), kChecks,
                     failurePolicy(absl::StrCat(
                         "panic: {mode: FAIL}",
                         correlates ? ", correlated_failures: {percent: 50, window: 30s}" : ""))),
        time);
    // The requests that are served until then, a round of them each second.
    const auto served = [&](int seconds) {
      int count = 0;
      for (int second = 0; second < seconds; ++second) {
        time.advance(1s);
        untilEverybodyKnows(time);
        for (int i = 0; i < kAsked; ++i) count += proxy.get("/").status == 200;
      }
      return count;
    };
    for (FakeUpstream& host : hosts) host.ignore("");
    time.advance(2s);
    ASSERT_TRUE(proxy.becomes("cluster.web.health_check.success", 4));

    // Asked after 2 s, 4 s and 6 s; 1 s later it is clear each time that there will be no answer.
    for (FakeUpstream& host : hosts) host.ignore("/health");
    EXPECT_EQ(served(6), 6 * kAsked);
    EXPECT_EQ(served(21), correlates ? 21 * kAsked : 0);
    EXPECT_EQ(proxy.metric("cluster.web.membership_healthy"), correlates ? 4u : 0u);
    if (!correlates) continue;
    EXPECT_EQ(proxy.metric("cluster.web.outlier_detection.correlated_failures_active"), 1u);

    for (FakeUpstream& host : hosts) host.ignore("");
    const uint64_t passed = proxy.metric("cluster.web.health_check.success");
    EXPECT_EQ(served(1), kAsked);
    ASSERT_TRUE(proxy.becomes("cluster.web.health_check.success", passed + 4));
    EXPECT_EQ(served(2), 2 * kAsked);
    ASSERT_TRUE(proxy.becomes("cluster.web.health_check.success", passed + 8));
    EXPECT_EQ(served(1), kAsked);
    EXPECT_EQ(proxy.metric("cluster.web.outlier_detection.correlated_failures_active"), 0u);
    EXPECT_EQ(proxy.metric("cluster.web.outlier_detection.correlated_failures_total"), 1u);
  }
}

}  // namespace
}  // namespace convoy::test
