#include "tools/ctl/bootstrap.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "proxy/config/bootstrap_loader.h"
#include "proxy/tls/spec.h"
#include "proxy/upstream/dns/spec.h"

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
                            .zone = "eu-1: a",
                            .labels = {{"zone", "a"}, {"version", "1.2.3"}, {"flag", "true"}},
                            .control_plane = "10.0.0.9:18000",
                            .admin = "127.0.0.1:0"});
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  EXPECT_TRUE(loaded.notes.empty());
  EXPECT_EQ(loaded.spec->node.id, "edge-1");
  EXPECT_EQ(loaded.spec->node.cluster, "edge");
  EXPECT_EQ(loaded.spec->node.locality, (upstream::LocalityName{"", "eu-1: a", ""}));
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

TEST(BootstrapTest, TlsVerifiesTheControlPlane) {
  const auto transportOf = [](const BootstrapOptions& options) {
    const auto loaded = load(options);
    EXPECT_TRUE(loaded.ok()) << loaded.errorText();
    const auto& cluster = *loaded.spec->clusters.at(0);
    return dynamic_cast<const tls::ClientSpec&>(*cluster.transport);
  };
  const auto by_ip =
      transportOf({.id = "a", .control_plane = "[2001:db8::1]:18000", .tls = {.ca = "/c/ca.pem"}});
  const auto* validation = std::get_if<tls::ValidationSpec>(&by_ip.common.validation->value->value);
  ASSERT_NE(validation, nullptr);
  EXPECT_EQ(validation->trusted_ca.path, "/c/ca.pem");
  ASSERT_EQ(validation->names.size(), 1u);
  EXPECT_EQ(validation->names[0].type, tls::SanMatch::Type::Ip);
  EXPECT_EQ(validation->names[0].value, "2001:db8::1");
  EXPECT_TRUE(by_ip.common.certificates.empty());
  EXPECT_EQ(by_ip.common.alpn, std::vector<std::string>{"h2"});

  const auto by_name = transportOf({.id = "a",
                                    .tls = {"/c/ca.pem", "/c/node.pem", "/c/node.key"},
                                    .server_name = "control.example.com"});
  EXPECT_EQ(by_name.sni, "control.example.com");
  const auto& own = std::get<tls::CertificateSpec>(by_name.common.certificates.at(0).value->value);
  EXPECT_EQ(own.chain.path, "/c/node.pem");
  EXPECT_EQ(own.key.path, "/c/node.key");
}

TEST(BootstrapTest, TheControlPlaneMayHaveAName) {
  const auto loaded =
      load({.id = "a", .control_plane = "Control.Example.com:18000", .tls = {.ca = "/c/ca.pem"}});
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  EXPECT_TRUE(loaded.notes.empty());
  const auto& cluster = *loaded.spec->clusters.at(0);
  ASSERT_EQ(cluster.dns->named.size(), 1u);
  EXPECT_EQ(cluster.dns->named[0].host, "control.example.com");
  const auto& transport = dynamic_cast<const tls::ClientSpec&>(*cluster.transport);
  EXPECT_EQ(transport.sni, "control.example.com");
  const auto& validation = std::get<tls::ValidationSpec>(transport.common.validation->value->value);
  EXPECT_EQ(validation.names.at(0).value, "control.example.com");
  EXPECT_EQ(validation.names.at(0).type, tls::SanMatch::Type::Dns);
}

TEST(BootstrapTest, TheZoneOfAnAddressIsTheNodes) {
  const auto loaded = load({.id = "a", .control_plane = "[fe80::1%lo]:18000"});
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  const auto elsewhere = makeBootstrap({.id = "a",
                                        .control_plane = "[fe80::1%eth7.nosuch]:18000",
                                        .admin = "[fe80::2%eth7]:9901",
                                        .tls = {.ca = "/c/ca.pem"}});
  ASSERT_TRUE(elsewhere.ok()) << elsewhere.status();
  for (const char* line : {"{address: \"fe80::1%eth7.nosuch\", port_value: 18000}",
                           "{address: \"fe80::2%eth7\", port_value: 9901}",
                           "{san_type: IP_ADDRESS, matcher: {exact: \"fe80::1\"}}"}) {
    EXPECT_NE(elsewhere->find(line), std::string::npos) << line << " in\n" << *elsewhere;
  }
}

TEST(BootstrapTest, RefusesByOption) {
  const struct {
    BootstrapOptions options;
    const char* option;
  } kCases[] = {
      {{.id = ""}, "--id"},
      {{.id = std::string(257, 'a')}, "--id"},
      {{.id = "a", .control_plane = "control..example.com:18000"}, "--control-plane"},
      {{.id = "a", .control_plane = "control.example.com:0"}, "--control-plane"},
      {{.id = "a", .control_plane = "10.0.0.1:0"}, "--control-plane"},
      {{.id = "a", .control_plane = "10.0.0.1"},
       "--control-plane: \"10.0.0.1\" is no address of a control plane; write IP:PORT, NAME:PORT "},
      {{.id = "a", .control_plane = "[fe80::1%]:1"}, "--control-plane"},
      {{.id = "a", .control_plane = "[fe80::1%a\"b]:1"}, "--control-plane"},
      {{.id = "a", .control_plane = "[10.0.0.1%eth0]:1"}, "--control-plane"},
      {{.id = "a", .admin = "9901"}, "--admin"},
      {{.id = "a", .tls = {.certificate = "c", .key = "k"}}, "--cert and --key need --ca"},
      {{.id = "a", .server_name = "x"}, "--server-name"},
      {{.id = "a", .tls = {.ca = "c"}, .server_name = "a\"b"}, "--server-name"},
  };
  for (const auto& test : kCases) {
    const auto yaml = makeBootstrap(test.options);
    ASSERT_FALSE(yaml.ok());
    EXPECT_EQ(std::string(yaml.status().message()).find(test.option), 0u) << yaml.status();
  }
}

}  // namespace
}  // namespace convoy::tools::ctl
