#pragma once

// An IPv4, IPv6 or unix-socket address: a value. Text forms: "10.0.0.1:80", "[::1]:80",
// "unix:/run/x.sock", "unix:@abstract".

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace convoy::net {

class Address {
 public:
  enum class Family : uint8_t { None, Ipv4, Ipv6, Unix };

  Address() = default;
  // The error says what is wrong with which text, and the accepted forms. Host names are refused.
  static absl::StatusOr<Address> parse(std::string_view text);
  static absl::StatusOr<Address> fromIp(std::string_view ip, uint16_t port);
  static absl::StatusOr<Address> fromUnixPath(
      std::string_view path);  // a leading '@' means abstract
  static Address fromSockaddr(const sockaddr* address, socklen_t length);

  Family family() const { return family_; }
  bool isIp() const { return family_ == Family::Ipv4 || family_ == Family::Ipv6; }
  uint16_t port() const { return port_; }  // host order; 0 for unix
  std::string_view unixPath() const { return path_; }
  bool isLoopback() const;  // unix sockets count as loopback

  // Without and with port; IPv6 with brackets only in the latter.
  std::string ipText() const;
  std::string text() const;
  // Writes ipText() into `out` (at least 46 bytes), returns its length; no allocation.
  size_t writeIpText(char* out) const;

  // Returns the length to pass to bind() and connect().
  socklen_t toSockaddr(sockaddr_storage* out) const;
  Address withPort(uint16_t port) const;

  friend bool operator==(const Address&, const Address&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Address& a) {
    return H::combine(std::move(h), static_cast<int>(a.family_), a.port_, a.scope_id_,
                      std::string(reinterpret_cast<const char*>(a.ip_), sizeof(a.ip_)), a.path_);
  }

 private:
  Family family_ = Family::None;
  uint16_t port_ = 0;
  uint32_t scope_id_ = 0;
  uint8_t ip_[16] = {};  // network order; IPv4 uses the first four
  std::string path_;     // empty unless unix; never allocates for IP
};

}  // namespace convoy::net
