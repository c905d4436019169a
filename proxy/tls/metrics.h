#pragma once

// Counters of TLS connections of one listener or cluster, with Envoy's names (ssl.*) where the
// meaning is the same. One instance per worker.

#include <array>
#include <string_view>

#include "proxy/observe/metrics.h"
#include "proxy/tls/failure.h"

namespace convoy::tls {

struct TlsMetrics {
  observe::Counter handshake;
  observe::Counter session_reused;
  observe::Counter connection_error;
  observe::Counter no_certificate;
  observe::Counter fail_verify_no_cert;
  observe::Counter fail_verify_error;
  observe::Counter fail_verify_san;
  observe::Counter fail_verify_cert_hash;
  observe::Counter ocsp_staple_requests;
  observe::Counter ocsp_staple_responses;
  observe::Counter ocsp_staple_omitted;
  observe::Counter ocsp_staple_failed;
  observe::Counter secrets_not_ready;
  observe::Counter tls12;
  observe::Counter tls13;
  // By reason; those that have a counter of Envoy's count there as well.
  std::array<observe::Counter, kFailures> failures;

  void countFailure(Failure failure) {
    connection_error.add();
    failures[static_cast<size_t>(failure)].add();
    switch (failure) {
      case Failure::PeerCertificateMissing:
        return fail_verify_no_cert.add();
      case Failure::PeerCertificateUntrusted:
      case Failure::PeerCertificateExpired:
      case Failure::PeerCertificateRevoked:
        return fail_verify_error.add();
      case Failure::PeerNameMismatch:
        return fail_verify_san.add();
      case Failure::PeerPinMismatch:
        return fail_verify_cert_hash.add();
      case Failure::OcspStapleMissing:
        return ocsp_staple_failed.add();
      default:
        return;
    }
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("ssl.handshake", self.handshake, "TLS handshakes completed");
    visitor("ssl.session_reused", self.session_reused, "Handshakes that resumed a session");
    visitor("ssl.connection_error", self.connection_error, "TLS connections that failed");
    visitor("ssl.no_certificate", self.no_certificate, "Handshakes without a peer certificate");
    visitor("ssl.fail_verify_no_cert", self.fail_verify_no_cert,
            "Connections that failed because the peer showed no certificate");
    visitor("ssl.fail_verify_error", self.fail_verify_error,
            "Connections that failed because the peer's certificate is not trusted");
    visitor("ssl.fail_verify_san", self.fail_verify_san,
            "Connections that failed because no name in the peer's certificate fits");
    visitor("ssl.fail_verify_cert_hash", self.fail_verify_cert_hash,
            "Connections that failed because the peer's certificate is none of the pinned ones");
    visitor("ssl.ocsp_staple_requests", self.ocsp_staple_requests,
            "Handshakes in which the client asked for an OCSP response");
    visitor("ssl.ocsp_staple_responses", self.ocsp_staple_responses,
            "Handshakes in which an OCSP response was stapled");
    visitor("ssl.ocsp_staple_omitted", self.ocsp_staple_omitted,
            "Handshakes in which it was asked for and not stapled");
    visitor("ssl.ocsp_staple_failed", self.ocsp_staple_failed,
            "Connections refused because the OCSP response that the policy demands is missing");
    visitor("ssl.context_secrets_not_ready", self.secrets_not_ready,
            "Connections closed because the certificates had not arrived");
    visitor("ssl.versions.TLSv1.2", self.tls12, "Handshakes by version: TLS 1.2");
    visitor("ssl.versions.TLSv1.3", self.tls13, "Handshakes by version: TLS 1.3");
    for (int i = 1; i < kFailures; ++i) {
      visitor(failureMetricName(static_cast<Failure>(i)), self.failures[static_cast<size_t>(i)],
              "TLS connections that failed for the reason that the name says");
    }
  }

  // "ssl.failure.not_tls"; lives as long as the process.
  static std::string_view failureMetricName(Failure failure);
};

}  // namespace convoy::tls
