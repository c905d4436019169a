#include "proxy/server/resources.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "proxy/upstream/health/spec.h"
#include "test/proxy/server/fixture.h"
#include "test/proxy/server/specs.h"
#include "test/proxy/upstream/dns/fake_resolver.h"

namespace convoy::server {
namespace {

using test::FakeUpstream;
using test::RawSocket;

constexpr char kAnyPort[] = "127.0.0.1:0";

class ResourcesTest : public testing::Test {
 protected:
  // As the ADS client does: what is refused is left out of what is applied.
  std::vector<ext::ResourceError> take(xds::Changes changes) {
    std::vector<ext::ResourceError> errors = resources.admit(changes);
    for (const ext::ResourceError& error : errors) {
      std::erase_if(changes.listeners,
                    [&](const auto& spec) { return spec->name == error.name(); });
    }
    resources.apply(changes);
    plane.settle();
    return errors;
  }

  DataPlane plane{2};
  test::FakeResolver resolver;
  upstream::DnsDiscovery dns{plane.main, resolver, plane.metrics, {}};
  Resources resources{*plane.clusters, *plane.routes, *plane.listeners, *plane.secrets, dns};
};

TEST_F(ResourcesTest, OnePublicationIsInForceFromClustersUpToListeners) {
  FakeUpstream web;
  auto eds = std::make_shared<upstream::ClusterSpec>();
  eds->name = "web";
  eds->discovery = upstream::ClusterSpec::Discovery::Eds;
  xds::Changes changes;
  changes.clusters = {eds};
  changes.endpoints = {{"web", clusterOf("web", web.address())->assignment}};
  changes.routes = {tableTo("table", "web")};
  changes.listeners = {listenerWithTable("l", {kAnyPort}, "table")};
  EXPECT_TRUE(take(changes).empty());
  EXPECT_EQ(askAt(plane.address("l")).body, "ok");
}

// Else the control plane could replace the cluster that leads to itself, and removing it would take
// the static one away.
TEST_F(ResourcesTest, WhatTheBootstrapDefinesStays) {
  FakeUpstream web;
  resources.addStaticCluster("fixed");
  resources.addStaticListener("l");
  xds::Changes changes;
  changes.clusters = {clusterOf("fixed", web.address()), clusterOf("free", web.address())};
  changes.listeners = {listener("l", {kAnyPort}, "x"), listener("m", {kAnyPort}, "x")};
  const std::vector<ext::ResourceError> errors = resources.admit(changes);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].name(), "l");
  EXPECT_EQ(errors[1].name(), "fixed");
  EXPECT_EQ(errors[1].type_url(), "type.googleapis.com/envoy.config.cluster.v3.Cluster");
  for (const ext::ResourceError& error : errors) EXPECT_EQ(error.rule(), "static");
}

TEST_F(ResourcesTest, CommandsOfHealthChecksNeedALeave) {
  FakeUpstream web;
  auto cluster = clusterOf("web", web.address());
  auto check = std::make_shared<upstream::HealthCheckSpec>();
  check->checker = upstream::CommandCheckSpec{.command = "check", .arguments = {}};
  cluster->health_check = check;
  xds::Changes changes;
  changes.clusters = {cluster};
  const std::vector<ext::ResourceError> errors = resources.admit(changes);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].field_path(), "health_checks[0].custom_health_check.typed_config.command");
  EXPECT_EQ(errors[0].rule(), "command");
  resources.allowCheckCommands();
  EXPECT_TRUE(resources.admit(changes).empty());
}

TEST_F(ResourcesTest, HostNamesAreLookedUpBeforeTheirClusterIsInForce) {
  FakeUpstream web;
  auto named = test::dnsCluster(
      test::dnsSpec({test::namedEndpoint("web.test", web.address().port())}), "web");
  xds::Changes changes;
  changes.clusters = {named};
  EXPECT_TRUE(resources.admit(changes).empty());
  EXPECT_FALSE(resources.hostsFound("web"));
  EXPECT_FALSE(plane.clusters->has("web"));
  resolver.answerV4("web.test", test::found({"127.0.0.1"}));
  EXPECT_TRUE(resources.hostsFound("web"));
  changes.routes = {tableTo("table", "web")};
  changes.listeners = {listenerWithTable("l", {kAnyPort}, "table")};
  xds::Changes listeners;
  listeners.listeners = changes.listeners;
  EXPECT_TRUE(resources.admit(listeners).empty());
  resources.apply(changes);
  plane.settle();
  EXPECT_EQ(askAt(plane.address("l")).body, "ok");
  xds::Changes removed;
  removed.removed_listeners = {"l"};
  removed.removed_clusters = {"web"};
  resources.apply(removed);
  plane.settle();
  EXPECT_EQ(dns.assignment("web"), nullptr);
}

TEST_F(ResourcesTest, ATableIsSwappedUnderOpenConnections) {
  xds::Changes first;
  first.routes = {table("table", "one")};
  first.listeners = {listenerWithTable("a", {kAnyPort}, "table"),
                     listenerWithTable("b", {kAnyPort}, "table")};
  take(first);
  const RawSocket on_a = RawSocket::connectedTo(plane.address("a"));
  const RawSocket on_b = RawSocket::connectedTo(plane.address("b"));
  EXPECT_EQ(ask(on_a).body, "one");
  EXPECT_EQ(ask(on_b).body, "one");
  xds::Changes second;
  second.routes = {table("table", "two")};
  take(second);
  EXPECT_EQ(ask(on_a).body, "two");
  EXPECT_EQ(ask(on_b).body, "two");
}

TEST_F(ResourcesTest, AListenerWithoutItsTableAnswers404UntilItComes) {
  xds::Changes listener_first;
  listener_first.listeners = {listenerWithTable("l", {kAnyPort}, "late")};
  take(listener_first);
  const RawSocket open = RawSocket::connectedTo(plane.address("l"));
  EXPECT_EQ(ask(open).status, 404);
  xds::Changes then;
  then.routes = {table("late", "hello")};
  take(then);
  EXPECT_EQ(ask(open).body, "hello");
}

TEST_F(ResourcesTest, ARefusedListenerIsNamedAndThePreviousVersionServesOn) {
  const RawSocket taken = RawSocket::listening();
  xds::Changes first;
  first.listeners = {listener("a", {kAnyPort}, "a1"), listener("b", {kAnyPort}, "b1")};
  EXPECT_TRUE(take(first).empty());
  const RawSocket on_a = RawSocket::connectedTo(plane.address("a"));
  xds::Changes second;
  second.listeners = {listener("a", {taken.localAddress().text()}, "a2"),
                      listener("b", {kAnyPort}, "b2"),
                      listener("c", {taken.localAddress().text()}, "c2")};
  const std::vector<ext::ResourceError> errors = take(second);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].name(), "a");
  EXPECT_EQ(errors[1].name(), "c");
  EXPECT_EQ(errors[0].type_url(), "type.googleapis.com/envoy.config.listener.v3.Listener");
  EXPECT_EQ(errors[0].field_path(), "address");
  EXPECT_EQ(errors[0].value(), taken.localAddress().text());
  EXPECT_NE(errors[0].reason().find("address already in use"), std::string::npos);
  EXPECT_EQ(ask(on_a).body, "a1");
  EXPECT_EQ(askAt(plane.address("a")).body, "a1");
  EXPECT_EQ(askAt(plane.address("b")).body, "b2");
  EXPECT_FALSE(plane.listeners->active().contains("c"));
}

TEST_F(ResourcesTest, ALogThatCannotBeOpenedIsBlamedOnItsField) {
  auto logging = listener("a", {kAnyPort}, "a");
  auto spec = std::make_shared<net::ListenerSpec>(*logging);
  auto chain = std::make_shared<net::FilterChainSpec>(*spec->filter_chains.at(0));
  auto manager = std::make_shared<http::ConnectionManagerSpec>(
      dynamic_cast<const http::ConnectionManagerSpec&>(*chain->filters.at(0)));
  manager->access_logs = {logOfCodes("/nonexistent/access.log")};
  chain->filters = {manager};
  spec->filter_chains = {chain};
  xds::Changes change;
  change.listeners = {spec};
  const std::vector<ext::ResourceError> errors = take(change);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].field_path(),
            "filter_chains[0].filters[0].typed_config.access_log[0].typed_config.path");
  EXPECT_EQ(errors[0].rule(), "access_log");
  EXPECT_NE(errors[0].reason().find("/nonexistent/access.log"), std::string::npos);
}

TEST_F(ResourcesTest, TwoListenersOfOneResponseCannotHaveOneAddress) {
  const std::string at = test::uniqueUnixAddress().text();
  xds::Changes changes;
  changes.listeners = {listener("a", {at}, "a"), listener("b", {at}, "b")};
  const std::vector<ext::ResourceError> errors = take(changes);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].name(), "b");
  EXPECT_NE(errors[0].reason().find("the listener a has this address"), std::string::npos);
  EXPECT_EQ(askAt(*net::Address::parse(at)).body, "a");
}

TEST_F(ResourcesTest, AListenerIsRenamedWithoutRefusingAnybody) {
  const net::Address at = test::uniqueUnixAddress();
  xds::Changes first;
  first.listeners = {listener("old", {at.text()}, "old")};
  take(first);
  const RawSocket open = RawSocket::connectedTo(at);
  EXPECT_EQ(ask(open).body, "old");
  xds::Changes renamed;
  renamed.listeners = {listener("new", {at.text()}, "new")};
  renamed.removed_listeners = {"old"};
  EXPECT_TRUE(take(renamed).empty());
  EXPECT_EQ(askAt(at).body, "new");
  EXPECT_TRUE(saysClose(ask(open)));
}

TEST_F(ResourcesTest, RemovalsGoFromListenersDown) {
  FakeUpstream web;
  xds::Changes first;
  first.clusters = {clusterOf("web", web.address())};
  first.routes = {tableTo("table", "web")};
  first.listeners = {listenerWithTable("l", {kAnyPort}, "table")};
  take(first);
  const net::Address at = plane.address("l");
  EXPECT_EQ(askAt(at).status, 200);
  xds::Changes gone;
  gone.removed_listeners = {"l"};
  gone.removed_routes = {"table"};
  gone.removed_clusters = {"web"};
  take(gone);
  EXPECT_TRUE(refused(at));
  EXPECT_TRUE(plane.routes->tables().empty());
  EXPECT_FALSE(plane.clusters->has("web"));
}

TEST_F(ResourcesTest, ABrokenTableLeavesTheOthersAndItsPredecessorInForce) {
  xds::Changes first;
  first.routes = {table("a", "a1"), table("b", "b1")};
  first.listeners = {listenerWithTable("a", {kAnyPort}, "a"),
                     listenerWithTable("b", {kAnyPort}, "b")};
  take(first);
  auto broken = table("a", "a2");
  broken->virtual_hosts[0].domains = {"*", "*"};
  xds::Changes second;
  second.routes = {broken, table("b", "b2")};
  take(second);
  EXPECT_EQ(askAt(plane.address("a")).body, "a1");
  EXPECT_EQ(askAt(plane.address("b")).body, "b2");
}

}  // namespace
}  // namespace convoy::server
