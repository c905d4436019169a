#include "proxy/tls/ticket_keys.h"

#include <openssl/cipher.h>
#include <openssl/digest.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace convoy::tls {

absl::StatusOr<std::shared_ptr<const TicketKeys>> TicketKeys::make(
    const std::vector<std::string>& keys) {
  if (keys.empty()) return absl::InvalidArgumentError("keys: at least one is needed");
  const std::shared_ptr<TicketKeys> made(new TicketKeys());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].size() != kKeyBytes) {
      return absl::InvalidArgumentError(absl::StrCat("keys[", i, "]: must be ", kKeyBytes,
                                                     " bytes (openssl rand ", kKeyBytes,
                                                     "); it has ", keys[i].size()));
    }
    Key key;
    const char* const bytes = keys[i].data();
    std::memcpy(key.name.data(), bytes, 16);
    std::memcpy(key.hmac.data(), bytes + 16, 32);
    std::memcpy(key.aes.data(), bytes + 48, 32);
    for (const Key& other : made->keys_) {
      if (other.name == key.name) {
        return absl::InvalidArgumentError(
            absl::StrCat("keys[", i, "]: an earlier one has the same name (its first 16 bytes)"));
      }
    }
    made->keys_.push_back(key);
  }
  return std::shared_ptr<const TicketKeys>(made);
}

TicketKeys::~TicketKeys() {
  for (Key& key : keys_) OPENSSL_cleanse(&key, sizeof(key));
}

int TicketKeys::crypt(uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac,
                      bool encrypt) const {
  const EVP_CIPHER* const aes = EVP_aes_256_cbc();
  if (encrypt) {
    const Key& key = keys_.front();
    std::memcpy(name, key.name.data(), key.name.size());
    const bool done =
        RAND_bytes(iv, EVP_CIPHER_iv_length(aes)) == 1 &&
        EVP_EncryptInit_ex(cipher, aes, nullptr, key.aes.data(), iv) == 1 &&
        HMAC_Init_ex(hmac, key.hmac.data(), key.hmac.size(), EVP_sha256(), nullptr) == 1;
    return done ? 1 : -1;
  }
  for (const Key& key : keys_) {
    if (std::memcmp(name, key.name.data(), key.name.size()) != 0) continue;
    const bool done =
        HMAC_Init_ex(hmac, key.hmac.data(), key.hmac.size(), EVP_sha256(), nullptr) == 1 &&
        EVP_DecryptInit_ex(cipher, aes, nullptr, key.aes.data(), iv) == 1;
    if (!done) return -1;
    return &key == &keys_.front() ? 1 : 2;
  }
  return 0;
}

}  // namespace convoy::tls
