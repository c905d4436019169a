#include "controlplane/store/sealed_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "controlplane/store/sqlite_store.h"
#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane::store {
namespace {

constexpr int kSecret = 5;
constexpr int kPlain = 1;
constexpr char kPem[] = "-----BEGIN PRIVATE KEY-----";

class SealedStoreTest : public testing::Test {
 protected:
  SealedStoreTest() { open(); }

  absl::Status tryToOpen() {
    store_.reset();
    auto sqlite = SqliteStore::open({.path = path_, .vfs = ""});
    if (!sqlite.ok()) return sqlite.status();
    auto store = SealedStore::open(
        std::move(*sqlite), {.store_file = path_, .key_file = key_path_, .kinds = {kSecret}});
    if (store.ok()) store_ = std::move(*store);
    return store.status();
  }
  void open() {
    const absl::Status status = tryToOpen();
    ASSERT_TRUE(status.ok()) << status;
  }

  void commit(const std::vector<Write>& writes) {
    const auto head = store_->commit(*store_->head(), {}, writes);
    ASSERT_TRUE(head.ok()) << head.status();
  }

  // Every byte of the store's files.
  std::string raw() {
    std::string all;
    for (const char* const end : {"", "-wal"}) {
      std::ifstream file(path_ + end, std::ios::binary);
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.file("convoy.db");
  const std::string key_path_ = folder_.file("convoy.db.key");
  std::unique_ptr<SealedStore> store_;
};

TEST_F(SealedStoreTest, GivesBackWhatItWasGiven) {
  commit({{{kPlain, "a"}, "plain text"}, {{kSecret, "web"}, kPem}});
  commit({{{kSecret, "web"}, std::nullopt}});
  commit({{{kSecret, "web"}, std::string(kPem) + "2"}});
  open();
  EXPECT_EQ(store_->get(1, {kSecret, "web"})->value, kPem);
  EXPECT_EQ(store_->get(3, {kSecret, "web"})->value, std::string(kPem) + "2");
  EXPECT_EQ(store_->read(3, {}, 9)->back().value, std::string(kPem) + "2");
  EXPECT_EQ(store_->changes(1, {}, 9)->back().value, kPem);
  EXPECT_EQ(store_->changes(2, {}, 9)->back().value, std::nullopt);
  EXPECT_EQ(store_->get(3, {kPlain, "a"})->value, "plain text");
  EXPECT_TRUE(absl::IsNotFound(store_->get(2, {kSecret, "web"}).status()));
  EXPECT_EQ(store_->revisions(9, {.kind = kSecret}, 9)->size(), 3u);
}

TEST_F(SealedStoreTest, NoSecretIsInTheFile) {
  commit({{{kPlain, "a"}, "plain text"}, {{kSecret, "web"}, kPem}});
  EXPECT_NE(raw().find("plain text"), std::string::npos);
  EXPECT_EQ(raw().find(kPem), std::string::npos);
  store_.reset();  // the log moves into the main file
  EXPECT_NE(raw().find("plain text"), std::string::npos);
  EXPECT_EQ(raw().find(kPem), std::string::npos);
}

TEST_F(SealedStoreTest, AValueBelongsToItsRow) {
  commit({{{kSecret, "a"}, "of a"}});
  commit({{{kSecret, "a"}, "of a again"}, {{kSecret, "b"}, "of b"}});
  store_.reset();
  auto sqlite = SqliteStore::open({.path = path_, .vfs = ""});
  // The same bytes under another name, and as another revision of the same name.
  const std::string bytes = (*sqlite)->get(1, {kSecret, "a"})->value;
  ASSERT_TRUE((*sqlite)->commit(2, {}, {{{{kSecret, "b"}, bytes}, {{kSecret, "a"}, bytes}}}).ok());
  sqlite->reset();
  open();
  for (const char* const name : {"a", "b"}) {
    const auto entry = store_->get(3, {kSecret, name});
    EXPECT_TRUE(absl::IsDataLoss(entry.status())) << entry.status();
    EXPECT_NE(entry.status().message().find(path_), absl::string_view::npos);
  }
  EXPECT_TRUE(absl::IsDataLoss(store_->read(3, {}, 9).status()));
  EXPECT_TRUE(absl::IsDataLoss(store_->changes(3, {}, 9).status()));
  EXPECT_EQ(store_->get(2, {kSecret, "b"})->value, "of b");
}

TEST_F(SealedStoreTest, RefusesAWrongOrMissingKeyAndNamesBothFiles) {
  commit({{{kSecret, "web"}, kPem}});
  // Also if it is only in the history.
  for (int i = 0; i < 3; ++i) commit({{{kSecret, "web"}, std::nullopt}});
  const std::string kept = key_path_ + ".kept";
  std::filesystem::rename(key_path_, kept);
  absl::Status status = tryToOpen();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  for (const std::string& words :
       {path_, key_path_ + " does not exist", std::string("--secrets-key")}) {
    EXPECT_NE(status.message().find(words), absl::string_view::npos) << status;
  }
  EXPECT_FALSE(std::filesystem::exists(key_path_)) << "no new key for old secrets";

  ASSERT_TRUE(SecretsKey::create(key_path_).ok());
  status = tryToOpen();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  for (const std::string& words :
       {path_, key_path_ + " is not the one", std::string("--secrets-key")}) {
    EXPECT_NE(status.message().find(words), absl::string_view::npos) << status;
  }

  std::filesystem::rename(kept, key_path_);
  open();
}

TEST_F(SealedStoreTest, WithoutSecretsANewKeyIsAsGood) {
  commit({{{kPlain, "a"}, "plain text"}});
  std::filesystem::remove(key_path_);
  open();
  EXPECT_TRUE(std::filesystem::exists(key_path_));
  EXPECT_EQ(store_->get(1, {kPlain, "a"})->value, "plain text");
}

}  // namespace
}  // namespace convoy::controlplane::store
