#pragma once

// OCSP responses as OpenSSL reads them. A node decides in the end, with BoringSSL and by the same
// rules (proxy/tls/ocsp.h, proxy/tls/responder.h); one table of cases tests both. Thread-safe.

#include <string>

#include "absl/status/status.h"
#include "api/convoy/v1/certificate.pb.h"
#include "controlplane/validate/x509.h"

namespace convoy::controlplane::validate {

// OK if a DER response is about the first certificate and no other, says that it is good, says
// until when, and is signed by the issuer or a responder of its (RFC 6960 4.2.2.2); where the
// certificates have no issuer nobody can tell. `next_update` is then when it, or the responder's
// certificate, runs out. The error names the rule and the way out.
absl::Status checkOcsp(const std::string& der, const Certificates& certificates,
                       v1::CertificateInfo* info);

}  // namespace convoy::controlplane::validate
