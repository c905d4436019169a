#include "proxy/tls/failure.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace convoy::tls {

std::string_view name(Failure failure) {
  static constexpr std::string_view kNames[kFailures] = {
      "none",
      "not_tls",
      "handshake_ended",
      "unsupported_version",
      "no_shared_cipher",
      "no_shared_protocol",
      "no_certificate",
      "server_name_missing",
      "ocsp_staple_missing",
      "peer_certificate_missing",
      "peer_certificate_untrusted",
      "peer_certificate_expired",
      "peer_certificate_revoked",
      "peer_name_mismatch",
      "peer_pin_mismatch",
      "peer_alert",
      "bad_record",
      "truncated",
      "protocol_violation",
      "internal",
  };
  return kNames[static_cast<int>(failure)];
}

Failure takeLibraryFailure() {
  const uint32_t error = ERR_peek_error();
  ERR_clear_error();
  if (error == 0) return Failure::Internal;
  if (ERR_GET_LIB(error) == ERR_LIB_CIPHER) return Failure::BadRecord;
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return Failure::ProtocolViolation;
  const int reason = ERR_GET_REASON(error);
  if (reason >= SSL_AD_REASON_OFFSET) return Failure::PeerAlert;
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
      return Failure::NotTls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return Failure::UnsupportedVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUP:
    case SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS:
      return Failure::NoSharedCipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return Failure::NoSharedProtocol;
    case SSL_R_NO_CERTIFICATE_SET:
      return Failure::NoCertificate;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return Failure::PeerCertificateMissing;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return Failure::PeerCertificateUntrusted;
    case SSL_R_DECRYPTION_FAILED:
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
      return Failure::BadRecord;
    default:
      return Failure::ProtocolViolation;
  }
}

std::string_view takeLibraryError() {
  const uint32_t error = ERR_peek_error();
  ERR_clear_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "unknown" : reason;
}

}  // namespace convoy::tls
