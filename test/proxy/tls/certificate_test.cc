#include "proxy/tls/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/common/ocsp_cases.h"
#include "test/common/test_ca.h"

namespace convoy::tls {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Kind = Certificate::Kind;

CertificateData data(const std::string& chain, const std::string& key) {
  return {.chain = test::caFile(chain), .key = test::caFile(key), .password = {}, .ocsp = {}};
}

TEST(Certificate, TakesTheKindsOfKeys) {
  const struct {
    const char* name;
    Kind kind;
  } cases[] = {{"ecdsa", Kind::EcdsaP256}, {"rsa", Kind::Rsa}, {"p384", Kind::EcdsaP384}};
  for (const auto& c : cases) {
    const auto made =
        Certificate::make(data(std::string(c.name) + ".pem", std::string(c.name) + ".key"));
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ((*made)->kind(), c.kind);
  }
}

TEST(Certificate, KnowsItsNamesAndItsEnd) {
  const test::ShiftedClock clock;
  const auto ecdsa = Certificate::make(data("ecdsa.pem", "ecdsa.key"));
  ASSERT_TRUE(ecdsa.ok()) << ecdsa.status();
  EXPECT_THAT((*ecdsa)->names(), ElementsAre("example.com", "www.example.com"));
  const auto left = (*ecdsa)->expiresAt() - clock.wallNow();
  EXPECT_GT(left, std::chrono::hours(24 * 89));
  EXPECT_LE(left, std::chrono::hours(24 * 90));
  const auto plain = Certificate::make(data("plain.pem", "plain.key"));
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_THAT((*plain)->names(), ElementsAre("plain.example.com"));
}

TEST(Certificate, TakesAChainInOrder) {
  const auto made = Certificate::make(data("chained_chain.pem", "chained.key"));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(sk_X509_num((*made)->chain()), 1u);
}

TEST(Certificate, TakesAnEncryptedKey) {
  CertificateData encrypted = data("ecdsa.pem", "encrypted.key");
  EXPECT_FALSE(Certificate::make(encrypted).ok());
  encrypted.password = "wrong";
  EXPECT_FALSE(Certificate::make(encrypted).ok());
  encrypted.password = "secret";
  EXPECT_TRUE(Certificate::make(encrypted).ok());
}

TEST(Certificate, TakesItsOcspResponse) {
  const test::ShiftedClock clock;
  for (const char* const chain : {"ecdsa.pem", "ecdsa_with_ca.pem"}) {
    CertificateData stapled = data(chain, "ecdsa.key");
    stapled.ocsp = test::caFile("ecdsa.ocsp");
    const auto made = Certificate::make(stapled);
    ASSERT_TRUE(made.ok()) << made.status();
    ASSERT_TRUE((*made)->ocsp().has_value());
    EXPECT_TRUE((*made)->ocsp()->validAt(clock.wallNow()));
  }
}

TEST(Certificate, TakesOnlyGoodOcspResponsesOfWhoMaySignThem) {
  for (const test::OcspCase& c : test::ocspCases()) {
    const auto made = Certificate::make(
        {.chain = c.chain, .key = test::caFile("ecdsa.key"), .password = {}, .ocsp = c.der});
    if (c.refused == nullptr) {
      EXPECT_TRUE(made.ok()) << c.what << ": " << made.status();
      continue;
    }
    ASSERT_FALSE(made.ok()) << c.what;
    EXPECT_THAT(std::string(made.status().message()),
                AllOf(StartsWith("ocsp_staple: "), HasSubstr(c.refused)))
        << c.what;
  }
}

TEST(Certificate, AnOcspResponseHoldsNoLongerThanItsRespondersCertificate) {
  const test::ShiftedClock clock;
  CertificateData stapled = data("ecdsa_with_ca.pem", "ecdsa.key");
  stapled.ocsp = test::ocspOfAShortLivedResponder();
  const auto made = Certificate::make(stapled);
  ASSERT_TRUE(made.ok()) << made.status();
  const OcspResponse& response = *(*made)->ocsp();
  EXPECT_TRUE(response.validAt(clock.wallNow()));
  EXPECT_GT(response.next_update, clock.wallNow() + std::chrono::hours(24 * 2));
  EXPECT_LE(response.next_update, clock.wallNow() + std::chrono::hours(24 * 3));
}

TEST(Certificate, RefusesByPartAndRule) {
  const std::string good = test::caFile("ecdsa.pem");
  const struct {
    CertificateData data;
    const char* message;
  } cases[] = {
      {{.chain = "", .key = "", .password = {}, .ocsp = {}}, "certificate_chain: no certificate"},
      {{.chain = "text", .key = "", .password = {}, .ocsp = {}},
       "certificate_chain: no certificate"},
      {{.chain = good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        .key = test::caFile("ecdsa.key"),
        .password = {},
        .ocsp = {}},
       "certificate_chain: certificate 2 in it cannot be read"},
      {data("ecdsa.pem", "rsa.key"), "private_key: is not the key of the first certificate"},
      {data("ecdsa.pem", "renewed.key"), "private_key: is not the key of the first certificate"},
      {data("ecdsa.pem", "ecdsa.pem"), "private_key: cannot be read"},
      {data("chained_wrong.pem", "chained.key"), "did not sign certificate 1"},
      {data("weak.pem", "weak.key"), "at least 2048 bits"},
      {data("ed25519.pem", "ed25519.key"), "private_key: must be RSA, or ECDSA"},
      {{.chain = good,
        .key = test::caFile("ecdsa.key"),
        .password = {},
        .ocsp = test::caFile("renewed.ocsp")},
       "ocsp_staple: is about another certificate"},
      {{.chain = good, .key = test::caFile("ecdsa.key"), .password = {}, .ocsp = "x"},
       "ocsp_staple: OCSP response"},
      {{.chain = test::caFile("other.pem"),
        .key = test::caFile("other.key"),
        .password = {},
        .ocsp = test::caFile("other.ocsp")},
       "revoked"},
  };
  for (const auto& c : cases) {
    const auto made = Certificate::make(c.data);
    ASSERT_FALSE(made.ok()) << c.message;
    const std::string message(made.status().message());
    EXPECT_THAT(message, HasSubstr(c.message));
    EXPECT_THAT(message, Not(HasSubstr("PRIVATE KEY")));
  }
}

TEST(PeerIdentity, HoldsNamesAndHash) {
  const auto read = readPemCertificates(test::caFile("client.pem"));
  ASSERT_TRUE(read.ok());
  const net::PeerIdentity identity = identityOf(read->front().get());
  EXPECT_EQ(identity.subject, "CN=client,O=Convoy");
  EXPECT_THAT(identity.uris, ElementsAre("spiffe://example.org/ns/shop/sa/web"));
  EXPECT_THAT(identity.dns_names, ElementsAre("client.example.com"));
  EXPECT_EQ(identity.sha256.size(), 64u);
  EXPECT_THAT(identity.pem, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(subjectAlternativeNames(read->front().get(), SanKind::Email),
              ElementsAre("a@example.com"));
}

}  // namespace
}  // namespace convoy::tls
