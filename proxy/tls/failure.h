#pragma once

// Why a TLS connection failed, as stable names for logs, metrics and people. Any thread.

#include <cstdint>
#include <string_view>

namespace convoy::tls {

enum class Failure : uint8_t {
  None,
  NotTls,              // the peer speaks plain text
  HandshakeEnded,      // the peer left during the handshake
  UnsupportedVersion,  // no common version of TLS
  NoSharedCipher,      // no common cipher suite, group or signature algorithm
  NoSharedProtocol,    // no common ALPN protocol
  NoCertificate,       // we have none for this client
  ServerNameMissing,   // SNI is required
  OcspStapleMissing,   // the policy demands a valid OCSP response, and there is none
  PeerCertificateMissing,
  PeerCertificateUntrusted,
  PeerCertificateExpired,  // or not valid yet
  PeerCertificateRevoked,
  PeerNameMismatch,   // no subject alternative name fulfils what is asked for
  PeerPinMismatch,    // neither of the pinned keys or certificates
  PeerAlert,          // the peer gave up, with an alert
  BadRecord,          // a record that could not be decrypted
  Truncated,          // the end of the socket without the end of TLS
  ProtocolViolation,  // any other message that must not be
  Internal,
};
inline constexpr int kFailures = static_cast<int>(Failure::Internal) + 1;

// "peer_certificate_untrusted"
std::string_view name(Failure failure);

// From BoringSSL's error queue of this thread, which is emptied.
Failure takeLibraryFailure();
// The oldest entry of the queue as text, which is emptied: for errors about configuration.
std::string_view takeLibraryError();

}  // namespace convoy::tls
