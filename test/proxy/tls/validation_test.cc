#include "proxy/tls/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/tls/certificate.h"
#include "test/common/test_ca.h"

namespace convoy::tls {
namespace {

using ::testing::HasSubstr;

struct Presented {
  explicit Presented(const std::string& file)
      : certificates(readPemCertificates(test::caFile(file)).value()) {}
  Failure check(const Validation& validation, event::WallTime now) {
    const bssl::UniquePtr<SSL_CTX> ssl(SSL_CTX_new(TLS_method()));
    EXPECT_TRUE(validation.install(ssl.get(), true).ok());
    const bssl::UniquePtr<STACK_OF(X509)> chain(sk_X509_new_null());
    for (const auto& certificate : certificates) {
      X509_up_ref(certificate.get());
      sk_X509_push(chain.get(), certificate.get());
    }
    const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), SSL_CTX_get_cert_store(ssl.get()), certificates[0].get(),
                        chain.get());
    const Failure failure = validation.check(context.get(), now);
    EXPECT_EQ(X509_STORE_CTX_get_error(context.get()) == X509_V_OK, failure == Failure::None);
    return failure;
  }
  std::vector<bssl::UniquePtr<X509>> certificates;
};

TEST(Validation, ChecksTrustRevocationAndPins) {
  const test::ShiftedClock clock;
  const std::string ca = test::caFile("ca.pem");
  const std::string crl = test::caFile("ca.crl");
  const std::string hash = sha256Hex(readPemCertificates(test::caFile("ecdsa.pem"))->front().get());
  const std::string other_pin(44, 'A');
  const struct {
    const char* file;
    ValidationSpec spec;
    Validation::Data data;
    int days_later;
    Failure failure;
  } cases[] = {
      {"ecdsa.pem", {}, {ca, {}}, 0, Failure::None},
      {"untrusted.pem", {}, {ca, {}}, 0, Failure::PeerCertificateUntrusted},
      {"untrusted.pem", {.accept_untrusted = true}, {ca, {}}, 0, Failure::None},
      {"ecdsa.pem", {}, {ca, {}}, 91, Failure::PeerCertificateExpired},
      {"ecdsa.pem", {.allow_expired = true}, {ca, {}}, 91, Failure::None},
      {"untrusted.pem", {.allow_expired = true}, {ca, {}}, 91, Failure::PeerCertificateUntrusted},
      {"client.pem", {}, {ca, {}}, 0, Failure::None},
      {"client.pem", {}, {ca, crl}, 0, Failure::PeerCertificateRevoked},
      {"ecdsa.pem", {}, {ca, crl}, 0, Failure::None},
      {"chained_chain.pem", {}, {ca, {}}, 0, Failure::None},
      {"chained_chain.pem",
       {.only_leaf_crl = true},
       {ca, crl},
       0,
       Failure::PeerCertificateUntrusted},
      {"ecdsa.pem", {.certificate_hashes = {hash}}, {ca, {}}, 0, Failure::None},
      {"rsa.pem", {.certificate_hashes = {hash}}, {ca, {}}, 0, Failure::PeerPinMismatch},
      {"ecdsa.pem", {.certificate_hashes = {hash}}, {{}, {}}, 0, Failure::None},
      {"ecdsa.pem", {.spki_pins = {other_pin}}, {ca, {}}, 0, Failure::PeerPinMismatch},
      {"ecdsa.pem",
       {.spki_pins = {other_pin}, .certificate_hashes = {hash}},
       {ca, {}},
       0,
       Failure::None},
      {"chained_chain.pem", {.max_depth = 1}, {ca, {}}, 0, Failure::PeerCertificateUntrusted},
      {"chained_chain.pem", {.max_depth = 2}, {ca, {}}, 0, Failure::None},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    const auto made = Validation::make(cases[i].spec, cases[i].data, nullptr);
    ASSERT_TRUE(made.ok()) << made.status();
    const event::WallTime now = clock.wallNow() + std::chrono::hours(24 * cases[i].days_later);
    EXPECT_EQ(Presented(cases[i].file).check(**made, now), cases[i].failure) << i;
  }
}

TEST(Validation, TakesThePinOfAKey) {
  // The pin as openssl makes it: base64 of SHA-256 of the SubjectPublicKeyInfo.
  ValidationSpec spec;
  spec.spki_pins = {test::caFile("ecdsa.pin").substr(0, 44)};
  const auto made = Validation::make(spec, {}, nullptr);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(Presented("ecdsa.pem").check(**made, {}), Failure::None);
  EXPECT_EQ(Presented("rsa.pem").check(**made, {}), Failure::PeerPinMismatch);
}

TEST(Validation, ExtraRulesHoldAsWell) {
  const test::ShiftedClock clock;
  ValidationSpec extra;
  extra.names = {{SanMatch::Type::Dns, SanMatch::Kind::Exact, "example.com", false}};
  const auto made = Validation::make({}, {test::caFile("ca.pem"), {}}, &extra);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(Presented("ecdsa.pem").check(**made, clock.wallNow()), Failure::None);
  EXPECT_EQ(Presented("other.pem").check(**made, clock.wallNow()), Failure::PeerNameMismatch);
  const auto without = Validation::make({}, {test::caFile("ca.pem"), {}}, nullptr);
  EXPECT_NE((*made)->fingerprint(), (*without)->fingerprint());
  EXPECT_TRUE((*made)->verifies());
  EXPECT_GT((*made)->expiresAt(), clock.wallNow() + std::chrono::hours(24 * 3000));
}

TEST(Validation, RefusesByPart) {
  const std::string crl = test::caFile("ca.crl");
  const std::string half = crl.substr(0, crl.size() / 2);
  const struct {
    ValidationSpec spec;
    Validation::Data data;
    const char* message;
  } cases[] = {
      {{}, {"text", {}}, "trusted_ca: no certificate"},
      {{}, {test::caFile("ca.pem"), "text"}, "crl: no revocation list"},
      // A file that somebody is still writing.
      {{}, {test::caFile("ca.pem"), half}, "crl: revocation list 1 in it cannot be read"},
      {{}, {test::caFile("ca.pem"), crl + half}, "crl: revocation list 2 in it cannot be read"},
      {{.names = {{SanMatch::Type::Dns, SanMatch::Kind::Exact, "a", false}}},
       {{}, {}},
       "match_typed_subject_alt_names: "},
  };
  for (const auto& c : cases) {
    const auto made = Validation::make(c.spec, c.data, nullptr);
    ASSERT_FALSE(made.ok()) << c.message;
    EXPECT_THAT(std::string(made.status().message()), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace convoy::tls
