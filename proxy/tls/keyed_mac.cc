#include "proxy/tls/keyed_mac.h"

#include <openssl/mem.h>
#include <openssl/sha.h>

#include <cstring>

namespace convoy::tls {

namespace {

constexpr size_t kBlock = SHA256_CBLOCK;
constexpr uint8_t kInnerPad = 0x36;
constexpr uint8_t kOuterPad = 0x5c;

void start(const uint8_t (&key)[kBlock], uint8_t pad, SHA256_CTX* hash) {
  uint8_t block[kBlock];
  for (size_t i = 0; i < kBlock; ++i) block[i] = static_cast<uint8_t>(key[i] ^ pad);
  SHA256_Init(hash);
  SHA256_Update(hash, block, sizeof(block));
  OPENSSL_cleanse(block, sizeof(block));
}

}  // namespace

// The two hashes of HMAC, each after its block of key.
struct KeyedMac::State {
  ~State() {
    OPENSSL_cleanse(&inner, sizeof(inner));
    OPENSSL_cleanse(&outer, sizeof(outer));
  }
  SHA256_CTX inner;
  SHA256_CTX outer;
};

KeyedMac::KeyedMac(std::string_view key) {
  uint8_t block[kBlock] = {};
  if (key.size() > kBlock) {
    SHA256(reinterpret_cast<const uint8_t*>(key.data()), key.size(), block);
  } else if (!key.empty()) {
    std::memcpy(block, key.data(), key.size());
  }
  auto state = std::make_unique<State>();
  start(block, kInnerPad, &state->inner);
  start(block, kOuterPad, &state->outer);
  OPENSSL_cleanse(block, sizeof(block));
  state_ = std::move(state);
}

KeyedMac::~KeyedMac() = default;
KeyedMac::KeyedMac(KeyedMac&&) noexcept = default;

KeyedMac::Digest KeyedMac::of(std::initializer_list<std::string_view> parts) const {
  Digest digest;
  SHA256_CTX hash = state_->inner;
  for (const std::string_view part : parts) SHA256_Update(&hash, part.data(), part.size());
  SHA256_Final(digest.data(), &hash);
  hash = state_->outer;
  SHA256_Update(&hash, digest.data(), digest.size());
  SHA256_Final(digest.data(), &hash);
  return digest;
}

bool KeyedMac::same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace convoy::tls
