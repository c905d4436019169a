#include "proxy/route/hash_key.h"

#include <gtest/gtest.h>

#include <bit>

#include "proxy/base/xxhash.h"
#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using base::xxHash64;
using test::request;
using Kind = HashPolicy::Kind;

class HashKeyTest : public ::testing::Test {
 protected:
  HashKeyTest() { info_.downstream_ip = "192.0.2.7"; }

  HashKey keyOf(const std::vector<HashPolicy>& policies, const http::RequestHead& head) {
    return hashKeyOf(policies, head, info_, arena_);
  }

  http::StreamInfo info_;
  base::Arena arena_;
};

TEST_F(HashKeyTest, EachKind) {
  const auto head = request("/a?user=ann", "a.example", {{"x-user", "bob"}, {"cookie", "id=cid"}});
  const std::pair<HashPolicy, std::string_view> cases[] = {
      {{.kind = Kind::Header, .name = "X-User"}, "bob"},
      {{.kind = Kind::Header, .name = ":path"}, "/a?user=ann"},
      {{.kind = Kind::Cookie, .name = "id"}, "cid"},
      {{.kind = Kind::SourceIp}, "192.0.2.7"},
      {{.kind = Kind::QueryParameter, .name = "user"}, "ann"},
  };
  for (const auto& [policy, text] : cases) {
    const HashKey key = keyOf({policy}, head);
    EXPECT_EQ(key.hash, xxHash64(text)) << text;
    EXPECT_EQ(key.set_cookie, "");
  }
}

TEST_F(HashKeyTest, WhatIsNotThereGivesNoKey) {
  info_.downstream_ip = {};
  EXPECT_EQ(keyOf({}, request("/")).hash, std::nullopt);
  EXPECT_EQ(keyOf({{.kind = Kind::Header, .name = "x"},
                   {.kind = Kind::Cookie, .name = "x"},
                   {.kind = Kind::SourceIp},
                   {.kind = Kind::QueryParameter, .name = "x"}},
                  request("/"))
                .hash,
            std::nullopt);
}

TEST_F(HashKeyTest, PartsAreCombinedInOrder) {
  const HashPolicy a = {.kind = Kind::Header, .name = "a"};
  const HashPolicy b = {.kind = Kind::Header, .name = "b"};
  const auto head = request("/", "h", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(keyOf({a, b}, head).hash, std::rotl(xxHash64("1"), 1) ^ xxHash64("2"));
  EXPECT_NE(keyOf({a, b}, head).hash, keyOf({b, a}, head).hash);
}

// A terminal part ends the list only if there is a key by then.
TEST_F(HashKeyTest, TerminalParts) {
  const HashPolicy first = {.kind = Kind::Header, .name = "a", .terminal = true};
  const HashPolicy second = {.kind = Kind::Header, .name = "b"};
  EXPECT_EQ(keyOf({first, second}, request("/", "h", {{"a", "1"}, {"b", "2"}})).hash,
            xxHash64("1"));
  EXPECT_EQ(keyOf({first, second}, request("/", "h", {{"b", "2"}})).hash, xxHash64("2"));
}

TEST_F(HashKeyTest, AClientWithoutTheCookieIsGivenOne) {
  const auto remote = net::Address::parse("192.0.2.7:1234").value();
  const auto local = net::Address::parse("192.0.2.1:80").value();
  info_.downstream_remote = &remote;
  info_.downstream_local = &local;
  HashPolicy policy = {.kind = Kind::Cookie, .name = "id", .cookie_ttl = Milliseconds(61'500)};
  const HashKey key = keyOf({policy}, request("/"));
  const std::string prefix = "id=\"";
  ASSERT_EQ(key.set_cookie.substr(0, prefix.size()), prefix);
  const std::string value(
      key.set_cookie.substr(prefix.size(), key.set_cookie.rfind('"') - prefix.size()));
  EXPECT_EQ(key.set_cookie, prefix + value + "\"; Max-Age=62; HttpOnly");
  // The key is what the cookie will give; other requests of the connection get the same.
  EXPECT_EQ(key.hash, xxHash64(value));
  EXPECT_EQ(keyOf({policy}, request("/")).set_cookie, key.set_cookie);
  const std::string cookie = "id=" + value;
  const auto back = request("/", "a", {{"cookie", cookie}});
  EXPECT_EQ(keyOf({policy}, back).hash, key.hash);
  EXPECT_EQ(keyOf({policy}, back).set_cookie, "");
  // Another client has another one.
  const auto other = net::Address::parse("192.0.2.8:1234").value();
  info_.downstream_remote = &other;
  EXPECT_NE(keyOf({policy}, request("/")).hash, key.hash);

  policy.cookie_ttl = Milliseconds(0);
  policy.cookie_path = "/shop";
  policy.cookie_attributes = {{"SameSite", "Lax"}, {"Secure", ""}};
  const std::string_view session = keyOf({policy}, request("/")).set_cookie;
  EXPECT_EQ(session.substr(session.find(';')), "; Path=/shop; SameSite=Lax; Secure; HttpOnly");
}

}  // namespace
}  // namespace convoy::route
