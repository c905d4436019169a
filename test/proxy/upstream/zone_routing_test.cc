// Clusters whose hosts are divided, through the cluster manager and a worker: what changes when,
// and what people see of it.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "test/common/metric_value.h"
#include "test/proxy/upstream/fixture.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using Localities = GroupingSpec::Localities;
using test::TestRequest;

class GroupRoutingTest : public test::UpstreamTest {
 protected:
  // Each locality: zone, priority, hosts.
  struct Place {
    std::string zone;
    uint32_t priority;
    std::vector<EndpointSpec> endpoints;
  };
  static std::shared_ptr<AssignmentSpec> assignmentOf(const std::vector<Place>& places) {
    auto spec = std::make_shared<AssignmentSpec>();
    for (const Place& place : places) {
      LocalitySpec& locality = spec->localities.emplace_back();
      locality.zone = place.zone;
      locality.priority = place.priority;
      locality.endpoints = place.endpoints;
    }
    return spec;
  }
  static EndpointSpec sick(int index) { return endpoint(index, 1, HealthStatus::Unhealthy); }

  std::map<std::string, int> picks(int count, const base::SubsetKey* subset = nullptr) {
    std::map<std::string, int> hosts;
    for (int i = 0; i < count; ++i) {
      PickResult picked =
          cluster().pick({}, nullptr, std::nullopt, nullptr, Priority::Default, subset);
      ++hosts[picked.kind == Pick::Kind::Host ? picked.lease.ref().host().addressText() : "none"];
    }
    return hosts;
  }
};

TEST_F(GroupRoutingTest, ThePriorityThatIsNotWellHandsOn) {
  apply({.clusters = {clusterSpec()},
         .assignments = {
             {"web", assignmentOf({{"", 0, {endpoint(1), sick(2)}}, {"", 1, {endpoint(3)}}})}}});
  const auto hosts = picks(2000);
  EXPECT_NEAR(hosts.at("10.0.0.1:80"), 1400, 120);
  EXPECT_NEAR(hosts.at("10.0.0.3:80"), 600, 120);
  EXPECT_EQ(cluster().hostCount(), 2u);
}

TEST_F(GroupRoutingTest, ARetryFindsTheHostsOfTheNextPriority) {
  apply({.clusters = {clusterSpec()},
         .assignments = {{"web", assignmentOf({{"", 0, {endpoint(1)}}, {"", 1, {endpoint(2)}}})}}});
  PickResult first = cluster().pick();
  EXPECT_EQ(first.lease.ref().host().addressText(), "10.0.0.1:80");
  const std::vector<const Host*> tried{&first.lease.ref().host()};
  EXPECT_EQ(cluster().pick(tried).lease.ref().host().addressText(), "10.0.0.2:80");
}

TEST_F(GroupRoutingTest, TheHostsOfTheNodesOwnClusterSayWhereTheCallersAre) {
  manager_->setNode({"", "a", ""}, "us");
  auto web = clusterSpec();
  web->grouping.localities = Localities::ZoneAware;
  web->grouping.zone_least_hosts = 1;
  apply({.clusters = {web, clusterSpec("us")},
         .assignments = {
             {"web", assignmentOf({{"a", 0, {endpoint(1)}}, {"b", 0, {endpoint(2)}}})},
             {"us", assignmentOf({{"a", 0, {endpoint(11)}}, {"b", 0, {endpoint(12)}}})}}});
  EXPECT_EQ(picks(100), (std::map<std::string, int>{{"10.0.0.1:80", 100}}));
  // Three of four callers are here: two thirds of their requests may stay.
  apply({.assignments = {{"us", assignmentOf({{"a", 0, {endpoint(11), endpoint(13), endpoint(14)}},
                                              {"b", 0, {endpoint(12)}}})}}});
  EXPECT_NEAR(picks(3000).at("10.0.0.1:80"), 2000, 150);
  apply({.removed = {"us"}});
  EXPECT_NEAR(picks(1000).at("10.0.0.1:80"), 500, 1) << "nobody knows: in turn";
}

TEST_F(GroupRoutingTest, RequestsForASubset) {
  auto web = clusterSpec();
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  web->grouping.subsets = subsets;
  EndpointSpec second = endpoint(2);
  second.subset_labels = {{"version", "2"}};
  setHosts({endpoint(1), second}, {web});
  const base::SubsetKey key = base::subsetKeyOf(second.subset_labels);
  EXPECT_EQ(picks(10, &key), (std::map<std::string, int>{{"10.0.0.2:80", 10}}));
  EXPECT_EQ(picks(1), (std::map<std::string, int>{{"none", 1}}));
  EXPECT_EQ(metrics().lb_subsets_selected.value(), 10u);
  EXPECT_EQ(metrics().lb_subsets_fallback.value(), 1u);
  // The rules may change while the hosts stay.
  auto any = std::make_shared<ClusterSpec>(*web);
  auto other = std::make_shared<SubsetSpec>(*subsets);
  other->fallback = SubsetFallback::Any;
  any->grouping.subsets = other;
  apply({.clusters = {any}});
  EXPECT_EQ(picks(10).size(), 2u);
}

TEST_F(GroupRoutingTest, SubsetsWithoutRoomAreShown) {
  auto web = clusterSpec();
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"user"}});
  web->grouping.subsets = subsets;
  std::vector<EndpointSpec> endpoints(kMostSubsets + 2);
  for (size_t i = 0; i < endpoints.size(); ++i) {
    endpoints[i].address = test::hostAddress(i);
    endpoints[i].subset_labels = {{"user", std::to_string(i)}};
  }
  for (const auto health : {HealthStatus::Healthy, HealthStatus::Unhealthy}) {
    endpoints[0].health = health;
    setHosts(endpoints, {web});
    EXPECT_EQ(test::metricValue(registry_, "cluster", "lb_subsets_overflow"), 2);
  }
  endpoints.resize(kMostSubsets);
  setHosts(endpoints, {web});
  EXPECT_EQ(test::metricValue(registry_, "cluster", "lb_subsets_overflow"), 0);
}

TEST_F(GroupRoutingTest, OnlyRequestsToAGroupInPanicAreOfAPanic) {
  auto web = clusterSpec();
  web->panic = {PanicSpec::Mode::ServeAll, 50};
  // 28 % and 70 % of what is needed: the first priority is below its threshold, the other is not.
  apply({.clusters = {web},
         .assignments = {
             {"web", assignmentOf({{"", 0, {endpoint(1), sick(2), sick(3), sick(4), sick(5)}},
                                   {"", 1, {endpoint(6), sick(7)}}})}}});
  uint64_t panicked = 0;
  for (int i = 0; i < 1000; ++i) {
    const PickResult picked = cluster().pick();
    ASSERT_EQ(picked.kind, Pick::Kind::Host);
    const net::Address& host = picked.lease.host().address();
    EXPECT_EQ(picked.panic, host != address(6)) << host.text();
    panicked += picked.panic;
  }
  EXPECT_NEAR(static_cast<double>(panicked), 290, 60);
  EXPECT_EQ(metrics().lb_healthy_panic.value(), panicked);
}

TEST_F(GroupRoutingTest, ASubsetInPanicServesWithItsOwnHosts) {
  auto web = clusterSpec();
  web->panic = {PanicSpec::Mode::ServeAll, 50};
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  subsets->fallback = SubsetFallback::Any;
  web->grouping.subsets = subsets;
  EndpointSpec second = sick(2);
  second.subset_labels = {{"version", "2"}};
  const base::SubsetKey key = base::subsetKeyOf(second.subset_labels);
  setHosts({endpoint(1), endpoint(3), second}, {web});
  const PickResult picked = cluster().pick({}, nullptr, std::nullopt, nullptr, {}, &key);
  ASSERT_EQ(picked.kind, Pick::Kind::Host);
  EXPECT_EQ(picked.lease.host().address(), address(2));
  EXPECT_TRUE(picked.panic);
  EXPECT_FALSE(cluster().pick().panic);
  EXPECT_EQ(metrics().lb_healthy_panic.value(), 1u);
  EXPECT_TRUE(cluster().watchesHeads());
}

// A host that has as much as it may is passed over, and first within its group.
TEST_F(GroupRoutingTest, WhatAGroupHasNoRoomForGoesToTheNextButStaysInItsSubset) {
  auto web = clusterSpec();
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  subsets->fallback = SubsetFallback::Any;
  web->grouping.subsets = subsets;
  const base::SubsetLabels second{{"version", "2"}};
  const base::SubsetKey key = base::subsetKeyOf(second);
  const auto labelled = [&](int index) {
    EndpointSpec spec = endpoint(index);
    spec.subset_labels = second;
    spec.max_connections = 1;
    return spec;
  };
  apply({.clusters = {web},
         .assignments = {{"web", assignmentOf({{"", 0, {labelled(1), labelled(2), endpoint(3)}},
                                               {"", 1, {labelled(4)}}})}}});
  std::vector<PickResult> held;
  std::map<std::string, int> hosts;
  for (int i = 0; i < 3; ++i) {
    held.push_back(cluster().pick({}, nullptr, std::nullopt, nullptr, {}, &key));
    ASSERT_EQ(held.back().kind, Pick::Kind::Host);
    const std::string address = held.back().lease.host().addressText();
    EXPECT_EQ(address == "10.0.0.4:80", i == 2) << "the next priority comes last: " << address;
    ++hosts[address];
  }
  EXPECT_EQ(hosts.size(), 3u);
  const PickResult refused = cluster().pick({}, nullptr, std::nullopt, nullptr, {}, &key);
  EXPECT_TRUE(refused.overflow) << "the host without labels is not of the subset";
  EXPECT_EQ(metrics().host_limit_overflow.value(), 1u);
  EXPECT_EQ(cluster().pick().kind, Pick::Kind::Host);
  EXPECT_EQ(cluster().hostCount(&key), 3u);
}

TEST_F(GroupRoutingTest, ANewHostStartsSlowlyAmongThoseOfItsPriority) {
  auto web = clusterSpec();
  web->balancing.slow_start = SlowStartSpec{};
  const auto hosts = [&](std::vector<EndpointSpec> first) {
    return assignmentOf({{"", 0, std::move(first)}, {"", 1, {endpoint(8), endpoint(9)}}});
  };
  apply({.clusters = {web}, .assignments = {{"web", hosts({endpoint(1), endpoint(2)})}}});
  clock_.advance(std::chrono::seconds(31));
  run();
  std::vector<TestRequest> running(40);
  for (TestRequest& request : running) request.start(cluster());
  run();
  apply({.assignments = {{"web", hosts({endpoint(1), endpoint(2), endpoint(3)})}}});
  std::vector<PickResult> held;
  std::map<std::string, int> picked;
  for (int i = 0; i < 30; ++i) {
    held.push_back(cluster().pick());
    ++picked[held.back().lease.host().addressText()];
  }
  EXPECT_EQ(picked.at("10.0.0.3:80"), 2) << "a tenth of twenty: the idle backups do not count";
  EXPECT_EQ(picked.size(), 3u);
  for (TestRequest& request : running) request.giveUp();
}

}  // namespace
}  // namespace convoy::upstream
