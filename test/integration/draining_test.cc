// A backend, or the proxy itself, that leaves while a hundred requests are under way: no new work
// comes to it, and what runs is finished. No connection is reset and no request fails, whatever the
// reason and the protocol. What does not end has its time, and is broken off then.

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/convoy/ext/host_policy.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"
#include "test/common/ads_bootstrap.h"
#include "test/common/h2_connection.h"
#include "test/common/xds_server.h"
#include "test/integration/many_peers.h"
#include "test/proxy/xds/resources.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

enum class Cause : uint8_t {
  Removed,   // discovery does not name it any more
  Disabled,  // `enabled: false`: discovery calls it DRAINING
  Unhealthy,
  Sigterm,  // the proxy itself
};

// A cluster "web" of two hosts, of which the first one leaves; both have an endpoint for checks.
class DrainingTest : public testing::TestWithParam<Cause> {
 protected:
  static constexpr size_t kEach = 100;

  void start(const std::array<net::Address, 2>& hosts, bool http2) {
    hosts_ = hosts;
    xds::ClusterProto cluster = xds::edsCluster("web");
    cluster.set_lb_policy(xds::ClusterProto::ROUND_ROBIN);
    if (http2) {
      envoy::extensions::upstreams::http::v3::HttpProtocolOptions options;
      options.mutable_explicit_http_config()->mutable_http2_protocol_options();
      (*cluster.mutable_typed_extension_protocol_options())
          ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
              .PackFrom(options);
    }
    auto* check = cluster.add_health_checks();
    check->mutable_interval()->set_nanos(100'000'000);
    check->mutable_no_traffic_interval()->set_nanos(100'000'000);
    check->mutable_timeout()->set_seconds(30);
    check->mutable_unhealthy_threshold()->set_value(3);
    check->mutable_healthy_threshold()->set_value(1);
    check->mutable_tcp_health_check();
    // As convoy.v1 has it; else a host that is removed stays while its checks pass.
    cluster.set_ignore_health_on_host_removal(true);
    control_plane_.run([&](XdsServer& server) {
      server.set("web", cluster);
      server.set("web", assignment({0, 1}));
      server.set("public", xds::patientListener("public", "web"));
    });
    proxy_.emplace(adsBootstrap(control_plane_.address()));
    ASSERT_TRUE(proxy_->becomes("cluster.web.health_check.healthy", 2));
    proxy_->untilWorkersKnow();
  }
  xds::AssignmentProto assignment(const std::vector<size_t>& hosts) {
    xds::AssignmentProto made = xds::assignment("web", {});
    for (const size_t i : hosts) {
      const auto one = xds::assignment("web", {hosts_[i].port()});
      auto* host = made.mutable_endpoints(0)->add_lb_endpoints();
      *host = one.endpoints(0).lb_endpoints(0);
      host->mutable_endpoint()->mutable_health_check_config()->set_port_value(
          checked_[i].localAddress().port());
    }
    return made;
  }
  // Returns when every worker knows.
  void leave() {
    if (GetParam() == Cause::Sigterm) {
      return proxy_->onMain([](server::Server& server) { server.drainAndStop(); });
    }
    if (GetParam() == Cause::Unhealthy) {
      checked_[0].close();
    } else {
      xds::AssignmentProto rest = assignment({1});
      if (GetParam() == Cause::Disabled) {
        rest = assignment({0, 1});
        rest.mutable_endpoints(0)->mutable_lb_endpoints(0)->set_health_status(
            envoy::config::core::v3::DRAINING);
      }
      control_plane_.run([&](XdsServer& server) {
        server.set("web", rest);
        server.push();
      });
    }
    EXPECT_TRUE(until([&] { return proxy_->metric("cluster.web.membership_healthy") == 1; }));
    proxy_->untilWorkersKnow();
  }
  void expectNothingBroken() {
    if (GetParam() == Cause::Sigterm) return proxy_->untilEnded();
    for (const char* name : {"upstream_rq_tx_reset", "upstream_rq_rx_reset", "upstream_rq_5xx",
                             "upstream_rq_retry", "upstream_cx_destroy_with_active_rq"}) {
      EXPECT_EQ(proxy_->metric(std::string("cluster.web.") + name), 0u) << name;
    }
  }

  ThreadedXdsServer control_plane_;
  std::array<net::Address, 2> hosts_;
  // Nobody accepts: that the connection can be made is all that a check asks.
  std::array<RawSocket, 2> checked_{RawSocket::listening(4096), RawSocket::listening(4096)};
  std::optional<ProxyHarness> proxy_;
};

INSTANTIATE_TEST_SUITE_P(Causes, DrainingTest,
                         testing::Values(Cause::Removed, Cause::Disabled, Cause::Unhealthy,
                                         Cause::Sigterm));

TEST_P(DrainingTest, AHundredRequestsOfHttp1AreFinished) {
  Servers servers(2);
  servers.comeUp();
  const auto addresses = servers.addresses();
  start({addresses[0], addresses[1]}, /*http2=*/false);
  Clients clients(*proxy_, 2 * kEach, "/web");
  ASSERT_TRUE(servers.comeTo(2 * kEach));
  ASSERT_EQ(servers.underWay(0), kEach);
  leave();
  // New work goes to the other one, at once.
  size_t more = 0;
  if (GetParam() != Cause::Sigterm) {
    more = 20;
    Clients late(*proxy_, more, "/web");
    ASSERT_TRUE(servers.comeTo(2 * kEach + more));
    EXPECT_EQ(servers.underWay(1), kEach + more);
    servers.answer(1);
    EXPECT_TRUE(late.areServed(more));
  }
  EXPECT_EQ(servers.underWay(0), kEach);
  servers.answerAll();
  EXPECT_TRUE(until([&] {
    servers.take();
    clients.take();
    return clients.served() == 2 * kEach;
  }));
  EXPECT_EQ(clients.refused() + clients.odd(), 0u);
  EXPECT_TRUE(until([&] {
    servers.take();
    return servers.open(0) == 0;
  })) << "and its connections are closed";
  expectNothingBroken();
}

const Fields kGetWeb{
    {":method", "GET"}, {":scheme", "http"}, {":path", "/web"}, {":authority", "a"}};

TEST_P(DrainingTest, AHundredStreamsOfHttp2AreFinished) {
  const RawSocket listening[] = {RawSocket::listening(), RawSocket::listening()};
  start({listening[0].localAddress(), listening[1].localAddress()}, /*http2=*/true);
  H2Connection client(RawSocket::connectedTo(proxy_->address()), H2Connection::Role::Client);
  std::vector<int32_t> streams;
  for (size_t i = 0; i < kEach; ++i) streams.push_back(client.request(kGetWeb));
  constexpr H2Connection::Options kRoom{.max_streams = 2 * kEach};
  H2Connection leaves(listening[0].accept(), H2Connection::Role::Server, kRoom);
  H2Connection stays(listening[1].accept(), H2Connection::Role::Server, kRoom);
  // Half of them is at each; as many more then, so that a hundred are at the one that leaves.
  H2Connection second(RawSocket::connectedTo(proxy_->address()), H2Connection::Role::Client);
  std::vector<int32_t> more;
  for (size_t i = 0; i < kEach; ++i) more.push_back(second.request(kGetWeb));
  std::vector<int32_t> running, elsewhere;
  for (size_t i = 0; i < kEach; ++i) running.push_back(leaves.nextStream());
  for (size_t i = 0; i < kEach; ++i) elsewhere.push_back(stays.nextStream());
  ASSERT_GT(running.back(), 0);
  ASSERT_GT(elsewhere.back(), 0);
  leave();
  if (GetParam() != Cause::Sigterm) {
    H2Connection late(RawSocket::connectedTo(proxy_->address()), H2Connection::Role::Client);
    const int32_t id = late.request(kGetWeb);
    const int32_t there = stays.nextStream();
    ASSERT_GT(there, 0) << "new work goes to the other one";
    stays.respond(there, {{":status", "200"}});
    ASSERT_TRUE(late.untilEnded(id));
    EXPECT_EQ(late.message(id).field(":status"), "200");
  }
  for (const int32_t id : running) leaves.respond(id, {{":status", "200"}}, "ok");
  for (const int32_t id : elsewhere) stays.respond(id, {{":status", "200"}}, "ok");
  for (size_t i = 0; i < kEach; ++i) {
    ASSERT_TRUE(client.untilEnded(streams[i])) << i;
    ASSERT_TRUE(second.untilEnded(more[i])) << i;
    ASSERT_EQ(client.message(streams[i]).field(":status"), "200") << i;
    ASSERT_EQ(second.message(more[i]).field(":status"), "200") << i;
  }
  EXPECT_TRUE(leaves.untilClosed()) << "its connection is closed then";
  if (GetParam() == Cause::Sigterm) {
    EXPECT_TRUE(client.untilClosed());
    EXPECT_TRUE(client.wentAway());
  }
  expectNothingBroken();
}

// What runs has 30 s, on simulated time: a request at each of the two hosts of "web".
class DrainTimeTest : public testing::Test {
 protected:
  DrainTimeTest() {
    servers_.comeUp();
    xds::ClusterProto cluster = xds::edsCluster("web");
    cluster.set_lb_policy(xds::ClusterProto::ROUND_ROBIN);
    ext::HostPolicy policy;
    policy.mutable_drain_timeout()->set_seconds(30);
    (*cluster.mutable_metadata()->mutable_typed_filter_metadata())["convoy.ext.HostPolicy"]
        .PackFrom(policy);
    control_plane_.run([&](XdsServer& server) {
      server.set("web", cluster);
      server.set("web", hosts());
      server.set("public", xds::patientListener("public", "web"));
    });
    proxy_.emplace(adsBootstrap(control_plane_.address()), time_);
    clients_.emplace(*proxy_, 2, "/web");
    EXPECT_TRUE(servers_.comeTo(2));
    EXPECT_EQ(servers_.underWay(0), 1u);
  }
  xds::AssignmentProto hosts() const {
    const auto addresses = servers_.addresses();
    return xds::assignment("web", {addresses[0].port(), addresses[1].port()});
  }
  void push(const std::function<void(XdsServer&)>& change) {
    control_plane_.run([&](XdsServer& server) {
      change(server);
      server.push();
    });
  }
  // So far nothing has happened to either request.
  void expectBothRun() {
    servers_.take();
    clients_->take();
    EXPECT_EQ(servers_.open(0), 1u);
    EXPECT_EQ(servers_.open(1), 1u);
    EXPECT_EQ(clients_->refused() + clients_->odd(), 0u);
  }
  // The first host has left, and every worker knows.
  void expectItsRequestHasThirtySeconds() {
    time_.advance(29'900ms);
    expectBothRun();
    time_.advance(100ms);
    EXPECT_TRUE(until([&] {
      servers_.take();
      clients_->take();
      return servers_.open(0) == 0 && clients_->refused() == 1;
    }));
    EXPECT_EQ(proxy_->metric("cluster.web.host_drain_timeout"), 1u);
    servers_.answer(1);
    EXPECT_TRUE(until([&] {
      clients_->take();
      return clients_->served() == 1;
    })) << "the other host's has as long as it takes";
  }
  void expectBothAreBrokenOff() {
    EXPECT_TRUE(until([&] {
      servers_.take();
      clients_->take();
      return servers_.open(0) + servers_.open(1) == 0 && clients_->odd() == 2;
    })) << "with no answer";
  }

  Servers servers_{2};
  ThreadedXdsServer control_plane_;
  SimulatedClock time_;
  std::optional<ProxyHarness> proxy_;
  std::optional<Clients> clients_;
};

TEST_F(DrainTimeTest, OfAHostThatWasRemoved) {
  xds::AssignmentProto rest = hosts();
  rest.mutable_endpoints(0)->mutable_lb_endpoints()->DeleteSubrange(0, 1);
  push([&](XdsServer& server) { server.set("web", rest); });
  ASSERT_TRUE(until([&] { return proxy_->metric("cluster.web.membership_total") == 1; }));
  proxy_->untilWorkersKnow();
  expectItsRequestHasThirtySeconds();
}

TEST_F(DrainTimeTest, OfAHostThatIsDisabled) {
  xds::AssignmentProto drains = hosts();
  drains.mutable_endpoints(0)->mutable_lb_endpoints(0)->set_health_status(
      envoy::config::core::v3::DRAINING);
  push([&](XdsServer& server) { server.set("web", drains); });
  ASSERT_TRUE(until([&] { return proxy_->metric("cluster.web.membership_healthy") == 1; }));
  proxy_->untilWorkersKnow();
  expectItsRequestHasThirtySeconds();
}

TEST_F(DrainTimeTest, OfAListenerThatWasRemoved) {
  push([&](XdsServer& server) { server.remove(XdsServer::urlOf<xds::ListenerProto>(), "public"); });
  ASSERT_TRUE(proxy_->becomes("listener_manager.lds.resource_removed", 1));
  proxy_->untilWorkersKnow();
  time_.advance(29'900ms);
  expectBothRun();
  time_.advance(100ms);
  expectBothAreBrokenOff();
}

TEST_F(DrainTimeTest, OfTheProxyItself) {
  proxy_->onMain([](server::Server& server) { server.drainAndStop(); });
  time_.advance(29'900ms);
  expectBothRun();
  if (HasFailure()) return;
  proxy_->untilWorkersKnow();  // main has heard from them that somebody is still here
  time_.advance(100ms);
  expectBothAreBrokenOff();
  if (!HasFailure()) proxy_->untilEnded();
}

}  // namespace
}  // namespace convoy::test
