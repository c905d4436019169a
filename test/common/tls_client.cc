#include "test/common/tls_client.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <signal.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proxy/base/assert.h"
#include "test/common/test_ca.h"

namespace convoy::test {

TlsClient::TlsClient(const net::Address& to, const TlsClientOptions& options)
    : host_(options.host),
      version_(options.version),
      context_(SSL_CTX_new(TLS_method())),
      socket_(RawSocket::connectedTo(to)) {
  ::signal(SIGPIPE, SIG_IGN);  // the library's socket writes without MSG_NOSIGNAL
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, options.tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  CONVOY_ASSERT(SSL_CTX_load_verify_locations(context, caPath(options.ca).c_str(), nullptr) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (!options.certificate.empty()) {
    const std::string base = caPath(options.certificate + ".pem");
    CONVOY_ASSERT(SSL_CTX_use_certificate_chain_file(context, base.c_str()) == 1);
    CONVOY_ASSERT(SSL_CTX_use_PrivateKey_file(context, caPath(options.certificate + ".key").c_str(),
                                              SSL_FILETYPE_PEM) == 1);
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(context, &TlsClient::onSession);
  if (options.rsa_only) {
    const uint16_t algorithms[] = {SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256};
    SSL_CTX_set_verify_algorithm_prefs(context, algorithms, 2);
  }
  ssl_.reset(SSL_new(context));
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_fd(ssl_.get(), socket_.fd());
  if (!options.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
  }
  std::string alpn;
  for (const std::string& protocol : options.alpn) {
    alpn += static_cast<char>(protocol.size());
    alpn += protocol;
  }
  if (!alpn.empty()) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const uint8_t*>(alpn.data()),
                        static_cast<unsigned>(alpn.size()));
  }
  if (options.ask_ocsp) SSL_enable_ocsp_stapling(ssl_.get());
  if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
  connected_ = SSL_connect(ssl_.get()) == 1;
  ERR_clear_error();
}

int TlsClient::onSession(SSL* ssl, SSL_SESSION* session) {
  static_cast<TlsClient*>(SSL_get_app_data(ssl))->session_.reset(session);
  return 1;
}

HttpReply TlsClient::get(const std::string& path, const std::string& headers) {
  const std::string request =
      absl::StrCat("GET ", path, " ", version_, "\r\nHost: ", host_, "\r\n", headers, "\r\n");
  ERR_clear_error();
  if (SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0) return {};
  std::string all;
  char buffer[4096];
  while (true) {
    const size_t end = all.find("\r\n\r\n");
    if (end != std::string::npos) {
      size_t length = 0;
      for (absl::string_view line : absl::StrSplit(all.substr(0, end), "\r\n")) {
        const std::pair<absl::string_view, absl::string_view> field =
            absl::StrSplit(line, absl::MaxSplits(": ", 1));
        if (absl::EqualsIgnoreCase(field.first, "content-length")) {
          CONVOY_ASSERT(absl::SimpleAtoi(field.second, &length));
        }
      }
      if (all.size() >= end + 4 + length) return parseReply(all);
    }
    const int count = SSL_read(ssl_.get(), buffer, sizeof(buffer));
    if (count <= 0) return {};
    all.append(buffer, static_cast<size_t>(count));
  }
}

std::string TlsClient::protocol() const {
  const uint8_t* bytes = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string TlsClient::peer() const {
  const bssl::UniquePtr<X509> leaf(SSL_get_peer_certificate(ssl_.get()));
  char name[256] = "";
  if (leaf != nullptr) {
    X509_NAME_get_text_by_NID(X509_get_subject_name(leaf.get()), NID_commonName, name,
                              sizeof(name));
  }
  return name;
}

std::string TlsClient::fingerprint() const {
  const bssl::UniquePtr<X509> leaf(SSL_get_peer_certificate(ssl_.get()));
  uint8_t digest[SHA256_DIGEST_LENGTH];
  unsigned size = 0;
  if (leaf == nullptr || X509_digest(leaf.get(), EVP_sha256(), digest, &size) != 1) return {};
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

std::string TlsClient::ocsp() const {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  SSL_get0_ocsp_response(ssl_.get(), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace convoy::test
