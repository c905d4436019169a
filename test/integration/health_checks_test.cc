// Active health checks every 2 s (three failures take a host out, two successes bring it back)
// through the whole proxy: real sockets, simulated time.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
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

// Its endpoint for checks does real work, so it is the first that gives no answer: none in a
// second, or the one after it, in which more than kMost requests came. Those are served.
class HostUnderLoad {
 public:
  static constexpr int kMost = 1;

  explicit HostUnderLoad(const SimulatedClock& time) : time_(time) {
    upstream_.ignoreIf([this](std::string_view path) { return ignores(path); });
  }
  const net::Address& address() const { return upstream_.address(); }
  uint64_t checks() const { return checks_; }
  uint64_t passed() const { return passed_; }

 private:
  bool ignores(std::string_view path) {
    const auto now = time_.monotonicNow().time_since_epoch() / 1s;
    const auto passed = now - std::exchange(second_, now);
    if (passed > 0) before_ = passed == 1 ? requests_ : 0, requests_ = 0;
    if (path != "/health") return ++requests_, false;
    const bool ignored = std::max(before_, requests_) > kMost;
    passed_ += !ignored;
    ++checks_;
    return ignored;
  }

  const SimulatedClock& time_;
  int64_t second_ = 0;  // that of requests_
  int requests_ = 0, before_ = 0;
  std::atomic<uint64_t> checks_{0}, passed_{0};
  FakeUpstream upstream_;
};

// Without the detector of correlated failures the checks take everything down.
TEST(HealthEndpointTest, ThatSlowsUnderLoadBeginsNoCascade) {
  constexpr uint64_t kHosts = 4;
  constexpr int kBusy = 2 * kHosts, kQuiet = kHosts;  // requests in a second
  for (const bool correlates : {false, true}) {
    SimulatedClock time;
    HostUnderLoad hosts[kHosts] = {HostUnderLoad(time), HostUnderLoad(time), HostUnderLoad(time),
                                   HostUnderLoad(time)};
    ProxyHarness proxy(
        absl::StrCat(staticBootstrap({hosts[0].address(), hosts[1].address(), hosts[2].address(),
                                      hosts[3].address()},
                                     kRoute),
                     kChecks,
                     failurePolicy(absl::StrCat(
                         "panic: {mode: FAIL}",
                         correlates ? ", correlated_failures: {percent: 50, window: 30s}" : ""))),
        time);
    const auto stat = [&](const std::string& name) {
      return proxy.metric(absl::StrCat("cluster.web.", name));
    };
    // A second later each check that is due has come to its host, and what it came to is known.
    const auto passSecond = [&] {
      time.advance(1s);
      uint64_t checks = 0, passed = 0;
      ASSERT_TRUE(until([&] {
        checks = passed = 0;
        for (const HostUnderLoad& host : hosts) checks += host.checks(), passed += host.passed();
        return checks == stat("health_check.attempt") && passed == stat("health_check.success");
      }));
      untilEverybodyKnows(time);
    };
    // Requests that are served; fewest: healthy hosts at a time.
    uint64_t fewest = 0;
    const auto served = [&](int seconds, int each) {
      int count = 0;
      for (int second = 0; second < seconds; ++second) {
        passSecond();
        for (int i = 0; i < each; ++i) count += proxy.get("/").status == 200;
        fewest = std::min(fewest, stat("membership_healthy"));
      }
      return count;
    };
    EXPECT_EQ(served(4, kQuiet), 4 * kQuiet);
    EXPECT_EQ(stat("health_check.failure"), 0u);
    fewest = stat("membership_healthy");
    EXPECT_EQ(fewest, kHosts);
    if (!correlates) {
      EXPECT_LT(served(30, kBusy), 30 * kBusy);
      EXPECT_EQ(fewest, 0u);
      continue;
    }
    // Checks of different hosts come at different times. Who is the first to fail three of them
    // goes, until more than half of the hosts have.
    EXPECT_EQ(served(10, kBusy), 10 * kBusy);
    EXPECT_GE(fewest, kHosts / 2);
    EXPECT_EQ(stat("outlier_detection.correlated_failures_active"), 1u);
    fewest = stat("membership_healthy");
    const uint64_t passed = stat("health_check.success");
    EXPECT_EQ(served(30, kBusy), 30 * kBusy);
    EXPECT_EQ(stat("health_check.success"), passed);
    EXPECT_EQ(fewest, kHosts);
    EXPECT_EQ(served(6, kQuiet), 6 * kQuiet);
    EXPECT_EQ(stat("outlier_detection.correlated_failures_active"), 0u);
    EXPECT_EQ(stat("outlier_detection.correlated_failures_total"), 1u);
    EXPECT_EQ(stat("membership_healthy"), kHosts);
  }
}

}  // namespace
}  // namespace convoy::test
