// Limits on connections, of the cluster and of each host, through the whole proxy with several
// workers.

#include <gtest/gtest.h>

#include <string>

#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

constexpr size_t kHosts = 2;
constexpr size_t kMost = 3;
constexpr size_t kClients = 40;
constexpr size_t kWorkers = 4;

class ConnectionLimits : public testing::Test {
 protected:
  ConnectionLimits(int hosts, const std::string& breakers)
      : servers_(hosts),
        proxy_(
            staticBootstrap(servers_.addresses(), "{match: {prefix: /}, route: {cluster: web}}") +
                "    circuit_breakers: {" + breakers + "}\n",
            kWorkers) {
    servers_.comeUp();
  }
  // So many requests at a time; all are answered as they come.
  void serve(size_t together) {
    Clients clients(proxy_, together);
    EXPECT_TRUE(until([&] {
      servers_.take();
      servers_.answerAll();
      clients.take();
      return clients.served() + clients.refused() + clients.odd() == together;
    }));
    EXPECT_EQ(clients.served(), together);
  }

  Servers servers_;
  ProxyHarness proxy_;
};

// --- of a host ---

class HostLimits : public ConnectionLimits {
 protected:
  explicit HostLimits(int hosts = kHosts, size_t most = kMost)
      : ConnectionLimits(
            hosts, "per_host_thresholds: [{max_connections: " + std::to_string(most) + "}]") {}
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
  for (size_t i = 0; i < 60; ++i) serve(1 + i % (kHosts * kMost));
  EXPECT_LE(servers_.mostOpen(), kMost);
  EXPECT_EQ(proxy_.metric("cluster.web.host_limit.overflow"), 0u);
}

class OneConnectionToTheHost : public HostLimits {
 protected:
  OneConnectionToTheHost() : HostLimits(/*hosts=*/1, /*most=*/1) {}
};

TEST_F(OneConnectionToTheHost, IsHandedFromWorkerToWorker) {
  for (int i = 0; i < 60; ++i) serve(1);
  EXPECT_EQ(servers_.mostOpen(), 1u);
  EXPECT_EQ(proxy_.metric("cluster.web.host_limit.overflow"), 0u);
}

// --- of the cluster ---

class ClusterLimit : public ConnectionLimits {
 protected:
  ClusterLimit()
      : ConnectionLimits(kHosts, "thresholds: [{max_connections: " + std::to_string(kMost) + "}]") {
  }
};

TEST_F(ClusterLimit, IsNeverExceededAndEverybodyIsAnswered) {
  for (int round = 0; round < 3; ++round) serve(100);
  EXPECT_EQ(servers_.mostOpenTogether(), kMost);
  EXPECT_GT(proxy_.metric("cluster.web.connection_limit.waited"), 0u);
  EXPECT_GT(proxy_.metric("cluster.web.connection_limit.given_up"), 0u);
  EXPECT_EQ(proxy_.metric("cluster.web.upstream_rq_pending_overflow"), 0u);
}

// Whatever worker and host a request comes to, it does not wait for what nobody uses.
TEST_F(ClusterLimit, IdleConnectionsAreNoObstacle) {
  for (size_t i = 0; i < 60; ++i) serve(1 + i % kMost);
  EXPECT_LE(servers_.mostOpenTogether(), kMost);
  EXPECT_EQ(proxy_.metric("cluster.web.upstream_rq_pending_overflow"), 0u);
}

class OneConnection : public ConnectionLimits {
 protected:
  OneConnection() : ConnectionLimits(kHosts, "thresholds: [{max_connections: 1}]") {}
};

TEST_F(OneConnection, ServesAllWorkersAndHosts) {
  serve(40);
  for (int i = 0; i < 20; ++i) serve(1);
  EXPECT_EQ(servers_.mostOpenTogether(), 1u);
}

}  // namespace
}  // namespace convoy::test
