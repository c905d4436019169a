#pragma once

// The key of what the control plane keeps secret: it seals secrets in the store, and other keys are
// derived from it. 32 random bytes, in a file of its own as 64 hexadecimal
// digits and a newline, readable by its owner only. Immutable; thread-safe.
//
// Sealing is AES-256-GCM with a random nonce for each value. A sealed value is bound to a context:
// moved elsewhere in the store it does not open. It begins with what tells keys apart, so that a
// wrong key is known as such. Errors name the file and never hold the key.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace convoy::controlplane::store {

class SecretsKey {
 public:
  // Reads a file. Errors: NotFound if there is none; FailedPrecondition.
  static absl::StatusOr<SecretsKey> read(const std::string& path);
  // Makes a new key and its file, which is on disk on return. Error: FailedPrecondition, also if
  // the file exists.
  static absl::StatusOr<SecretsKey> create(const std::string& path);

  std::string seal(absl::string_view plain, absl::string_view context) const;
  // None: the value is damaged, of another context, or of another key.
  std::optional<std::string> unseal(absl::string_view sealed, absl::string_view context) const;
  // Whether this key has sealed the value, as its first bytes say.
  bool sealedBy(absl::string_view sealed) const;

  // `size` bytes of key for another purpose, by HKDF-SHA-256 (RFC 5869) without salt: the same for
  // the same `purpose`, and of no use to find this key or those of other purposes.
  // REQUIRES: 0 < size <= 8160.
  std::string derive(absl::string_view purpose, size_t size) const;

 private:
  static constexpr size_t kKeyBytes = 32;
  using Bytes = std::array<uint8_t, kKeyBytes>;

  explicit SecretsKey(const Bytes& key);

  Bytes key_;
  std::string head_;  // version and id: what sealed values begin with
};

}  // namespace convoy::controlplane::store
