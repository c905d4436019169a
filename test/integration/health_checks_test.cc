// Active health checks every 2 s (three failures take a host out, two successes bring it back)
// through the whole proxy: real sockets, simulated time.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
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

// --- hosts whose checks fail under load ---

// The endpoint for checks does real work, so it is the first that gives no answer: none in a
// second, or the one after it, in which more than `most` requests came. Those are served.
class HostUnderLoad {
 public:
  HostUnderLoad(const SimulatedClock& time, int most) : time_(time), most_(most) {
    upstream_.ignoreIf([this](std::string_view path) { return ignores(path); });
  }
  const net::Address& address() const { return upstream_.address(); }
  uint64_t checks() const { return checks_; }
  uint64_t passed() const { return passed_; }
  uint64_t served() const { return served_; }

 private:
  bool ignores(std::string_view path) {
    turnTo(time_.monotonicNow().time_since_epoch() / 1s);
    if (path != "/health") {
      ++requests_;
      ++served_;
      return false;
    }
    const bool ignored = std::max(before_, requests_) > most_;
    passed_ += ignored ? 0 : 1;
    ++checks_;
    return ignored;
  }
  void turnTo(int64_t second) {
    if (second == second_) return;
    before_ = second == second_ + 1 ? requests_ : 0;
    requests_ = 0;
    second_ = second;
  }

  const SimulatedClock& time_;
  const int most_;
  int64_t second_ = 0;  // that of requests_
  int requests_ = 0, before_ = 0;
  std::atomic<uint64_t> checks_{0}, passed_{0}, served_{0};
  FakeUpstream upstream_;
};

class ChecksUnderLoad : public testing::Test {
 protected:
  // A host for each, that bears so many requests in a second.
  void start(const std::vector<int>& most, const std::string& cluster = "") {
    std::vector<net::Address> addresses;
    for (const int one : most) addresses.push_back(hosts_.emplace_back(time_, one).address());
    proxy_.emplace(absl::StrCat(staticBootstrap(addresses, kRoute), kChecks, cluster), time_);
  }
  uint64_t stat(const std::string& name) {
    return proxy_->metric(absl::StrCat("cluster.web.", name));
  }
  // A second later each check that is due has come to its host, and what it came to is known.
  void passSecond() {
    time_.advance(1s);
    ASSERT_TRUE(until([this] {
      uint64_t checks = 0, passed = 0;
      for (const HostUnderLoad& host : hosts_) {
        checks += host.checks();
        passed += host.passed();
      }
      return checks == stat("health_check.attempt") && passed == stat("health_check.success");
    }));
    untilEverybodyKnows(time_);
  }
  // So many requests in each of the seconds; how many were served. fewest_: healthy hosts
  // meanwhile.
  int served(int seconds, int each) {
    int count = 0;
    fewest_ = hosts_.size();
    for (int second = 0; second < seconds; ++second) {
      passSecond();
      for (int i = 0; i < each; ++i) count += proxy_->get("/").status == 200 ? 1 : 0;
      fewest_ = std::min(fewest_, stat("membership_healthy"));
    }
    return count;
  }

  SimulatedClock time_;
  std::deque<HostUnderLoad> hosts_;
  std::optional<ProxyHarness> proxy_;
  uint64_t fewest_ = 0;
};

// A gray failure: a host that breaks under its share, and is well again as soon as it has none.
// Each return costs requests, so each comes later than the one before: after 4 s without load, then
// 8 s, 16 s, 32 s, ...
TEST_F(ChecksUnderLoad, OfAHostThatRecoversWithoutDoNotOscillate) {
  start({0, 100, 100});
  constexpr int kSeconds = 600;
  int returns = 0;
  int last_return = 0;
  bool loaded = false;
  for (int second = 0; second < kSeconds; ++second) {
    const uint64_t before = hosts_[0].served();
    EXPECT_EQ(served(1, 6), 6);
    const bool was_loaded = std::exchange(loaded, hosts_[0].served() > before);
    if (was_loaded || !loaded) continue;
    ++returns;
    last_return = second;
  }
  EXPECT_GE(returns, 5);
  EXPECT_LE(returns, 9) << "60 would be one each 10 s";
  EXPECT_GT(last_return, kSeconds / 3) << "it is not given up";
}

// One cause, and all hosts: without the detector of correlated failures the checks take everything
// down.
constexpr int kBusy = 8, kQuiet = 4;  // requests in a second
const std::vector<int> kFourHosts(4, 1);

TEST_F(ChecksUnderLoad, TakeEverybodyDownOneAfterTheOther) {
  start(kFourHosts, failurePolicy("panic: {mode: FAIL}"));
  EXPECT_EQ(served(4, kQuiet), 4 * kQuiet);
  EXPECT_EQ(fewest_, hosts_.size());
  EXPECT_LT(served(30, kBusy), 30 * kBusy);
  EXPECT_EQ(fewest_, 0u);
}

TEST_F(ChecksUnderLoad, BeginNoCascadeWhereFailuresAreCorrelated) {
  start(kFourHosts,
        failurePolicy("panic: {mode: FAIL}, correlated_failures: {percent: 50, window: 30s}"));
  EXPECT_EQ(served(4, kQuiet), 4 * kQuiet);
  EXPECT_EQ(stat("health_check.failure"), 0u);
  // Checks of different hosts come at different times. Who is the first to fail three of them
  // goes, until more than half of the hosts have.
  EXPECT_EQ(served(10, kBusy), 10 * kBusy);
  EXPECT_GE(fewest_, hosts_.size() / 2);
  EXPECT_EQ(stat("outlier_detection.correlated_failures_active"), 1u);
  const uint64_t passed = stat("health_check.success");
  EXPECT_EQ(served(30, kBusy), 30 * kBusy);
  EXPECT_EQ(stat("health_check.success"), passed);
  EXPECT_EQ(fewest_, hosts_.size());
  EXPECT_EQ(served(6, kQuiet), 6 * kQuiet);
  EXPECT_EQ(stat("outlier_detection.correlated_failures_active"), 0u);
  EXPECT_EQ(stat("outlier_detection.correlated_failures_total"), 1u);
  EXPECT_EQ(stat("membership_healthy"), hosts_.size());
}

}  // namespace
}  // namespace convoy::test
