#include "controlplane/validate/pem_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy::controlplane::validate {

namespace {

absl::Status wrong(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

absl::Status unreadable(const std::string& path, int error) {
  return wrong(path, absl::StrCat("cannot be read: ", strerror(error)));
}

absl::StatusOr<std::string> readOpened(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return unreadable(path, errno);
  if (S_ISDIR(info.st_mode)) return unreadable(path, EISDIR);
  if (!S_ISREG(info.st_mode)) return wrong(path, "is not a regular file");
  std::string text;
  char block[16384];
  ssize_t size = 0;
  while ((size = ::read(fd, block, sizeof(block))) > 0) {
    text.append(block, static_cast<size_t>(size));
    if (text.size() > kMostPemBytes) return wrong(path, "has more than 16 MiB");
  }
  if (size < 0) return unreadable(path, errno);
  return text;
}

absl::StatusOr<std::string> readFile(const std::string& path) {
  // Not to wait for who writes to a FIFO: a start must end, one way or the other.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return unreadable(path, errno);
  absl::StatusOr<std::string> text = readOpened(fd, path);
  ::close(fd);
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
