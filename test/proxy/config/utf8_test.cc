#include "proxy/config/utf8.h"

#include "gtest/gtest.h"

namespace convoy::config {
namespace {

TEST(Utf8, Accepted) {
  for (const std::string text :
       {"", "plain", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBD",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(isUtf8(text)) << text;
  }
}

TEST(Utf8, Refused) {
  for (const std::string text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2x", "\xE0\x9F\xBF", "\xE1\x80", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xF0\x90\x80"}) {
    EXPECT_FALSE(isUtf8(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8, EveryLengthIsAppendedAsItIsRead) {
  for (const uint32_t code : {0x24u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFDu, 0x10000u, 0x1F600u}) {
    std::string text;
    appendUtf8(code, &text);
    EXPECT_TRUE(isUtf8(text)) << code;
  }
  std::string smile;
  appendUtf8(0x1F600, &smile);
  EXPECT_EQ(smile, "\xF0\x9F\x98\x80");
}

}  // namespace
}  // namespace convoy::config
