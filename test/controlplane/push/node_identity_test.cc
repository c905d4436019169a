#include "controlplane/push/node_identity.h"

#include <gtest/gtest.h>

#include <string>

#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::push {
namespace {

using envoy::config::core::v3::Node;

TEST(NodeIdentityTest, EveryField) {
  const auto identity = identityOf(parse<Node>(R"(
    id: "n1" cluster: "edge" user_agent_name: "envoy" user_agent_version: "1.31.0"
    metadata { fields { key: "labels" value { struct_value {
      fields { key: "role" value { string_value: "edge" } }
      fields { key: "weight" value { number_value: 3 } } } } } })"));
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->id, "n1");
  EXPECT_EQ(identity->cluster, "edge");
  EXPECT_EQ(identity->labels, (model::Labels{{"role", "edge"}}));
  EXPECT_EQ(identity->user_agent, "envoy/1.31.0");
}

TEST(NodeIdentityTest, UserAgents) {
  EXPECT_EQ(identityOf(parse<Node>(R"(id: "n" user_agent_name: "x")"))->user_agent, "x");
  EXPECT_EQ(identityOf(parse<Node>(R"(id: "n" user_agent_name: "x"
      user_agent_build_version { version { major_number: 1 minor_number: 2 patch: 3 } })"))
                ->user_agent,
            "x/1.2.3");
}

TEST(NodeIdentityTest, AnIdIsRequired) {
  EXPECT_TRUE(absl::IsInvalidArgument(identityOf(Node()).status()));
  Node node;
  node.set_id(std::string(257, 'x'));
  EXPECT_TRUE(absl::IsInvalidArgument(identityOf(node).status()));
}

TEST(NodeIdentityTest, Reports) {
  EXPECT_FALSE(reportOf(Node()).has_value());
  const auto report = reportOf(parse<Node>(R"(
    metadata { fields { key: "convoy.ext.NodeReport" value { struct_value {
      fields { key: "ignoredFieldCount" value { string_value: "3" } }
      fields { key: "later" value { string_value: "unknown" } } } } } })"));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->ignored_field_count(), 3u);
  EXPECT_FALSE(reportOf(parse<Node>(R"(
    metadata { fields { key: "convoy.ext.NodeReport" value { struct_value {
      fields { key: "ignoredFieldCount" value { string_value: "many" } } } } } })"))
                   .has_value());
}

}  // namespace
}  // namespace convoy::controlplane::push
