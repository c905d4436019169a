#include "tools/ctl/credentials.h"

#include <utility>

#include "controlplane/validate/pem_files.h"

namespace convoy::tools::ctl {

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentialsOf(const TlsPaths& tls) {
  if (tls.empty()) return grpc::InsecureChannelCredentials();
  namespace pem = controlplane::validate;
  grpc::SslCredentialsOptions options;
  auto authorities = pem::readCertificates(tls.ca);
  if (!authorities.ok()) return authorities.status();
  options.pem_root_certs = std::move(authorities->pem);
  if (tls.certificate.empty()) return grpc::SslCredentials(options);
  auto own = pem::readCertificates(tls.certificate);
  if (!own.ok()) return own.status();
  auto key = pem::readKeyOf(*own, tls.key);
  if (!key.ok()) return key.status();
  options.pem_cert_chain = std::move(own->pem);
  options.pem_private_key = *std::move(key);
  return grpc::SslCredentials(options);
}

}  // namespace convoy::tools::ctl
