#include "proxy/net/spec.h"

#include <algorithm>
#include <cstring>

namespace convoy::net {

bool CidrRange::contains(const Address& candidate) const {
  if (!address.isIp() || candidate.family() != address.family()) return false;
  const std::string_view ours = address.ipBytes();
  const std::string_view theirs = candidate.ipBytes();
  const size_t bits = std::min<size_t>(prefix_length, ours.size() * 8);
  const size_t whole = bits / 8;
  if (std::memcmp(ours.data(), theirs.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - bits % 8));
  return ((static_cast<uint8_t>(ours[whole]) ^ static_cast<uint8_t>(theirs[whole])) & mask) == 0;
}

}  // namespace convoy::net
