#include "proxy/xds/ads_client.h"

#include <gtest/gtest.h>

#include <string>

#include "test/proxy/xds/ads_fixture.h"

namespace convoy::xds {
namespace {

using AdsClientTest = AdsFixture;

TEST_F(AdsClientTest, AConfigurationArrivesInOrderAndIsAcknowledged) {
  server->set("web", edsCluster("web"));
  server->set("web", assignment("web", {8001, 8002}));
  server->set("public", rdsListener("public", "table"));
  server->set("table", routesTo("table", {"web"}));
  start();
  EXPECT_EQ(state(), AdsStatus::State::Opening);
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  EXPECT_EQ(state(), AdsStatus::State::Active);
  EXPECT_EQ(sink.clusters.count("web"), 1u);
  EXPECT_EQ(sink.endpoints.at("web")->localities.at(0).endpoints.size(), 2u);
  EXPECT_EQ(sink.routes.count("table"), 1u);
  EXPECT_EQ(sink.listeners.count("public"), 1u);
  for (const char* type : {config::kClusterType, config::kAssignmentType, config::kListenerType,
                           config::kRouteTableType}) {
    EXPECT_EQ(server->type(type).acks.size(), 1u) << type;
    EXPECT_TRUE(server->type(type).nacks.empty()) << type;
    EXPECT_TRUE(server->type(type).stray_nonces.empty()) << type;
  }
  EXPECT_EQ(server->last().node.id(), "node-1");
}

}  // namespace
}  // namespace convoy::xds
