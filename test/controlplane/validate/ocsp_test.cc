#include "controlplane/validate/ocsp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "test/common/ocsp_cases.h"
#include "test/common/test_ca.h"

namespace convoy::controlplane::validate {
namespace {

using ::testing::HasSubstr;

TEST(OcspTest, TakesOnlyGoodResponsesOfWhoMaySignThem) {
  for (const test::OcspCase& c : test::ocspCases()) {
    const auto certificates = Certificates::parse(c.chain);
    ASSERT_TRUE(certificates.ok()) << certificates.status();
    v1::CertificateInfo info;
    const absl::Status status = checkOcsp(c.der, *certificates, &info);
    EXPECT_EQ(info.has_ocsp_next_update(), c.refused == nullptr) << c.what;
    if (c.refused == nullptr) {
      EXPECT_TRUE(status.ok()) << c.what << ": " << status;
    } else {
      EXPECT_THAT(std::string(status.message()), HasSubstr(c.refused)) << c.what;
    }
  }
}

TEST(OcspTest, AResponseHoldsNoLongerThanItsRespondersCertificate) {
  const auto certificates = Certificates::parse(test::caFile("ecdsa_with_ca.pem"));
  v1::CertificateInfo info;
  ASSERT_TRUE(checkOcsp(test::ocspOfAShortLivedResponder(), *certificates, &info).ok());
  const test::ShiftedClock clock;
  const int64_t now =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::time_point(clock.wallNow()));
  EXPECT_GT(info.ocsp_next_update().seconds(), now + 2 * 86'400);
  EXPECT_LE(info.ocsp_next_update().seconds(), now + 3 * 86'400);
}

}  // namespace
}  // namespace convoy::controlplane::validate
