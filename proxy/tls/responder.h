#pragma once

// Who may speak for the issuer of a certificate in an OCSP response (RFC 6960 4.2.2.2): the issuer
// itself, or a responder whose certificate it signed with the extended key usage OCSPSigning. The
// control plane has the same rules (controlplane/validate/ocsp.h). Any thread.

#include <openssl/x509.h>

#include "absl/status/statusor.h"
#include "proxy/tls/ocsp.h"

namespace convoy::tls {

// Did the issuer sign it?
bool signs(X509* issuer, X509* issued);

// The signature is that of `issuer` (the result is null), or of a responder (the result is its
// certificate, whose times nobody has looked at); RSA or ECDSA, with SHA-256, SHA-384 or SHA-512.
// The error names the rule and the way out.
absl::StatusOr<bssl::UniquePtr<X509>> checkResponder(const OcspSignature& signature, X509* issuer);

}  // namespace convoy::tls
