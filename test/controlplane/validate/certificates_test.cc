#include "controlplane/validate/certificates.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/common/test_ca.h"

namespace convoy::controlplane::validate {
namespace {

using test::caFile;

struct Parts {
  std::string certificate;
  std::string private_key;
  std::string ocsp_response;
};

v1::Certificate certificateOf(const Parts& parts) {
  v1::Certificate certificate;
  certificate.set_name("web");
  certificate.set_certificate(parts.certificate);
  certificate.set_private_key(parts.private_key);
  certificate.set_ocsp_response(parts.ocsp_response);
  return certificate;
}

// "path: rule" of each problem. No problem may hold anything of a key.
std::string text(const Problems& problems) {
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
    EXPECT_EQ(problem.DebugString().find("MII"), std::string::npos) << problem.DebugString();
    EXPECT_EQ(problem.DebugString().find("MHc"), std::string::npos) << problem.DebugString();
  }
  return out;
}

std::string problemsOf(v1::Certificate certificate) {
  Problems problems;
  checkCertificate(&certificate, Place(&problems, {}, "x"));
  return text(problems);
}

TEST(CertificatesTest, RefusesWhatCannotBeServed) {
  const std::string pem = caFile("ecdsa.pem");
  const std::string key = caFile("ecdsa.key");
  std::string chain = pem;
  for (int i = 0; i < 16; ++i) chain += caFile("ca.pem");
  const std::pair<Parts, std::string> rows[] = {
      {{pem, key, ""}, ""},
      {{pem, key, caFile("ecdsa.ocsp")}, ""},
      {{caFile("chained_chain.pem"), caFile("chained.key"), ""}, ""},
      {{caFile("ca.pem") + caFile("other_ca.pem"), "", ""}, ""},
      {{"", key, ""}, "x.certificate: required"},
      {{"text", key, ""}, "x.certificate: certificate"},
      {{pem + key, key, ""}, "x.certificate: private_key"},
      {{std::string((512 << 10) + 1, 'x'), key, ""}, "x.certificate: too_many"},
      {{pem, std::string((64 << 10) + 1, 'x'), ""}, "x.private_key: too_many"},
      {{pem, key, std::string((64 << 10) + 1, 'x')}, "x.ocsp_response: too_many"},
      {{chain, key, ""}, "x.certificate: too_many"},
      {{caFile("chained_wrong.pem"), caFile("chained.key"), ""}, "x.certificate: order"},
      {{pem, caFile("rsa.key"), ""}, "x.private_key: mismatch"},
      {{pem, caFile("encrypted.key"), ""}, "x.private_key: private_key"},
      {{caFile("weak.pem"), caFile("weak.key"), ""}, "x.private_key: key_strength"},
      {{caFile("ed25519.pem"), caFile("ed25519.key"), ""}, "x.private_key: key_strength"},
      {{pem, key, caFile("renewed.ocsp")}, "x.ocsp_response: ocsp"},
      {{caFile("ca.pem"), "", caFile("ecdsa.ocsp")}, "x.ocsp_response: conflict"},
  };
  for (const auto& [parts, expected] : rows) {
    EXPECT_EQ(problemsOf(certificateOf(parts)), expected);
  }
}

TEST(CertificatesTest, FilesAreTheClientsBusiness) {
  v1::Certificate certificate = certificateOf({caFile("ecdsa.pem"), caFile("ecdsa.key"), ""});
  certificate.set_name("");
  certificate.set_certificate_file("a");
  certificate.set_private_key_file("b");
  certificate.set_ocsp_response_file("c");
  EXPECT_EQ(problemsOf(certificate),
            "x.name: required, x.certificate_file: client_only, x.private_key_file: client_only, "
            "x.ocsp_response_file: client_only");
}

TEST(CertificatesTest, IsStoredInOneFormWithWhatIsKnownOfIt) {
  v1::Certificate certificate = certificateOf(
      {"# comment\n" + caFile("chained_chain.pem"), "\n" + caFile("chained.key"), ""});
  certificate.mutable_info()->set_subject("what a client claims");
  Problems problems;
  checkCertificate(&certificate, Place(&problems, {}, "x"));
  EXPECT_EQ(text(problems), "");
  EXPECT_EQ(certificate.certificate().rfind("-----BEGIN CERTIFICATE", 0), 0u);
  EXPECT_EQ(certificate.private_key().rfind("-----BEGIN PRIVATE KEY", 0), 0u);
  EXPECT_EQ(certificate.info().subject(), "CN=chained");
  EXPECT_EQ(certificate.info().count(), 2u);
  EXPECT_TRUE(certificate.info().has_private_key());
  EXPECT_EQ(certificate.info().key_type(), "ECDSA P-256");
  const std::string once = certificate.SerializeAsString();
  checkCertificate(&certificate, Place(&problems, {}, "x"));
  EXPECT_EQ(certificate.SerializeAsString(), once);
}

TEST(CertificatesTest, TheFirstThatExpiresCounts) {
  // The intermediate and the authorities hold for years, the rest for 90 and 30 days.
  const auto days = [](const std::string& pem, const std::string& key) {
    v1::Certificate certificate = certificateOf({pem, key, ""});
    Problems problems;
    checkCertificate(&certificate, Place(&problems, {}, "x"));
    EXPECT_EQ(text(problems), "");
    const v1::CertificateInfo& info = certificate.info();
    return absl::StrCat(info.subject(), " ",
                        (info.not_after().seconds() - info.not_before().seconds()) / 86'400);
  };
  EXPECT_EQ(days(caFile("chained_chain.pem"), caFile("chained.key")), "CN=chained 90");
  EXPECT_EQ(days(caFile("ca.pem") + caFile("client.pem") + caFile("rsa.pem"), ""),
            "CN=client,O=Convoy 30");
}

TEST(CertificatesTest, MustHoldWhenItIsNew) {
  const event::WallTime now = event::SystemClock().wallNow();
  v1::Certificate certificate =
      certificateOf({caFile("ecdsa.pem"), caFile("ecdsa.key"), caFile("ecdsa.ocsp")});
  Problems checked;
  checkCertificate(&certificate, Place(&checked, {}, "x"));
  const auto at = [&certificate, now](std::chrono::hours shift) {
    Problems problems;
    checkCertificateTimes(certificate, now + shift, Place(&problems, {}, "x"));
    return text(problems);
  };
  using std::chrono::hours;
  EXPECT_EQ(at(hours(0)), "");
  EXPECT_EQ(at(hours(24 * 8)), "x.ocsp_response: expired");
  EXPECT_EQ(at(hours(24 * 91)), "x.certificate: expired, x.ocsp_response: expired");
  EXPECT_EQ(at(-hours(2)), "x.certificate: not_yet_valid");
}

}  // namespace
}  // namespace convoy::controlplane::validate
