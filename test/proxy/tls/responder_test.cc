#include "proxy/tls/responder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "proxy/tls/certificate.h"
#include "test/common/ocsp_cases.h"
#include "test/common/test_ca.h"

namespace convoy::tls {
namespace {

using ::testing::HasSubstr;

// certificate_test has the rules, case by case.
class ResponderTest : public ::testing::Test {
 protected:
  OcspSignature signatureOf(const std::string& der) {
    OcspSignature signature;
    EXPECT_TRUE(parseOcspResponse(der, &signature).ok());
    return signature;
  }
  const bssl::UniquePtr<X509> issuer_ =
      std::move(readPemCertificates(test::caFile("ca.pem")).value().front());
  const std::string of_issuer_ = test::caFile("ecdsa.ocsp");
  const std::string of_responder_ = test::ocspOfAShortLivedResponder();
};

TEST_F(ResponderTest, SaysWhoSigned) {
  const auto none = checkResponder(signatureOf(of_issuer_), issuer_.get());
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(*none, nullptr);
  const auto responder = checkResponder(signatureOf(of_responder_), issuer_.get());
  ASSERT_TRUE(responder.ok()) << responder.status();
  ASSERT_NE(*responder, nullptr);
  EXPECT_EQ(identityOf(responder->get()).subject, "CN=responder");
  EXPECT_TRUE(signs(issuer_.get(), responder->get()));
  EXPECT_FALSE(signs(responder->get(), issuer_.get()));
}

// Whatever the parser lets through.
TEST_F(ResponderTest, RefusesWhatCannotBeRead) {
  const OcspSignature good = signatureOf(of_responder_);
  const auto refusal = [this](const OcspSignature& signature) {
    return std::string(checkResponder(signature, issuer_.get()).status().message());
  };
  OcspSignature changed = good;
  changed.algorithm = "\x01";
  EXPECT_THAT(refusal(changed), HasSubstr("algorithm"));
  changed = good;
  changed.certificates = {std::string_view("\x30\x00", 2)};
  EXPECT_THAT(refusal(changed), HasSubstr("OCSPSigning"));
  changed = good;
  changed.responder = std::string_view("\x30\x01", 2);
  EXPECT_THAT(refusal(changed), HasSubstr("OCSPSigning"));
  changed = good;
  changed.by = OcspSignature::By::Key;
  EXPECT_THAT(refusal(changed), HasSubstr("OCSPSigning"));
  changed = good;
  changed.bytes = {};
  EXPECT_THAT(refusal(changed), HasSubstr("signature is wrong"));
  EXPECT_EQ(refusal(good), "");
}

}  // namespace
}  // namespace convoy::tls
