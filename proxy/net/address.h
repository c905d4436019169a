#pragma once

// An IPv4, IPv6 or unix-socket address: a value of 32 bytes. Text forms: "10.0.0.1:80",
// "[::1]:80", "[fe80::1%eth0]:80", "unix:/run/x.sock", "unix:@abstract". IPv4-mapped IPv6
// addresses, as dual-stack sockets report them, become IPv4.

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace convoy::net {

class Address {
 public:
  enum class Family : uint8_t { None, Ipv4, Ipv6, Unix };

  Address() = default;
  Address(const Address& other) { *this = other; }
  Address& operator=(const Address& other);
  Address(Address&&) noexcept = default;
  Address& operator=(Address&&) noexcept = default;

  // The error says what is wrong with which text, and the accepted forms. Host names are refused.
  static absl::StatusOr<Address> parse(std::string_view text);
  static absl::StatusOr<Address> fromIp(std::string_view ip, uint16_t port);
  static absl::StatusOr<Address> fromUnixPath(
      std::string_view path);  // a leading '@' means abstract
  static Address fromSockaddr(const sockaddr* address, socklen_t length);

  Family family() const { return family_; }
  bool isIp() const { return family_ == Family::Ipv4 || family_ == Family::Ipv6; }
  uint16_t port() const { return port_; }  // host order; 0 for unix
  // As in the text form, "@name" if abstract; empty for IP and for an unnamed socket.
  std::string_view unixPath() const {
    return path_ == nullptr ? std::string_view() : std::string_view(*path_);
  }
  // Network order: 4 or 16 bytes; empty for unix.
  std::string_view ipBytes() const {
    return {reinterpret_cast<const char*>(ip_),
            family_ == Family::Ipv4 ? 4u : (family_ == Family::Ipv6 ? 16u : 0u)};
  }
  bool isLoopback() const;  // unix sockets count as loopback
  bool isWildcard() const;  // 0.0.0.0 or ::

  // Without and with port; IPv6 with brackets only in the latter.
  std::string ipText() const;
  std::string text() const;
  // Writes ipText() into `out` (at least 46 bytes), returns its length; no allocation.
  size_t writeIpText(char* out) const;

  // Returns the length to pass to bind() and connect().
  socklen_t toSockaddr(sockaddr_storage* out) const;
  Address withPort(uint16_t port) const;

  friend bool operator==(const Address& a, const Address& b);
  template <typename H>
  friend H AbslHashValue(H h, const Address& a) {
    h = H::combine(std::move(h), static_cast<int>(a.family_), a.port_, a.scope_id_);
    h = H::combine_contiguous(std::move(h), a.ip_, sizeof(a.ip_));
    return H::combine_contiguous(std::move(h), a.unixPath().data(), a.unixPath().size());
  }

 private:
  Family family_ = Family::None;
  uint16_t port_ = 0;
  uint32_t scope_id_ = 0;
  uint8_t ip_[16] = {};                      // network order; IPv4 uses the first four
  std::unique_ptr<const std::string> path_;  // null unless unix; IP addresses never allocate
};

// A text form and, apart from it, the zone: for who passes an address on to another machine. A zone
// is an interface of the machine that uses the address, and parse() looks it up on this one.
struct ZonedText {
  std::string address;  // "[fe80::1]:80"
  std::string zone;     // "%eth0"; empty: there is none
};
ZonedText splitZone(std::string_view text);

}  // namespace convoy::net
