#pragma once

// A certificate chain with its private key, checked: what a server shows, or a client if it is
// asked. Immutable; any thread. Errors name the part and the rule, and never hold key material.

#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/event/clock.h"
#include "proxy/net/transport.h"
#include "proxy/tls/ocsp.h"

namespace convoy::tls {

// PEM and DER as they were read.
struct CertificateData {
  std::string chain;
  std::string key;
  std::string password;  // of the key; empty: none
  std::string ocsp;      // empty: none
};

class Certificate {
 public:
  enum class Kind : uint8_t { Rsa, EcdsaP256, EcdsaP384, EcdsaP521 };

  // The chain is in order, each signed by the next; the key is the leaf's; an RSA key has at least
  // 2048 bits; the OCSP response is about the leaf, good, and signed by the issuer or a responder
  // of its: where the chain has no issuer nobody can tell. An expired certificate is accepted: it
  // is better than none, and its expiry is a metric.
  static absl::StatusOr<std::shared_ptr<const Certificate>> make(const CertificateData& data);

  Kind kind() const { return kind_; }
  X509* leaf() const { return leaf_.get(); }
  STACK_OF(X509) * chain() const { return chain_.get(); }  // without the leaf
  EVP_PKEY* key() const { return key_.get(); }
  // DNS names of the leaf, lower case; the common name if it has none.
  const std::vector<std::string>& names() const { return names_; }
  event::WallTime expiresAt() const { return expires_at_; }  // the earliest of the chain
  const std::string& ocspBytes() const { return ocsp_bytes_; }
  const std::optional<OcspResponse>& ocsp() const { return ocsp_; }

 private:
  Certificate() = default;
  absl::Status readChain(const std::string& pem);
  absl::Status readKey(const CertificateData& data);
  absl::Status readOcsp(const std::string& der);
  // What part of it is not about the leaf; null: none. `issuer` may be null.
  const char* differenceTo(const OcspResponse& response, X509* issuer) const;

  Kind kind_ = Kind::Rsa;
  bssl::UniquePtr<X509> leaf_;
  bssl::UniquePtr<STACK_OF(X509)> chain_;
  bssl::UniquePtr<EVP_PKEY> key_;
  std::vector<std::string> names_;
  event::WallTime expires_at_;
  std::string ocsp_bytes_;
  std::optional<OcspResponse> ocsp_;
};

// All certificates of a PEM text. The error says what is in it instead.
absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> readPemCertificates(std::string_view pem);

enum class SanKind : uint8_t { Dns, Uri, Email, Ip };
// Subject alternative names of one kind; IP addresses as text.
std::vector<std::string> subjectAlternativeNames(X509* certificate, SanKind kind);
event::WallTime expiryOf(X509* certificate);
std::string sha256Hex(X509* certificate);
std::string pemOf(X509* certificate);
std::string serialOf(X509* certificate);  // lower-case hexadecimal
event::WallTime validFrom(X509* certificate);
net::PeerIdentity identityOf(X509* certificate);

}  // namespace convoy::tls
