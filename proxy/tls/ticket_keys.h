#pragma once

// Keys of session tickets (RFC 5077 4, RFC 8446 4.6.1) that a whole fleet shares: whoever has them
// resumes a session that another node began. The first encrypts, all decrypt, so that keys are
// rotated by putting a new one in front and leaving the old ones for the lifetime of a ticket.
// Immutable; any thread.

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace convoy::tls {

class TicketKeys {
 public:
  static constexpr size_t kKeyBytes = 80;

  // Each kKeyBytes: name (16), HMAC-SHA-256 key (32), AES-256-CBC key (32). Errors never show them.
  static absl::StatusOr<std::shared_ptr<const TicketKeys>> make(
      const std::vector<std::string>& keys);
  ~TicketKeys();

  // What BoringSSL's ticket callback asks: -1 error, 0 unknown key, 1 known, 2 known and to be
  // renewed.
  int crypt(uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac, bool encrypt) const;

 private:
  struct Key {
    std::array<uint8_t, 16> name;
    std::array<uint8_t, 32> hmac;
    std::array<uint8_t, 32> aes;
  };
  TicketKeys() = default;

  std::vector<Key> keys_;
};

}  // namespace convoy::tls
