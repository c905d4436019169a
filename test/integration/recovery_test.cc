// Fifty servers that come back at once after an outage: what they depend on is weak still, and gets
// no more than it can stand.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/descriptor_limit.h"
#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

// The parameter is the number of workers: the cap is that of all together.
class RecoveryTest : public testing::TestWithParam<size_t> {
 protected:
  static constexpr int kServers = 50;
  static constexpr size_t kMost = 20;
  static constexpr size_t kClients = 200;

  RecoveryTest()
      : proxy_(
            staticBootstrap(servers_.addresses(), "{match: {prefix: /}, route: {cluster: web}}") +
                failurePolicy(absl::StrCat(
                    "panic: {mode: FAIL}, host_breaker: {failures: 1}, recovery: {max_requests: ",
                    kMost, ", requests_per_second: 1000, jitter: 0s}")),
            time_, GetParam()) {}
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

INSTANTIATE_TEST_SUITE_P(Workers, RecoveryTest, testing::Values(1, 4));

TEST_P(RecoveryTest, FiftyServersComeBackAtOnceWithinTheCap) {
  askUntilAll("host_breaker.opened", /*up=*/false);
  EXPECT_EQ(stat("recovery.active"), 1u);
  servers_.comeUp();
  time_.advance(61s);
  time_.advance(1ms);  // by then the workers have heard of it
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
    EXPECT_TRUE(clients.areServed(kMost));
    EXPECT_EQ(clients.odd(), 0u);
    EXPECT_EQ(stat("recovery.overflow"), round * (kClients - kMost));
  }
  EXPECT_EQ(servers_.most(), kMost) << "reached and never exceeded";

  // When all have been back for long enough there is no limit any more.
  time_.advanceInSteps(31s, 500ms);
  EXPECT_EQ(stat("recovery.active"), 0u);
  Clients clients(proxy_, kClients);
  EXPECT_TRUE(servers_.comeTo(kClients));
  servers_.answerAll();
  EXPECT_TRUE(clients.areServed(kClients));
}

// REQUIREMENTS A2: all servers are back at once after two minutes, as health checks see, and as
// soon as the first one is, clients come for a hundred connections to each.
TEST(RecoveryAtScale, FiveThousandClientsMeetFiftyServersThatComeBackAtOnce) {
  constexpr size_t kServers = 50, kEach = 100, kRate = 40, kMost = 300, kBeyond = 10;
  // A client takes two in this process, and one that is served two more.
  ASSERT_GT(base::raiseDescriptorLimit(), 2 * kServers * kEach + 4 * kMost + 1000);
  Servers servers(kServers);
  SimulatedClock time;
  ProxyHarness proxy(
      absl::StrCat(
          staticBootstrap(servers.addresses(),
                          "{match: {prefix: /}, route: {cluster: web, timeout: 0s}}"),
          "    health_checks: [{interval: 60s, no_traffic_interval: 60s, timeout: 1s, "
          "unhealthy_threshold: 2, healthy_threshold: 2, http_health_check: {path: /health}}]\n",
          failurePolicy(absl::StrCat("panic: {mode: FAIL}, recovery: {max_requests: ", kMost,
                                     ", requests_per_second: ", kRate, ", jitter: 10s}"))),
      time, /*workers=*/4);
  const auto stat = [&](const std::string& name) {
    return proxy.metric(absl::StrCat("cluster.web.", name));
  };
  const auto check = [&](const std::string& result) {
    const uint64_t all = stat("health_check." + result) + kServers;
    time.advance(60s);
    ASSERT_TRUE(until([&] {
      servers.take();
      return stat("health_check." + result) == all;
    }));
    untilEverybodyKnows(time);
  };
  servers.comeUp();
  check("success");
  for (size_t i = 0; i < kServers; ++i) servers.die(i);
  check("failure");
  check("failure");
  time.advance(100ms);
  untilEverybodyKnows(time);
  EXPECT_EQ(stat("membership_healthy"), 0u);
  servers.comeUp();
  check("success");
  check("success");

  Clients clients(proxy, 0);
  size_t asked = 0, steps = 0, steps_with_returns = 0;
  uint64_t back = 0, most_returns = 0;
  const auto take = [&] {
    servers.take();
    clients.take();
  };
  for (int tenth = 0; tenth < 120; ++tenth) {
    time.advance(100ms);
    untilEverybodyKnows(time);
    const uint64_t returns =
        stat("membership_healthy") - std::exchange(back, stat("membership_healthy"));
    steps_with_returns += returns > 0;
    most_returns = std::max(most_returns, returns);
    if (back == 0) continue;
    // From the first return on.
    const size_t allowed = std::min(kMost, kRate + kRate * steps / 10);
    const size_t more = steps++ == 0 ? kServers * kEach : allowed - servers.underWay() + kBeyond;
    clients.come(proxy, more);
    asked += more;
    ASSERT_TRUE(until([&] {
      take();
      return clients.served() + clients.refused() + servers.underWay() == asked;
    }));
    // The last one is lost in rounding.
    EXPECT_GE(servers.underWay() + 1, allowed) << tenth;
    ASSERT_LE(servers.most(), allowed) << tenth;
    if (steps % 10 != 0) continue;
    const size_t served = clients.served() + servers.underWay();
    servers.answerAll();
    ASSERT_TRUE(until([&] {
      take();
      return clients.served() == served;
    }));
    proxy.untilWorkersKnow();
  }
  EXPECT_EQ(back, kServers);
  EXPECT_EQ(servers.most(), kMost);
  EXPECT_GE(steps_with_returns, kServers / 2) << "each has a wait of its own";
  EXPECT_LE(most_returns, kServers / 5);
  EXPECT_EQ(stat("recovery.active"), 1u);
}

}  // namespace
}  // namespace convoy::test
