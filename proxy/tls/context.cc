#include "proxy/tls/context.h"

#include <openssl/err.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proxy/tls/failure.h"
#include "proxy/tls/tls_transport.h"

namespace convoy::tls {

namespace {

// ECDHE with AEAD only. Equals in brackets: the client's order decides, which knows whether it has
// AES in hardware.
constexpr char kCiphers[] =
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:"
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr char kCurves[] = "X25519:P-256:P-384";

uint16_t wire(Version version) {
  return version == Version::Tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

absl::Status refused(const char* field, const std::string& value) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", value, " is refused: ", std::string(takeLibraryError())));
}

// Whoever resumes a session shows no certificate, so none lives longer than `left`; then a full
// handshake decides. The library counts the age, in the ticket, and tells the client.
void limitSession(SSL_SESSION* session, event::Duration left) {
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(left).count();
  const int64_t timeout = SSL_SESSION_get_timeout(session);
  // TLS 1.3 renews a session each time that it is resumed, for this long in all.
  if (seconds >= std::max<int64_t>(timeout, SSL_DEFAULT_SESSION_AUTH_TIMEOUT)) return;
  // Bounds renewals as well.
  SSL_SESSION_set_timeout(session, static_cast<uint32_t>(std::clamp<int64_t>(seconds, 0, timeout)));
}

int onVerify(X509_STORE_CTX* store, void*) {
  const auto* const ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsTransport& transport = TlsTransport::of(ssl);
  const Context& context = transport.context();
  const event::WallTime now = context.wallNow();
  const Failure failure = context.validation()->check(store, now);
  if (failure != Failure::None) {
    transport.setCause(failure);
    return 0;
  }
  limitSession(SSL_get_session(ssl), context.validation()->holdsUntil(store) - now);
  return 1;
}

}  // namespace

absl::StatusOr<bssl::UniquePtr<SSL_CTX>> Context::makeBase(const CommonSpec& spec, bool server) {
  ERR_clear_error();
  bssl::UniquePtr<SSL_CTX> made(SSL_CTX_new(TLS_method()));
  SSL_CTX* const context = made.get();
  SSL_CTX_set_min_proto_version(context, wire(spec.min_version));
  SSL_CTX_set_max_proto_version(context, wire(spec.max_version));
  const std::string ciphers =
      spec.cipher_suites.empty() ? kCiphers : absl::StrJoin(spec.cipher_suites, ":");
  if (SSL_CTX_set_strict_cipher_list(context, ciphers.c_str()) != 1) {
    return refused("tls_params.cipher_suites", ciphers);
  }
  const std::string curves = spec.curves.empty() ? kCurves : absl::StrJoin(spec.curves, ":");
  if (SSL_CTX_set1_curves_list(context, curves.c_str()) != 1) {
    return refused("tls_params.ecdh_curves", curves);
  }
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_NO_AUTO_CHAIN);
  if (material_.validation != nullptr) {
    if (absl::Status status = material_.validation->install(context, server); !status.ok()) {
      return status;
    }
    SSL_CTX_set_cert_verify_callback(context, onVerify, nullptr);
  }
  return made;
}

}  // namespace convoy::tls
