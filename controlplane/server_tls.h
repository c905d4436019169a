#pragma once

// TLS of the control plane's own listeners: what to show, and whom to let in. The files are read
// when it starts, and again when they change: a renewed certificate is shown to connections that
// come then, and an open one is left alone.

#include <memory>
#include <string>

#include <grpcpp/security/server_credentials.h>
#include "absl/status/statusor.h"

namespace convoy::controlplane {

// Paths of PEM files. Empty: not given.
struct TlsFiles {
  std::string certificate;    // the chain, the leaf first; empty: plain text
  std::string key;            // its private key
  std::string client_ca;      // who may have signed the clients' certificates
  std::string xds_client_ca;  // likewise on the xDS address; empty: client_ca

  bool enabled() const {
    return !certificate.empty() || !key.empty() || !client_ca.empty() || !xds_client_ca.empty();
  }
  const std::string& nodesCa() const { return xds_client_ca.empty() ? client_ca : xds_client_ca; }
};

// Credentials of a listener whose clients have to show a certificate of `client_ca`, unless that is
// empty. Errors name the flag and the file.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> serverCredentials(
    const TlsFiles& files, const std::string& client_ca);

}  // namespace convoy::controlplane
