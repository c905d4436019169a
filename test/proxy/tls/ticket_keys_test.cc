#include "proxy/tls/ticket_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/cipher.h>
#include <openssl/hmac.h>

namespace convoy::tls {
namespace {

using ::testing::HasSubstr;

std::string key(char fill) {
  return std::string(TicketKeys::kKeyBytes, fill);
}

// What decrypting with these keys says of a ticket that the others made.
int verdict(const TicketKeys& maker, const TicketKeys& reader) {
  uint8_t name[16];
  uint8_t iv[EVP_MAX_IV_LENGTH];
  bssl::ScopedEVP_CIPHER_CTX cipher;
  bssl::ScopedHMAC_CTX hmac;
  EXPECT_EQ(maker.crypt(name, iv, cipher.get(), hmac.get(), true), 1);
  bssl::ScopedEVP_CIPHER_CTX other_cipher;
  bssl::ScopedHMAC_CTX other_hmac;
  return reader.crypt(name, iv, other_cipher.get(), other_hmac.get(), false);
}

TEST(TicketKeys, TheFirstEncryptsAndAllDecrypt) {
  const auto before = TicketKeys::make({key('a')}).value();
  const auto rotated = TicketKeys::make({key('b'), key('a')}).value();
  const auto other = TicketKeys::make({key('c')}).value();
  EXPECT_EQ(verdict(*before, *before), 1);
  EXPECT_EQ(verdict(*before, *rotated), 2);  // known, and to be renewed
  EXPECT_EQ(verdict(*rotated, *rotated), 1);
  EXPECT_EQ(verdict(*rotated, *before), 0);
  EXPECT_EQ(verdict(*before, *other), 0);
}

TEST(TicketKeys, RefusesWhatIsNoKeyWithoutShowingIt) {
  const struct {
    std::vector<std::string> keys;
    const char* message;
  } cases[] = {
      {{}, "at least one"},
      {{key('a'), "short"}, "keys[1]: must be 80 bytes"},
      {{key('a') + "\n"}, "keys[0]: must be 80 bytes"},
      {{key('a'), key('a')}, "keys[1]: an earlier one has the same name"},
  };
  for (const auto& c : cases) {
    const auto made = TicketKeys::make(c.keys);
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(std::string(made.status().message()), HasSubstr(c.message));
    EXPECT_THAT(std::string(made.status().message()), testing::Not(HasSubstr("aaaa")));
  }
}

}  // namespace
}  // namespace convoy::tls
