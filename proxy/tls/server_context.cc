#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/tls/context.h"
#include "proxy/tls/failure.h"
#include "proxy/tls/tls_transport.h"

namespace convoy::tls {

namespace {

constexpr uint16_t kTls13 = 0x0304;

bool extension(const SSL_CLIENT_HELLO& hello, uint16_t type, CBS* content) {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  if (!SSL_early_callback_ctx_extension_get(&hello, type, &bytes, &size)) return false;
  CBS_init(content, bytes, size);
  return true;
}

// Is it in a list of 16-bit numbers?
bool has(CBS list, uint16_t wanted) {
  uint16_t value = 0;
  while (CBS_get_u16(&list, &value)) {
    if (value == wanted) return true;
  }
  return false;
}

// A list with a length of 16 bits before it, in an extension.
bool extensionHas(const SSL_CLIENT_HELLO& hello, uint16_t type, uint16_t wanted) {
  CBS content, list;
  return extension(hello, type, &content) && CBS_get_u16_length_prefixed(&content, &list) &&
         has(list, wanted);
}

bool offersTls13(const SSL_CLIENT_HELLO& hello) {
  CBS content, list;
  return extension(hello, TLSEXT_TYPE_supported_versions, &content) &&
         CBS_get_u8_length_prefixed(&content, &list) && has(list, kTls13);
}

struct Ecdsa {
  uint16_t signature;
  uint16_t group;
};
Ecdsa ecdsaOf(Certificate::Kind kind) {
  switch (kind) {
    case Certificate::Kind::EcdsaP384:
      return {SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_CURVE_SECP384R1};
    case Certificate::Kind::EcdsaP521:
      return {SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_CURVE_SECP521R1};
    default:
      return {SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_CURVE_SECP256R1};
  }
}

// Can the client verify signatures of this kind of key? In TLS 1.3 the signature algorithm names
// the curve; in TLS 1.2 the cipher suite names the kind and the groups name the curve.
bool clientTakes(Certificate::Kind kind, bool tls13, const SSL_CLIENT_HELLO& hello) {
  CBS ciphers;
  CBS_init(&ciphers, hello.cipher_suites, hello.cipher_suites_len);
  if (kind == Certificate::Kind::Rsa) {
    if (!tls13) return has(ciphers, 0xc02f) || has(ciphers, 0xc030) || has(ciphers, 0xcca8);
    for (const uint16_t signature : {SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA384,
                                     SSL_SIGN_RSA_PSS_RSAE_SHA512}) {
      if (extensionHas(hello, TLSEXT_TYPE_signature_algorithms, signature)) return true;
    }
    return false;
  }
  const Ecdsa ecdsa = ecdsaOf(kind);
  if (!extensionHas(hello, TLSEXT_TYPE_signature_algorithms, ecdsa.signature)) return false;
  if (tls13) return true;
  const bool suite = has(ciphers, 0xc02b) || has(ciphers, 0xc02c) || has(ciphers, 0xcca9);
  return suite && extensionHas(hello, TLSEXT_TYPE_supported_groups, ecdsa.group);
}

// The names are few and short; views into the ClientHello.
std::string lowerServerName(const SSL_CLIENT_HELLO& hello) {
  CBS content, list, host;
  uint8_t type = 0;
  if (!extension(hello, TLSEXT_TYPE_server_name, &content) ||
      !CBS_get_u16_length_prefixed(&content, &list) || !CBS_get_u8(&list, &type) || type != 0 ||
      !CBS_get_u16_length_prefixed(&list, &host)) {
    return {};
  }
  std::string name(reinterpret_cast<const char*>(CBS_data(&host)), CBS_len(&host));
  for (char& c : name) c = base::asciiLower(c);
  return name;
}

}  // namespace

struct ServerCallbacks {
  static const ServerContext& contextOf(SSL* ssl) {
    return static_cast<const ServerContext&>(TlsTransport::of(ssl).context());
  }

  static ssl_select_cert_result_t onClientHello(const SSL_CLIENT_HELLO* hello) {
    TlsTransport& transport = TlsTransport::of(hello->ssl);
    const ServerContext& context = contextOf(hello->ssl);
    const auto refuse = [&](Failure failure) {
      transport.setCause(failure);
      return ssl_select_cert_error;
    };
    const std::string name = lowerServerName(*hello);
    if (name.empty() && context.spec_->require_sni) return refuse(Failure::ServerNameMissing);
    const int chosen = context.choose(name, *hello);
    if (chosen < 0) return refuse(Failure::NoCertificate);
    const auto index = static_cast<size_t>(chosen);
    SSL_set_SSL_CTX(hello->ssl, context.contexts_[index].get());
    CBS status;
    const bool asked = extension(*hello, TLSEXT_TYPE_status_request, &status);
    if (!staple(context, *context.certificates()[index], asked, hello->ssl, transport.metrics())) {
      return refuse(Failure::OcspStapleMissing);
    }
    return ssl_select_cert_success;
  }

  // False: the policy forbids to go on.
  static bool staple(const ServerContext& context, const Certificate& certificate, bool asked,
                     SSL* ssl, TlsMetrics& metrics) {
    const bool valid =
        certificate.ocsp().has_value() && certificate.ocsp()->validAt(context.wallNow());
    const OcspPolicy policy = context.spec_->ocsp_policy;
    if (asked) metrics.ocsp_staple_requests.add();
    if (valid) {
      const std::string& bytes = certificate.ocspBytes();
      SSL_set_ocsp_response(ssl, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      if (asked) metrics.ocsp_staple_responses.add();
      return true;
    }
    if (policy == OcspPolicy::MustStaple) return false;
    if (policy == OcspPolicy::Strict && certificate.ocsp().has_value()) return false;
    if (asked) metrics.ocsp_staple_omitted.add();
    return true;
  }

  // Our order decides. No common protocol ends the handshake (RFC 7301 3.2), so that a client that
  // was lured here from another service learns nothing.
  static int onProtocols(SSL* ssl, const uint8_t** out, uint8_t* out_size, const uint8_t* offered,
                         unsigned size, void*) {
    const std::string& ours = contextOf(ssl).alpn_;
    uint8_t* chosen = nullptr;
    const int result =
        SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const uint8_t*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, size);
    if (result != OPENSSL_NPN_NEGOTIATED) {
      TlsTransport::of(ssl).setCause(Failure::NoSharedProtocol);
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
  }

  static int onTicket(SSL* ssl, uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac,
                      int encrypt) {
    return contextOf(ssl).material_.ticket_keys->crypt(name, iv, cipher, hmac, encrypt == 1);
  }
};

absl::StatusOr<std::shared_ptr<const ServerContext>> ServerContext::make(
    std::shared_ptr<const ServerSpec> spec, Material material, const event::Clock& clock) {
  const std::shared_ptr<ServerContext> made(
      new ServerContext(std::move(spec), std::move(material), clock));
  if (absl::Status status = made->build(); !status.ok()) return status;
  return std::shared_ptr<const ServerContext>(made);
}

absl::Status ServerContext::build() {
  if (material_.certificates.empty()) {
    return absl::InvalidArgumentError("tls_certificates: a listener needs a certificate");
  }
  if (spec_->require_client_certificate && material_.validation == nullptr) {
    return absl::InvalidArgumentError(
        "require_client_certificate: validation_context must say which ones are trusted");
  }
  for (const std::string& protocol : spec_->common.alpn) {
    alpn_ += static_cast<char>(protocol.size());
    alpn_ += protocol;
  }
  const std::string id = sessionIdContext();
  for (size_t i = 0; i < material_.certificates.size(); ++i) {
    const Certificate& certificate = *material_.certificates[i];
    auto made = makeBase(spec_->common, /*server=*/true);
    if (!made.ok()) return made.status();
    SSL_CTX* const context = made->get();
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const uint8_t*>(id.data()), id.size());
    if (SSL_CTX_use_certificate(context, certificate.leaf()) != 1 ||
        SSL_CTX_set1_chain(context, certificate.chain()) != 1 ||
        SSL_CTX_use_PrivateKey(context, certificate.key()) != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("certificate: is refused: ", base::toAbsl(takeLibraryError())));
    }
    if (material_.validation != nullptr) {
      const int must = spec_->require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must, nullptr);
    }
    SSL_CTX_set_select_certificate_cb(context, ServerCallbacks::onClientHello);
    if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, ServerCallbacks::onProtocols, nullptr);
    if (absl::Status status = setTickets(context); !status.ok()) return status;
    contexts_.push_back(*std::move(made));
    for (const std::string& name : certificate.names()) {
      const bool wildcard = name.starts_with("*.");
      (wildcard ? wildcards_[name.substr(1)] : exact_[name]).push_back(i);
    }
  }
  return absl::OkStatus();
}

absl::Status ServerContext::setTickets(SSL_CTX* context) {
  if (!spec_->tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  if (spec_->session_timeout.has_value()) {
    const auto seconds = static_cast<uint32_t>(spec_->session_timeout->count());
    SSL_CTX_set_timeout(context, seconds);
    SSL_CTX_set_session_psk_dhe_timeout(context, seconds);
  }
  if (spec_->tickets && material_.ticket_keys != nullptr &&
      SSL_CTX_set_tlsext_ticket_key_cb(context, ServerCallbacks::onTicket) != 1) {
    return absl::InternalError("session_ticket_keys: cannot be used");
  }
  return absl::OkStatus();
}

// A session may be resumed where the same names are served and the same is asked of the client. Not
// the certificates themselves: a rotated one continues its sessions.
std::string ServerContext::sessionIdContext() const {
  std::set<std::string> names;
  for (const auto& certificate : material_.certificates) {
    names.insert(certificate->names().begin(), certificate->names().end());
  }
  std::string all;
  for (const std::string& name : names) absl::StrAppend(&all, name, "\n");
  if (material_.validation != nullptr) {
    absl::StrAppend(&all, spec_->require_client_certificate, material_.validation->fingerprint());
  }
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(all.data()), all.size(),
         reinterpret_cast<uint8_t*>(digest.data()));
  return digest;
}

bssl::UniquePtr<SSL> ServerContext::newSsl() const {
  bssl::UniquePtr<SSL> ssl(SSL_new(contexts_.front().get()));
  SSL_set_accept_state(ssl.get());
  return ssl;
}

int ServerContext::choose(std::string_view server_name, const SSL_CLIENT_HELLO& hello) const {
  if (!server_name.empty()) {
    const auto exact = exact_.find(base::toAbsl(server_name));
    if (exact != exact_.end()) return best(exact->second, hello);
    const size_t dot = server_name.find('.');
    if (dot != std::string_view::npos) {
      const auto wildcard = wildcards_.find(base::toAbsl(server_name.substr(dot)));
      if (wildcard != wildcards_.end()) return best(wildcard->second, hello);
    }
  }
  // Envoy: the first certificate's names stand for the rest, unless all are to be looked at.
  std::vector<size_t> candidates;
  for (size_t i = 0; i < material_.certificates.size(); ++i) {
    const bool same = material_.certificates[i]->names() == material_.certificates[0]->names();
    if (same || spec_->full_scan || server_name.empty()) candidates.push_back(i);
  }
  return best(candidates, hello);
}

int ServerContext::best(const std::vector<size_t>& candidates,
                        const SSL_CLIENT_HELLO& hello) const {
  const bool tls13 = offersTls13(hello) && spec_->common.max_version == Version::Tls13;
  int usable = -1;
  for (const size_t i : candidates) {
    const Certificate::Kind kind = material_.certificates[i]->kind();
    if (!clientTakes(kind, tls13, hello)) continue;
    if (kind != Certificate::Kind::Rsa) return static_cast<int>(i);
    if (usable < 0) usable = static_cast<int>(i);
  }
  // If none fits, the library says what is missing.
  return usable >= 0 ? usable : static_cast<int>(candidates.front());
}

}  // namespace convoy::tls
