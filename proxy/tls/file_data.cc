#include "proxy/tls/file_data.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace convoy::tls {

namespace {

int64_t nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

absl::StatusOr<std::string> readAll(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("file ", path, " is not a regular file"));
  }
  std::string bytes;
  char part[16 * 1024];
  while (true) {
    const ssize_t count = ::read(fd, part, sizeof(part));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("file ", path, " cannot be read: ", std::strerror(errno)));
    }
    if (count == 0) return bytes;
    bytes.append(part, static_cast<size_t>(count));
    if (bytes.size() > kMaxDataBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("file ", path, " is larger than ", kMaxDataBytes, " bytes"));
    }
  }
}

}  // namespace

absl::StatusOr<std::string> load(const DataSpec& data) {
  if (data.path.empty()) return data.bytes;
  // Not blocking: the path may be a pipe.
  const int fd = ::open(data.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("file ", data.path, " cannot be opened: ", std::strerror(errno)));
  }
  absl::StatusOr<std::string> bytes = readAll(fd, data.path);
  ::close(fd);
  return bytes;
}

FileStamp stampOf(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = info.st_size,
          .modified = nanoseconds(info.st_mtim),
          .changed = nanoseconds(info.st_ctim),
          .exists = true};
}

}  // namespace convoy::tls
