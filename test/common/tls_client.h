#pragma once

// A blocking TLS client for the far side of a test, on certificates of test_ca.h.

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/net/address.h"
#include "test/common/proxy_harness.h"
#include "test/common/raw_socket.h"

namespace convoy::test {

struct TlsClientOptions {
  std::string server_name = "example.com";  // empty: no SNI
  std::string host = "test";                // what requests say; empty: an empty Host
  std::string version = "HTTP/1.1";         // what requests say
  std::string ca = "ca.pem";                // of test_ca.h; what signs the server's certificate
  std::string certificate = {};             // "client": client.pem and client.key; empty: none
  std::vector<std::string> alpn = {};
  bool tls12 = false;     // at most
  bool rsa_only = false;  // verifies no other signatures
  bool ask_ocsp = false;
  SSL_SESSION* session = nullptr;  // to resume
};

class TlsClient {
 public:
  // Does the handshake.
  TlsClient(const net::Address& to, const TlsClientOptions& options);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  // One request on this connection, which stays open; status 0: the connection failed.
  HttpReply get(const std::string& path = "/", const std::string& headers = "");
  std::string version() const { return SSL_get_version(ssl_.get()); }
  std::string protocol() const;     // ALPN
  std::string peer() const;         // common name of the server's certificate
  std::string fingerprint() const;  // its SHA-256
  std::string ocsp() const;
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // The newest ticket; with TLS 1.3 after the first answer.
  SSL_SESSION* session() const { return session_.get(); }

 private:
  static int onSession(SSL* ssl, SSL_SESSION* session);

  const std::string host_;
  const std::string version_;
  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL_SESSION> session_;
  RawSocket socket_;
  bssl::UniquePtr<SSL> ssl_;
  bool connected_ = false;
};

}  // namespace convoy::test
