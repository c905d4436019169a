// Fifty servers that come back at once after an outage: what they depend on is weak still, and gets
// no more than it can stand.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
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
