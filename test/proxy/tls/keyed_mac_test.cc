#include "proxy/tls/keyed_mac.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "proxy/base/strings.h"

namespace convoy::tls {
namespace {

std::string hex(const KeyedMac::Digest& digest) {
  return absl::BytesToHexString(base::toAbsl(bytesOf(digest)));
}

std::string fromHex(std::string_view text) {
  return absl::HexStringToBytes(base::toAbsl(text));
}

// RFC 4231 4.2 to 4.8, but for the truncated one.
TEST(KeyedMacTest, TheVectorsOfTheStandard) {
  struct Case {
    std::string key, message, mac;
  };
  const Case cases[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {fromHex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const Case& c : cases) {
    const KeyedMac mac(c.key);
    EXPECT_EQ(hex(mac.of({c.message})), c.mac);
    EXPECT_EQ(hex(mac.of({c.message.substr(0, 3), "", c.message.substr(3)})), c.mac)
        << "parts are one text";
  }
}

TEST(KeyedMacTest, AsTheLibraryHasIt) {
  for (size_t size = 0; size < 200; size += 7) {
    const std::string key(size, static_cast<char>(size));
    const std::string message(3 * size, 'm');
    KeyedMac::Digest expected;
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), key.size(), reinterpret_cast<const uint8_t*>(message.data()),
         message.size(), expected.data(), &length);
    EXPECT_EQ(hex(KeyedMac(key).of({message})), hex(expected)) << size;
  }
}

TEST(KeyedMacTest, MovesWithItsState) {
  KeyedMac first("key");
  const std::string mac = hex(first.of({"m"}));
  const KeyedMac second = std::move(first);
  EXPECT_EQ(hex(second.of({"m"})), mac);
}

TEST(KeyedMacTest, Compares) {
  EXPECT_TRUE(KeyedMac::same("", ""));
  EXPECT_TRUE(KeyedMac::same("abc", "abc"));
  EXPECT_FALSE(KeyedMac::same("abc", "abd"));
  EXPECT_FALSE(KeyedMac::same("abc", "ab"));
}

}  // namespace
}  // namespace convoy::tls
