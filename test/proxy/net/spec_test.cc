#include "proxy/net/spec.h"

#include <gtest/gtest.h>

namespace convoy::net {
namespace {

TEST(CidrRange, ContainsByPrefix) {
  const struct {
    std::string_view range;
    int prefix_length;
    std::string_view address;
    bool contained;
  } cases[] = {
      {"10.0.0.0", 8, "10.255.0.1:80", true},
      {"10.0.0.0", 8, "11.0.0.0:80", false},
      {"10.1.2.128", 25, "10.1.2.200:1", true},
      {"10.1.2.128", 25, "10.1.2.127:1", false},
      {"10.1.2.3", 32, "10.1.2.3:1", true},
      {"10.1.2.3", 32, "10.1.2.2:1", false},
      {"10.1.2.99", 24, "10.1.2.3:1", true},  // bits behind the prefix do not count
      {"0.0.0.0", 0, "203.0.113.9:1", true},
      {"0.0.0.0", 0, "[::1]:1", false},
      {"2001:db8::", 33, "[2001:db8:7fff::1]:1", true},
      {"2001:db8::", 33, "[2001:db8:8000::1]:1", false},
      {"::1", 128, "[::1]:1", true},
      {"::", 0, "unix:/x", false},
      {"10.1.2.3", 99, "10.1.2.3:1", true},  // longer than the address: all of it
  };
  for (const auto& c : cases) {
    const CidrRange range{.address = *Address::fromIp(c.range, 0),
                          .prefix_length = static_cast<uint8_t>(c.prefix_length)};
    EXPECT_EQ(range.contains(*Address::parse(c.address)), c.contained)
        << c.range << "/" << c.prefix_length << " " << c.address;
  }
  EXPECT_FALSE(CidrRange().contains(*Address::parse("10.0.0.1:1")));
  EXPECT_FALSE(CidrRange().contains(Address()));
}

}  // namespace
}  // namespace convoy::net
