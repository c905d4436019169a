#include "proxy/config/yaml_loader.h"

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "gtest/gtest.h"

namespace convoy::config {
namespace {

using envoy::config::bootstrap::v3::Bootstrap;

TEST(YamlLoader, ErrorsSayWhere) {
  Bootstrap bootstrap;
  const Loaded loaded = loadYaml(
      "node:\n"
      "  id: a\n"
      "  clustr: b\n"
      "static_resources:\n"
      "  clusters:\n"
      "  - name: web\n"
      "    lb_policy: ROUND_ROBBIN\n",
      "envoy.yaml", &bootstrap);
  EXPECT_FALSE(loaded.ok());
  EXPECT_EQ(
      describeErrors(loaded.errors, loaded.error_count),
      "envoy.yaml:3:3: node.clustr: envoy.config.core.v3.Node has no such field; did you mean "
      "\"cluster\"? (unknown_field: clustr)\n"
      "envoy.yaml:7:5: static_resources.clusters[0].lb_policy: is no value of "
      "envoy.config.cluster.v3.Cluster.LbPolicy; did you mean \"ROUND_ROBIN\"? (enum: "
      "ROUND_ROBBIN)");
}

TEST(YamlLoader, PositionsAreKnownLater) {
  Bootstrap bootstrap;
  const Loaded loaded = loadYaml(
      "{\"staticResources\": {\"clusters\": [\n"
      "  {\"name\": \"a\"},\n"
      "  {\"name\": \"b\"}]}}",
      "x", &bootstrap);
  ASSERT_TRUE(loaded.ok()) << describeErrors(loaded.errors, loaded.error_count);
  EXPECT_EQ(loaded.sources->find("static_resources.clusters[1].name"), (Position{3, 4}));
  const LocatedError error = loaded.sources->locate(
      base::FieldError{"static_resources.clusters[1].type", "required", "", "is needed"});
  EXPECT_EQ(error.text(), "x:3:3: static_resources.clusters[1].type: is needed (required)");
  EXPECT_EQ(
      loaded.sources->locate(std::vector<base::FieldError>{{"", "rule", "", "hint"}})[0].text(),
      "x:1:1: hint (rule)");
}

TEST(YamlLoader, JsonByNameOrByLooks) {
  Bootstrap bootstrap;
  EXPECT_TRUE(loadYaml("  {\"node\": {\"id\": \"\\ud83d\\ude00\"}}", "f", &bootstrap).ok());
  EXPECT_EQ(bootstrap.node().id(), "\xF0\x9F\x98\x80");
  // YAML's flow style.
  EXPECT_TRUE(loadYaml("{node: {id: b}}", "f.yaml", &bootstrap).ok());
  const Loaded strict = loadYaml("{node: {id: b}}", "f.json", &bootstrap);
  EXPECT_EQ(describeErrors(strict.errors, strict.error_count),
            "f.json:1:2: expected a key in double quotes (syntax)");
}

TEST(YamlLoader, AnEmptyFileIsAnEmptyMessage) {
  Bootstrap bootstrap;
  EXPECT_TRUE(loadYaml("", "f.yaml", &bootstrap).ok());
  EXPECT_EQ(bootstrap.ByteSizeLong(), 0u);
}

TEST(YamlLoader, TextThatIsNeitherHasAPositionToo) {
  Bootstrap bootstrap;
  const Loaded loaded = loadYaml("node: a: b", "f.yaml", &bootstrap);
  EXPECT_EQ(describeErrors(loaded.errors, loaded.error_count),
            "f.yaml:1:8: not YAML: illegal map value (syntax)");
  EXPECT_EQ(loaded.sources->find("node"), Position());
}

TEST(YamlLoader, ErrorsAreBounded) {
  std::string text = "static_resources:\n  clusters:\n";
  for (int i = 0; i < 150; ++i) text += "  - wrong: 1\n";
  Bootstrap bootstrap;
  const Loaded loaded = loadYaml(text, "f.yaml", &bootstrap);
  EXPECT_EQ(loaded.error_count, 150u);
  EXPECT_EQ(loaded.errors.size(), base::FieldReport::kMaxErrors);
  EXPECT_TRUE(describeErrors(loaded.errors, loaded.error_count).ends_with("\nand 50 more"));
}

}  // namespace
}  // namespace convoy::config
