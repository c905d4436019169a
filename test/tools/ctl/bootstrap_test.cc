#include "tools/ctl/bootstrap.h"

#include <gtest/gtest.h>

#include "proxy/config/bootstrap_loader.h"

namespace convoy::tools::ctl {
namespace {

config::LoadedBootstrap load(const BootstrapOptions& options) {
  const auto yaml = makeBootstrap(options);
  EXPECT_TRUE(yaml.ok()) << yaml.status();
  return config::loadBootstrap(*yaml, "node.yaml", {});
}

TEST(BootstrapTest, TheProxyAcceptsIt) {
  const auto loaded = load({.id = "edge-1",
                            .cluster = "edge",
                            .labels = {{"zone", "a"}, {"version", "1.2.3"}, {"flag", "true"}},
                            .control_plane = "10.0.0.9:18000",
                            .admin = "127.0.0.1:0"});
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  EXPECT_TRUE(loaded.notes.empty());
  EXPECT_EQ(loaded.spec->node.id, "edge-1");
  EXPECT_EQ(loaded.spec->node.cluster, "edge");
  const std::map<std::string, std::string> labels = {
      {"flag", "true"}, {"version", "1.2.3"}, {"zone", "a"}};
  EXPECT_EQ(loaded.spec->node.labels, labels);
  EXPECT_EQ(loaded.spec->ads->cluster, "control_plane");
  EXPECT_TRUE(loaded.spec->lds);
  EXPECT_TRUE(loaded.spec->cds);
  EXPECT_EQ(loaded.spec->admin->address.text(), "127.0.0.1:0");
  ASSERT_EQ(loaded.spec->clusters.size(), 1u);
}

TEST(BootstrapTest, DefaultsAndOtherAddresses) {
  for (const char* address : {"127.0.0.1:18000", "[::1]:18000", "unix:/run/convoy/xds.sock"}) {
    const auto loaded = load({.id = "a", .control_plane = address});
    EXPECT_TRUE(loaded.ok()) << loaded.errorText();
  }
  const auto loaded = load({.id = "true", .admin = "none"});
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  EXPECT_EQ(loaded.spec->node.id, "true");
  EXPECT_EQ(loaded.spec->node.cluster, "convoy");
  EXPECT_FALSE(loaded.spec->admin.has_value());
}

TEST(BootstrapTest, RefusesByOption) {
  const struct {
    BootstrapOptions options;
    const char* option;
  } kCases[] = {
      {{.id = ""}, "--id"},
      {{.id = std::string(257, 'a')}, "--id"},
      {{.id = "a", .control_plane = "control.example.com:18000"}, "--control-plane"},
      {{.id = "a", .control_plane = "10.0.0.1:0"}, "--control-plane"},
      {{.id = "a", .admin = "9901"}, "--admin"},
  };
  for (const auto& test : kCases) {
    const auto yaml = makeBootstrap(test.options);
    ASSERT_FALSE(yaml.ok());
    EXPECT_EQ(std::string(yaml.status().message()).find(test.option), 0u) << yaml.status();
  }
}

}  // namespace
}  // namespace convoy::tools::ctl
