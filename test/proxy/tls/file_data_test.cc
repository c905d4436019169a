#include "proxy/tls/file_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace convoy::tls {
namespace {

using ::testing::HasSubstr;

std::string folder(const std::string& name) {
  const std::string path = ::testing::TempDir() + "/" + name;
  std::filesystem::create_directories(path);
  return path;
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST(FileData, LoadsBytesAndFiles) {
  const std::string path = folder("load") + "/a";
  put(path, "text");
  EXPECT_EQ(load({.path = {}, .bytes = "in place"}).value(), "in place");
  EXPECT_EQ(load({.path = path, .bytes = {}}).value(), "text");
}

TEST(FileData, NamesThePathAndTheReason) {
  const std::string here = folder("reasons");
  put(here + "/large", std::string(kMaxDataBytes + 1, 'x'));
  const struct {
    std::string path;
    const char* message;
  } cases[] = {
      {here + "/missing", "cannot be opened: No such file"},
      {here, "is not a regular file"},
      {here + "/large", "is larger than"},
  };
  for (const auto& c : cases) {
    const auto bytes = load({.path = c.path, .bytes = {}});
    ASSERT_FALSE(bytes.ok());
    EXPECT_THAT(std::string(bytes.status().message()), HasSubstr(c.path));
    EXPECT_THAT(std::string(bytes.status().message()), HasSubstr(c.message));
  }
}

TEST(FileStamp, SeesEveryKindOfChange) {
  const std::string here = folder("stamps");
  const std::string path = here + "/data/file";
  std::filesystem::remove_all(here + "/data");
  EXPECT_FALSE(stampOf(path).exists);
  std::filesystem::create_directories(here + "/one");
  std::filesystem::create_directories(here + "/two");
  put(here + "/one/file", "one");
  put(here + "/two/file", "two");
  std::filesystem::create_directory_symlink("one", here + "/data");
  const FileStamp first = stampOf(path);
  EXPECT_TRUE(first.exists);
  EXPECT_EQ(stampOf(path), first);

  // As Kubernetes does: a new link, renamed over the old one.
  std::filesystem::create_directory_symlink("two", here + "/next");
  std::filesystem::rename(here + "/next", here + "/data");
  const FileStamp swapped = stampOf(path);
  EXPECT_NE(swapped, first);

  put(here + "/two/file", "two, longer");
  const FileStamp written = stampOf(path);
  EXPECT_NE(written, swapped);

  put(here + "/two/other", "two, longer");
  std::filesystem::rename(here + "/two/other", here + "/two/file");
  EXPECT_NE(stampOf(path), written);
}

}  // namespace
}  // namespace convoy::tls
