// The whole data plane in one process, from a control plane: what is pushed is in force, what is
// refused leaves its predecessor in force, and nothing goes when the control plane does.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "proxy/config/resources.h"
#include "proxy/server/server.h"
#include "test/common/ads_bootstrap.h"
#include "test/common/proxy_harness.h"
#include "test/common/raw_socket.h"
#include "test/common/xds_server.h"
#include "test/proxy/xds/resources.h"

namespace convoy::server {
namespace {

using test::FakeUpstream;
using test::HttpReply;
using test::ProxyHarness;
using test::RawSocket;
using test::XdsServer;

xds::ListenerProto onPort(xds::ListenerProto listener, uint16_t port) {
  listener.mutable_address()->mutable_socket_address()->set_port_value(port);
  return listener;
}

class DynamicServerTest : public testing::Test {
 protected:
  // "public" takes its routes by RDS: /web to the cluster web, found by EDS.
  void setFirstConfiguration(XdsServer& server) const {
    server.set("web", xds::edsCluster("web"));
    server.set("web", xds::assignment("web", {web_.address().port()}));
    server.set("public", onPort(xds::rdsListener("public", "table"), 0));
    server.set("table", xds::routesTo("table", {"web"}));
  }
  // The answers to the last push are there.
  [[nodiscard]] bool push(const std::function<void(XdsServer&)>& change) {
    control_plane_.run([&](XdsServer& server) {
      change(server);
      server.push();
    });
    return control_plane_.waitFor("answers", [](XdsServer& server) { return server.settled(); });
  }
  static HttpReply ask(const RawSocket& connection, const std::string& path) {
    connection.send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: test\r\n\r\n"));
    return test::parseReply(connection.receive());
  }
  // The table in force reaches the workers a moment after the answer to the control plane.
  static bool becomes(const RawSocket& connection, const std::string& path, int status) {
    for (int i = 0; i < 10'000; ++i) {
      if (ask(connection, path).status == status) return true;
    }
    return false;
  }

  FakeUpstream web_;
  FakeUpstream other_{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"};
  test::ThreadedXdsServer control_plane_;
};

TEST_F(DynamicServerTest, ServesWhatItIsSentAndSwapsItUnderOpenConnections) {
  control_plane_.run([&](XdsServer& server) { setFirstConfiguration(server); });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()), /*workers=*/2);
  const RawSocket open = RawSocket::connectedTo(proxy.address());
  EXPECT_EQ(ask(open, "/web").body, "ok");
  EXPECT_EQ(ask(open, "/other").status, 404);

  // A new cluster with its endpoints, and a table that names it, in one push.
  ASSERT_TRUE(push([&](XdsServer& server) {
    server.set("other", xds::edsCluster("other"));
    server.set("other", xds::assignment("other", {other_.address().port()}));
    server.set("table", xds::routesTo("table", {"web", "other"}));
  }));
  ASSERT_TRUE(becomes(open, "/other", 200));
  EXPECT_EQ(ask(open, "/other").body, "other");
  EXPECT_EQ(ask(open, "/web").body, "ok");

  ASSERT_TRUE(push([&](XdsServer& server) {
    server.set("table", xds::routesTo("table", {"other"}));
    server.remove(config::kClusterType, "web");
  }));
  EXPECT_TRUE(becomes(open, "/web", 404));
  EXPECT_EQ(ask(open, "/other").body, "other");
}

TEST_F(DynamicServerTest, WhatItRefusesLeavesThePreviousVersionInForce) {
  control_plane_.run([&](XdsServer& server) { setFirstConfiguration(server); });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  const RawSocket open = RawSocket::connectedTo(proxy.address());
  const RawSocket taken = RawSocket::listening();
  ASSERT_EQ(ask(open, "/web").status, 200);

  // In one push: a listener that cannot be had, one that can, a table that makes no sense.
  ASSERT_TRUE(push([&](XdsServer& server) {
    server.set("public",
               onPort(xds::inlineListener("public", {"other"}), taken.localAddress().port()));
    server.set("second", onPort(xds::rdsListener("second", "table"), 0));
    xds::RoutesProto broken = xds::routesTo("table", {"web"});
    broken.mutable_virtual_hosts(0)
        ->mutable_routes(0)
        ->mutable_match()
        ->mutable_safe_regex()
        ->set_regex("(");
    server.set("table", broken);
  }));
  control_plane_.run([&](XdsServer& server) {
    const auto& listeners = server.type(config::kListenerType).nacks;
    ASSERT_EQ(listeners.size(), 1u);
    ASSERT_EQ(listeners[0].errors.size(), 1u);
    EXPECT_EQ(listeners[0].errors[0].name(), "public");
    EXPECT_NE(listeners[0].errors[0].reason().find("address already in use"), std::string::npos);
    const auto& tables = server.type(config::kRouteTableType).nacks;
    ASSERT_EQ(tables.size(), 1u);
    EXPECT_EQ(tables[0].errors.at(0).name(), "table");
  });
  EXPECT_EQ(ask(open, "/web").status, 200);
  EXPECT_EQ(proxy.send("GET /web HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status, 200);
  net::Address second;
  proxy.onMain(
      [&](Server& server) { second = server.listeners().active().at("second").addresses.at(0); });
  EXPECT_EQ(ask(RawSocket::connectedTo(second), "/web").status, 200);

  // The next good version is taken.
  ASSERT_TRUE(push([&](XdsServer& server) {
    server.set("public", onPort(xds::rdsListener("public", "table"), 0));
    server.set("table", xds::routesTo("table", {}));
  }));
  EXPECT_TRUE(becomes(open, "/web", 404));
}

TEST_F(DynamicServerTest, ServesOnWithoutItsControlPlane) {
  control_plane_.run([&](XdsServer& server) { setFirstConfiguration(server); });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  const RawSocket open = RawSocket::connectedTo(proxy.address());
  ASSERT_EQ(ask(open, "/web").status, 200);
  control_plane_.run([](XdsServer& server) {
    server.stopListening();
    server.closeConnection();
  });
  EXPECT_EQ(ask(open, "/web").status, 200);
  EXPECT_EQ(proxy.send("GET /web HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status, 200);
}

TEST_F(DynamicServerTest, ARemovedListenerIsGone) {
  control_plane_.run([&](XdsServer& server) { setFirstConfiguration(server); });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  const RawSocket open = RawSocket::connectedTo(proxy.address());
  ASSERT_EQ(ask(open, "/web").status, 200);
  ASSERT_TRUE(push([](XdsServer& server) { server.remove(config::kListenerType, "public"); }));
  bool gone = false;
  proxy.onMain([&](Server& server) { gone = server.listeners().active().empty(); });
  EXPECT_TRUE(gone);
  // Its connections are told so, and end.
  HttpReply last;
  for (int i = 0; i < 10'000 && last.head.find("Connection: close") == std::string::npos; ++i) {
    last = ask(open, "/web");
    ASSERT_EQ(last.status, 200);
  }
  EXPECT_EQ(open.receive(), "");
}

}  // namespace
}  // namespace convoy::server
