#include "controlplane/validate/x509.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "test/common/test_ca.h"

namespace convoy::controlplane::validate {
namespace {

using test::caFile;

Certificates certificates(const std::string& file) {
  auto read = Certificates::parse(caFile(file));
  EXPECT_TRUE(read.ok()) << read.status();
  return std::move(*read);
}

TEST(X509Test, SaysWhatMayBeShown) {
  const v1::CertificateInfo info = certificates("client.pem").info(0);
  EXPECT_EQ(info.subject(), "CN=client,O=Convoy");
  EXPECT_EQ(absl::StrJoin(info.subject_alt_names(), " "),
            "URI:spiffe://example.org/ns/shop/sa/web DNS:client.example.com email:a@example.com");
  EXPECT_EQ(info.not_after().seconds() - info.not_before().seconds(), 30 * 86'400);
  EXPECT_EQ(info.sha256().size(), 64u);
  EXPECT_EQ(absl::StrJoin(certificates("rsa.pem").info(0).subject_alt_names(), " "),
            "DNS:example.com DNS:www.example.com IP:127.0.0.1");
}

TEST(X509Test, KnowsKindsOfKeysAndWhichAreStrongEnough) {
  const std::pair<std::string, std::string> rows[] = {
      {"ecdsa", "ECDSA P-256: good"}, {"p384", "ECDSA P-384: good"}, {"rsa", "RSA 2048: good"},
      {"weak", "RSA 1024: bad"},      {"ed25519", "ED25519: bad"},
  };
  for (const auto& [name, expected] : rows) {
    const auto key = parsePrivateKey(caFile(name + ".key"));
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(absl::StrCat(keyTypeText(key->get()),
                           checkKeyStrength(key->get()).ok() ? ": good" : ": bad"),
              expected);
    EXPECT_EQ(certificates(name + ".pem").info(0).key_type(), keyTypeText(key->get()));
    EXPECT_TRUE(isKeyOf(key->get(), certificates(name + ".pem").leaf()));
    EXPECT_FALSE(isKeyOf(key->get(), certificates("other.pem").leaf()));
    // PKCS#8 from whatever it was; the same again.
    const std::string pem = privateKeyPem(key->get());
    EXPECT_EQ(pem.rfind("-----BEGIN PRIVATE KEY-----", 0), 0u);
    EXPECT_EQ(privateKeyPem(parsePrivateKey(pem)->get()), pem);
  }
}

TEST(X509Test, ReadsKeysBehindTheirParameters) {
  const std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  EXPECT_TRUE(parsePrivateKey(parameters + caFile("ecdsa.key")).ok());
}

TEST(X509Test, SaysWhyAKeyCannotBeRead) {
  EXPECT_NE(parsePrivateKey(caFile("encrypted.key")).status().message().find("encrypted"),
            absl::string_view::npos);
  for (const std::string& text : {std::string(), std::string("x"), caFile("ecdsa.pem")}) {
    EXPECT_NE(parsePrivateKey(text).status().message().find("BEGIN PRIVATE KEY"),
              absl::string_view::npos);
  }
}

TEST(X509Test, KeepsTheCertificatesAndNothingElse) {
  const std::string plain = certificates("chained_chain.pem").pem();
  auto read = Certificates::parse("Subject: x\n" + caFile("chained_chain.pem") + "\n# end\n");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->pem(), plain);
  EXPECT_EQ(read->size(), 2u);
}

TEST(X509Test, FindsWhatIsOutOfOrder) {
  EXPECT_EQ(certificates("ecdsa.pem").firstOutOfOrder(), 1u);
  EXPECT_EQ(certificates("chained_chain.pem").firstOutOfOrder(), 2u);
  EXPECT_EQ(certificates("ecdsa_with_ca.pem").firstOutOfOrder(), 2u);
  EXPECT_EQ(certificates("chained_wrong.pem").firstOutOfOrder(), 1u);
  const auto reversed = Certificates::parse(caFile("intermediate.pem") + caFile("chained.pem"));
  EXPECT_EQ(reversed->firstOutOfOrder(), 1u);
}

TEST(X509Test, SaysWhyCertificatesCannotBeRead) {
  std::string damaged = caFile("ecdsa.pem");
  damaged.replace(damaged.find('\n') + 9, 8, "AAAAAAAA");
  const std::pair<std::string, std::string> rows[] = {
      {"", "no certificate in PEM form"},
      {caFile("ecdsa.key"), "no certificate in PEM form"},
      {damaged, "certificate 1 in it"},
      {caFile("ecdsa.pem") + damaged, "certificate 2 in it"},
      {caFile("ecdsa.pem") + "-----BEGIN CERTIFICATE-----\n", "certificate 2 in it"},
  };
  for (const auto& [pem, words] : rows) {
    const auto read = Certificates::parse(pem);
    EXPECT_NE(read.status().message().find(words), absl::string_view::npos) << read.status();
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
