#include "proxy/upstream/node_zone.h"

#include <gtest/gtest.h>

namespace convoy::upstream {
namespace {

class NodeZoneTest : public testing::Test {
 protected:
  // Healthy hosts of the zones a and b; each has one in another priority, too.
  void note(const std::string& cluster, uint32_t in_a, uint32_t in_b, bool panic = false) {
    AssignmentSpec hosts;
    for (const char* zone : {"a", "b", "a"}) hosts.localities.emplace_back().zone = zone;
    Membership::Counts counts;
    counts.healthy_by_locality = {in_a, in_b, in_a > 0 ? 1u : 0u};
    zone_.note(cluster, hosts, counts, panic);
  }
  const CallersByLocality* callers() { return zone_.grouping({}).callers; }

  NodeZone zone_;
};

TEST_F(NodeZoneTest, TheHealthyHostsOfTheNodesOwnClusterAreTheCallers) {
  zone_.set({"", "a", ""}, "us");
  EXPECT_EQ(zone_.grouping({}).own, (LocalityName{"", "a", ""}));
  EXPECT_EQ(callers(), nullptr);
  note("us", 2, 1);
  ASSERT_NE(callers(), nullptr);
  EXPECT_EQ(*callers(), (CallersByLocality{{{"", "a", ""}, 3}, {{"", "b", ""}, 1}}));
  EXPECT_TRUE(zone_.takeChanged());
  EXPECT_FALSE(zone_.takeChanged());
  note("us", 2, 1);
  note("web", 5, 5);
  EXPECT_FALSE(zone_.takeChanged()) << "the same, and of another cluster";
  note("us", 0, 1);
  EXPECT_EQ(callers()->size(), 1u);
  EXPECT_TRUE(zone_.takeChanged());
}

TEST_F(NodeZoneTest, NobodyKnowsInPanicOrWithoutTheCluster) {
  zone_.set({"", "a", ""}, "us");
  note("us", 1, 1);
  note("us", 1, 1, /*panic=*/true);
  EXPECT_EQ(callers(), nullptr);
  note("us", 1, 1);
  zone_.forget("web");
  EXPECT_NE(callers(), nullptr);
  zone_.forget("us");
  EXPECT_EQ(callers(), nullptr);
  note("us", 0, 0);
  EXPECT_EQ(callers(), nullptr);
}

TEST_F(NodeZoneTest, WithoutALocalClusterNobodyIsACaller) {
  zone_.set({"", "a", ""}, "");
  note("", 1, 1);
  EXPECT_EQ(callers(), nullptr);
  EXPECT_FALSE(zone_.takeChanged());
}

TEST_F(NodeZoneTest, ConcernsClustersThatAreZoneAware) {
  zone_.set({"", "a", ""}, "us");
  ClusterSpec web;
  web.name = "web";
  EXPECT_FALSE(zone_.concerns(web));
  web.grouping.localities = GroupingSpec::Localities::ZoneAware;
  EXPECT_TRUE(zone_.concerns(web));
  ClusterSpec us = web;
  us.name = "us";
  EXPECT_FALSE(zone_.concerns(us)) << "nobody is left to be told";
  note("us", 1, 1);
  EXPECT_TRUE(zone_.concerns(us));
}

}  // namespace
}  // namespace convoy::upstream
