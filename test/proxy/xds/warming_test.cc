#include "proxy/xds/warming.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/proxy/xds/specs.h"

namespace convoy::xds {
namespace {

using Names = std::vector<std::string>;
using std::chrono::seconds;

constexpr event::MonotonicTime kStart{};
constexpr event::Duration kTimeout = seconds(15);

// What a publication does, in words.
Names told(const Changes& changes) {
  Names words;
  for (const auto& spec : changes.secrets) words.push_back("+secret " + spec->name);
  for (const auto& spec : changes.clusters) words.push_back("+cluster " + spec->name);
  for (const auto& entry : changes.endpoints) words.push_back("endpoints " + entry.cluster);
  for (const auto& spec : changes.routes) words.push_back("+routes " + spec->name);
  for (const auto& spec : changes.listeners) words.push_back("+listener " + spec->name);
  for (const std::string& name : changes.removed_listeners) words.push_back("-listener " + name);
  for (const std::string& name : changes.removed_routes) words.push_back("-routes " + name);
  for (const std::string& name : changes.removed_clusters) words.push_back("-cluster " + name);
  for (const std::string& name : changes.removed_secrets) words.push_back("-secret " + name);
  return words;
}

Names words(const std::vector<NameChange>& changes) {
  Names out;
  for (const NameChange& change : changes) out.push_back((change.wanted ? "+" : "-") + change.name);
  return out;
}

class WarmingTest : public testing::Test {
 protected:
  void answered() {
    warming.start(now);
    warming.onClustersAnswered();
    warming.onListenersAnswered();
  }
  Names settle() { return told(warming.settle(now)); }
  void putCluster(std::shared_ptr<const upstream::ClusterSpec> spec) {
    warming.putCluster(std::move(spec), now);
  }
  void putListener(std::shared_ptr<const net::ListenerSpec> spec) {
    warming.putListener(std::move(spec), now);
  }

  event::MonotonicTime now = kStart;
  Warming warming{{}};
};

TEST_F(WarmingTest, AStaticClusterNeedsNothing) {
  answered();
  putCluster(staticSpec("a"));
  EXPECT_EQ(settle(), Names{"+cluster a"});
  EXPECT_EQ(settle(), Names{});
  EXPECT_TRUE(warming.takeAssignmentNames().empty());
  EXPECT_EQ(warming.nextDeadline(), event::MonotonicTime::max());
}

TEST_F(WarmingTest, AClusterWaitsForItsHostNames) {
  answered();
  auto spec = std::make_shared<upstream::ClusterSpec>(*staticSpec("a"));
  spec->discovery = upstream::ClusterSpec::Discovery::Dns;
  putCluster(spec);
  putListener(listenerSpec("l", "", {"a"}));
  EXPECT_EQ(settle(), Names{});
  EXPECT_TRUE(warming.takeAssignmentNames().empty()) << "nobody is asked for endpoints";
  EXPECT_EQ(warming.nextDeadline(), kStart + kTimeout);
  EXPECT_EQ(warming.waitingClusters().at(0).waiting_for, "the look-up of its host names");
  warming.hostsFound("nobody");
  warming.hostsFound("a");
  EXPECT_EQ(settle(), (Names{"+cluster a", "+listener l"}));
  // The next version waits in its turn, and no longer than that.
  putCluster(spec);
  EXPECT_EQ(settle(), Names{});
  now += kTimeout;
  EXPECT_EQ(settle(), Names{"+cluster a"});
  EXPECT_EQ(warming.timeouts().endpoints, 1u);
}

TEST_F(WarmingTest, AClusterWaitsForItsEndpoints) {
  answered();
  putCluster(edsSpec("a", "service"));
  EXPECT_EQ(words(warming.takeAssignmentNames()), Names{"+service"});
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.nextDeadline(), kStart + kTimeout);
  ASSERT_EQ(warming.waitingClusters().size(), 1u);
  EXPECT_EQ(warming.waitingClusters()[0].waiting_for, "endpoints of service");
  warming.putAssignment(endpointsSpec("service"));
  EXPECT_EQ(settle(), (Names{"+cluster a", "endpoints a"}));
  // From here on endpoints go straight through.
  warming.putAssignment(endpointsSpec("service"));
  EXPECT_EQ(settle(), Names{"endpoints a"});
  EXPECT_EQ(warming.nextDeadline(), event::MonotonicTime::max());
}

TEST_F(WarmingTest, TheWaitForEndpointsEnds) {
  answered();
  putCluster(edsSpec("late"));
  putCluster(edsSpec("absent"));
  warming.assignmentAbsent("absent");
  EXPECT_EQ(settle(), Names{"+cluster absent"});
  now += seconds(10);
  putCluster(edsSpec("late"));  // a newer version keeps the deadline
  EXPECT_EQ(settle(), Names{});
  now += seconds(5);
  EXPECT_EQ(settle(), Names{"+cluster late"});
  EXPECT_EQ(warming.timeouts().endpoints, 1u);
  warming.putAssignment(endpointsSpec("late"));
  EXPECT_EQ(settle(), Names{"endpoints late"});
}

TEST_F(WarmingTest, SharedEndpointsServeEveryCluster) {
  answered();
  putCluster(edsSpec("a", "shared"));
  putCluster(edsSpec("b", "shared"));
  EXPECT_EQ(words(warming.takeAssignmentNames()), Names{"+shared"});
  warming.putAssignment(endpointsSpec("shared"));
  EXPECT_EQ(settle(), (Names{"+cluster a", "+cluster b", "endpoints a", "endpoints b"}));
  warming.removeCluster("a");
  EXPECT_EQ(settle(), Names{"-cluster a"});
  EXPECT_TRUE(warming.takeAssignmentNames().empty());
  warming.removeCluster("b");
  EXPECT_EQ(settle(), Names{"-cluster b"});
  EXPECT_EQ(words(warming.takeAssignmentNames()), Names{"-shared"});
}

TEST_F(WarmingTest, AClusterKeepsItsEndpointsUntilTheNewOnesAreThere) {
  answered();
  putCluster(edsSpec("a", "old"));
  warming.putAssignment(endpointsSpec("old"));
  settle();
  (void)warming.takeAssignmentNames();
  putCluster(edsSpec("a", "passed over"));
  putCluster(edsSpec("a", "new"));
  EXPECT_EQ(words(warming.takeAssignmentNames()), (Names{"+passed over", "+new", "-passed over"}));
  warming.putAssignment(endpointsSpec("old"));
  EXPECT_EQ(settle(), Names{"endpoints a"});
  warming.putAssignment(endpointsSpec("new"));
  EXPECT_EQ(settle(), (Names{"+cluster a", "endpoints a"}));
  EXPECT_EQ(words(warming.takeAssignmentNames()), Names{"-old"});
  // A new version that uses the same endpoints need not wait.
  putCluster(edsSpec("a", "new"));
  EXPECT_EQ(settle(), (Names{"+cluster a", "endpoints a"}));
}

TEST_F(WarmingTest, AWaitingClusterMayBeRemoved) {
  answered();
  putCluster(edsSpec("a"));
  warming.removeCluster("a");
  EXPECT_EQ(settle(), Names{"-cluster a"});
  EXPECT_EQ(words(warming.takeAssignmentNames()), (Names{"+a", "-a"}));
  EXPECT_EQ(warming.nextDeadline(), event::MonotonicTime::max());
}

TEST_F(WarmingTest, AListenerWaitsForItsTableAndTheTableForItsCluster) {
  answered();
  putListener(listenerSpec("l", "table"));
  EXPECT_EQ(words(warming.takeRouteNames()), Names{"+table"});
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.waitingListeners().at(0).waiting_for, "route table table");
  putCluster(edsSpec("a"));
  warming.putRoutes(tableSpec("table", {"a", "never heard of"}));
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.waitingRoutes().at(0).waiting_for, "cluster a");
  EXPECT_EQ(warming.waiting().listeners, 1u);
  warming.putAssignment(endpointsSpec("a"));
  EXPECT_EQ(settle(), (Names{"+cluster a", "endpoints a", "+routes table", "+listener l"}));
}

TEST_F(WarmingTest, ATableKeepsItsVersionUntilANewClusterIsReady) {
  answered();
  putListener(listenerSpec("l", "table"));
  warming.putRoutes(tableSpec("table", {}));
  EXPECT_EQ(settle(), (Names{"+routes table", "+listener l"}));
  putCluster(edsSpec("new"));
  warming.putRoutes(tableSpec("table", {"new"}));
  EXPECT_EQ(settle(), Names{});
  now += kTimeout;
  EXPECT_EQ(settle(), (Names{"+cluster new", "+routes table"}));
  // A version of a cluster in force that waits holds nobody up.
  putCluster(edsSpec("new", "elsewhere"));
  warming.putRoutes(tableSpec("table", {"new"}));
  EXPECT_EQ(settle(), Names{"+routes table"});
}

TEST_F(WarmingTest, TheWaitForATableEnds) {
  answered();
  putListener(listenerSpec("late", "table"));
  putListener(listenerSpec("absent", "none"));
  warming.routesAbsent("none");
  EXPECT_EQ(settle(), Names{"+listener absent"});
  now += kTimeout;
  EXPECT_EQ(settle(), Names{"+listener late"});
  EXPECT_EQ(warming.timeouts().routes, 1u);
  warming.putRoutes(tableSpec("table", {}));
  EXPECT_EQ(settle(), Names{"+routes table"});
}

TEST_F(WarmingTest, AnInlineRouteWaitsForItsCluster) {
  answered();
  putCluster(edsSpec("a"));
  putListener(listenerSpec("l", "", {"a"}));
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.waitingListeners().at(0).waiting_for, "cluster a");
  warming.putAssignment(endpointsSpec("a"));
  EXPECT_EQ(settle(), (Names{"+cluster a", "endpoints a", "+listener l"}));
}

TEST_F(WarmingTest, TablesGoWithTheirLastListener) {
  answered();
  putListener(listenerSpec("a", "old"));
  putListener(listenerSpec("b", "old"));
  warming.putRoutes(tableSpec("old", {}));
  settle();
  (void)warming.takeRouteNames();
  warming.removeListener("b");
  EXPECT_EQ(settle(), Names{"-listener b"});
  putListener(listenerSpec("a", "passed over"));
  putListener(listenerSpec("a", "new"));
  EXPECT_EQ(settle(), Names{});  // the old version and its table serve on
  EXPECT_EQ(words(warming.takeRouteNames()), (Names{"+passed over", "+new", "-passed over"}));
  warming.putRoutes(tableSpec("new", {}));
  EXPECT_EQ(settle(), (Names{"+routes new", "+listener a", "-routes old"}));
  EXPECT_EQ(words(warming.takeRouteNames()), Names{"-old"});
  warming.removeListener("a");
  EXPECT_EQ(settle(), (Names{"-listener a", "-routes new"}));
}

TEST_F(WarmingTest, WhatNobodyRefersToIsIgnored) {
  answered();
  warming.putRoutes(tableSpec("stray", {}));
  warming.putAssignment(endpointsSpec("stray"));
  warming.routesAbsent("stray");
  warming.assignmentAbsent("stray");
  warming.removeCluster("stray");
  warming.removeListener("stray");
  EXPECT_EQ(settle(), Names{});
}

TEST_F(WarmingTest, ListenersWaitForTheFirstAnswerAboutClusters) {
  warming.start(now);
  putListener(listenerSpec("l", "", {"a"}));
  warming.onListenersAnswered();
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.waitingListeners().at(0).waiting_for, "the first answer about clusters");
  EXPECT_FALSE(warming.initialized());
  warming.onClustersAnswered();
  EXPECT_EQ(settle(), Names{"+listener l"});
  EXPECT_TRUE(warming.initialized());
}

TEST_F(WarmingTest, WithoutAnAnswerTheFirstWaitEnds) {
  warming.start(now);
  EXPECT_EQ(settle(), Names{});
  EXPECT_FALSE(warming.initialized());
  EXPECT_EQ(warming.nextDeadline(), kStart + kTimeout);
  now += seconds(1);
  putListener(listenerSpec("l", "table"));
  warming.onListenersAnswered();
  now = kStart + kTimeout;
  EXPECT_EQ(settle(), Names{});
  EXPECT_FALSE(warming.initialized());
  // Not the past: somebody would call settle() again and again.
  EXPECT_EQ(warming.nextDeadline(), kStart + seconds(1) + kTimeout);
  now += seconds(1);
  EXPECT_EQ(settle(), Names{"+listener l"});
  EXPECT_TRUE(warming.initialized());
  EXPECT_EQ(warming.timeouts().clusters, 1u);
  EXPECT_EQ(warming.timeouts().listeners, 0u);
}

// --- initial_fetch_timeout ---

TEST_F(WarmingTest, EveryWaitIsAsLongAsItsConfigSourceSays) {
  answered();
  putCluster(edsSpec("short", "", seconds(1)));
  putCluster(edsSpec("long", "", seconds(60)));
  auto listener = std::make_shared<net::ListenerSpec>();
  listener->name = "l";
  listener->filter_chains = {chainSpec("quick", {}, seconds(2)), chainSpec("slow", {}, seconds(9))};
  putListener(listener);
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.nextDeadline(), kStart + seconds(1));
  now = kStart + seconds(1);
  EXPECT_EQ(settle(), Names{"+cluster short"});
  EXPECT_EQ(warming.nextDeadline(), kStart + seconds(2));
  now = kStart + seconds(2);
  EXPECT_EQ(settle(), Names{});  // the other table is still awaited
  EXPECT_EQ(warming.waitingListeners().at(0).waiting_for, "route table slow");
  EXPECT_EQ(warming.nextDeadline(), kStart + seconds(9));
  // The one that comes ends the wait.
  warming.putRoutes(tableSpec("slow", {}));
  EXPECT_EQ(settle(), (Names{"+routes slow", "+listener l"}));
  EXPECT_EQ(warming.timeouts().routes, 1u);
  now = kStart + seconds(60);
  EXPECT_EQ(settle(), Names{"+cluster long"});
  EXPECT_EQ(warming.timeouts().endpoints, 2u);
}

TEST_F(WarmingTest, ATableThatCameIsAwaitedAsLongAsItsClusters) {
  answered();
  putListener(listenerSpec("l", "table"));
  EXPECT_EQ(settle(), Names{});
  now = kStart + seconds(14);
  putCluster(edsSpec("a", "", seconds(5)));
  warming.putRoutes(tableSpec("table", {"a"}));
  EXPECT_EQ(settle(), Names{});
  now = kStart + seconds(15);  // the table's own time-out: it is there
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.nextDeadline(), kStart + seconds(19));
  now = kStart + seconds(19);
  EXPECT_EQ(settle(), (Names{"+cluster a", "+routes table", "+listener l"}));
  EXPECT_EQ(warming.timeouts().routes, 0u);
}

TEST_F(WarmingTest, ZeroWaitsForEver) {
  Warming patient({.clusters_timeout = seconds(0), .listeners_timeout = seconds(0)});
  patient.start(now);
  EXPECT_TRUE(patient.settle(now).empty());
  EXPECT_EQ(patient.nextDeadline(), event::MonotonicTime::max());
  now += std::chrono::hours(1000);
  EXPECT_TRUE(patient.settle(now).empty());
  EXPECT_FALSE(patient.initialized());
  patient.putCluster(edsSpec("a", "", seconds(0)), now);
  patient.onClustersAnswered();
  auto listener = std::make_shared<net::ListenerSpec>();
  listener->name = "l";
  listener->filter_chains = {chainSpec("table", {}, seconds(0)), chainSpec("", {"a"})};
  patient.putListener(listener, now);
  patient.onListenersAnswered();
  EXPECT_TRUE(patient.settle(now).empty());
  now += std::chrono::hours(1000);
  EXPECT_TRUE(patient.settle(now).empty());
  EXPECT_EQ(patient.nextDeadline(), event::MonotonicTime::max());
  EXPECT_FALSE(patient.initialized());
  patient.putRoutes(tableSpec("table", {}));
  EXPECT_EQ(told(patient.settle(now)), Names{"+routes table"});
  patient.putAssignment(endpointsSpec("a"));
  EXPECT_EQ(told(patient.settle(now)), (Names{"+cluster a", "endpoints a", "+listener l"}));
  EXPECT_TRUE(patient.initialized());
  EXPECT_EQ(patient.timeouts().clusters + patient.timeouts().listeners, 0u);
}

// Else one cluster could keep all other routes of a table from being updated.
TEST_F(WarmingTest, OnceServingAClusterThatWaitsForEverHoldsUpOthersForSoLong) {
  answered();
  putListener(listenerSpec("l", "table"));
  warming.putRoutes(tableSpec("table", {}));
  EXPECT_EQ(settle(), (Names{"+routes table", "+listener l"}));
  putCluster(edsSpec("never", "", seconds(0)));
  warming.putRoutes(tableSpec("table", {"never"}));
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.nextDeadline(), kStart + Warming::kMostHeldUp);
  now += Warming::kMostHeldUp;
  EXPECT_EQ(settle(), Names{"+routes table"});
  EXPECT_EQ(warming.waiting().clusters, 1u);
  EXPECT_EQ(warming.nextDeadline(), event::MonotonicTime::max());
}

TEST_F(WarmingTest, KindsThatAreNotSubscribedToAreNotAwaited) {
  Warming nothing({.clusters = false, .listeners = false});
  nothing.start(now);
  EXPECT_TRUE(nothing.settle(now).empty());
  EXPECT_TRUE(nothing.initialized());
  EXPECT_EQ(nothing.nextDeadline(), event::MonotonicTime::max());
}

TEST_F(WarmingTest, AClusterAndAListenerWaitForTheirSecrets) {
  answered();
  putCluster(tlsCluster("c", "ca"));
  putListener(tlsListener("l", "site"));
  EXPECT_EQ(words(warming.takeSecretNames()), (Names{"+ca", "+site"}));
  EXPECT_EQ(settle(), Names{});
  EXPECT_EQ(warming.waitingClusters()[0].waiting_for, "secret ca");
  EXPECT_EQ(warming.waitingListeners()[0].waiting_for, "secret site");
  EXPECT_EQ(warming.nextDeadline(), kStart + kTimeout);
  EXPECT_FALSE(warming.initialized());
  warming.putSecret(secretSpec("site"));
  EXPECT_EQ(settle(), (Names{"+secret site", "+listener l"}));
  now += seconds(15);
  EXPECT_EQ(settle(), Names{"+cluster c"});
  EXPECT_EQ(warming.timeouts().secrets, 1u);
  EXPECT_TRUE(warming.initialized());
  warming.putSecret(secretSpec("ca"));
  EXPECT_EQ(settle(), Names{"+secret ca"});
}

TEST_F(WarmingTest, ASecretStaysUntilTheVersionInForceNoLongerNamesIt) {
  answered();
  putListener(tlsListener("l", "old"));
  warming.putSecret(secretSpec("old"));
  settle();
  putListener(tlsListener("l", "new"));
  EXPECT_EQ(words(warming.takeSecretNames()), (Names{"+old", "+new"}));
  EXPECT_EQ(settle(), Names{});
  warming.putSecret(secretSpec("new"));
  EXPECT_EQ(settle(), (Names{"+secret new", "+listener l", "-secret old"}));
  EXPECT_EQ(words(warming.takeSecretNames()), Names{"-old"});
  warming.removeListener("l");
  EXPECT_EQ(settle(), (Names{"-listener l", "-secret new"}));
}

TEST_F(WarmingTest, StaticSecretsAreWantedForGood) {
  warming.wantForGood({{"site", kTimeout}}, now);
  answered();
  EXPECT_EQ(words(warming.takeSecretNames()), Names{"+site"});
  settle();
  EXPECT_FALSE(warming.initialized());
  EXPECT_EQ(warming.nextDeadline(), kStart + kTimeout);
  warming.putSecret(secretSpec("site"));
  EXPECT_EQ(settle(), Names{"+secret site"});
  EXPECT_TRUE(warming.initialized());
}

}  // namespace
}  // namespace convoy::xds
