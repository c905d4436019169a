#include "proxy/xds/references.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/proxy/xds/specs.h"

namespace convoy::xds {
namespace {

using Names = std::vector<std::string>;

TEST(ReferencesTest, AClusterNamesItsEndpoints) {
  EXPECT_EQ(assignmentOf(*staticSpec("a")), "");
  EXPECT_EQ(assignmentOf(*edsSpec("a")), "a");
  EXPECT_EQ(assignmentOf(*edsSpec("a", "service")), "service");
}

TEST(ReferencesTest, ATableNamesEachClusterOnce) {
  route::RouteTableSpec table = *tableSpec("t", {"b", "a", "b"});
  route::Forward weighted;
  weighted.weighted = {{"d", 1}, {"a", 2}};
  table.virtual_hosts.push_back({});
  table.virtual_hosts.back().routes.emplace_back().action = weighted;
  table.virtual_hosts.back().routes.emplace_back().action = route::DirectResponse{};
  EXPECT_EQ(clustersOf(table), (Names{"a", "b", "d"}));
}

TEST(ReferencesTest, AListenerNamesTablesAndClustersOfAllItsChains) {
  net::ListenerSpec listener = *listenerSpec("l", "table", {});
  listener.filter_chains.push_back(chainSpec("", {"a"}));
  listener.filter_chains.push_back(chainSpec("other", {}));
  listener.filter_chains.push_back(chainSpec("table", {}));
  listener.default_filter_chain = chainSpec("", {"z"});
  EXPECT_EQ(routeTablesOf(listener), (Names{"other", "table"}));
  EXPECT_EQ(clustersOf(listener), (Names{"a", "z"}));
}

TEST(ReferencesTest, ATableIsAwaitedAsItsFirstUserSays) {
  using std::chrono::seconds;
  net::ListenerSpec listener;
  listener.filter_chains = {chainSpec("a", {}, seconds(1)), chainSpec("b", {}, seconds(0)),
                            chainSpec("a", {}, seconds(2))};
  listener.default_filter_chain = chainSpec("c", {});
  EXPECT_EQ(fetchTimeoutOf(listener, "a"), seconds(1));
  EXPECT_EQ(fetchTimeoutOf(listener, "b"), seconds(0));
  EXPECT_EQ(fetchTimeoutOf(listener, "c"), seconds(15));
}

TEST(ReferencesTest, OtherFiltersNameNothing) {
  auto chain = std::make_shared<net::FilterChainSpec>();
  chain->filters.push_back(std::make_shared<net::NetworkFilterSpec>());
  net::ListenerSpec listener;
  listener.filter_chains.push_back(chain);
  EXPECT_TRUE(routeTablesOf(listener).empty());
  EXPECT_TRUE(clustersOf(listener).empty());
}

}  // namespace
}  // namespace convoy::xds
