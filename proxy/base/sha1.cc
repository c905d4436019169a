#include "proxy/base/sha1.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

namespace convoy::base {

namespace {

constexpr size_t kBlock = 64;

using State = std::array<uint32_t, 5>;

// RFC 3174 5: the function and the constant of step t.
uint32_t mix(size_t t, uint32_t b, uint32_t c, uint32_t d) {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5A827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ED9EBA1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
  return (b ^ c ^ d) + 0xCA62C1D6;
}

void addBlock(const uint8_t* block, State& state) {
  uint32_t words[80];
  for (size_t t = 0; t < 16; ++t) {
    const uint8_t* const at = block + 4 * t;
    words[t] = uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
  }
  for (size_t t = 16; t < 80; ++t) {
    words[t] = std::rotl(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
  }
  auto [a, b, c, d, e] = state;
  for (size_t t = 0; t < 80; ++t) {
    const uint32_t next = std::rotl(a, 5) + mix(t, b, c, d) + e + words[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const State sum = {a, b, c, d, e};
  for (size_t i = 0; i < state.size(); ++i) state[i] += sum[i];
}

}  // namespace

Sha1Digest sha1(std::string_view bytes) {
  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  uint8_t block[kBlock];
  while (bytes.size() >= kBlock) {
    std::memcpy(block, bytes.data(), kBlock);
    addBlock(block, state);
    bytes.remove_prefix(kBlock);
  }
  // The rest, a bit, zeros, and the length in the last eight bytes of a block.
  std::fill(std::begin(block), std::end(block), uint8_t{0});
  std::copy(bytes.begin(), bytes.end(), block);
  block[bytes.size()] = 0x80;
  if (bytes.size() >= kBlock - 8) {
    addBlock(block, state);
    std::fill(std::begin(block), std::end(block), uint8_t{0});
  }
  for (size_t i = 0; i < 8; ++i) block[kBlock - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
  addBlock(block, state);
  Sha1Digest digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace convoy::base
