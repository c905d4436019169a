#include "proxy/net/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>
#include <utility>

#include "absl/hash/hash.h"

namespace convoy::net {
namespace {

using Family = Address::Family;

Address parsed(std::string_view text) {
  const absl::StatusOr<Address> address = Address::parse(text);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.ok() ? *address : Address();
}

TEST(Address, ParsesAndPrintsEveryForm) {
  const struct {
    std::string_view in;
    std::string_view out;
    std::string_view ip;
    Family family;
    uint16_t port;
  } cases[] = {
      {"10.0.0.1:80", "10.0.0.1:80", "10.0.0.1", Family::Ipv4, 80},
      {"0.0.0.0:0", "0.0.0.0:0", "0.0.0.0", Family::Ipv4, 0},
      {"255.199.9.100:65535", "255.199.9.100:65535", "255.199.9.100", Family::Ipv4, 65535},
      {"[::1]:8080", "[::1]:8080", "::1", Family::Ipv6, 8080},
      {"[2001:DB8:0:0::1]:443", "[2001:db8::1]:443", "2001:db8::1", Family::Ipv6, 443},
      {"[fe80::1%1]:80", "[fe80::1%1]:80", "fe80::1", Family::Ipv6, 80},
      {"[fe80::1%lo]:80", "[fe80::1%1]:80", "fe80::1", Family::Ipv6, 80},
      {"unix:/run/x.sock", "unix:/run/x.sock", "", Family::Unix, 0},
      {"unix:@abstract", "unix:@abstract", "", Family::Unix, 0},
      {"unix:relative:1", "unix:relative:1", "", Family::Unix, 0},
  };
  for (const auto& c : cases) {
    const Address address = parsed(c.in);
    EXPECT_EQ(address.text(), c.out) << c.in;
    EXPECT_EQ(address.ipText(), c.ip) << c.in;
    EXPECT_EQ(address.family(), c.family) << c.in;
    EXPECT_EQ(address.port(), c.port) << c.in;
    EXPECT_EQ(address.isIp(), c.family != Family::Unix) << c.in;
  }
  EXPECT_EQ(Address().text(), "(none)");
}

TEST(Address, RefusesWithTheReasonAndTheWayOut) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "no port"},
      {"10.0.0.1", "no port"},
      {"10.0.0.1:", "number from 0 to 65535"},
      {"10.0.0.1:65536", "number from 0 to 65535"},
      {"10.0.0.1:-1", "number from 0 to 65535"},
      {"10.0.0.1:80x", "number from 0 to 65535"},
      {"10.0.0.1:000080", "number from 0 to 65535"},
      {"localhost:80", "host names are not resolved"},
      {"10.0.0:80", "host names are not resolved"},
      {"10.0.0.256:80", "host names are not resolved"},
      {"[10.0.0.1]:80", "host names are not resolved"},
      {"[::g]:80", "host names are not resolved"},
      {"[fe80::1%no-such-interface]:80", "no such network interface"},
      {"[::1%nope]:0", "no such network interface"},
      {"[::1%0]:0", "no such network interface"},
      {"[::g%lo]:80", "host names are not resolved"},
      {"[10.0.0.1%lo]:80", "host names are not resolved"},
      {"::1:80", "needs brackets"},
      {"unix:", "path is empty"},
      {"unix:@", "path is empty"},
      {"unix:/" + std::string(107, 'x'), "at most 107 bytes"},
      {std::string("unix:/a\0b", 9), "zero byte"},
  };
  for (const auto& [text, reason] : cases) {
    const absl::Status status = Address::parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    const std::string message(status.message());
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_NE(message.find(reason), std::string::npos) << message;
    EXPECT_NE(message.find("10.0.0.1:80"), std::string::npos) << message;
  }
}

TEST(Address, SurvivesTheWayThroughSockaddr) {
  for (const std::string_view text :
       {"10.1.2.3:80", "[2001:db8::1]:443", "[fe80::1%1]:80", "unix:/run/x.sock", "unix:@name"}) {
    const Address address = parsed(text);
    sockaddr_storage storage;
    const socklen_t length = address.toSockaddr(&storage);
    EXPECT_EQ(Address::fromSockaddr(reinterpret_cast<sockaddr*>(&storage), length), address)
        << text;
  }
}

TEST(Address, ReadsWhatTheKernelReports) {
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(80);
  const uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
  std::copy(std::begin(bytes), std::end(bytes), mapped.sin6_addr.s6_addr);
  EXPECT_EQ(Address::fromSockaddr(reinterpret_cast<sockaddr*>(&mapped), sizeof(mapped)),
            parsed("10.0.0.1:80"));

  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  const Address unix_peer =
      Address::fromSockaddr(reinterpret_cast<sockaddr*>(&unnamed), sizeof(sa_family_t));
  EXPECT_EQ(unix_peer.family(), Family::Unix);
  EXPECT_EQ(unix_peer.text(), "unix:");
  sockaddr_storage storage;
  EXPECT_EQ(unix_peer.toSockaddr(&storage), sizeof(sa_family_t));

  sockaddr_storage other{};
  other.ss_family = AF_PACKET;
  const auto* const generic = reinterpret_cast<sockaddr*>(&other);
  EXPECT_EQ(Address::fromSockaddr(generic, sizeof(other)).family(), Family::None);
  EXPECT_EQ(Address::fromSockaddr(generic, 0).family(), Family::None);
  EXPECT_EQ(Address().toSockaddr(&storage), 0u);
}

TEST(Address, KnowsLoopbackAndWildcard) {
  const struct {
    std::string_view text;
    bool loopback;
    bool wildcard;
  } cases[] = {
      {"127.0.0.1:1", true, false}, {"127.255.0.9:1", true, false}, {"128.0.0.1:1", false, false},
      {"[::1]:1", true, false},     {"[::2]:1", false, false},      {"0.0.0.0:1", false, true},
      {"[::]:1", false, true},      {"unix:/x", true, false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(parsed(c.text).isLoopback(), c.loopback) << c.text;
    EXPECT_EQ(parsed(c.text).isWildcard(), c.wildcard) << c.text;
  }
  EXPECT_FALSE(Address().isLoopback());
  EXPECT_FALSE(Address().isWildcard());
}

TEST(Address, IsAValue) {
  const Address a = parsed("10.0.0.1:80");
  Address b = a;
  EXPECT_EQ(a, b);
  EXPECT_NE(a, a.withPort(81));
  EXPECT_EQ(a.withPort(81).text(), "10.0.0.1:81");
  const Address path = parsed("unix:/x");
  EXPECT_EQ(path.withPort(81), path);
  EXPECT_NE(path, parsed("unix:/y"));
  b = path;
  EXPECT_EQ(b.unixPath(), "/x");
  Address& same = b;
  b = same;
  EXPECT_EQ(b, path);
  b = a;
  EXPECT_EQ(b.unixPath(), "");
  EXPECT_NE(parsed("[fe80::1%1]:80"), parsed("[fe80::1%2]:80"));
  EXPECT_EQ(absl::HashOf(a), absl::HashOf(parsed("10.0.0.1:80")));
  EXPECT_NE(absl::HashOf(path), absl::HashOf(parsed("unix:/y")));
  EXPECT_LE(sizeof(Address), 32u);  // a connection holds two
}

TEST(Address, ShowsItsIpBytes) {
  EXPECT_EQ(parsed("1.2.3.4:5").ipBytes(), std::string_view("\1\2\3\4"));
  EXPECT_EQ(parsed("[::1]:5").ipBytes().size(), 16u);
  EXPECT_EQ(parsed("unix:/x").ipBytes().size(), 0u);
}

TEST(Address, TheZoneCanBeTakenApart) {
  struct Case {
    std::string_view text;
    std::string_view address;
    std::string_view zone;
  };
  const Case cases[] = {
      {"[fe80::1%eth0]:80", "[fe80::1]:80", "%eth0"},
      {"[fe80::1%]:80", "[fe80::1]:80", "%"},
      {"[%lo]:80", "[]:80", "%lo"},
      {"[fe80::1]:80", "[fe80::1]:80", ""},
      {"10.0.0.1:80", "10.0.0.1:80", ""},
      {"fe80::1%eth0", "fe80::1%eth0", ""},
      {"[fe80::1%eth0", "[fe80::1%eth0", ""},
      {"[fe80::1]:80%eth0", "[fe80::1]:80%eth0", ""},
      {"unix:/a%b]", "unix:/a%b]", ""},
      {"", "", ""},
  };
  for (const Case& c : cases) {
    const ZonedText parts = splitZone(c.text);
    EXPECT_EQ(parts.address, c.address) << c.text;
    EXPECT_EQ(parts.zone, c.zone) << c.text;
  }
}

}  // namespace
}  // namespace convoy::net
