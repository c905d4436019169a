#pragma once

// Certificates and private keys as OpenSSL reads them: what the control plane
// checks and shows of them. A node decides in the end, with BoringSSL and by the same rules
// (proxy/tls/certificate.h). Immutable; thread-safe. Errors never hold key material.

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/convoy/v1/certificate.pb.h"

namespace convoy::controlplane::validate {

struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using X509Ptr = std::unique_ptr<X509, X509Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyFree>;

// What can be asked of a list of certificates.
class Certificates {
 public:
  // Reads all that are in a PEM text. Error: InvalidArgument.
  static absl::StatusOr<Certificates> parse(absl::string_view pem);

  size_t size() const { return list_.size(); }
  // The certificates and nothing else.
  std::string pem() const;
  // The first one that did not sign the one before it, counted from 0; size() if each did.
  size_t firstOutOfOrder() const;
  std::string subject(size_t index) const;
  // Subject, names, times, hash and key type of one.
  v1::CertificateInfo info(size_t index) const;
  X509* leaf() const { return list_.front().get(); }
  X509* issuerOfLeaf() const { return list_.size() < 2 ? nullptr : list_[1].get(); }

 private:
  std::vector<X509Ptr> list_;
};

// "RSA 2048", "ECDSA P-256"; OpenSSL's name for other types.
std::string keyTypeText(EVP_PKEY* key);

// Reads a private key in PEM that is not encrypted. Error: InvalidArgument.
absl::StatusOr<KeyPtr> parsePrivateKey(const std::string& pem);
// The key as PKCS#8.
std::string privateKeyPem(EVP_PKEY* key);
// OK if TLS of this kind can be served: RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521.
absl::Status checkKeyStrength(EVP_PKEY* key);
bool isKeyOf(EVP_PKEY* key, X509* certificate);

// Since 1970; 0 if it is no time.
int64_t secondsOf(const ASN1_TIME* time);

}  // namespace convoy::controlplane::validate
