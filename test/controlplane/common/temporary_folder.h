#pragma once

// A folder of a test's own, empty at first and gone afterwards.

#include <cstdlib>
#include <filesystem>
#include <string>

namespace convoy::controlplane {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // Short, so that the path of a unix socket fits.
    std::string pattern = "/tmp/convoyXXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace convoy::controlplane
