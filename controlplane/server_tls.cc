#include "controlplane/server_tls.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include "absl/strings/str_cat.h"
#include "controlplane/validate/x509.h"

namespace convoy::controlplane {

namespace {

constexpr unsigned kLookSeconds = 1;

absl::Status wrong(const char* flag, const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(flag, " ", path, ": ", what));
}

absl::StatusOr<std::string> readFile(const char* flag, const std::string& path) {
  if (path.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " is needed: --tls-cert and --tls-key belong together, and the others need them"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return wrong(flag, path, absl::StrCat("cannot be read: ", strerror(errno)));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<validate::Certificates> readCertificates(const char* flag, const std::string& path) {
  absl::StatusOr<std::string> pem = readFile(flag, path);
  if (!pem.ok()) return pem.status();
  absl::StatusOr<validate::Certificates> certificates = validate::Certificates::parse(*pem);
  if (!certificates.ok()) return wrong(flag, path, certificates.status().message());
  return certificates;
}

// gRPC would say nothing and refuse every handshake.
absl::Status checkFiles(const TlsFiles& files, const std::string& client_ca) {
  const auto chain = readCertificates("--tls-cert", files.certificate);
  if (!chain.ok()) return chain.status();
  const auto pem = readFile("--tls-key", files.key);
  if (!pem.ok()) return pem.status();
  const auto key = validate::parsePrivateKey(*pem);
  if (!key.ok()) return wrong("--tls-key", files.key, key.status().message());
  if (!validate::isKeyOf(key->get(), chain->leaf())) {
    return wrong("--tls-key", files.key,
                 absl::StrCat("is not the key of ", chain->subject(0), " in ", files.certificate));
  }
  if (client_ca.empty()) return absl::OkStatus();
  const bool nodes = client_ca == files.xds_client_ca;
  return readCertificates(nodes ? "--xds-tls-client-ca" : "--tls-client-ca", client_ca).status();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> serverCredentials(
    const TlsFiles& files, const std::string& client_ca) {
  namespace grpc_tls = grpc::experimental;
  if (absl::Status status = checkFiles(files, client_ca); !status.ok()) return status;
  grpc_tls::TlsServerCredentialsOptions options(
      std::make_shared<grpc_tls::FileWatcherCertificateProvider>(files.key, files.certificate,
                                                                 client_ca, kLookSeconds));
  options.watch_identity_key_cert_pairs();
  if (client_ca.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc_tls::TlsServerCredentials(options);
}

}  // namespace convoy::controlplane
