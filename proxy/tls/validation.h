#pragma once

// What a peer's certificate must fulfil, ready for use: trust anchors, revocation lists, names and
// pins. Immutable; any thread. It is asked once per full handshake: a resumed session was verified
// when it was begun, and ends with the certificates that were verified then.

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/event/clock.h"
#include "proxy/tls/failure.h"
#include "proxy/tls/spec.h"

namespace convoy::tls {

class Validation {
 public:
  struct Data {
    std::string trusted_ca;  // PEM
    std::string crl;         // PEM
  };
  // spec's own data members are not read: their bytes are in data. `extra` may be null; what it
  // says holds as well.
  static absl::StatusOr<std::shared_ptr<const Validation>> make(const ValidationSpec& spec,
                                                                const Data& data,
                                                                const ValidationSpec* extra);

  // Gives the trust anchors to a context; `announce` tells clients their names, too.
  absl::Status install(SSL_CTX* context, bool announce) const;
  // For a context of install(). Failure::None: accepted. Sets the context's error, for the alert.
  Failure check(X509_STORE_CTX* context, event::WallTime now) const;
  // Until when that holds, of a context that check() accepted: the earliest end in the verified
  // chain; max() where the time is not asked for.
  event::WallTime holdsUntil(X509_STORE_CTX* context) const;

  // Somebody vouches for what is in the certificate.
  bool verifies() const {
    return (has_ca_ && !accept_untrusted_) || !spki_pins_.empty() || !certificate_hashes_.empty();
  }
  event::WallTime expiresAt() const { return expires_at_; }  // the earliest trust anchor
  // Sessions may be resumed only where the same is asked of the peer. 32 bytes.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  Validation() = default;
  absl::Status readTrust(const Data& data);
  void readRules(const ValidationSpec& spec);
  void makeFingerprint(const Data& data);
  Failure checkNames(X509* leaf) const;
  Failure checkPins(X509* leaf) const;

  bssl::UniquePtr<X509_STORE> store_;
  bssl::UniquePtr<STACK_OF(X509)> anchors_;
  std::vector<SanMatch> names_;
  std::vector<std::string> spki_pins_;
  std::vector<std::string> certificate_hashes_;
  std::string fingerprint_;
  event::WallTime expires_at_ = event::WallTime::max();
  int max_depth_ = -1;
  bool has_ca_ = false;
  bool allow_expired_ = false;
  bool accept_untrusted_ = false;
  bool only_leaf_crl_ = false;
  bool has_crl_ = false;
};

}  // namespace convoy::tls
