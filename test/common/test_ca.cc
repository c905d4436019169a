#include "test/common/test_ca.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "proxy/base/assert.h"

namespace convoy::test {

namespace {

const std::string& folder() {
  static const std::string path = [] {
    const char* const base = std::getenv("TEST_TMPDIR");
    const std::string made =
        std::string(base == nullptr ? "/tmp" : base) + "/test_ca." + std::to_string(::getpid());
    const int status = std::system(("test/common/test_ca.sh " + made).c_str());
    CONVOY_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return made;
  }();
  return path;
}

}  // namespace

std::string caPath(std::string_view name) {
  return folder() + "/" + std::string(name);
}

std::string caFile(std::string_view name) {
  std::ifstream file(caPath(name), std::ios::binary);
  CONVOY_ASSERT(file.is_open());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace convoy::test
