#include "controlplane/store/store_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
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

TEST_F(StoreFileTest, AFailedStartLeavesNoFile) {
  const auto file = StoreFile::take({.path = path_, .key_file = ""});
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->make().ok());
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::ofstream(path_ + "-wal") << "w";
  (*file)->removeAll();
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));
}

}  // namespace
}  // namespace convoy::controlplane::store
