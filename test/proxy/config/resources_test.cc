#include "proxy/config/resources.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::endpoint::v3::ClusterLoadAssignment;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::RouteConfiguration;

TEST(Resources, ErrorsNameTypeAndResource) {
  const Context context = testContext();
  const auto listener = makeListener(fromYaml<Listener>("{name: l}"), context);
  EXPECT_FALSE(listener.ok());
  EXPECT_EQ(listener.errors.type_url, kListenerType);
  EXPECT_EQ(listener.errors.name, "l");
  EXPECT_EQ(makeCluster(fromYaml<Cluster>("{name: c}"), context).errors.type_url, kClusterType);
  EXPECT_EQ(
      makeRouteTable(fromYaml<RouteConfiguration>("{name: r, vhds: {}}"), context).errors.name,
      "r");
  EXPECT_EQ(makeAssignment(fromYaml<ClusterLoadAssignment>("{endpoints: [{priority: 1}]}"), context)
                .errors.type_url,
            kAssignmentType);
}

TEST(Resources, AnErrorForTheControlPlaneAndOneForPeople) {
  const auto result = makeCluster(
      fromYaml<Cluster>("{name: web, type: STRICT_DNS, connect_timeout: 0s}"), testContext());
  ASSERT_EQ(result.errors.error_count, 2u);
  const ext::ResourceError proto = result.errors.toProto();
  EXPECT_EQ(proto.type_url(), "type.googleapis.com/envoy.config.cluster.v3.Cluster");
  EXPECT_EQ(proto.name(), "web");
  EXPECT_EQ(proto.field_path(), "connect_timeout");
  EXPECT_EQ(proto.rule(), "range");
  EXPECT_EQ(proto.value(), "0s");
  EXPECT_EQ(proto.reason(), "must be greater than 0s (and 1 more errors)");
  EXPECT_EQ(
      result.errors.text(),
      "Cluster \"web\": connect_timeout: must be greater than 0s (range: 0s)\n"
      "Cluster \"web\": load_assignment: a cluster of this type needs its endpoints (required)");
}

TEST(Resources, NoErrorIsAnEmptyMessage) {
  ResourceErrors none;
  none.type_url = kClusterType;
  none.name = "c";
  EXPECT_EQ(none.toProto().reason(), "");
  EXPECT_EQ(none.text(), "");
}

TEST(Resources, ManyErrorsAreCounted) {
  std::string yaml =
      "{name: c, type: EDS, eds_cluster_config: {eds_config: {ads: {}}}, "
      "load_assignment: {cluster_name: c, endpoints: [";
  for (int i = 0; i < 150; ++i) yaml += "{priority: 200}, ";
  const auto result = makeCluster(fromYaml<Cluster>(yaml + "]}}"), testContext());
  EXPECT_EQ(result.errors.errors.size(), base::FieldReport::kMaxErrors);
  EXPECT_EQ(result.errors.error_count, 150u);
  EXPECT_TRUE(result.errors.text().ends_with("\nand 50 more"));
}

TEST(Resources, NotesComeWithTheSpec) {
  const auto result = makeAssignment(
      fromYaml<ClusterLoadAssignment>("{cluster_name: c, endpoints: [{proximity: 1}]}"),
      testContext());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.note_count, 1u);
  EXPECT_EQ(result.notes.at(0).field_path, "endpoints[0].proximity");
  EXPECT_FALSE(result.notes.at(0).unknown);
}

}  // namespace
}  // namespace convoy::config
