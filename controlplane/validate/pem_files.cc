#include "controlplane/validate/pem_files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy::controlplane::validate {

namespace {

absl::Status wrong(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

absl::StatusOr<std::string> readFile(const std::string& path) {
  std::error_code error;
  std::ifstream file(path, std::ios::binary);
  const int reason = errno;
  const bool is_folder = std::filesystem::is_directory(path, error);
  if (!file || is_folder) {
    return wrong(path, absl::StrCat("cannot be read: ", strerror(is_folder ? EISDIR : reason)));
  }
  std::string text;
  char block[16384];
  while (file.read(block, sizeof(block)) || file.gcount() > 0) {
    text.append(block, static_cast<size_t>(file.gcount()));
    if (text.size() > kMostPemBytes) return wrong(path, "has more than 16 MiB");
  }
  if (file.bad()) return wrong(path, "cannot be read");
  return text;
}

}  // namespace

absl::StatusOr<CertificateFile> readCertificates(const std::string& path) {
  absl::StatusOr<std::string> pem = readFile(path);
  if (!pem.ok()) return pem.status();
  absl::StatusOr<Certificates> certificates = Certificates::parse(*pem);
  if (!certificates.ok()) return wrong(path, certificates.status().message());
  return CertificateFile{path, *std::move(pem), *std::move(certificates)};
}

absl::StatusOr<std::string> readKeyOf(const CertificateFile& chain, const std::string& path) {
  absl::StatusOr<std::string> pem = readFile(path);
  if (!pem.ok()) return pem.status();
  const absl::StatusOr<KeyPtr> key = parsePrivateKey(*pem);
  if (!key.ok()) return wrong(path, key.status().message());
  if (!isKeyOf(key->get(), chain.certificates.leaf())) {
    return wrong(path, absl::StrCat("is not the key of ", chain.certificates.subject(0), " in ",
                                    chain.path));
  }
  return pem;
}

}  // namespace convoy::controlplane::validate
