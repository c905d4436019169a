#include "controlplane/store/secrets_key.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/escaping.h"
#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane::store {
namespace {

std::string hmacSha256(const std::string& key, const std::string& text) {
  uint8_t digest[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

// RFC 5869 2.2 and 2.3, by its formulas.
std::string hkdf(const std::string& key, const std::string& info, size_t size) {
  const std::string pseudo_random = hmacSha256(std::string(32, '\0'), key);
  std::string out, block;
  for (char i = 1; out.size() < size; ++i) {
    block = hmacSha256(pseudo_random, block + info + i);
    out += block;
  }
  return out.substr(0, size);
}

class SecretsKeyTest : public testing::Test {
 protected:
  SecretsKey create() {
    auto key = SecretsKey::create(path_);
    EXPECT_TRUE(key.ok()) << key.status();
    return *key;
  }
  void write(const std::string& text) {
    std::ofstream(path_) << text;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_read);
  }
  std::string content() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.file("key");
};

TEST_F(SecretsKeyTest, OpensWhatItSealed) {
  const SecretsKey key = create();
  for (const std::string& plain :
       {std::string(), std::string("secret"), std::string(70'000, '\0')}) {
    const std::string sealed = key.seal(plain, "context");
    EXPECT_EQ(key.unseal(sealed, "context"), plain);
    EXPECT_NE(sealed, key.seal(plain, "context")) << "a nonce for each value";
    EXPECT_EQ(sealed.find("secret"), std::string::npos);
  }
}

TEST_F(SecretsKeyTest, OpensNothingElse) {
  const SecretsKey key = create();
  const std::string sealed = key.seal("secret", "context");
  EXPECT_EQ(key.unseal(sealed, "other"), std::nullopt);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_EQ(key.unseal(damaged, "context"), std::nullopt) << i;
    EXPECT_EQ(key.unseal(sealed.substr(0, i), "context"), std::nullopt) << i;
  }
}

TEST_F(SecretsKeyTest, TheFileIsTheKey) {
  const SecretsKey key = create();
  struct stat info;
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(content().size(), 65u);
  auto again = SecretsKey::read(path_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->unseal(key.seal("secret", "context"), "context"), "secret");
}

TEST_F(SecretsKeyTest, AnotherKeyIsKnownAsSuch) {
  const SecretsKey key = create();
  const std::string sealed = key.seal("secret", "context");
  std::filesystem::remove(path_);
  const SecretsKey other = create();
  EXPECT_TRUE(key.sealedBy(sealed));
  EXPECT_FALSE(other.sealedBy(sealed));
  EXPECT_EQ(other.unseal(sealed, "context"), std::nullopt);
}

TEST_F(SecretsKeyTest, DerivesAsTheStandardSays) {
  write("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const auto fixed = SecretsKey::read(path_);
  ASSERT_TRUE(fixed.ok()) << fixed.status();
  // By Python's hmac and hashlib.
  EXPECT_EQ(absl::BytesToHexString(fixed->derive("convoy session ticket key 40000", 80)),
            "a5fc89e5369ec68bd3de16ce389faf28f15efee03220fbaf41acd64476e7bb8b"
            "d7ac9abd331e8ea97407b11d5252c72ffce721e6a8eec77c144d61241f092d7b"
            "56694b27b19e9a1a93c64a57dec53480");
  std::filesystem::remove(path_);
  const SecretsKey key = create();
  const std::string bytes = absl::HexStringToBytes(content().substr(0, 64));
  for (const size_t size : {1, 32, 80, 8160}) {
    EXPECT_EQ(key.derive("purpose", size), hkdf(bytes, "purpose", size)) << size;
  }
  EXPECT_NE(key.derive("purpose", 32), key.derive("another", 32));
  EXPECT_NE(key.derive("purpose", 32), fixed->derive("purpose", 32));
}

TEST_F(SecretsKeyTest, NeverReplacesAFile) {
  create();
  const std::string before = content();
  const auto again = SecretsKey::create(path_);
  EXPECT_EQ(again.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(content(), before);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(SecretsKeyTest, RefusesWhatIsNoKey) {
  EXPECT_TRUE(absl::IsNotFound(SecretsKey::read(path_).status()));
  const std::string digits(64, 'a');
  const std::pair<std::string, std::string> rows[] = {
      {"", "holds no key"},
      {digits.substr(1), "holds no key"},
      {digits + "a", "holds no key"},
      {std::string(63, 'a') + "g", "holds no key"},
  };
  for (const auto& [text, words] : rows) {
    write(text);
    const auto key = SecretsKey::read(path_);
    EXPECT_EQ(key.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(key.status().message().find(words), absl::string_view::npos) << key.status();
    EXPECT_NE(key.status().message().find(path_), absl::string_view::npos) << key.status();
    EXPECT_TRUE(text.empty() || key.status().message().find(text) == absl::string_view::npos);
    std::filesystem::remove(path_);
  }
  write("  " + digits + "\r\n");
  EXPECT_TRUE(SecretsKey::read(path_).ok());
}

TEST_F(SecretsKeyTest, RefusesAFileThatOthersReach) {
  create();
  for (const int mode : {0640, 0604, 0620}) {
    ASSERT_EQ(::chmod(path_.c_str(), static_cast<mode_t>(mode)), 0);
    const auto key = SecretsKey::read(path_);
    EXPECT_NE(key.status().message().find("chmod 600"), absl::string_view::npos) << key.status();
  }
  const auto folder = SecretsKey::read(folder_.file(""));
  EXPECT_NE(folder.status().message().find("regular file"), absl::string_view::npos);
}

TEST_F(SecretsKeyTest, SaysWhereNoFileCanBeMade) {
  const std::string path = folder_.file("missing/key");
  const auto key = SecretsKey::create(path);
  EXPECT_NE(key.status().message().find(path), absl::string_view::npos) << key.status();
  EXPECT_NE(key.status().message().find("check that its folder"), absl::string_view::npos);
}

TEST_F(SecretsKeyTest, NamesWhatIsInTheWay) {
  const std::string partial = path_ + ".new";
  std::filesystem::create_directory(partial);
  const std::string message(SecretsKey::create(path_).status().message());
  EXPECT_NE(message.find(partial + " is in the way"), std::string::npos) << message;
  std::filesystem::remove(partial);
  std::ofstream(partial) << "of a first start that was killed";
  create();
}

}  // namespace
}  // namespace convoy::controlplane::store
