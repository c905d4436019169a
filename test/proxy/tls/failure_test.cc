#include "proxy/tls/failure.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <set>

namespace convoy::tls {
namespace {

TEST(Failure, HasADistinctName) {
  std::set<std::string_view> names;
  for (int i = 0; i < kFailures; ++i) names.insert(name(static_cast<Failure>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kFailures));
  EXPECT_FALSE(names.contains(""));
}

TEST(Failure, ComesFromTheLibrarysErrors) {
  const struct {
    int library;
    int reason;
    Failure failure;
  } cases[] = {
      {ERR_LIB_SSL, SSL_R_HTTP_REQUEST, Failure::NotTls},
      {ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER, Failure::NotTls},
      {ERR_LIB_SSL, SSL_R_UNSUPPORTED_PROTOCOL, Failure::UnsupportedVersion},
      {ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER, Failure::NoSharedCipher},
      {ERR_LIB_SSL, SSL_R_NO_SHARED_GROUP, Failure::NoSharedCipher},
      {ERR_LIB_SSL, SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS, Failure::NoSharedCipher},
      {ERR_LIB_SSL, SSL_R_NO_APPLICATION_PROTOCOL, Failure::NoSharedProtocol},
      {ERR_LIB_SSL, SSL_R_NO_CERTIFICATE_SET, Failure::NoCertificate},
      {ERR_LIB_SSL, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, Failure::PeerCertificateMissing},
      {ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED, Failure::PeerCertificateUntrusted},
      {ERR_LIB_SSL, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, Failure::BadRecord},
      {ERR_LIB_SSL, SSL_AD_REASON_OFFSET + SSL_AD_BAD_CERTIFICATE, Failure::PeerAlert},
      {ERR_LIB_SSL, SSL_R_DECODE_ERROR, Failure::ProtocolViolation},
      {ERR_LIB_CIPHER, 1, Failure::BadRecord},
      {ERR_LIB_X509, 1, Failure::ProtocolViolation},
  };
  for (const auto& c : cases) {
    ERR_put_error(c.library, 0, c.reason, __FILE__, __LINE__);
    EXPECT_EQ(takeLibraryFailure(), c.failure) << c.library << " " << c.reason;
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
  EXPECT_EQ(takeLibraryFailure(), Failure::Internal);
}

TEST(Failure, HasTheLibrarysWords) {
  ERR_put_error(ERR_LIB_SSL, 0, SSL_R_NO_SHARED_CIPHER, __FILE__, __LINE__);
  EXPECT_EQ(takeLibraryError(), "NO_SHARED_CIPHER");
  EXPECT_EQ(takeLibraryError(), "unknown");
}

}  // namespace
}  // namespace convoy::tls
