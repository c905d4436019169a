#include "tools/ctl/credentials.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controlplane/validate/x509.h"

namespace convoy::tools::ctl {

namespace {

namespace x509 = controlplane::validate;

// More than all the authorities that a system trusts have.
constexpr size_t kMostBytes = 16 << 20;

absl::Status wrong(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

absl::Status readFile(const std::string& path, std::string* text) {
  std::error_code error;
  std::ifstream file(path, std::ios::binary);
  const bool is_folder = std::filesystem::is_directory(path, error);
  if (!file || is_folder) {
    return wrong(path, absl::StrCat("cannot be read: ", std::strerror(is_folder ? EISDIR : errno)));
  }
  char block[16384];
  while (file.read(block, sizeof(block)) || file.gcount() > 0) {
    text->append(block, static_cast<size_t>(file.gcount()));
    if (text->size() > kMostBytes) return wrong(path, "has more than 16 MiB");
  }
  return file.bad() ? wrong(path, "cannot be read") : absl::OkStatus();
}

absl::StatusOr<x509::Certificates> readCertificates(const std::string& path, std::string* pem) {
  if (absl::Status status = readFile(path, pem); !status.ok()) return status;
  absl::StatusOr<x509::Certificates> certificates = x509::Certificates::parse(*pem);
  if (!certificates.ok()) return wrong(path, certificates.status().message());
  return certificates;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentialsOf(const TlsPaths& tls) {
  if (tls.empty()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  const auto authorities = readCertificates(tls.ca, &options.pem_root_certs);
  if (!authorities.ok()) return authorities.status();
  if (tls.certificate.empty()) return grpc::SslCredentials(options);
  const auto own = readCertificates(tls.certificate, &options.pem_cert_chain);
  if (!own.ok()) return own.status();
  if (absl::Status status = readFile(tls.key, &options.pem_private_key); !status.ok()) {
    return status;
  }
  const absl::StatusOr<x509::KeyPtr> key = x509::parsePrivateKey(options.pem_private_key);
  if (!key.ok()) return wrong(tls.key, key.status().message());
  if (!x509::isKeyOf(key->get(), own->leaf())) {
    return wrong(tls.key, "is not the key of the certificate in " + tls.certificate);
  }
  return grpc::SslCredentials(options);
}

}  // namespace convoy::tools::ctl
