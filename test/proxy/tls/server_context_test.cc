#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "proxy/tls/context.h"
#include "test/proxy/tls/tls_pair.h"

namespace convoy::tls {
namespace {

using ::testing::HasSubstr;

Sides twoKinds() {
  Sides setup;
  setup.server_material.certificates = {certificateOf("rsa"), certificateOf("ecdsa"),
                                        certificateOf("wildcard"), certificateOf("other"),
                                        certificateOf("p384")};
  return setup;
}

TEST(ServerContext, ChoosesByNameAndKind) {
  const struct {
    const char* sni;
    std::vector<std::string> ciphers;  // the client's, which make it TLS 1.2; empty: TLS 1.3
    const char* subject;
  } cases[] = {
      {"example.com", {}, "CN=ecdsa"},
      {"www.example.com", {}, "CN=ecdsa"},
      {"WWW.example.com", {}, "CN=ecdsa"},
      {"a.example.org", {}, "CN=wildcard"},
      {"a.b.example.org", {}, "CN=ecdsa"},  // unknown: the first's names
      {"other.example.net", {}, "CN=other"},
      {"p384.example.com", {}, "CN=p384"},
      {"unknown.test", {}, "CN=ecdsa"},
      {"", {}, "CN=ecdsa"},
      {"example.com", {"ECDHE-RSA-AES128-GCM-SHA256"}, "CN=rsa"},
      {"example.com", {"ECDHE-ECDSA-AES128-GCM-SHA256"}, "CN=ecdsa"},
      {"example.com", {"ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"}, "CN=ecdsa"},
  };
  for (const auto& c : cases) {
    Sides setup = twoKinds();
    setup.client.sni = c.sni;
    setup.client.common.cipher_suites = c.ciphers;
    if (!c.ciphers.empty()) setup.client.common.max_version = Version::Tls12;
    TlsPair pair;
    ASSERT_TRUE(pair.joinAndHandshake(setup)) << c.sni;
    EXPECT_EQ(pair.shownCertificate(), c.subject) << c.sni;
    std::string lower = c.sni;
    for (char& ch : lower) ch = static_cast<char>(std::tolower(ch));
    EXPECT_EQ(pair.serverInfo().server_name.size(), lower.size());
  }
}

TEST(ServerContext, FailsWhereTheKindsDoNotMeet) {
  Sides setup;
  setup.client.common.max_version = Version::Tls12;
  setup.client.common.cipher_suites = {"ECDHE-RSA-AES128-GCM-SHA256"};
  TlsPair pair;
  EXPECT_FALSE(pair.joinAndHandshake(setup));
  EXPECT_EQ(pair.serverInfo().failure, "no_shared_cipher");
  EXPECT_EQ(pair.clientInfo().failure, "peer_alert");
}

TEST(ServerContext, MayDemandAServerName) {
  Sides setup;
  setup.server.require_sni = true;
  TlsPair pair;
  EXPECT_FALSE(pair.joinAndHandshake(setup));
  EXPECT_EQ(pair.serverInfo().failure, "server_name_missing");
  setup.client.sni = "example.com";
  EXPECT_TRUE(pair.joinAndHandshake(setup));
}

TEST(ServerContext, AsksForClientCertificates) {
  const struct {
    bool required;
    const char* certificate;  // the client's; null: none
    std::vector<SanMatch> names;
    const char* failure;  // null: accepted
  } cases[] = {
      {false, nullptr, {}, nullptr},
      {true, nullptr, {}, "peer_certificate_missing"},
      {true, "client", {}, nullptr},
      {false, "client", {}, nullptr},
      {false, "untrusted", {}, "peer_certificate_untrusted"},
      {true, "untrusted", {}, "peer_certificate_untrusted"},
      {true,
       "client",
       {{SanMatch::Type::Uri, SanMatch::Kind::Prefix, "spiffe://example.org/ns/shop/", false}},
       nullptr},
      {true,
       "client",
       {{SanMatch::Type::Uri, SanMatch::Kind::Prefix, "spiffe://example.org/ns/cart/", false}},
       "peer_name_mismatch"},
      {true,
       "client",
       {{SanMatch::Type::Uri, SanMatch::Kind::Exact, "spiffe://other", false},
        {SanMatch::Type::Dns, SanMatch::Kind::Exact, "client.example.com", false}},
       nullptr},
  };
  for (const auto& c : cases) {
    for (const Version version : {Version::Tls12, Version::Tls13}) {
      Sides setup;
      setup.server.common.max_version = version;
      setup.server.require_client_certificate = c.required;
      setup.server_material.validation = validationOf("ca.pem", c.names);
      if (c.certificate != nullptr) {
        setup.client_material.certificates = {certificateOf(c.certificate)};
      }
      TlsPair pair;
      pair.join(setup);
      // In TLS 1.3 a client learns of its refusal only after its own end of the handshake.
      ASSERT_TRUE(pair.loop.runUntil([&] { return pair.server.connected || pair.server.closed; }));
      ASSERT_EQ(pair.server.connected, c.failure == nullptr);
      if (c.failure != nullptr) {
        EXPECT_EQ(pair.serverInfo().failure, c.failure);
        ASSERT_TRUE(pair.loop.runUntil([&] { return pair.client.closed.has_value(); }));
      } else if (c.certificate == nullptr) {
        EXPECT_EQ(pair.serverInfo().peer, nullptr);
        EXPECT_EQ(pair.server_metrics.no_certificate.value(), 1u);
      } else {
        ASSERT_NE(pair.serverInfo().peer, nullptr);
        EXPECT_EQ(pair.serverInfo().peer->uris.at(0), "spiffe://example.org/ns/shop/sa/web");
      }
    }
  }
}

TEST(ServerContext, StaplesWhatIsValidAndAskedFor) {
  const struct {
    OcspPolicy policy;
    bool stapled;
    int days_later;
    const char* failure;  // null: none
    bool shown;
  } cases[] = {
      {OcspPolicy::Lenient, true, 0, nullptr, true},
      {OcspPolicy::Lenient, true, 8, nullptr, false},
      {OcspPolicy::Lenient, false, 0, nullptr, false},
      {OcspPolicy::Strict, true, 0, nullptr, true},
      {OcspPolicy::Strict, true, 8, "ocsp_staple_missing", false},
      {OcspPolicy::Strict, false, 0, nullptr, false},
      {OcspPolicy::MustStaple, true, 0, nullptr, true},
      {OcspPolicy::MustStaple, true, 8, "ocsp_staple_missing", false},
      {OcspPolicy::MustStaple, false, 0, "ocsp_staple_missing", false},
  };
  for (const auto& c : cases) {
    Sides setup;
    setup.server.ocsp_policy = c.policy;
    setup.server_material.certificates = {certificateOf("ecdsa", c.stapled)};
    TlsPair pair;
    pair.clock.shift = std::chrono::hours(24 * c.days_later);
    pair.join(setup);
    SSL_enable_ocsp_stapling(pair.clientSsl());
    EXPECT_EQ(pair.handshake(), c.failure == nullptr);
    if (c.failure != nullptr) {
      EXPECT_EQ(pair.serverInfo().failure, c.failure);
      EXPECT_EQ(pair.server_metrics.ocsp_staple_failed.value(), 1u);
      continue;
    }
    const uint8_t* bytes = nullptr;
    size_t size = 0;
    SSL_get0_ocsp_response(pair.clientSsl(), &bytes, &size);
    EXPECT_EQ(size > 0, c.shown);
    EXPECT_EQ(pair.server_metrics.ocsp_staple_requests.value(), 1u);
    EXPECT_EQ(pair.server_metrics.ocsp_staple_responses.value(), c.shown ? 1u : 0u);
    EXPECT_EQ(pair.server_metrics.ocsp_staple_omitted.value(), c.shown ? 0u : 1u);
  }
}

// --- resumption ---

std::shared_ptr<const TicketKeys> keysOf(const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  for (const std::string& name : names) keys.push_back(test::caFile(name));
  return TicketKeys::make(keys).value();
}

// Does a session of the first server resume at the second?
bool resumes(const Sides& first, const Sides& second, Version version) {
  TlsPair pair;
  Sides client = first;
  client.client.common.max_version = version;
  const auto context = client.clientContext(pair.clock);
  pair.join(context, first.serverContext(pair.clock));
  EXPECT_TRUE(pair.handshake());
  pair.exchange();
  EXPECT_FALSE(pair.serverInfo().resumed);
  pair.join(context, second.serverContext(pair.clock));
  EXPECT_TRUE(pair.handshake());
  EXPECT_EQ(pair.serverInfo().resumed, pair.clientInfo().resumed);
  return pair.serverInfo().resumed;
}

TEST(ServerContext, AFleetWithTheSameKeysResumes) {
  for (const Version version : {Version::Tls12, Version::Tls13}) {
    Sides a;
    a.server_material.ticket_keys = keysOf({"ticket1.key"});
    Sides rotated;
    rotated.server_material.ticket_keys = keysOf({"ticket2.key", "ticket1.key"});
    Sides other;
    other.server_material.ticket_keys = keysOf({"ticket2.key"});
    EXPECT_TRUE(resumes(a, a, version));
    EXPECT_TRUE(resumes(a, rotated, version));
    EXPECT_FALSE(resumes(a, other, version));
    EXPECT_FALSE(resumes(rotated, a, version));
    // Without keys of the configuration, each context has its own.
    EXPECT_FALSE(resumes(Sides(), Sides(), version));
    Sides renewed = a;
    renewed.server_material.certificates = {certificateOf("renewed")};
    EXPECT_TRUE(resumes(a, renewed, version));
    Sides none = a;
    none.server.tickets = false;
    EXPECT_FALSE(resumes(none, none, version));
  }
}

TEST(ServerContext, ResumesAcrossKindsOfCertificates) {
  Sides both = twoKinds();
  both.server_material.ticket_keys = keysOf({"ticket1.key"});
  EXPECT_TRUE(resumes(both, both, Version::Tls13));
  EXPECT_TRUE(resumes(both, both, Version::Tls12));
}

TEST(ServerContext, DoesNotResumeWhereMoreIsAskedOfTheClient) {
  for (const Version version : {Version::Tls12, Version::Tls13}) {
    Sides open;
    open.server_material.ticket_keys = keysOf({"ticket1.key"});
    open.client_material.certificates = {certificateOf("client")};
    Sides asking = open;
    asking.server_material.validation = validationOf("ca.pem");
    asking.server.require_client_certificate = true;
    EXPECT_FALSE(resumes(open, asking, version));
    EXPECT_TRUE(resumes(asking, asking, version));
    Sides narrower = asking;
    narrower.server_material.validation = validationOf(
        "ca.pem", {{SanMatch::Type::Dns, SanMatch::Kind::Exact, "client.example.com", false}});
    EXPECT_FALSE(resumes(asking, narrower, version));
  }
}

Sides askingForClients(Version version) {
  Sides setup;
  setup.server.session_timeout = std::chrono::hours(24);
  setup.server.require_client_certificate = true;
  setup.server_material.validation = validationOf("ca.pem");
  setup.server_material.ticket_keys = keysOf({"ticket1.key"});
  setup.client.common.max_version = version;
  setup.client_material.certificates = {certificateOf("client")};
  return setup;
}

// Connections in the last hour of the client's certificate.
struct LastHour {
  explicit LastHour(const Sides& setup) {
    pair.goToTheLastHourOf("client.pem");
    client = setup.clientContext(pair.clock);
    server = setup.serverContext(pair.clock);
    useClockInLibrary(pair.clock, *server);
  }
  // Has a session for the next time; false: the server refused.
  bool connects() {
    pair.join(client, server);
    EXPECT_TRUE(pair.loop.runUntil([&] { return pair.server.connected || pair.server.closed; }));
    if (pair.server.connected) pair.exchange();
    return pair.server.connected;
  }

  TlsPair pair;
  std::shared_ptr<const ClientContext> client;
  std::shared_ptr<const ServerContext> server;
};

TEST(ServerContext, NoSessionOutlivesTheClientsCertificate) {
  for (const Version version : {Version::Tls12, Version::Tls13}) {
    LastHour last(askingForClients(version));
    ASSERT_TRUE(last.connects());
    last.pair.pass(std::chrono::minutes(55));
    ASSERT_TRUE(last.connects());
    EXPECT_TRUE(last.pair.serverInfo().resumed);
    // Resuming did not renew it either.
    last.pair.pass(std::chrono::minutes(10));
    EXPECT_FALSE(last.connects());
    EXPECT_EQ(last.pair.serverInfo().failure, "peer_certificate_expired");
    EXPECT_EQ(last.pair.server_metrics.fail_verify_error.value(), 1u);
  }
}

TEST(ServerContext, AClientThatRenewedItsCertificateIsServedInSpiteOfItsOldSession) {
  for (const Version version : {Version::Tls12, Version::Tls13}) {
    Sides setup = askingForClients(version);
    LastHour last(setup);
    ASSERT_TRUE(last.connects());
    last.pair.pass(std::chrono::minutes(65));
    setup.client_material.certificates = {certificateOf("renewed")};
    const auto before = std::exchange(last.client, setup.clientContext(last.pair.clock));
    const auto offered = before->newSsl();
    last.client->keep(bssl::UpRef(SSL_get_session(offered.get())));
    ASSERT_TRUE(last.connects());
    EXPECT_FALSE(last.pair.serverInfo().resumed);
    EXPECT_EQ(last.pair.serverInfo().peer->subject, "CN=renewed");
  }
}

TEST(ServerContext, WhoeverAllowsExpiredCertificatesResumesTheirSessions) {
  ValidationSpec lenient;
  lenient.allow_expired = true;
  for (const Version version : {Version::Tls12, Version::Tls13}) {
    Sides setup = askingForClients(version);
    setup.server_material.validation =
        Validation::make(lenient, {.trusted_ca = test::caFile("ca.pem"), .crl = {}}, nullptr)
            .value();
    LastHour last(setup);
    ASSERT_TRUE(last.connects());
    last.pair.pass(std::chrono::minutes(65));
    ASSERT_TRUE(last.connects());
    EXPECT_TRUE(last.pair.serverInfo().resumed);
  }
}

// The library ages sessions by a clock of its own; what it was told can be seen.
TEST(ServerContext, TellsTheLibraryHowLongASessionHolds) {
  Sides setup;
  setup.server.session_timeout = std::chrono::seconds(60);
  TlsPair pair;
  const auto server = setup.serverContext(pair.clock);
  EXPECT_EQ(SSL_CTX_get_timeout(SSL_get_SSL_CTX(server->newSsl().get())), 60u);
}

TEST(ServerContext, RefusesWhatCannotServe) {
  const test::ShiftedClock clock;
  const auto refused = [&](const Sides& setup) {
    const auto made = ServerContext::make(std::make_shared<ServerSpec>(setup.server),
                                          setup.server_material, clock);
    return made.ok() ? "" : std::string(made.status().message());
  };
  Sides none;
  none.server_material.certificates.clear();
  EXPECT_THAT(refused(none), HasSubstr("tls_certificates"));
  Sides blind;
  blind.server.require_client_certificate = true;
  EXPECT_THAT(refused(blind), HasSubstr("require_client_certificate"));
  Sides ciphers;
  ciphers.server.common.cipher_suites = {"RC4-MD5"};
  EXPECT_THAT(refused(ciphers), HasSubstr("tls_params.cipher_suites: RC4-MD5"));
  Sides curves;
  curves.server.common.curves = {"P-999"};
  EXPECT_THAT(refused(curves), HasSubstr("tls_params.ecdh_curves: P-999"));
}

}  // namespace
}  // namespace convoy::tls
