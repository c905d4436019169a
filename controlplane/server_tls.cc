#include "controlplane/server_tls.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include "absl/strings/str_cat.h"
#include "controlplane/validate/pem_files.h"

namespace convoy::controlplane {

namespace {

constexpr unsigned kLookSeconds = 1;

absl::Status wrong(const char* flag, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::FailedPreconditionError(absl::StrCat(flag, " ", status.message()));
}

absl::Status needed(const char* flag) {
  return absl::InvalidArgumentError(absl::StrCat(
      flag, " is needed: --tls-cert and --tls-key belong together, and the others need them"));
}

absl::Status checkFiles(const TlsFiles& files, const std::string& client_ca) {
  if (files.certificate.empty()) return needed("--tls-cert");
  if (files.key.empty()) return needed("--tls-key");
  const auto chain = validate::readCertificates(files.certificate);
  if (!chain.ok()) return wrong("--tls-cert", chain.status());
  const auto key = validate::readKeyOf(*chain, files.key);
  if (!key.ok()) return wrong("--tls-key", key.status());
  if (client_ca.empty()) return absl::OkStatus();
  const bool nodes = client_ca == files.xds_client_ca;
  return wrong(nodes ? "--xds-tls-client-ca" : "--tls-client-ca",
               validate::readCertificates(client_ca).status());
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
