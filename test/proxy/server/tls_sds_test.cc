// Certificates that change while connections are open: by SDS from a control plane, and by files.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "proxy/config/resources.h"
#include "proxy/server/server.h"
#include "test/common/ads_bootstrap.h"
#include "test/common/proxy_harness.h"
#include "test/common/test_ca.h"
#include "test/common/tls_bootstrap.h"
#include "test/common/tls_client.h"
#include "test/common/xds_server.h"
#include "test/proxy/server/pages.h"
#include "test/proxy/xds/resources.h"

namespace convoy::server {
namespace {

namespace proto = envoy::extensions::transport_sockets::tls::v3;
using test::caFile;
using test::FakeUpstream;
using test::ProxyHarness;
using test::TlsClient;
using test::XdsServer;

proto::Secret certificate(const std::string& name, const std::string& chain,
                          const std::string& key) {
  proto::Secret secret;
  secret.set_name(name);
  auto* value = secret.mutable_tls_certificate();
  value->mutable_certificate_chain()->set_inline_string(caFile(chain + ".pem"));
  value->mutable_private_key()->set_inline_string(caFile(key + ".key"));
  return secret;
}

void byAds(const std::string& name, proto::SdsSecretConfig* config, int timeout_seconds = 15) {
  config->set_name(name);
  config->mutable_sds_config()->mutable_ads();
  config->mutable_sds_config()->set_resource_api_version(envoy::config::core::v3::V3);
  config->mutable_sds_config()->mutable_initial_fetch_timeout()->set_seconds(timeout_seconds);
}

class TlsSdsTest : public testing::Test {
 protected:
  xds::ListenerProto listener(const proto::DownstreamTlsContext& context) const {
    xds::ListenerProto made = xds::inlineListener("public", {"web"});
    made.mutable_address()->mutable_socket_address()->set_port_value(0);
    auto* socket = made.mutable_filter_chains(0)->mutable_transport_socket();
    socket->set_name("tls");
    socket->mutable_typed_config()->PackFrom(context);
    return made;
  }
  proto::DownstreamTlsContext siteContext(int timeout_seconds = 15) const {
    proto::DownstreamTlsContext context;
    byAds("site", context.mutable_common_tls_context()->add_tls_certificate_sds_secret_configs(),
          timeout_seconds);
    return context;
  }
  void setFirst(XdsServer& server, const proto::DownstreamTlsContext& context) {
    server.set("web", xds::staticCluster("web", web_.address().port()));
    server.set("public", listener(context));
  }
  void push(const std::function<void(XdsServer&)>& change) {
    control_plane_.run([&](XdsServer& server) {
      change(server);
      server.push();
    });
    ASSERT_TRUE(control_plane_.waitFor("answers", [](XdsServer& s) { return s.settled(); }));
  }

  const std::string made_first_ = test::caPath("ca.pem");  // takes longer than anybody waits
  FakeUpstream web_;
  test::ThreadedXdsServer control_plane_;
};

TEST_F(TlsSdsTest, AListenerServesWithItsSecretAndTakesANewOneAtOnce) {
  control_plane_.run([&](XdsServer& server) {
    setFirst(server, siteContext());
    server.set("site", certificate("site", "ecdsa", "ecdsa"));
  });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  TlsClient open(proxy.address(), {});
  ASSERT_EQ(open.get("/web").status, 200);
  EXPECT_EQ(open.peer(), "ecdsa");

  push([](XdsServer& server) { server.set("site", certificate("site", "renewed", "renewed")); });
  EXPECT_EQ(TlsClient(proxy.address(), {}).peer(), "renewed");
  EXPECT_EQ(open.get("/web").status, 200) << "an open connection goes on";
}

TEST_F(TlsSdsTest, ABadSecretIsRefusedByNameAndTheOldOneStays) {
  control_plane_.run([&](XdsServer& server) {
    setFirst(server, siteContext());
    server.set("site", certificate("site", "ecdsa", "ecdsa"));
  });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  push([](XdsServer& server) { server.set("site", certificate("site", "renewed", "ecdsa")); });
  control_plane_.run([](XdsServer& server) {
    const auto& nacks = server.type(config::kSecretType).nacks;
    ASSERT_EQ(nacks.size(), 1u);
    ASSERT_EQ(nacks[0].errors.size(), 1u);
    EXPECT_EQ(nacks[0].errors[0].name(), "site");
    EXPECT_EQ(nacks[0].errors[0].type_url(), config::kSecretType);
    EXPECT_NE(nacks[0].errors[0].reason().find("secret site: "), std::string::npos)
        << nacks[0].errors[0].reason();
    EXPECT_EQ(nacks[0].message.find("PRIVATE KEY"), std::string::npos);
  });
  EXPECT_EQ(TlsClient(proxy.address(), {}).peer(), "ecdsa");
  // A secret of another kind is no use to who names it.
  push([](XdsServer& server) {
    proto::Secret other;
    other.set_name("site");
    other.mutable_validation_context()->mutable_trusted_ca()->set_inline_string(caFile("ca.pem"));
    server.set("site", other);
  });
  control_plane_.run(
      [](XdsServer& server) { EXPECT_EQ(server.type(config::kSecretType).nacks.size(), 2u); });
  EXPECT_EQ(TlsClient(proxy.address(), {}).peer(), "ecdsa");
}

TEST_F(TlsSdsTest, AListenerIsNotThereBeforeItsSecret) {
  control_plane_.run([&](XdsServer& server) {
    server.awaitMissing();
    setFirst(server, siteContext());
    server.set("plain", [] {
      auto plain = xds::inlineListener("plain", {"web"});
      plain.mutable_address()->mutable_socket_address()->set_port_value(0);
      return plain;
    }());
  });
  // Becomes live only with the secret.
  std::thread later([this] {
    ASSERT_TRUE(control_plane_.waitFor("subscription", [](XdsServer& server) {
      return server.streams() > 0 && server.last().types.contains(config::kSecretType) &&
             server.type(config::kSecretType).names.contains("site");
    }));
    control_plane_.run([](XdsServer& server) {
      server.set("site", certificate("site", "ecdsa", "ecdsa"));
      server.push();
    });
  });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  later.join();
  EXPECT_EQ(TlsClient(proxy.address(), {}).get("/web").status, 200);
}

TEST_F(TlsSdsTest, ASecretThatDoesNotExistIsNotWaitedFor) {
  control_plane_.run([&](XdsServer& server) { setFirst(server, siteContext()); });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  EXPECT_FALSE(TlsClient(proxy.address(), {}).connected());
  push([](XdsServer& server) { server.set("site", certificate("site", "ecdsa", "ecdsa")); });
  EXPECT_EQ(TlsClient(proxy.address(), {}).get("/web").status, 200);
}

TEST_F(TlsSdsTest, TheWaitForASecretEnds) {
  control_plane_.run([&](XdsServer& server) {
    server.awaitMissing();
    setFirst(server, siteContext(1));
  });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  EXPECT_FALSE(TlsClient(proxy.address(), {}).connected());
  push([](XdsServer& server) { server.set("site", certificate("site", "ecdsa", "ecdsa")); });
  EXPECT_EQ(TlsClient(proxy.address(), {}).get("/web").status, 200);
}

TEST_F(TlsSdsTest, ASecretThatNobodyNamesIsGivenUp) {
  control_plane_.run([&](XdsServer& server) {
    setFirst(server, siteContext());
    server.set("site", certificate("site", "ecdsa", "ecdsa"));
  });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  push([](XdsServer& server) { server.remove(config::kListenerType, "public"); });
  ASSERT_TRUE(control_plane_.waitFor("unsubscription", [](XdsServer& server) {
    return !server.type(config::kSecretType).names.contains("site");
  }));
  // It goes with its last user, which the workers let go of.
  bool known = true;
  for (int i = 0; i < 10'000 && known; ++i) {
    proxy.onMain([&](Server& server) {
      server.secrets().look();
      known = server.secrets().has("site");
    });
  }
  EXPECT_FALSE(known);
}

TEST_F(TlsSdsTest, PeopleSeeNamesAndDatesAndNoKeys) {
  control_plane_.run([&](XdsServer& server) {
    setFirst(server, siteContext());
    server.set("site", certificate("site", "ecdsa", "ecdsa"));
  });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  const admin::Response dump = ask(proxy, "/config_dump");
  EXPECT_EQ(dump.status, 200);
  EXPECT_NE(dump.body.find("SecretsConfigDump"), std::string::npos);
  EXPECT_NE(dump.body.find("\"site\""), std::string::npos);
  EXPECT_EQ(dump.body.find("PRIVATE KEY"), std::string::npos);
  const admin::Response certs = ask(proxy, "/certs");
  EXPECT_EQ(certs.status, 200);
  EXPECT_NE(certs.body.find("\"www.example.com\""), std::string::npos) << certs.body;
  EXPECT_NE(certs.body.find("\"days_until_expiration\": \"89\""), std::string::npos) << certs.body;
  EXPECT_EQ(certs.body.find("PRIVATE KEY"), std::string::npos);
}

TEST_F(TlsSdsTest, AStaticListenerTakesItsSecretFromTheControlPlaneToo) {
  control_plane_.run([&](XdsServer& server) {
    server.set("web", xds::staticCluster("web", web_.address().port()));
    server.set("site", certificate("site", "ecdsa", "ecdsa"));
  });
  const std::string transport = test::downstreamTls(
      "tls_certificate_sds_secret_configs: [{name: site, sds_config: {ads: {}, "
      "resource_api_version: V3}}]");
  ProxyHarness proxy(test::adsBootstrap(
      control_plane_.address(),
      {.resources = absl::StrCat("listeners: [{name: public, address: {socket_address: {address: "
                                 "127.0.0.1, port_value: 0}}, filter_chains: [",
                                 test::chain(transport), "]}]")}));
  TlsClient client(proxy.address(), {});
  EXPECT_EQ(client.peer(), "ecdsa");
  EXPECT_EQ(client.get().status, 200);
}

TEST_F(TlsSdsTest, AClusterVerifiesBySecretsAndTakesNewOnes) {
  ProxyHarness far(
      test::tlsBootstrap(test::chain(test::downstreamTls(absl::StrCat(
                             "tls_certificates: [", test::certificateFiles("ecdsa"), "]"))),
                         test::cluster("web", web_.address())));
  const auto trust = [](const std::string& ca) {
    proto::Secret secret;
    secret.set_name("trust");
    secret.mutable_validation_context()->mutable_trusted_ca()->set_inline_string(caFile(ca));
    return secret;
  };
  control_plane_.run([&](XdsServer& server) {
    proto::UpstreamTlsContext context;
    byAds("trust",
          context.mutable_common_tls_context()->mutable_validation_context_sds_secret_config());
    xds::ClusterProto cluster = xds::staticCluster("web", far.address().port());
    cluster.mutable_transport_socket()->set_name("tls");
    cluster.mutable_transport_socket()->mutable_typed_config()->PackFrom(context);
    server.set("web", cluster);
    server.set("trust", trust("other_ca.pem"));
    auto plain = xds::inlineListener("public", {"web"});
    plain.mutable_address()->mutable_socket_address()->set_port_value(0);
    server.set("public", plain);
  });
  ProxyHarness proxy(test::adsBootstrap(control_plane_.address()));
  EXPECT_EQ(proxy.get("/web").status, 503);
  push([&](XdsServer& server) { server.set("trust", trust("ca.pem")); });
  EXPECT_EQ(proxy.get("/web").status, 200);
}

// --- files ---

class TlsFilesTest : public testing::Test {
 protected:
  TlsFilesTest() : folder_(absl::StrCat(std::getenv("TEST_TMPDIR"), "/certs_", ::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  // As Kubernetes does: files are links into a folder that is a link, which is swapped.
  void publish(const std::string& version, const std::string& chain, const std::string& key) {
    const std::filesystem::path data = folder_ / version;
    std::filesystem::create_directories(data);
    std::ofstream(data / "tls.crt") << caFile(chain + ".pem");
    std::ofstream(data / "tls.key") << caFile(key + ".key");
    std::filesystem::create_symlink(version, folder_ / "next");
    std::filesystem::rename(folder_ / "next", folder_ / "..data");
    for (const char* name : {"tls.crt", "tls.key"}) {
      const auto link = folder_ / name;
      if (std::filesystem::is_symlink(link)) continue;
      std::filesystem::create_symlink(absl::StrCat("..data/", name), link);
    }
  }
  static bool becomes(const ProxyHarness& proxy, const std::string& peer) {
    for (int i = 0; i < 2'000; ++i) {
      if (TlsClient(proxy.address(), {}).peer() == peer) return true;
    }
    return false;
  }
  const std::filesystem::path folder_;
  const std::string made_first_ = test::caPath("ca.pem");
  FakeUpstream web_;
};

TEST_F(TlsFilesTest, ASwappedLinkIsSeenAndABadPairIsNot) {
  publish("1", "ecdsa", "ecdsa");
  ProxyHarness proxy(test::tlsBootstrap(
      test::chain(test::downstreamTls(absl::StrCat(
          "tls_certificates: [{certificate_chain: {filename: ", (folder_ / "tls.crt").string(),
          "}, private_key: {filename: ", (folder_ / "tls.key").string(),
          "}, watched_directory: {path: ", folder_.string(), "}}]"))),
      test::cluster("web", web_.address())));
  TlsClient open(proxy.address(), {});
  ASSERT_EQ(open.get().status, 200);
  publish("2", "renewed", "ecdsa");
  const auto look = [&] { proxy.onMain([](Server& server) { server.secrets().look(); }); };
  look();
  EXPECT_EQ(TlsClient(proxy.address(), {}).peer(), "ecdsa") << "the key is not the certificate's";
  publish("3", "renewed", "renewed");
  look();
  EXPECT_TRUE(becomes(proxy, "renewed"));
  EXPECT_EQ(open.get().status, 200) << "an open connection goes on";
}

}  // namespace
}  // namespace convoy::server
