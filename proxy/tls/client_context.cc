#include <openssl/err.h>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/tls/context.h"
#include "proxy/tls/failure.h"
#include "proxy/tls/tls_transport.h"

namespace convoy::tls {

namespace {

int onNewSession(SSL* ssl, SSL_SESSION* session) {
  static_cast<const ClientContext&>(TlsTransport::of(ssl).context())
      .keep(bssl::UniquePtr<SSL_SESSION>(session));
  return 1;  // it is ours
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ClientContext>> ClientContext::make(
    std::shared_ptr<const ClientSpec> spec, Material material, const event::Clock& clock) {
  const std::shared_ptr<ClientContext> made(
      new ClientContext(std::move(spec), std::move(material), clock));
  if (absl::Status status = made->build(); !status.ok()) return status;
  return std::shared_ptr<const ClientContext>(made);
}

absl::Status ClientContext::build() {
  if (material_.certificates.size() > 1) {
    return absl::InvalidArgumentError("tls_certificates: a cluster shows one certificate at most");
  }
  auto made = makeBase(spec_->common, /*server=*/false);
  if (!made.ok()) return made.status();
  context_ = *std::move(made);
  SSL_CTX* const context = context_.get();
  if (!material_.certificates.empty()) {
    const Certificate& certificate = *material_.certificates.front();
    if (SSL_CTX_use_certificate(context, certificate.leaf()) != 1 ||
        SSL_CTX_set1_chain(context, certificate.chain()) != 1 ||
        SSL_CTX_use_PrivateKey(context, certificate.key()) != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("certificate: is refused: ", base::toAbsl(takeLibraryError())));
    }
  }
  // Without validation, whoever answers is believed: Envoy's default.
  SSL_CTX_set_verify(context, material_.validation == nullptr ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  std::string alpn;
  for (const std::string& protocol : spec_->common.alpn) {
    alpn += static_cast<char>(protocol.size());
    alpn += protocol;
  }
  // 0 is success for this function alone.
  if (!alpn.empty() &&
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const uint8_t*>(alpn.data()),
                              static_cast<unsigned>(alpn.size())) != 0) {
    return absl::InvalidArgumentError("alpn_protocols: cannot be used");
  }
  if (spec_->max_sessions > 0) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, onNewSession);
  } else {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  }
  return absl::OkStatus();
}

void ClientContext::keep(bssl::UniquePtr<SSL_SESSION> session) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (sessions_.size() >= spec_->max_sessions) sessions_.erase(sessions_.begin());
  sessions_.push_back(std::move(session));
}

bssl::UniquePtr<SSL_SESSION> ClientContext::takeSession() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (sessions_.empty()) return nullptr;
  bssl::UniquePtr<SSL_SESSION> session;
  if (SSL_SESSION_should_be_single_use(sessions_.back().get())) {
    session = std::move(sessions_.back());
    sessions_.pop_back();
  } else {
    session = bssl::UpRef(sessions_.back());
  }
  return session;
}

bssl::UniquePtr<SSL> ClientContext::newSsl() const {
  bssl::UniquePtr<SSL> ssl(SSL_new(context_.get()));
  SSL_set_connect_state(ssl.get());
  if (!spec_->sni.empty()) SSL_set_tlsext_host_name(ssl.get(), spec_->sni.c_str());
  if (const auto session = takeSession(); session != nullptr) {
    SSL_set_session(ssl.get(), session.get());
  }
  return ssl;
}

}  // namespace convoy::tls
