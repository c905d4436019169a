#include "proxy/http/authority.h"

#include <string>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

TEST(AuthorityTest, HostsWithAnOptionalPort) {
  for (const std::string_view text :
       {"a", "a.test", "A-1.test.", "a_b~c", "127.0.0.1", "a.test:80", "a:0", "a:65535",
        "a:", "[::1]", "[::1]:443", "[::ffff:1.2.3.4]:1", "a!$&'()*+;=b"}) {
    EXPECT_TRUE(isAuthority(text, PortRule::Optional)) << text;
  }
}

TEST(AuthorityTest, APortMayBeRequired) {
  EXPECT_TRUE(isAuthority("a:1", PortRule::Required));
  EXPECT_TRUE(isAuthority("[::1]:443", PortRule::Required));
  EXPECT_FALSE(isAuthority("a", PortRule::Required));
  EXPECT_FALSE(isAuthority("a:", PortRule::Required));
  EXPECT_FALSE(isAuthority("[::1]", PortRule::Required));
}

TEST(AuthorityTest, AnythingElseIsNone) {
  for (const std::string_view text :
       {"",          ":",      ":80", "a:b",  "a:80x", "a:65536", "a:123456", "a:1:2",
        "u@a",       "u:p@a",  "a/",  "a?",   "a#",    "a b",     " a",       "a,b",
        "a%41",      "a\\",    "[",   "[]",   "[::1",  "[::1]80", "[::1]:x",  "[::g]",
        "[1.2.3.4]", "[v1.x]", "::1", "\x80", "a\n"}) {
    EXPECT_FALSE(isAuthority(text, PortRule::Optional)) << text;
  }
}

TEST(AuthorityTest, HostAndPortCanBeTakenApart) {
  struct Case {
    std::string_view text;
    std::string_view host;
    std::string_view port;
  };
  const Case cases[] = {
      {"a.test:80", "a.test", ":80"}, {"a.test", "a.test", ""}, {"a.test:", "a.test", ":"},
      {"[::1]:443", "[::1]", ":443"}, {"[::1]", "[::1]", ""},   {"", "", ""},
  };
  for (const Case& c : cases) {
    const AuthorityParts parts = splitAuthority(c.text);
    EXPECT_EQ(parts.host, c.host) << c.text;
    EXPECT_EQ(parts.port, c.port) << c.text;
  }
}

}  // namespace
}  // namespace convoy::http
