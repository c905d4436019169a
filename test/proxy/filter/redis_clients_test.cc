#include "proxy/filter/redis_clients.h"

#include <optional>
#include <utility>

#include "test/proxy/upstream/fixture.h"

namespace convoy::filter {
namespace {

using namespace std::chrono_literals;
using State = redis::Client::State;

class RedisClientsTest : public test::UpstreamTest {
 protected:
  ~RedisClientsTest() override { clients_.reset(); }

  bool ask(const redis::ClientSpec& spec) {
    const bool sent = clients_->get(spec).send({"GET", "k"}, nullptr);
    run();
    return sent;
  }
  State state() { return clients_->get(kWeb).state(); }
  static bool gone(const test::Peer& peer) {
    return peer.handler.ended || peer.handler.closed.has_value();
  }

  const redis::ClientSpec kWeb{.cluster = "web"};
  redis::ClientMetricGroups groups_{registry_, 1};
  std::optional<RedisClients> clients_{std::in_place, loop_.loop(), manager_->worker(0), 0,
                                       groups_};
};

TEST_F(RedisClientsTest, ConnectToAHostOfTheirCluster) {
  makeCluster();
  EXPECT_TRUE(ask(kWeb));
  EXPECT_EQ(peer(0).address, address(1));
  EXPECT_EQ(metrics().upstream_cx_total.value(), 1u);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 1);
  peer(0).send("+PONG\r\n$-1\r\n");
  run();
  EXPECT_EQ(state(), State::Ready);
  clients_.reset();
  run();
  EXPECT_TRUE(gone(peer(0)));
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
  EXPECT_EQ(metrics().upstream_cx_destroy.value(), 1u);
  EXPECT_EQ(metrics().upstream_cx_connect_fail.value(), 0u);
}

TEST_F(RedisClientsTest, AConnectThatFailsCountsAtTheCluster) {
  makeCluster();
  io_.refuse = true;
  EXPECT_TRUE(ask(kWeb));
  EXPECT_EQ(state(), State::Down);
  EXPECT_EQ(metrics().upstream_cx_connect_fail.value(), 1u);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
}

TEST_F(RedisClientsTest, WithoutAClusterOrHostsThereIsNoServer) {
  EXPECT_FALSE(ask(kWeb));
  EXPECT_EQ(state(), State::Down);
  EXPECT_EQ(clients_->get(kWeb).metrics().skipped.value(), 1u);
  makeCluster();
  clock_.advanceInSteps(5s, 10ms);
  run();
  ASSERT_FALSE(io_.peers.empty()) << "it came later";
  setHosts({});
  EXPECT_FALSE(ask({.cluster = "web", .username = {}, .password = "other"}));
}

TEST_F(RedisClientsTest, LeaveAHostThatIsReplaced) {
  makeCluster();
  EXPECT_TRUE(ask(kWeb));
  peer(0).send("+PONG\r\n$-1\r\n");
  run();
  setHosts({endpoint(2)});
  EXPECT_TRUE(ask(kWeb));
  ASSERT_EQ(io_.peers.size(), 2u);
  EXPECT_EQ(peer(1).address, address(2));
  EXPECT_TRUE(gone(peer(0)));
}

TEST_F(RedisClientsTest, LeaveAClusterThatIsGone) {
  makeCluster();
  EXPECT_TRUE(ask(kWeb));
  peer(0).send("+PONG\r\n$-1\r\n");
  run();
  apply({.removed = {"web"}});
  EXPECT_FALSE(ask(kWeb));
  EXPECT_TRUE(gone(peer(0)));
}

TEST_F(RedisClientsTest, EqualSpecsShareOneAndWhatNobodyUsesGoes) {
  makeCluster();
  redis::ClientSpec other = kWeb;
  other.database = 1;
  EXPECT_EQ(&clients_->get(kWeb), &clients_->get(redis::ClientSpec(kWeb)));
  EXPECT_TRUE(ask(kWeb));
  EXPECT_NE(&clients_->get(other), &clients_->get(kWeb));
  EXPECT_TRUE(ask(other));
  EXPECT_EQ(clients_->size(), 2u);
  peer(0).send("+PONG\r\n$-1\r\n");
  peer(1).send("+OK\r\n+PONG\r\n$-1\r\n");
  run();
  clock_.advance(redis::Client::kIdleTime);
  run();
  redis::ClientSpec third = kWeb;
  third.database = 2;
  clients_->get(third);
  EXPECT_EQ(clients_->size(), 1u);
}

}  // namespace
}  // namespace convoy::filter
