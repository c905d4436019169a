#include "proxy/xds/ads_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
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

// Whoever counts answers (the control plane's "in force on every node") must not see an answer
// while what it led to has not been asked for yet.
TEST_F(AdsClientTest, WhatAResponseRefersToIsAskedForBeforeTheResponseIsAcknowledged) {
  server->set("web", edsCluster("web"));
  server->set("web", assignment("web", {8001}));
  server->set("public", rdsListener("public", "table"));
  server->set("table", routesTo("table", {"web"}));
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  // A later change does the same on the running stream.
  server->set("more", edsCluster("more"));
  server->set("more", assignment("more", {8002}));
  server->set("second", rdsListener("second", "another"));
  server->set("another", routesTo("another", {"more"}));
  ASSERT_TRUE(pushed());

  const auto& requests = server->last().requests;
  const auto asked = [&](const std::string& type, const std::string& name) {
    return std::find_if(requests.begin(), requests.end(), [&](const auto& request) {
      const auto& names = request.resource_names_subscribe();
      return request.type_url() == type &&
             std::find(names.begin(), names.end(), name) != names.end();
    });
  };
  const auto answered = [&](const std::string& type, int nth) {
    return std::find_if(requests.begin(), requests.end(), [&](const auto& request) {
      return request.type_url() == type && !request.response_nonce().empty() && nth-- == 0;
    });
  };
  struct Case {
    const char* referrer;
    int answer;
    const char* type;
    const char* name;
  };
  const Case cases[] = {
      {config::kClusterType, 0, config::kAssignmentType, "web"},
      {config::kClusterType, 1, config::kAssignmentType, "more"},
      {config::kListenerType, 0, config::kRouteTableType, "table"},
      {config::kListenerType, 1, config::kRouteTableType, "another"},
  };
  for (const Case& c : cases) {
    const auto question = asked(c.type, c.name);
    const auto answer = answered(c.referrer, c.answer);
    ASSERT_NE(question, requests.end()) << c.name;
    ASSERT_NE(answer, requests.end()) << c.name;
    EXPECT_LT(question - requests.begin(), answer - requests.begin()) << c.name;
  }
}

TEST_F(AdsClientTest, ChangesAreAppliedAndOnlyTheyAreSent) {
  server->set("web", edsCluster("web"));
  server->set("web", assignment("web", {8001}));
  server->set("other", staticCluster("other"));
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  server->set("web", assignment("web", {8001, 8002}));
  ASSERT_TRUE(pushed());
  EXPECT_EQ(sink.endpoints.at("web")->localities.at(0).endpoints.size(), 2u);
  EXPECT_EQ(sink.last.endpoints.size(), 1u);
  EXPECT_TRUE(sink.last.clusters.empty());

  server->remove(config::kClusterType, "web");
  ASSERT_TRUE(pushed());
  EXPECT_EQ(sink.clusters.count("web"), 0u);
  EXPECT_EQ(sink.clusters.count("other"), 1u);
  ASSERT_TRUE(until([&] { return server->type(config::kAssignmentType).names.empty(); }));
}

TEST_F(AdsClientTest, AClusterWithHostNamesWaitsUntilTheyAreLookedUp) {
  ClusterProto named = staticCluster("web");
  named.set_type(ClusterProto::STRICT_DNS);
  server->set("web", named);
  sink.looked_up = {"web"};
  start();
  ASSERT_TRUE(untilSettled());
  EXPECT_EQ(initialized, 0);
  EXPECT_EQ(sink.clusters.count("web"), 0u);
  EXPECT_EQ(server->type(config::kAssignmentType).names.count("web"), 0u);
  sink.looked_up.clear();
  ads->onHostsFound("web");
  EXPECT_EQ(sink.clusters.count("web"), 1u);
  EXPECT_EQ(initialized, 1);
  // An edit whose names are known already does not wait.
  named.mutable_connect_timeout()->set_seconds(9);
  server->set("web", named);
  ASSERT_TRUE(pushed());
  EXPECT_EQ(sink.clusters.at("web")->connect_timeout, std::chrono::seconds(9));
}

TEST_F(AdsClientTest, ANackNamesWhatIsRefusedAndTheRestIsInForce) {
  sink.refused = {"taken"};
  ClusterProto broken = staticCluster("broken");
  broken.mutable_connect_timeout()->set_seconds(-1);
  server->set("good", staticCluster("good"));
  server->set("taken", staticCluster("taken"));
  server->set("broken", broken);
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  EXPECT_EQ(sink.clusters.size(), 1u);
  EXPECT_EQ(sink.clusters.count("good"), 1u);
  const auto& nacks = server->type(config::kClusterType).nacks;
  ASSERT_EQ(nacks.size(), 1u);
  std::set<std::string> names;
  for (const ext::ResourceError& error : nacks[0].errors) names.insert(error.name());
  EXPECT_EQ(names, (std::set<std::string>{"broken", "taken"}));
  int with_error = 0;
  for (const auto& resource : ads->status().resources) with_error += !resource.last_error.empty();
  EXPECT_EQ(with_error, 2);

  // A listener that the node cannot open.
  sink.refused = {"public"};
  server->set("public", inlineListener("public", {"good"}));
  ASSERT_TRUE(pushed());
  EXPECT_TRUE(sink.listeners.empty());
  EXPECT_EQ(server->type(config::kListenerType).nacks.size(), 1u);
}

TEST_F(AdsClientTest, ItServesOnWhileTheControlPlaneIsAwayAndGetsTheDifferenceAfterwards) {
  server->set("web", edsCluster("web"));
  server->set("web", assignment("web", {8001}));
  server->set("public", inlineListener("public", {"web"}));
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  const int applies = sink.applies;
  server->stopListening();
  server->closeConnection();
  ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; }));
  EXPECT_NE(ads->status().last_stream_error, "");
  clock.advanceInSteps(std::chrono::minutes(5), std::chrono::seconds(5));
  test_loop.runReady();
  EXPECT_EQ(sink.applies, applies);
  EXPECT_EQ(sink.listeners.count("public"), 1u);

  server->set("new", staticCluster("new"));
  server->remove(config::kListenerType, "public");
  server->listenAgain();
  ASSERT_TRUE(until([&] {
    if (state() == AdsStatus::State::Backoff) clock.advance(std::chrono::seconds(1));
    loop.post([] {});  // another look
    return server->streams() == 2 && server->settled() && sink.clusters.count("new") == 1 &&
           sink.listeners.empty();
  }));
  EXPECT_EQ(server->type(config::kClusterType).initial.size(), 1u);
  EXPECT_EQ(server->type(config::kListenerType).initial.size(), 1u);
  EXPECT_EQ(server->type(config::kAssignmentType).responses, 0);
}

TEST_F(AdsClientTest, AControlPlaneThatNeverAnswersHoldsTheNodeUpForSoLong) {
  server->fallSilent();
  start();
  ASSERT_TRUE(until([&] { return server->streams() == 1; }));
  clock.advance(std::chrono::seconds(14));
  EXPECT_EQ(initialized, 0);
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(initialized, 1);
}

TEST_F(AdsClientTest, TheFirstAnswersAreAwaitedAsLongAsTheBootstrapSays) {
  AdsOptions hurried = options();
  hurried.listeners_timeout = std::chrono::seconds(2);
  hurried.clusters_timeout = std::chrono::seconds(4);
  server->fallSilent();
  start(hurried);
  ASSERT_TRUE(until([&] { return server->streams() == 1; }));
  clock.advance(std::chrono::seconds(3));
  EXPECT_EQ(initialized, 0);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(initialized, 1);
}

TEST_F(AdsClientTest, AListenerWithoutItsTableOpensAtTheDeadline) {
  server->set("public", rdsListener("public", "table"));
  start();
  ASSERT_TRUE(untilSettled());
  server->fallSilent();
  server->set("second", rdsListener("second", "other"));
  server->push();
  ASSERT_TRUE(until([&] {
    return server->type(config::kRouteTableType).names.contains("other") && server->settled();
  }));
  EXPECT_EQ(sink.listeners.count("second"), 0u);
  std::string waiting;
  for (const auto& resource : ads->status().resources) {
    if (resource.name == "second") waiting = resource.waiting_for;
  }
  EXPECT_EQ(waiting, "route table other");
  clock.advance(std::chrono::seconds(16));
  EXPECT_EQ(sink.listeners.count("second"), 1u);
}

TEST_F(AdsClientTest, TypesThatWereNotAskedForAreRefused) {
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  test::XdsServer::Response response;
  response.set_type_url("type.googleapis.com/envoy.service.runtime.v3.Runtime");
  response.set_nonce("odd");
  server->sendResponse(response);
  ASSERT_TRUE(untilSettled());
  EXPECT_EQ(server->type(response.type_url()).nacks.size(), 1u);
  EXPECT_EQ(state(), AdsStatus::State::Active);
}

TEST_F(AdsClientTest, AResponseWithoutANonceEndsTheStream) {
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  test::XdsServer::Response response;
  response.set_type_url(config::kClusterType);
  server->sendResponse(response);
  ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; }));
  EXPECT_NE(ads->status().last_stream_error.find("nonce"), std::string::npos);
}

TEST_F(AdsClientTest, OnlyWhatTheBootstrapSaysIsSubscribedTo) {
  AdsOptions only_clusters = options();
  only_clusters.listeners = false;
  server->set("a", staticCluster("a"));
  server->set("l", inlineListener("l", {}));
  start(only_clusters);
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  EXPECT_EQ(sink.clusters.count("a"), 1u);
  EXPECT_FALSE(server->type(config::kListenerType).asked);
}

TEST_F(AdsClientTest, AReportReachesTheControlPlaneInTheNode) {
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  ext::NodeReport report;
  report.set_lifecycle(ext::NodeReport::LIFECYCLE_LIVE);
  ads->setReport(report);
  ASSERT_TRUE(until(
      [&] { return server->last().node.metadata().fields().contains("convoy.ext.NodeReport"); }));
  EXPECT_EQ(server->last().node.id(), "node-1");
  EXPECT_TRUE(server->type(config::kClusterType).wildcard);
}

TEST_F(AdsClientTest, AReportMadeWhileAResponseIsAppliedGoesWithItsAnswer) {
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  const size_t before = server->last().requests.size();
  sink.when_applied = [&] {
    ext::NodeReport report;
    report.set_lifecycle(ext::NodeReport::LIFECYCLE_LIVE);
    ads->setReport(report);
  };
  server->set("a", staticCluster("a"));
  ASSERT_TRUE(pushed());
  ASSERT_EQ(server->last().requests.size(), before + 1);
  const auto& answer = server->last().requests.back();
  EXPECT_NE(answer.response_nonce(), "");
  EXPECT_TRUE(answer.node().metadata().fields().contains("convoy.ext.NodeReport"));
}

TEST_F(AdsClientTest, ItKeepsWhatCameForPeopleToSee) {
  const auto entry = [&](const char* type, const std::string& name) {
    const ResourceArchive::Type* found = ads->archive().find(type);
    const auto resource =
        found == nullptr ? decltype(found->resources.end())() : found->resources.find(name);
    return found == nullptr || resource == found->resources.end() ? ResourceArchive::Entry()
                                                                  : resource->second;
  };
  sink.refused = {"taken"};
  server->set("taken", staticCluster("taken"));
  server->set("web", edsCluster("web"));
  server->set("web", assignment("web", {8001}));
  server->set("public", rdsListener("public", "table"));
  server->set("table", routesTo("table", {"web"}));
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  ASSERT_TRUE(untilSettled());
  for (const auto& [type, name] :
       {std::pair(config::kClusterType, "web"), std::pair(config::kAssignmentType, "web"),
        std::pair(config::kListenerType, "public"), std::pair(config::kRouteTableType, "table")}) {
    SCOPED_TRACE(type);
    EXPECT_TRUE(entry(type, name).active.has_value());
    EXPECT_FALSE(entry(type, name).warming.has_value());
  }
  EXPECT_EQ(entry(config::kClusterType, "web").active->bytes,
            edsCluster("web").SerializeAsString());
  const ResourceArchive::Entry taken = entry(config::kClusterType, "taken");
  EXPECT_FALSE(taken.active.has_value());
  ASSERT_TRUE(taken.refused.has_value());
  EXPECT_EQ(taken.refused->details, "the test says no");
  EXPECT_EQ(taken.refused->what.bytes, staticCluster("taken").SerializeAsString());

  // A cluster that waits for its endpoints, and then has them.
  server->fallSilent();
  server->set("late", edsCluster("late"));
  server->push();
  ASSERT_TRUE(until([&] {
    return server->type(config::kAssignmentType).names.contains("late") && server->settled();
  }));
  EXPECT_TRUE(entry(config::kClusterType, "late").warming.has_value());
  server->set("late", assignment("late", {8002}));
  server->speakAgain();
  ASSERT_TRUE(pushed());
  EXPECT_TRUE(entry(config::kClusterType, "late").active.has_value());
  EXPECT_FALSE(entry(config::kClusterType, "late").warming.has_value());

  // What goes, goes with what it referred to.
  server->remove(config::kListenerType, "public");
  ASSERT_TRUE(pushed());
  EXPECT_FALSE(entry(config::kListenerType, "public").active.has_value());
  EXPECT_FALSE(entry(config::kRouteTableType, "table").active.has_value());
}

TEST_F(AdsClientTest, StoppingLeavesEverythingInForce) {
  server->set("a", staticCluster("a"));
  start();
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  const int applies = sink.applies;
  ads->stop();
  ASSERT_TRUE(until([&] { return !server->last().open; }));
  EXPECT_EQ(state(), AdsStatus::State::Stopped);
  EXPECT_EQ(sink.applies, applies);
  ads->start();
  ASSERT_TRUE(untilSettled(2));
  EXPECT_EQ(server->type(config::kClusterType).initial.size(), 1u);
}

}  // namespace
}  // namespace convoy::xds
