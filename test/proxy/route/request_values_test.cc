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

}  // namespace
}  // namespace convoy::route
