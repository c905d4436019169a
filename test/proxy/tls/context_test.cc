#include "proxy/tls/context.h"

#include <gtest/gtest.h>

#include <thread>

#include "proxy/tls/transport_factory.h"
#include "test/proxy/tls/tls_pair.h"

namespace convoy::tls {
namespace {

// Everything that a client may offer, and what the server takes of it.
TEST(Context, TakesForwardSecretAuthenticatedSuitesOnly) {
  const struct {
    const char* suite;
    const char* certificate;
    const char* taken;
  } cases[] = {
      {"ECDHE-ECDSA-AES128-GCM-SHA256", "ecdsa", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
      {"ECDHE-ECDSA-AES256-GCM-SHA384", "ecdsa", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
      {"ECDHE-ECDSA-CHACHA20-POLY1305", "ecdsa", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
      {"ECDHE-RSA-AES128-GCM-SHA256", "rsa", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
      {"ECDHE-RSA-AES256-GCM-SHA384", "rsa", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
      {"ECDHE-RSA-CHACHA20-POLY1305", "rsa", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
      {"ECDHE-RSA-AES128-SHA", "rsa", nullptr},
      {"ECDHE-ECDSA-AES128-SHA", "ecdsa", nullptr},
      {"AES128-GCM-SHA256", "rsa", nullptr},
      {"AES128-SHA", "rsa", nullptr},
  };
  for (const auto& c : cases) {
    Sides setup;
    setup.server_material.certificates = {certificateOf(c.certificate)};
    setup.client.common.max_version = Version::Tls12;
    setup.client.common.cipher_suites = {c.suite};
    TlsPair pair;
    ASSERT_EQ(pair.joinAndHandshake(setup), c.taken != nullptr) << c.suite;
    if (c.taken != nullptr) {
      EXPECT_EQ(pair.serverInfo().cipher, c.taken);
    } else {
      EXPECT_EQ(pair.serverInfo().failure, "no_shared_cipher") << c.suite;
    }
  }
}

TEST(Context, OutlivesItsReplacement) {
  TlsPair pair;
  Sides setup;
  auto metrics_registry = std::make_unique<observe::MetricRegistry>();
  auto group =
      std::make_shared<TlsMetricGroup>(*metrics_registry, "listener", observe::Labels{}, 1);
  TlsTransportFactory factory(group);
  EXPECT_FALSE(factory.ready());
  EXPECT_EQ(factory.create(0), nullptr);
  EXPECT_EQ(group->slot(0).secrets_not_ready.value(), 1u);
  factory.setContext(setup.serverContext(pair.clock));
  ASSERT_TRUE(factory.ready());

  const auto connect = [&] {
    pair.client = {};
    pair.server = {};
    auto connections =
        test::connectedPair(test::Medium::Memory, pair.loop.loop(), pair.client, pair.server);
    connections.second->setTransport(factory.create(0));
    connections.first->setTransport(
        std::make_unique<TlsTransport>(setup.clientContext(pair.clock), pair.client_metrics));
    return connections;
  };
  pair.connections = connect();
  ASSERT_TRUE(pair.handshake());
  Sides rotated;
  rotated.server_material.certificates = {certificateOf("renewed")};
  factory.setContext(rotated.serverContext(pair.clock));
  pair.exchange();
  EXPECT_EQ(pair.shownCertificate(), "CN=ecdsa");
  pair.connections = connect();
  ASSERT_TRUE(pair.handshake());
  EXPECT_EQ(pair.shownCertificate(), "CN=renewed");
  pair.connections = {};
}

}  // namespace
}  // namespace convoy::tls
