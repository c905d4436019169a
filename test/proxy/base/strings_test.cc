#include "proxy/base/strings.h"

#include <gtest/gtest.h>

namespace convoy::base {
namespace {

TEST(Strings, ComparesIgnoringAsciiCaseOnly) {
  const struct {
    std::string_view a;
    std::string_view b;
    bool equal;
  } cases[] = {
      {"", "", true},          {"Content-Length", "content-length", true},
      {"HOST", "host", true},  {"host", "hosts", false},
      {"host", "hast", false}, {"a[", "a{", false},      // differ by 0x20 but are no letters
      {"@", "`", false},       {"\xc4", "\xe4", false},  // not ASCII
  };
  for (const auto& c : cases) {
    EXPECT_EQ(equalsIgnoreCase(c.a, c.b), c.equal) << c.a << " " << c.b;
    EXPECT_EQ(equalsIgnoreCase(c.b, c.a), c.equal) << c.b << " " << c.a;
  }
}

TEST(Strings, ComparesWithConstantsByEveryByte) {
  EXPECT_TRUE(equals("CONNECT", "CONNECT"));
  EXPECT_TRUE(equals("", ""));
  EXPECT_FALSE(equals("connect", "CONNECT"));
  EXPECT_FALSE(equals("CONNEC", "CONNECT"));
  EXPECT_FALSE(equals("CONNECTS", "CONNECT"));
  EXPECT_FALSE(equals(std::string_view("HEAD\0", 5), "HEAD"));
}

TEST(Strings, LowersAsciiLettersOnly) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const char expected = i >= 'A' && i <= 'Z' ? static_cast<char>(i + 32) : c;
    EXPECT_EQ(asciiLower(c), expected) << i;
  }
}

TEST(Strings, TheFirstBytesCutNoCharacter) {
  const struct {
    std::string_view text;
    size_t most;
    std::string_view first;
  } cases[] = {
      {"", 0, ""},
      {"abc", 3, "abc"},
      {"abc", 2, "ab"},
      {"abc", 0, ""},
      {"a\xc3\xa9", 3, "a\xc3\xa9"},  // é
      {"a\xc3\xa9", 2, "a"},
      {"a\xe2\x82\xacz", 4, "a\xe2\x82\xac"},  // €
      {"a\xe2\x82\xacz", 3, "a"},
      {"\xf0\x9f\x98\x80", 3, ""},  // an emoji
      {"\x80\x80\x80", 2, ""},      // no UTF-8 at all
  };
  for (const auto& c : cases) EXPECT_EQ(firstBytes(c.text, c.most), c.first) << c.text;
}

TEST(Strings, Trimmed) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\ra "), "\ra");
  EXPECT_EQ(trimmed("\ra ", " \r"), "a");
}

TEST(Strings, ConvertsViewsBothWays) {
  const std::string_view text = "proxy";
  EXPECT_EQ(toAbsl(text), absl::string_view("proxy"));
  EXPECT_EQ(fromAbsl(toAbsl(text)).data(), text.data());
}

}  // namespace
}  // namespace convoy::base
