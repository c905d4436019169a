#include "controlplane/store/store_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane::store {
namespace {

// What it says of each state of the files: sqlite_store_test.
class StoreFileTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::string path_ = folder_.file("convoy.db");
};

TEST_F(StoreFileTest, LooksAndChangesNothingButTheLock) {
  const auto file = StoreFile::take({.path = path_, .key_file = ""});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE((*file)->absent());
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(std::filesystem::exists(path_ + ".lock"));
  EXPECT_FALSE(StoreFile::take({.path = path_, .key_file = ""}).ok()) << "taken";
}

TEST_F(StoreFileTest, IsFreeAgainWhenItIsGone) {
  ASSERT_TRUE(StoreFile::take({.path = path_, .key_file = ""}).ok());
  EXPECT_TRUE(StoreFile::take({.path = path_, .key_file = ""}).ok());
}

TEST_F(StoreFileTest, ANewOneIsWholeOrNotThere) {
  const auto file = StoreFile::take({.path = path_, .key_file = ""});
  ASSERT_TRUE(file.ok()) << file.status();
  std::ofstream((*file)->newPath()) << "of a start that was killed";
  std::ofstream((*file)->newPath() + "-journal") << "likewise";
  ASSERT_TRUE((*file)->beginNew().ok());
  struct stat info {};
  ASSERT_EQ(::stat((*file)->newPath().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(info.st_size, 0);
  EXPECT_FALSE(std::filesystem::exists((*file)->newPath() + "-journal"));
  EXPECT_FALSE(std::filesystem::exists(path_));
  std::ofstream(path_ + "-journal") << "of a store that is gone";
  ASSERT_TRUE((*file)->putInPlace().ok());
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + "-journal"));
  EXPECT_FALSE(std::filesystem::exists((*file)->newPath()));
  ASSERT_TRUE((*file)->beginNew().ok());
  (*file)->abandonNew();
  EXPECT_FALSE(std::filesystem::exists((*file)->newPath()));
}

TEST_F(StoreFileTest, HasOneName) {
  std::ofstream(path_) << std::string(4096, 'S');
  std::filesystem::create_hard_link(path_, folder_.file("another.db"));
  EXPECT_NE(StoreFile::take({.path = folder_.file("another.db"), .key_file = ""})
                .status()
                .message()
                .find("has 2 names (hard links)"),
            absl::string_view::npos);
  std::filesystem::remove(folder_.file("another.db"));
  EXPECT_TRUE(StoreFile::take({.path = path_, .key_file = ""}).ok());
}

TEST_F(StoreFileTest, RemembersWhatWasAcknowledgedUntilThereIsANewStore) {
  const auto file = StoreFile::take({.path = path_, .key_file = ""});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->acknowledged(), 0);
  for (const int64_t revision : {int64_t{9}, int64_t{10}, std::numeric_limits<int64_t>::max()}) {
    (*file)->acknowledge(revision);
    EXPECT_EQ((*file)->acknowledged(), revision);
  }
  std::ofstream(path_ + ".head") << "";  // as after a power failure
  EXPECT_EQ((*file)->acknowledged(), 0);
  (*file)->acknowledge(11);
  ASSERT_TRUE((*file)->beginNew().ok());
  ASSERT_TRUE((*file)->putInPlace().ok());
  EXPECT_EQ((*file)->acknowledged(), 0);
}

TEST_F(StoreFileTest, LinksAreFollowedOnce) {
  const std::string real = folder_.file("real/store.db");
  std::filesystem::create_directory(folder_.file("real"));
  std::filesystem::create_symlink("real/store.db", folder_.file("relative.db"));
  std::filesystem::create_symlink(folder_.file("relative.db"), folder_.file("twice.db"));
  for (const bool exists : {false, true}) {
    if (exists) std::ofstream(real) << std::string(4096, 'S');
    for (const char* link : {"relative.db", "twice.db"}) {
      const auto file = StoreFile::take({.path = folder_.file(link), .key_file = ""});
      ASSERT_TRUE(file.ok()) << file.status();
      EXPECT_EQ((*file)->path(), real);
      EXPECT_EQ((*file)->absent(), !exists);
      EXPECT_FALSE(StoreFile::take({.path = real, .key_file = ""}).ok()) << "taken";
      EXPECT_FALSE(std::filesystem::exists(folder_.file(std::string(link) + ".lock")));
    }
  }
  std::filesystem::create_symlink("loop.db", folder_.file("loop.db"));
  EXPECT_NE(StoreFile::take({.path = folder_.file("loop.db"), .key_file = ""})
                .status()
                .message()
                .find("is a link without an end"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace convoy::controlplane::store
