#include "proxy/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cstring>

#include "absl/status/status.h"

namespace convoy::net {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr size_t kUnixPathLimit = sizeof(sockaddr_un::sun_path) - 1;

absl::Status refused(std::string_view text, std::string_view why) {
  std::string message = "\"";
  message += text;
  message += "\" is not an address: ";
  message += why;
  message +=
      "; write IP:port (\"10.0.0.1:80\", \"[::1]:80\") or a unix socket (\"unix:/run/x.sock\", "
      "\"unix:@name\")";
  return absl::InvalidArgumentError(message);
}

bool parsePort(std::string_view text, uint16_t* port) {
  if (text.empty() || text.size() > 5) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *port);
  return error == std::errc() && end == text.data() + text.size();
}

// Of a link-local address: an interface's name or number. 0: no such interface.
uint32_t scopeId(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return if_nametoindex(std::string(text).c_str());
}

// The digits of a byte, and how many there are. Each request writes its peer's address.
struct Decimal {
  char digits[3];
  uint8_t size;
};
constexpr auto kDecimals = [] {
  std::array<Decimal, 256> decimals{};
  for (int value = 0; value < 256; ++value) {
    Decimal& decimal = decimals[static_cast<size_t>(value)];
    if (value >= 100) decimal.digits[decimal.size++] = static_cast<char>('0' + value / 100);
    if (value >= 10) decimal.digits[decimal.size++] = static_cast<char>('0' + value / 10 % 10);
    decimal.digits[decimal.size++] = static_cast<char>('0' + value % 10);
  }
  return decimals;
}();

// Writes a byte's digits, and junk up to three bytes.
char* writeDecimal(char* out, uint8_t value) {
  const Decimal& decimal = kDecimals[value];
  std::memcpy(out, decimal.digits, sizeof(decimal.digits));
  return out + decimal.size;
}

}  // namespace

Address& Address::operator=(const Address& other) {
  if (this == &other) return *this;
  family_ = other.family_;
  port_ = other.port_;
  scope_id_ = other.scope_id_;
  std::memcpy(ip_, other.ip_, sizeof(ip_));
  path_ = other.path_ == nullptr ? nullptr : std::make_unique<const std::string>(*other.path_);
  return *this;
}

absl::StatusOr<Address> Address::parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return fromUnixPath(text.substr(kUnixPrefix.size()));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refused(text, "it has no port");
  uint16_t port = 0;
  if (!parsePort(text.substr(colon + 1), &port)) {
    return refused(text, "the port must be a number from 0 to 65535");
  }
  std::string_view ip = text.substr(0, colon);
  const bool bracketed = ip.starts_with('[') && ip.ends_with(']');
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  const bool is_ipv6 = ip.find(':') != std::string_view::npos;
  if (is_ipv6 && !bracketed) return refused(text, "an IPv6 address needs brackets");
  absl::StatusOr<Address> address = fromIp(ip, port);
  if (!address.ok() && is_ipv6 && fromIp(ip.substr(0, ip.find('%')), port).ok()) {
    return refused(text, "there is no such network interface");
  }
  if (!address.ok() || (bracketed && !is_ipv6)) {
    return refused(text,
                   "the part before the port is not an IP address (host names are not "
                   "resolved here)");
  }
  return address;
}

absl::StatusOr<Address> Address::fromIp(std::string_view ip, uint16_t port) {
  Address address;
  address.port_ = port;
  const size_t percent = ip.find('%');
  const std::string text(ip.substr(0, percent));
  if (percent == std::string_view::npos && inet_pton(AF_INET, text.c_str(), address.ip_) == 1) {
    address.family_ = Family::Ipv4;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.ip_) != 1) {
    return refused(ip, "not an IPv4 or IPv6 address (host names are not resolved here)");
  }
  address.family_ = Family::Ipv6;
  if (percent != std::string_view::npos) {
    address.scope_id_ = scopeId(ip.substr(percent + 1));
    if (address.scope_id_ == 0) return refused(ip, "there is no such network interface");
  }
  return address;
}

absl::StatusOr<Address> Address::fromUnixPath(std::string_view path) {
  const auto refusedPath = [&](std::string_view why) {
    return refused(std::string(kUnixPrefix) + std::string(path), why);
  };
  if (path.empty() || path == "@") return refusedPath("the socket's path is empty");
  if (path.size() > kUnixPathLimit) {
    return refusedPath("a socket's path has at most 107 bytes");
  }
  if (path.find('\0') != std::string_view::npos) return refusedPath("the path has a zero byte");
  Address address;
  address.family_ = Family::Unix;
  address.path_ = std::make_unique<const std::string>(path);
  return address;
}

Address Address::fromSockaddr(const sockaddr* address, socklen_t length) {
  Address result;
  if (length < sizeof(sa_family_t)) return result;
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    const auto& in = *reinterpret_cast<const sockaddr_in*>(address);
    result.family_ = Family::Ipv4;
    result.port_ = ntohs(in.sin_port);
    std::memcpy(result.ip_, &in.sin_addr, 4);
  } else if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    const auto& in6 = *reinterpret_cast<const sockaddr_in6*>(address);
    result.port_ = ntohs(in6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
      result.family_ = Family::Ipv4;
      std::memcpy(result.ip_, in6.sin6_addr.s6_addr + 12, 4);
    } else {
      result.family_ = Family::Ipv6;
      result.scope_id_ = in6.sin6_scope_id;
      std::memcpy(result.ip_, &in6.sin6_addr, 16);
    }
  } else if (address->sa_family == AF_UNIX) {
    result.family_ = Family::Unix;
    const auto& un = *reinterpret_cast<const sockaddr_un*>(address);
    const size_t bytes = length - offsetof(sockaddr_un, sun_path);
    if (length <= offsetof(sockaddr_un, sun_path)) return result;  // unnamed
    std::string path = un.sun_path[0] == '\0'
                           ? "@" + std::string(un.sun_path + 1, bytes - 1)
                           : std::string(un.sun_path, strnlen(un.sun_path, bytes));
    result.path_ = std::make_unique<const std::string>(std::move(path));
  }
  return result;
}

bool Address::isLoopback() const {
  switch (family_) {
    case Family::Ipv4:
      return ip_[0] == 127;
    case Family::Ipv6: {
      static constexpr uint8_t kLoopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
      return std::memcmp(ip_, kLoopback, sizeof(kLoopback)) == 0;
    }
    case Family::Unix:
      return true;
    case Family::None:
      break;
  }
  return false;
}

bool Address::isWildcard() const {
  static constexpr uint8_t kZero[16] = {};
  return isIp() && std::memcmp(ip_, kZero, sizeof(kZero)) == 0;
}

// By hand for IPv4: every request's X-Forwarded-For needs it, and inet_ntop goes through printf.
size_t Address::writeIpText(char* out) const {
  if (family_ == Family::Ipv4) {
    char* at = out;
    for (int i = 0; i < 4; ++i) {
      if (i > 0) *at++ = '.';
      at = writeDecimal(at, ip_[i]);
    }
    return static_cast<size_t>(at - out);
  }
  if (family_ == Family::Ipv6) {
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, ip_, text, sizeof(text));
    return std::string_view(text).copy(out, sizeof(text));
  }
  return 0;
}

std::string Address::ipText() const {
  char text[INET6_ADDRSTRLEN];
  return std::string(text, writeIpText(text));
}

std::string Address::text() const {
  switch (family_) {
    case Family::None:
      return "(none)";
    case Family::Unix:
      return std::string(kUnixPrefix) + std::string(unixPath());
    case Family::Ipv4:
      return ipText() + ":" + std::to_string(port_);
    case Family::Ipv6:
      break;
  }
  const std::string scope = scope_id_ == 0 ? "" : "%" + std::to_string(scope_id_);
  return "[" + ipText() + scope + "]:" + std::to_string(port_);
}

socklen_t Address::toSockaddr(sockaddr_storage* out) const {
  std::memset(out, 0, sizeof(*out));
  switch (family_) {
    case Family::Ipv4: {
      auto& in = *reinterpret_cast<sockaddr_in*>(out);
      in.sin_family = AF_INET;
      in.sin_port = htons(port_);
      std::memcpy(&in.sin_addr, ip_, 4);
      return sizeof(in);
    }
    case Family::Ipv6: {
      auto& in6 = *reinterpret_cast<sockaddr_in6*>(out);
      in6.sin6_family = AF_INET6;
      in6.sin6_port = htons(port_);
      in6.sin6_scope_id = scope_id_;
      std::memcpy(&in6.sin6_addr, ip_, 16);
      return sizeof(in6);
    }
    case Family::Unix: {
      auto& un = *reinterpret_cast<sockaddr_un*>(out);
      un.sun_family = AF_UNIX;
      const std::string_view path = unixPath();
      if (path.empty()) return sizeof(sa_family_t);
      std::memcpy(un.sun_path, path.data(), path.size());
      const bool is_abstract = path[0] == '@';
      if (is_abstract) un.sun_path[0] = '\0';
      // A path name's length counts its terminating zero; an abstract name has none.
      return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                    (is_abstract ? 0 : 1));
    }
    case Family::None:
      break;
  }
  return 0;
}

Address Address::withPort(uint16_t port) const {
  Address result = *this;
  if (isIp()) result.port_ = port;
  return result;
}

bool operator==(const Address& a, const Address& b) {
  return a.family_ == b.family_ && a.port_ == b.port_ && a.scope_id_ == b.scope_id_ &&
         std::memcmp(a.ip_, b.ip_, sizeof(a.ip_)) == 0 && a.unixPath() == b.unixPath();
}

ZonedText splitZone(std::string_view text) {
  const size_t begin = text.find('%');
  const size_t end = text.find(']');
  const bool found = text.starts_with('[') && begin < end && end != std::string_view::npos;
  if (!found) return {std::string(text), ""};
  return {std::string(text.substr(0, begin)) + std::string(text.substr(end)),
          std::string(text.substr(begin, end - begin))};
}

}  // namespace convoy::net
