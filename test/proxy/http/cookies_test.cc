#include "proxy/http/cookies.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace convoy::http {
namespace {

HeaderList fields(const std::vector<std::string>& cookies) {
  HeaderList headers;
  headers.add("accept", "*/*");
  for (const std::string& cookie : cookies) {
    headers.add("x-between", "a=1");
    headers.add(HeaderName::Cookie, cookie);
  }
  return headers;
}

// "name=value|" of each.
std::string all(const std::vector<std::string>& cookies) {
  const HeaderList headers = fields(cookies);
  CookieReader reader(headers);
  std::string out;
  while (const auto cookie = reader.next()) {
    out += std::string(cookie->name) + "=" + std::string(cookie->value) + "|";
  }
  return out;
}

TEST(CookiesTest, Reads) {
  EXPECT_EQ(all({}), "");
  EXPECT_EQ(all({""}), "");
  EXPECT_EQ(all({"a=1"}), "a=1|");
  EXPECT_EQ(all({"a=1; b=2;c=3"}), "a=1|b=2|c=3|");
  EXPECT_EQ(all({"a=1", "b=2; c=3"}), "a=1|b=2|c=3|") << "HTTP/2 splits them";
  EXPECT_EQ(all({"a=\"1\"; b=\"; c=\"\""}), "a=1|b=\"|c=|") << "a quote alone is a value";
  EXPECT_EQ(all({" a = 1 ;; =x; flag ;b=x=y=="}), "a=1|flag=|b=x=y==|");
  EXPECT_EQ(all({";;;", " ", "a=1;"}), "a=1|");
}

TEST(CookiesTest, FindsTheFirstOfOneName) {
  const std::pair<const char*, const char*> cases[] = {
      {"id=1", "1"},      {"a=b; id=2", "2"},  {"a=b;id=3;c=d", "3"}, {" id = 4 ", "4"},
      {"id=\"5\"", "5"},  {"id=\"6", "\"6"},   {"id=", ""},           {"id", ""},
      {"id=a=b", "a=b"},  {"id=1; id=2", "1"}, {"ID=1", "(none)"},    {"xid=1", "(none)"},
      {"; ;=;id=7", "7"}, {"", "(none)"},
  };
  for (const auto& [cookie, value] : cases) {
    const std::vector<std::string> cookies = {cookie};
    const HeaderList headers = fields(cookies);
    EXPECT_EQ(CookieReader(headers).next("id").value_or("(none)"), value) << cookie;
  }
}

TEST(CookiesTest, FindsAllOfOneName) {
  const std::vector<std::string> cookies = {"a=1; A=2; a=3", "b=4", "a=5"};
  const HeaderList headers = fields(cookies);
  CookieReader reader(headers);
  std::string found;
  while (const auto value = reader.next("a")) found += *value;
  EXPECT_EQ(found, "135");
  const HeaderList none = fields({});
  EXPECT_FALSE(CookieReader(none).next("a").has_value());
}

TEST(CookiesTest, TheCookieOfSetCookie) {
  const auto cookie = setCookiePair("JSESSIONID=\"abc\" ; Path=/; b=c");
  EXPECT_EQ(cookie.name, "JSESSIONID");
  EXPECT_EQ(cookie.value, "abc");
  EXPECT_EQ(setCookiePair("").name, "");
}

TEST(CookiesTest, PathsThatItGoesTo) {
  const auto covers = [](const std::string& cookie, std::string_view path) {
    return cookieCovers({.name = "c", .path = cookie}, path);
  };
  EXPECT_TRUE(covers("", "/a"));
  EXPECT_TRUE(covers("/", "*"));
  EXPECT_TRUE(covers("/a", "/a"));
  EXPECT_TRUE(covers("/a", "/a/b"));
  EXPECT_FALSE(covers("/a", "/ab"));
  EXPECT_FALSE(covers("/a", "/"));
  EXPECT_TRUE(covers("/a/", "/a/b"));
  EXPECT_FALSE(covers("/a/", "/a"));
}

TEST(CookiesTest, Writes) {
  using SameSite = CookieSpec::SameSite;
  base::Arena arena;
  CookieSpec cookie{.name = "c", .http_only = false};
  EXPECT_EQ(setCookie(cookie, "v", true, arena), "c=\"v\"");
  cookie = {.name = "c",
            .path = "/p",
            .domain = "example.com",
            .ttl = std::chrono::seconds(3600),
            .same_site = SameSite::Lax,
            .secure = std::nullopt};
  EXPECT_EQ(setCookie(cookie, "v", false, arena),
            "c=\"v\"; Max-Age=3600; Path=/p; Domain=example.com; HttpOnly; SameSite=Lax");
  EXPECT_EQ(setCookie(cookie, "", true, arena),
            "c=\"\"; Max-Age=3600; Path=/p; Domain=example.com; Secure; HttpOnly; SameSite=Lax");
  cookie = {.name = "c", .same_site = SameSite::None, .secure = true};
  EXPECT_EQ(setCookie(cookie, "v", false, arena), "c=\"v\"; Secure; HttpOnly; SameSite=None");
  cookie.attributes = "; Partitioned";
  cookie.http_only = true;
  EXPECT_EQ(setCookie(cookie, "v", false, arena),
            "c=\"v\"; Secure; Partitioned; HttpOnly; SameSite=None");
  cookie = {.name = "c", .same_site = SameSite::Strict, .secure = true};
  EXPECT_EQ(setCookie(cookie, "v", false, arena), "c=\"v\"; Secure; HttpOnly; SameSite=Strict");
}

}  // namespace
}  // namespace convoy::http
