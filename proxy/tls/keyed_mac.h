#pragma once

// HMAC-SHA-256 (RFC 2104) under one key, for the rest of the data plane: this folder alone sees the
// TLS library. The key is worked into the state once and not kept; a short message then costs two
// blocks of SHA-256 and no allocation. Immutable; thread-safe.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

namespace convoy::tls {

class KeyedMac {
 public:
  static constexpr size_t kBytes = 32;
  using Digest = std::array<uint8_t, kBytes>;

  explicit KeyedMac(std::string_view key);
  ~KeyedMac();
  KeyedMac(KeyedMac&&) noexcept;
  KeyedMac& operator=(KeyedMac&&) = delete;

  // Of the parts one after the other, as if they were one text.
  Digest of(std::initializer_list<std::string_view> parts) const;

  // Whether they are the same, in a time that does not depend on where they differ.
  static bool same(std::string_view a, std::string_view b);

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

inline std::string_view bytesOf(const KeyedMac::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace convoy::tls
