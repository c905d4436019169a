#pragma once

// The text of a signed cookie: a host's address and until when it holds, which nobody without a key
// can read or make. Base64 of a tag of 16 bytes and as many blocks of 32 as the address needs: one
// for IPv4, two for the longest IPv6 address, so that a length tells no more.
//
// Made like RFC 5297's SIV, with HMAC-SHA-256 in both places: the tag is the (truncated) MAC of the
// content, and the content is encrypted with a stream that follows from the tag. To open it the
// content is decrypted, and its MAC must be the tag. Two keys, one for each use, are derived from
// the configured one. The cookie's name goes into the MAC, so that one cookie is no other.
//
// Why encrypted, not a hash of the address that the MAC protects: a hash could only be found by
// hashing every host, with every key, whenever a host set changes. Why no nonce: equal content
// gives an equal text, which shows that two clients have the same host and time, and no more.
//
// Immutable; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/tls/keyed_mac.h"

namespace convoy::filter::stateful_session {

class SessionTokens {
 public:
  // keys: the first makes tokens, all of them open. purpose: has no zero byte.
  SessionTokens(const std::vector<std::string>& keys, std::string purpose);

  struct Content {
    std::string_view host;
    uint32_t end = 0;           // seconds since 1970; 0: none
    bool by_first_key = false;  // of an opened one
  };
  // Empty if the address is longer than a token's.
  std::string_view seal(const Content& content, base::Arena& arena) const;
  // None: nobody who has one of the keys has made it.
  std::optional<Content> open(std::string_view token, base::Arena& arena) const;

 private:
  struct Key {
    tls::KeyedMac mac;
    tls::KeyedMac stream;
  };
  std::string_view tagOf(const Key& key, std::string_view content,
                         tls::KeyedMac::Digest* digest) const;

  const std::string purpose_;
  std::vector<Key> keys_;
};

}  // namespace convoy::filter::stateful_session
