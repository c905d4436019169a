#include "proxy/tls/names.h"

#include <gtest/gtest.h>

namespace convoy::tls {
namespace {

TEST(CertificateName, CoversHosts) {
  const struct {
    const char* certificate;
    const char* host;
    bool covers;
  } cases[] = {
      {"example.com", "example.com", true},
      {"Example.COM", "example.com", true},
      {"example.com", "www.example.com", false},
      {"*.example.com", "www.example.com", true},
      {"*.example.com", "WWW.EXAMPLE.com", true},
      {"*.example.com", "a.b.example.com", false},
      {"*.example.com", "example.com", false},
      {"*.example.com", ".example.com", false},
      {"*.com", "example.com", false},
      {"*", "example.com", false},
      {"*.", "example.", false},
      {"w*.example.com", "www.example.com", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(certificateNameCovers(c.certificate, c.host), c.covers)
        << c.certificate << " " << c.host;
  }
}

TEST(SanMatch, ComparesByKind) {
  using Type = SanMatch::Type;
  using Kind = SanMatch::Kind;
  const char* const id = "spiffe://example.org/ns/shop/sa/web";
  const struct {
    SanMatch match;
    const char* name;
    bool matches;
  } cases[] = {
      {{Type::Uri, Kind::Exact, id, false}, id, true},
      {{Type::Uri, Kind::Exact, "spiffe://example.org/ns/shop", false}, id, false},
      {{Type::Uri, Kind::Prefix, "spiffe://example.org/ns/shop/", false}, id, true},
      {{Type::Uri, Kind::Prefix, "spiffe://example.org/ns/cart/", false}, id, false},
      {{Type::Uri, Kind::Suffix, "/sa/web", false}, id, true},
      {{Type::Uri, Kind::Suffix, "/SA/web", false}, id, false},
      {{Type::Uri, Kind::Suffix, "/SA/web", true}, id, true},
      {{Type::Uri, Kind::Contains, "shop", false}, id, true},
      {{Type::Uri, Kind::Contains, "cart", false}, id, false},
      {{Type::Dns, Kind::Exact, "www.example.com", false}, "*.example.com", true},
      {{Type::Dns, Kind::Exact, "*.example.com", false}, "*.example.com", true},
      {{Type::Dns, Kind::Suffix, ".Example.com", false}, "a.b.example.COM", true},
      {{Type::Dns, Kind::Prefix, "api.", false}, "API.example.com", true},
      {{Type::Ip, Kind::Exact, "127.0.0.1", false}, "127.0.0.1", true},
      {{Type::Email, Kind::Exact, "a@example.com", false}, "b@example.com", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(sanMatches(c.match, c.name), c.matches) << c.match.value << " " << c.name;
  }
}

}  // namespace
}  // namespace convoy::tls
