#include "controlplane/store/secrets_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane::store {
namespace {

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

}  // namespace
}  // namespace convoy::controlplane::store
