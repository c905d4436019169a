#include "proxy/base/host_name.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::base {
namespace {

TEST(HostNameTest, Names) {
  const std::string label(63, 'a');
  for (const std::string& name :
       {std::string("localhost"), std::string("app.example"), std::string("App-1.Example."),
        std::string("_http._tcp.app_x.example"), std::string("4.example"), label + "." + label,
        label + "." + label + "." + label + "." + std::string(61, 'b')}) {
    EXPECT_EQ(problemWithHostName(name), "") << name;
  }
}

TEST(HostNameTest, WhatIsNone) {
  const std::string label(63, 'a');
  const struct {
    std::string name;
    std::string_view problem;
  } cases[] = {
      {"", "a host name is not empty"},
      {".", "a host name is not empty"},
      {"a..b", "a part of a host name is empty"},
      {".a", "a part of a host name is empty"},
      {"a.b..", "a part of a host name is empty"},
      {label + "a", "a part of a host name has at most 63 characters"},
      {label + "." + label + "." + label + "." + label, "a host name has at most 253 characters"},
      {"a b", "a host name has letters, digits, \"-\", \"_\" and \".\""},
      {"*.example", "a host name has letters, digits, \"-\", \"_\" and \".\""},
      {std::string("a\0b", 3), "a host name has letters, digits, \"-\", \"_\" and \".\""},
      {"b\xc3\xbc.example", "a host name has letters, digits, \"-\", \"_\" and \".\""},
      {"-a.example", "a part of a host name neither begins nor ends with \"-\""},
      {"a.example-", "a part of a host name neither begins nor ends with \"-\""},
      {"10.0.0.300", "the last part of a host name is not a number"},
      {"10.0.0", "the last part of a host name is not a number"},
      {"7", "the last part of a host name is not a number"},
  };
  for (const auto& row : cases) EXPECT_EQ(problemWithHostName(row.name), row.problem) << row.name;
}

TEST(HostNameTest, NamesWithPorts) {
  const auto named = parseNamedAddress("App.Example:8080");
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(named->host, "app.example");
  EXPECT_EQ(named->port, 8080);
  for (const char* text : {"", "app", "app:", "app:0", "app:65536", "app:80x", "app:-1", "app:+1",
                           ":80", "a b:80", "10.0.0.1:80", "[::1]:80", "::1:80"}) {
    EXPECT_FALSE(parseNamedAddress(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace convoy::base
