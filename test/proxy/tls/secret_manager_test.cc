#include "proxy/tls/secret_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "test/proxy/tls/tls_pair.h"

namespace convoy::tls {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Reader final : public observe::MetricReader {
 public:
  void counter(std::string_view prefix, const observe::Labels& labels, std::string_view name,
               std::string_view, uint64_t value) override {
    values[keyOf(prefix, labels, name)] = static_cast<int64_t>(value);
  }
  void gauge(std::string_view prefix, const observe::Labels& labels, std::string_view name,
             std::string_view, int64_t value) override {
    values[keyOf(prefix, labels, name)] = value;
  }
  void histogram(std::string_view, const observe::Labels&, std::string_view, std::string_view,
                 const observe::HistogramSnapshot&) override {}
  std::map<std::string, int64_t> values;

 private:
  static std::string keyOf(std::string_view prefix, const observe::Labels& labels,
                           std::string_view name) {
    std::string key(prefix);
    for (const auto& [label, value] : labels) key += "." + value;
    return key + "." + std::string(name);
  }
};

DataSpec file(const std::string& path) {
  return {.path = path, .bytes = {}};
}
DataSpec bytes(const std::string& name) {
  return {.path = {}, .bytes = test::caFile(name)};
}
std::shared_ptr<SecretSpec> certificateSecret(const std::string& secret, const std::string& name) {
  auto spec = std::make_shared<SecretSpec>();
  spec->name = secret;
  spec->value = CertificateSpec{.chain = bytes(name + ".pem"),
                                .key = bytes(name + ".key"),
                                .password = {},
                                .ocsp_staple = {}};
  return spec;
}
std::shared_ptr<ServerSpec> serverNaming(const std::string& secret) {
  auto spec = std::make_shared<ServerSpec>();
  spec->common.certificates = {{.name = secret, .value = nullptr}};
  return spec;
}

class SecretManagerTest : public ::testing::Test {
 protected:
  std::shared_ptr<net::TransportFactory> factory(std::shared_ptr<const net::TransportSpec> spec) {
    return manager_.makeFactory(std::move(spec), "listener public", "listener",
                                {{"envoy_listener_address", "public"}});
  }
  // The subject of the certificate that a new connection is shown; empty: none can be made.
  std::string shown(net::TransportFactory& factory) {
    std::unique_ptr<net::Transport> transport = factory.create(0);
    if (transport == nullptr) return "";
    pair_.client = {};
    pair_.server = {};
    pair_.connections =
        test::connectedPair(test::Medium::Memory, pair_.loop.loop(), pair_.client, pair_.server);
    pair_.connections.second->setTransport(std::move(transport));
    pair_.connections.first->setTransport(
        std::make_unique<TlsTransport>(Sides().clientContext(pair_.clock), pair_.client_metrics));
    return pair_.handshake() ? pair_.shownCertificate() : "failed";
  }
  int64_t metric(const std::string& name) {
    Reader reader;
    registry_.read(reader);
    EXPECT_TRUE(reader.values.contains(name)) << name;
    return reader.values[name];
  }

  TlsPair pair_;
  observe::MetricRegistry registry_;
  SecretManager manager_{pair_.loop.loop(), registry_, 2};
};

TEST_F(SecretManagerTest, ANamedSecretMayComeLater) {
  const auto made = factory(serverNaming("web"));
  EXPECT_FALSE(manager_.has("web"));
  EXPECT_EQ(shown(*made), "");
  EXPECT_EQ(metric("listener.public.ssl.context_secrets_not_ready"), 1);
  ASSERT_TRUE(manager_.put(certificateSecret("web", "ecdsa")).ok());
  EXPECT_TRUE(manager_.has("web"));
  EXPECT_EQ(shown(*made), "CN=ecdsa");
  EXPECT_EQ(metric("listener.public.ssl.handshake"), 1);
}

TEST_F(SecretManagerTest, ARotatedSecretServesNewConnectionsAndBreaksNone) {
  ASSERT_TRUE(manager_.put(certificateSecret("web", "ecdsa")).ok());
  const auto made = factory(serverNaming("web"));
  EXPECT_EQ(shown(*made), "CN=ecdsa");
  ASSERT_TRUE(manager_.put(certificateSecret("web", "renewed")).ok());
  pair_.exchange();
  EXPECT_EQ(shown(*made), "CN=renewed");
}

TEST_F(SecretManagerTest, ABadSecretIsRefusedByNameAndTheOldOneStays) {
  ASSERT_TRUE(manager_.put(certificateSecret("web", "ecdsa")).ok());
  const auto made = factory(serverNaming("web"));
  const auto mismatched = certificateSecret("web", "renewed");
  std::get<CertificateSpec>(mismatched->value).key = bytes("rsa.key");
  const auto stapled = certificateSecret("web", "renewed");
  std::get<CertificateSpec>(stapled->value).ocsp_staple = bytes("ecdsa.ocsp");
  const auto missing = certificateSecret("web", "renewed");
  std::get<CertificateSpec>(missing->value).key = file("/missing/key");
  const struct {
    std::shared_ptr<SecretSpec> secret;
    const char* message;
  } cases[] = {
      {mismatched, "secret web: private_key: is not the key"},
      {stapled, "secret web: ocsp_staple: is about another certificate"},
      {missing, "secret web: private_key: file /missing/key cannot be opened"},
  };
  for (const auto& c : cases) {
    const absl::Status admitted = manager_.admit(*c.secret);
    const absl::Status put = manager_.put(c.secret);
    EXPECT_EQ(admitted, put);
    EXPECT_THAT(std::string(put.message()), HasSubstr(c.message));
    EXPECT_THAT(std::string(put.message()), Not(HasSubstr("BEGIN")));
    EXPECT_EQ(shown(*made), "CN=ecdsa");
  }
  EXPECT_EQ(metric("tls.secret.web.update_rejected"), 3);
  EXPECT_EQ(metric("tls.secret.web.update_success"), 1);
}

TEST_F(SecretManagerTest, FollowsFilesThroughSymlinkSwaps) {
  const std::string here = ::testing::TempDir() + "/follow";
  std::filesystem::remove_all(here);
  for (const std::string name : {"ecdsa", "renewed"}) {
    std::filesystem::create_directories(here + "/" + name);
    std::ofstream(here + "/" + name + "/tls.crt") << test::caFile(name + ".pem");
    std::ofstream(here + "/" + name + "/tls.key") << test::caFile(name + ".key");
  }
  std::filesystem::create_directory_symlink("ecdsa", here + "/data");
  auto spec = std::make_shared<ServerSpec>();
  auto in_place = std::make_shared<SecretSpec>();
  in_place->value = CertificateSpec{.chain = file(here + "/data/tls.crt"),
                                    .key = file(here + "/data/tls.key"),
                                    .password = {},
                                    .ocsp_staple = {}};
  spec->common.certificates = {{.name = {}, .value = in_place}};
  ASSERT_TRUE(manager_.admit(*spec).ok());
  const auto made = factory(spec);
  EXPECT_EQ(shown(*made), "CN=ecdsa");
  manager_.look();
  EXPECT_EQ(metric("tls.secret.listener public/tls_certificates[0].update_success"), 1);

  std::filesystem::create_directory_symlink("renewed", here + "/next");
  std::filesystem::rename(here + "/next", here + "/data");
  manager_.look();
  EXPECT_EQ(shown(*made), "CN=renewed");

  // Half of a rotation: what was in force stays until the other half is there.
  std::ofstream(here + "/renewed/tls.crt") << test::caFile("ecdsa.pem");
  manager_.look();
  EXPECT_EQ(shown(*made), "CN=renewed");
  EXPECT_EQ(metric("tls.secret.listener public/tls_certificates[0].update_rejected"), 1);
  manager_.look();
  EXPECT_EQ(metric("tls.secret.listener public/tls_certificates[0].update_rejected"), 1);
  std::ofstream(here + "/renewed/tls.key") << test::caFile("ecdsa.key");
  manager_.look();
  EXPECT_EQ(shown(*made), "CN=ecdsa");
}

TEST_F(SecretManagerTest, LooksByItself) {
  const std::string path = ::testing::TempDir() + "/by_itself.pem";
  const std::string key = ::testing::TempDir() + "/by_itself.key";
  std::ofstream(path) << test::caFile("ecdsa.pem");
  std::ofstream(key) << test::caFile("ecdsa.key");
  auto spec = std::make_shared<SecretSpec>();
  spec->name = "web";
  spec->value =
      CertificateSpec{.chain = file(path), .key = file(key), .password = {}, .ocsp_staple = {}};
  ASSERT_TRUE(manager_.put(spec).ok());
  const auto made = factory(serverNaming("web"));
  std::ofstream(key) << test::caFile("renewed.key");
  std::ofstream(path) << test::caFile("renewed.pem");
  ASSERT_TRUE(pair_.loop.runUntil([&] { return metric("tls.secret.web.update_success") == 2; }));
  EXPECT_EQ(shown(*made), "CN=renewed");
}

TEST_F(SecretManagerTest, KnowsWhenTheFirstCertificateExpires) {
  EXPECT_EQ(metric("server.days_until_first_cert_expiring"), 4294967295);
  const auto stapled = certificateSecret("web", "ecdsa");
  std::get<CertificateSpec>(stapled->value).ocsp_staple = bytes("ecdsa.ocsp");
  ASSERT_TRUE(manager_.put(stapled).ok());
  EXPECT_EQ(metric("server.days_until_first_cert_expiring"), 89);
  EXPECT_EQ(metric("tls.secret.web.days_until_expiration"), 89);
  EXPECT_GT(metric("tls.secret.web.ocsp_expiration_unix_time_seconds"), 0);
  ASSERT_TRUE(manager_.put(certificateSecret("client", "client")).ok());
  EXPECT_EQ(metric("server.days_until_first_cert_expiring"), 29);
  pair_.clock.shift = std::chrono::hours(24 * 31);
  manager_.look();
  EXPECT_EQ(metric("server.days_until_first_cert_expiring"), 0);
  EXPECT_EQ(metric("tls.secret.client.days_until_expiration"), -2);
}

TEST_F(SecretManagerTest, JoinsValidationAndTicketKeys) {
  auto trust = std::make_shared<SecretSpec>();
  trust->name = "trust";
  trust->value = ValidationSpec{.trusted_ca = bytes("ca.pem")};
  auto keys = std::make_shared<SecretSpec>();
  keys->name = "keys";
  keys->value = TicketKeysSpec{{bytes("ticket1.key"), bytes("ticket2.key")}};
  const auto spec = serverNaming("web");
  spec->common.validation = SecretRef{.name = "trust", .value = nullptr};
  spec->ticket_keys = SecretRef{.name = "keys", .value = nullptr};
  const auto made = factory(spec);
  EXPECT_EQ(shown(*made), "");
  ASSERT_TRUE(manager_.put(trust).ok());
  ASSERT_TRUE(manager_.put(keys).ok());
  EXPECT_EQ(shown(*made), "");
  ASSERT_TRUE(manager_.put(certificateSecret("web", "ecdsa")).ok());
  EXPECT_EQ(shown(*made), "CN=ecdsa");
  // A secret of another kind is not usable, and changes nothing.
  auto wrong = certificateSecret("trust", "ecdsa");
  ASSERT_TRUE(manager_.put(wrong).ok());
  EXPECT_EQ(shown(*made), "CN=ecdsa");
}

TEST_F(SecretManagerTest, AdmitsSpecsByTheirSecretsInPlace) {
  ServerSpec spec;
  spec.common.certificates = {{.name = {}, .value = certificateSecret("", "ecdsa")}};
  EXPECT_TRUE(manager_.admit(spec).ok());
  spec.common.certificates.push_back({.name = "not here yet", .by_sds = true});
  EXPECT_TRUE(manager_.admit(spec).ok());
  ServerSpec of_bootstrap;
  of_bootstrap.common.certificates = {{.name = "site"}};
  EXPECT_THAT(std::string(manager_.admit(of_bootstrap).message()),
              HasSubstr("secret site: static_resources.secrets has none of this name"));
  ASSERT_TRUE(manager_.put(certificateSecret("site", "ecdsa")).ok());
  EXPECT_TRUE(manager_.admit(of_bootstrap).ok());
  const auto bad = certificateSecret("", "ecdsa");
  std::get<CertificateSpec>(bad->value).key = bytes("rsa.key");
  spec.common.certificates.push_back({.name = {}, .value = bad});
  EXPECT_THAT(std::string(manager_.admit(spec).message()),
              HasSubstr("secret tls_certificates[2]: private_key: is not the key"));

  ServerSpec keys;
  auto short_key = std::make_shared<SecretSpec>();
  short_key->value = TicketKeysSpec{{{.path = {}, .bytes = "short"}}};
  keys.ticket_keys = SecretRef{.name = {}, .value = short_key};
  EXPECT_THAT(std::string(manager_.admit(keys).message()),
              HasSubstr("session_ticket_keys: keys[0]: must be 80 bytes"));

  ClientSpec client;
  auto trust = std::make_shared<SecretSpec>();
  trust->value = ValidationSpec{.trusted_ca = {.path = "/missing/ca", .bytes = {}}};
  client.common.validation = SecretRef{.name = {}, .value = trust};
  EXPECT_THAT(std::string(manager_.admit(client).message()),
              HasSubstr("validation_context: trusted_ca: file /missing/ca"));
}

TEST_F(SecretManagerTest, MakesClientsToo) {
  auto spec = std::make_shared<ClientSpec>();
  spec->common.validation = SecretRef{.name = "trust", .value = nullptr};
  const auto made = manager_.makeFactory(spec, "cluster web", "cluster", {{"cluster_name", "web"}});
  EXPECT_EQ(made->create(1), nullptr);
  auto trust = std::make_shared<SecretSpec>();
  trust->name = "trust";
  trust->value = ValidationSpec{.trusted_ca = bytes("ca.pem")};
  ASSERT_TRUE(manager_.put(trust).ok());
  EXPECT_NE(made->create(1), nullptr);
  EXPECT_EQ(metric("cluster.web.ssl.context_secrets_not_ready"), 1);
}

TEST_F(SecretManagerTest, ASecretIsOfTheKindThatItsUsersNeed) {
  auto spec = std::make_shared<ServerSpec>();
  spec->common.certificates = {{.name = "site", .by_sds = true}};
  const auto made = factory(spec);
  EXPECT_TRUE(manager_.admit(*certificateSecret("site", "ecdsa")).ok());
  SecretSpec trust{
      .name = "site", .value = ValidationSpec{.trusted_ca = bytes("ca.pem")}, .version = "1"};
  EXPECT_THAT(std::string(manager_.admit(trust).message()),
              HasSubstr("uses it as a tls_certificate"));
}

TEST_F(SecretManagerTest, AForgottenSecretGoesWithItsLastUser) {
  ASSERT_TRUE(manager_.put(certificateSecret("site", "ecdsa")).ok());
  auto spec = std::make_shared<ServerSpec>();
  spec->common.certificates = {{.name = "site", .by_sds = true}};
  auto made = factory(spec);
  manager_.forget("site");
  EXPECT_TRUE(manager_.has("site"));
  made.reset();
  manager_.look();
  EXPECT_FALSE(manager_.has("site"));
}

TEST_F(SecretManagerTest, ShowsItsCertificates) {
  ASSERT_TRUE(manager_.put(certificateSecret("site", "ecdsa")).ok());
  const std::vector<SecretView> all = manager_.certificates();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name, "site");
  ASSERT_EQ(all[0].chain.size(), 1u);
  EXPECT_EQ(all[0].chain[0].dns_names.front(), "example.com");
  EXPECT_EQ(all[0].chain[0].ips.front(), "127.0.0.1");
  EXPECT_LT(all[0].chain[0].valid_from, all[0].chain[0].expires_at);
}

}  // namespace
}  // namespace convoy::tls
