#include "proxy/base/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::base {
namespace {

std::string encoded(std::string_view bytes, Base64 kind) {
  std::string out(base64Size(bytes.size(), kind), '\0');
  encodeBase64(bytes, kind, out.data());
  return out;
}

std::string decoded(std::string_view text, Base64 kind, size_t room = 64) {
  std::string out(room, '\0');
  const auto size = decodeBase64(text, kind, out);
  return size.has_value() ? out.substr(0, *size) : "malformed";
}

// RFC 4648 10.
TEST(Base64Test, TheVectorsOfTheStandard) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(encoded(bytes, Base64::Standard), text);
    EXPECT_EQ(decoded(text, Base64::Standard), bytes);
    std::string bare = text;
    while (!bare.empty() && bare.back() == '=') bare.pop_back();
    EXPECT_EQ(encoded(bytes, Base64::Url), bare);
    EXPECT_EQ(decoded(bare, Base64::Url), bytes);
  }
}

TEST(Base64Test, EveryByteInBothAlphabets) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(decoded(encoded(bytes, Base64::Standard), Base64::Standard, 256), bytes);
  EXPECT_EQ(decoded(encoded(bytes, Base64::Url), Base64::Url, 256), bytes);
  EXPECT_EQ(encoded("\xfb\xef\xff", Base64::Standard), "++//");
  EXPECT_EQ(encoded("\xfb\xef\xff", Base64::Url), "--__");
}

TEST(Base64Test, OneTextForEachSequenceOfBytes) {
  for (const char* text :
       {"Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zg==\n", "Z g=", "--__", "====", "=Zg="}) {
    EXPECT_EQ(decoded(text, Base64::Standard), "malformed") << text;
  }
  for (const char* text : {"Z", "Zh", "Zm9", "Zg==", "++//", "Zm9vZ"}) {
    EXPECT_EQ(decoded(text, Base64::Url), "malformed") << text;
  }
  EXPECT_EQ(decoded("Zm9v", Base64::Url, 2), "malformed") << "no room";
}

}  // namespace
}  // namespace convoy::base
