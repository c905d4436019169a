#include "controlplane/base/hash.h"

#include <openssl/sha.h>

#include "absl/strings/str_format.h"

namespace convoy::controlplane {

uint64_t contentHash(absl::string_view content) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest);
  uint64_t hash = 0;
  for (int i = 0; i < 8; ++i) hash = hash << 8 | digest[i];
  return hash;
}

std::string contentHashText(absl::string_view content) {
  return absl::StrFormat("%016x", contentHash(content));
}

}  // namespace convoy::controlplane
