// Runs a libFuzzer entry point once over each file named on the command line, as a GoogleTest case
// per file. Without files it runs the empty input only, so that a target with no corpus yet is
// still tested.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

class Replay : public testing::Test {
 public:
  explicit Replay(std::string path) : path_(std::move(path)) {}

  void TestBody() override {
    std::string input;
    if (!path_.empty()) {
      std::ifstream file(path_, std::ios::binary);
      ASSERT_TRUE(file.is_open()) << "cannot open corpus file " << path_;
      input.assign(std::istreambuf_iterator<char>(file), {});
    }
    // What the target finds wrong it reports by crashing, as under libFuzzer.
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size()),
              0);
  }

 private:
  const std::string path_;
};

void addCase(const std::string& path) {
  std::string name = path.empty() ? "empty" : path;
  for (char& c : name) {
    if (!isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  testing::RegisterTest("Corpus", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [path]() -> testing::Test* { return new Replay(path); });
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  addCase("");
  for (int i = 1; i < argc; ++i) addCase(argv[i]);
  return RUN_ALL_TESTS();
}
