#include "proxy/http/log_line.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace convoy::http {
namespace {

using Format = AccessLogSpec::Format;

std::string escaped(const std::string& text, Format form, size_t room = 4096) {
  std::vector<char> memory(room);
  LineBuffer out(memory.data(), memory.size());
  out.escaped(text, form);
  return {memory.data(), out.size()};
}

TEST(LogLineTest, PlainTextOfEveryLengthStaysAsItIs) {
  std::string text;
  for (int length = 0; length <= 70; ++length) {
    EXPECT_EQ(escaped(text, Format::Text), text);
    EXPECT_EQ(escaped(text, Format::Text, text.size()), text) << "no byte to spare";
    text += static_cast<char>('a' + length % 26);
  }
}

TEST(LogLineTest, OneSpecialByteAnywhereIsEscaped) {
  const struct {
    char byte;
    std::string text, json;
  } cases[] = {{'"', "\\\"", "\\\""},        {'\\', "\\\\", "\\\\"},
               {'\0', "\\x00", "\\u0000"},   {'\n', "\\x0a", "\\u000a"},
               {'\x1f', "\\x1f", "\\u001f"}, {'\x7f', "\\x7f", "\\u007f"},
               {'\x80', "\\x80", "\\u0080"}, {'\xff', "\\xff", "\\u00ff"}};
  for (const auto& c : cases) {
    for (size_t length = 1; length <= 40; ++length) {
      for (size_t at = 0; at < length; ++at) {
        std::string text(length, 'p');
        text[at] = c.byte;
        std::string expected(length, 'p');
        EXPECT_EQ(escaped(text, Format::Text), std::string(expected).replace(at, 1, c.text));
        EXPECT_EQ(escaped(text, Format::Json), std::string(expected).replace(at, 1, c.json));
      }
    }
  }
}

TEST(LogLineTest, CutsWhatDoesNotFit) {
  EXPECT_EQ(escaped("0123456789abcdefghij", Format::Text, 18), "0123456789abcdefgh");
  EXPECT_EQ(escaped("0123\"", Format::Text, 5), "0123\\");
  char memory[20];
  LineBuffer out(memory, sizeof(memory));
  ShortText text;
  text.size = static_cast<uint8_t>(std::string_view("] \"").copy(text.bytes, ShortText::kMax));
  for (int i = 0; i < 10; ++i) out.raw(text);
  EXPECT_EQ(std::string(memory, out.size()), "] \"] \"] \"] \"] \"] \"] ");
}

TEST(LogLineTest, WritesNumbers) {
  for (const uint64_t number :
       {uint64_t{0}, uint64_t{9}, uint64_t{10}, uint64_t{99}, uint64_t{100}, uint64_t{200},
        uint64_t{999}, uint64_t{1000}, uint64_t{1024}, std::numeric_limits<uint64_t>::max()}) {
    char memory[32];
    LineBuffer out(memory, sizeof(memory));
    out.number(number);
    EXPECT_EQ(std::string(memory, out.size()), std::to_string(number));
  }
  char two[2];
  LineBuffer out(two, sizeof(two));
  out.number(200);
  EXPECT_EQ(out.size(), 0u) << "a number is not cut";
}

}  // namespace
}  // namespace convoy::http
