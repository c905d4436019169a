#include "controlplane/store/secrets_key.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "controlplane/base/sync_folder.h"
#include "proxy/base/assert.h"

namespace convoy::controlplane::store {

namespace {

constexpr char kVersion = 1;
constexpr size_t kIdBytes = 8;
constexpr size_t kHeadBytes = 1 + kIdBytes;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kMostFileBytes = 4096;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

absl::Status fileError(const std::string& path, absl::string_view what, int error) {
  return absl::FailedPreconditionError(absl::StrCat("secrets key file ", path, " ", what,
                                                    error == 0 ? "" : ": ",
                                                    error == 0 ? "" : strerror(error)));
}

const uint8_t* bytesOf(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

uint8_t* bytesOf(char* text) {
  return reinterpret_cast<uint8_t*>(text);
}

// Closes it when it goes.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

absl::Status writeFile(const std::string& path, const std::string& text) {
  // Under another name first: a key file is there whole or not at all.
  const std::string partial = absl::StrCat(path, ".new");
  ::unlink(partial.c_str());
  {
    const File file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const bool written =
        file.fd() >= 0 &&
        ::write(file.fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file.fd()) == 0;
    if (file.fd() < 0 && errno == EEXIST) {
      return fileError(
          path, absl::StrCat("cannot be made: ", partial, " is in the way; move it away"), 0);
    }
    if (!written) {
      return fileError(
          path, "cannot be made; check that its folder exists and may be written, or name another",
          errno);
    }
  }
  // Unlike rename(), link() replaces nothing.
  const int linked = ::link(partial.c_str(), path.c_str());
  const int error = errno;
  ::unlink(partial.c_str());
  if (linked != 0) return fileError(path, "cannot be made", error);
  const int unsynced = syncFolderOf(path);
  return unsynced == 0 ? absl::OkStatus() : fileError(path, "cannot be kept", unsynced);
}

}  // namespace

SecretsKey::SecretsKey(const Bytes& key) : key_(key) {
  const std::string labelled =
      absl::StrCat("convoy secrets key id",
                   absl::string_view(reinterpret_cast<const char*>(key.data()), key.size()));
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(bytesOf(labelled), labelled.size(), digest);
  head_.push_back(kVersion);
  head_.append(reinterpret_cast<const char*>(digest), kIdBytes);
}

absl::StatusOr<SecretsKey> SecretsKey::read(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0 && errno == ENOENT) {
    return absl::NotFoundError(absl::StrCat("secrets key file ", path, " does not exist"));
  }
  if (file.fd() < 0) return fileError(path, "cannot be read", errno);
  struct stat info;
  if (::fstat(file.fd(), &info) != 0) return fileError(path, "cannot be looked at", errno);
  if (!S_ISREG(info.st_mode)) {
    return fileError(path, "is not a regular file; name another with --secrets-key", 0);
  }
  if ((info.st_mode & 0077) != 0) {
    return fileError(
        path, "may be read or written by others; if nobody has, chmod 600 it and start again", 0);
  }
  std::string text(kMostFileBytes, '\0');
  const ssize_t size = ::read(file.fd(), text.data(), text.size());
  if (size < 0) return fileError(path, "cannot be read", errno);
  text.resize(static_cast<size_t>(size));
  const absl::string_view digits = absl::StripAsciiWhitespace(text);
  if (digits.size() != 2 * kKeyBytes ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return absl::ascii_isxdigit(c); })) {
    return fileError(path,
                     "holds no key of 64 hexadecimal digits; restore it, or name the right file "
                     "with --secrets-key",
                     0);
  }
  const std::string bytes = absl::HexStringToBytes(digits);
  Bytes key;
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return SecretsKey(key);
}

absl::StatusOr<SecretsKey> SecretsKey::create(const std::string& path) {
  Bytes key;
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
    return fileError(path, "cannot be made: the system gives no random bytes", 0);
  }
  const std::string digits = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(key.data()), key.size()));
  absl::Status status = writeFile(path, absl::StrCat(digits, "\n"));
  if (!status.ok()) return status;
  return SecretsKey(key);
}

std::string SecretsKey::seal(absl::string_view plain, absl::string_view context) const {
  std::string sealed = head_;
  sealed.resize(kHeadBytes + kNonceBytes + plain.size() + kTagBytes);
  char* const nonce = sealed.data() + kHeadBytes;
  char* const text = nonce + kNonceBytes;
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0;
  // None of these can fail but for memory; a secret must not be stored in the open then.
  CONVOY_ASSERT(RAND_bytes(bytesOf(nonce), kNonceBytes) == 1);
  CONVOY_ASSERT(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(),
                                   bytesOf(nonce)) == 1);
  for (const absl::string_view part : {absl::string_view(head_), context}) {
    CONVOY_ASSERT(EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytesOf(part),
                                    static_cast<int>(part.size())) == 1);
  }
  CONVOY_ASSERT(EVP_EncryptUpdate(cipher.get(), bytesOf(text), &size, bytesOf(plain),
                                  static_cast<int>(plain.size())) == 1);
  CONVOY_ASSERT(EVP_EncryptFinal_ex(cipher.get(), bytesOf(text + size), &size) == 1);
  CONVOY_ASSERT(
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, text + plain.size()) == 1);
  return sealed;
}

bool SecretsKey::sealedBy(absl::string_view sealed) const {
  return absl::StartsWith(sealed, head_);
}

std::optional<std::string> SecretsKey::unseal(absl::string_view sealed,
                                              absl::string_view context) const {
  if (!sealedBy(sealed) || sealed.size() < kHeadBytes + kNonceBytes + kTagBytes) {
    return std::nullopt;
  }
  const absl::string_view nonce = sealed.substr(kHeadBytes, kNonceBytes);
  const absl::string_view text =
      sealed.substr(kHeadBytes + kNonceBytes, sealed.size() - kHeadBytes - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string plain(text.size(), '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0;
  bool good = EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(),
                                 bytesOf(nonce)) == 1;
  for (const absl::string_view part : {absl::string_view(head_), context}) {
    good = good && EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytesOf(part),
                                     static_cast<int>(part.size())) == 1;
  }
  good = good &&
         EVP_DecryptUpdate(cipher.get(), bytesOf(plain.data()), &size, bytesOf(text),
                           static_cast<int>(text.size())) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
         EVP_DecryptFinal_ex(cipher.get(), bytesOf(plain.data() + size), &size) == 1;
  if (!good) return std::nullopt;
  return plain;
}

std::string SecretsKey::derive(absl::string_view purpose, size_t size) const {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> hkdf(
      EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      EVP_KDF_CTX_new(hkdf.get()), EVP_KDF_CTX_free);
  // Not written to, whatever the type of the parameters says.
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<uint8_t*>(key_.data()),
                                        key_.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(purpose.data()),
                                        purpose.size()),
      OSSL_PARAM_construct_end()};
  std::string derived(size, '\0');
  // Fails for lack of memory only: a key that nobody derived must not be used.
  CONVOY_ASSERT(EVP_KDF_derive(context.get(), bytesOf(derived.data()), size, parameters) == 1);
  return derived;
}

}  // namespace convoy::controlplane::store
