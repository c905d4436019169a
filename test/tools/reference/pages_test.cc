#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "tools/reference/api_page.h"
#include "tools/reference/failures_page.h"

namespace convoy::tools::reference {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

google::protobuf::FileDescriptorSet api() {
  google::protobuf::FileDescriptorSet files;
  std::ifstream file("tools/reference/api.descriptors", std::ios::binary);
  EXPECT_TRUE(files.ParseFromIstream(&file));
  return files;
}

TEST(Pages, TheApiPageIsUpToDate) {
  EXPECT_TRUE(contents("docs/reference/api.md") == apiPage(api()))
      << "bazel run //tools/reference api > docs/reference/api.md";
}

TEST(Pages, TheFailuresPageIsUpToDate) {
  EXPECT_TRUE(contents("docs/reference/failures.md") == failuresPage())
      << "bazel run //tools/reference failures > docs/reference/failures.md";
}

// Each field, value and call of the API says what it is for.
TEST(Pages, EverythingInTheApiHasAComment) {
  std::istringstream page(apiPage(api()));
  for (std::string line; std::getline(page, line);) EXPECT_FALSE(line.ends_with("|  |")) << line;
}

}  // namespace
}  // namespace convoy::tools::reference
