#include "proxy/route/request_values.h"

#include <gtest/gtest.h>

#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using test::request;

TEST(RequestValuesTest, Headers) {
  const auto head = request("/a?b=c", "a.example", {{"X-A", "1"}, {"x-b", "2"}, {"x-a", "3"}});
  const auto value = [&head](std::string_view name) -> std::string {
    std::string joined;
    return std::string(headerValue(head, name, http::classify(name), joined).value_or("(none)"));
  };
  EXPECT_EQ(value("x-a"), "1,3");
  EXPECT_EQ(value("x-b"), "2");
  EXPECT_EQ(value("x-c"), "(none)");
  EXPECT_EQ(value(":path"), "/a?b=c");
  EXPECT_EQ(value(":method"), "GET");
  EXPECT_EQ(value("host"), "a.example");
}

TEST(RequestValuesTest, QueryParameters) {
  const auto value = [](std::string_view target, std::string_view name) -> std::string {
    return std::string(queryValue(target, name).value_or("(none)"));
  };
  EXPECT_EQ(value("/a?x=1&y=2&x=3", "x"), "1");
  EXPECT_EQ(value("/a?x=1&y=2", "y"), "2");
  EXPECT_EQ(value("/a?x", "x"), "");
  EXPECT_EQ(value("/a?x=", "x"), "");
  EXPECT_EQ(value("/a?x=a=b", "x"), "a=b");
  EXPECT_EQ(value("/a?x=%41#x", "x"), "%41");
  EXPECT_EQ(value("/a?X=1", "x"), "(none)");
  EXPECT_EQ(value("/a?#x=1", "x"), "(none)");
  EXPECT_EQ(value("/a", "x"), "(none)");
  EXPECT_EQ(value("/a?", "x"), "(none)");
}

TEST(RequestValuesTest, Cookies) {
  const std::pair<const char*, const char*> cases[] = {
      {"id=1", "1"},      {"a=b; id=2", "2"},  {"a=b;id=3;c=d", "3"}, {" id = 4 ", "4"},
      {"id=\"5\"", "5"},  {"id=\"6", "\"6"},   {"id=", ""},           {"id", ""},
      {"id=a=b", "a=b"},  {"id=1; id=2", "1"}, {"ID=1", "(none)"},    {"xid=1", "(none)"},
      {"; ;=;id=7", "7"}, {"", "(none)"},
  };
  for (const auto& [cookie, value] : cases) {
    const auto head = request("/", "a", {{"Cookie", cookie}});
    EXPECT_EQ(cookieValue(head.headers, "id").value_or("(none)"), value) << cookie;
  }
  const auto several = request("/", "a", {{"cookie", "a=b"}, {"x", "id=no"}, {"cookie", "id=8"}});
  EXPECT_EQ(cookieValue(several.headers, "id"), "8");
  EXPECT_EQ(cookieValue(request("/").headers, "id"), std::nullopt);
}

}  // namespace
}  // namespace convoy::route
