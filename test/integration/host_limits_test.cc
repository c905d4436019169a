// Limits on the connections of each host, through the whole proxy with several workers.

#include <gtest/gtest.h>

#include <string>

#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

constexpr size_t kHosts = 2;
constexpr size_t kMost = 3;
constexpr size_t kClients = 40;
constexpr size_t kWorkers = 4;

class HostLimits : public testing::Test {
 protected:
  HostLimits()
      : proxy_(
            staticBootstrap(servers_.addresses(), "{match: {prefix: /}, route: {cluster: web}}") +
                "    circuit_breakers: {per_host_thresholds: [{max_connections: " +
                std::to_string(kMost) + "}]}\n",
            kWorkers) {
    servers_.comeUp();
  }

  Servers servers_{kHosts};
  ProxyHarness proxy_;
};

TEST_F(HostLimits, NoHostHasEverMoreConnections) {
  for (int round = 0; round < 3; ++round) {
    Clients clients(proxy_, kClients);
    EXPECT_TRUE(until([&] {
      servers_.take();
      clients.take();
      return clients.refused() == kClients - kHosts * kMost &&
             servers_.underWay() == kHosts * kMost;
    }));
    servers_.answerAll();
    EXPECT_TRUE(until([&] {
      servers_.take();
      clients.take();
      return clients.served() == kHosts * kMost;
    }));
    EXPECT_EQ(clients.odd(), 0u);
  }
  EXPECT_EQ(servers_.mostOpen(), kMost);
  EXPECT_GT(proxy_.metric("cluster.web.host_limit.overflow"), 0u);
}

// Whatever worker a client comes to, and wherever the idle connections are.
TEST_F(HostLimits, BelowTheLimitNobodyIsRefused) {
  for (int i = 0; i < 60; ++i) {
    const size_t together = 1 + static_cast<size_t>(i) % (kHosts * kMost);
    Clients clients(proxy_, together);
    EXPECT_TRUE(until([&] {
      servers_.take();
      servers_.answerAll();
      clients.take();
      return clients.served() + clients.refused() + clients.odd() == together;
    }));
    ASSERT_EQ(clients.served(), together) << "round " << i;
  }
  EXPECT_LE(servers_.mostOpen(), kMost);
  EXPECT_EQ(proxy_.metric("cluster.web.host_limit.overflow"), 0u);
}

}  // namespace
}  // namespace convoy::test
