#pragma once

// The last step of making a file: its name is on disk, too. Blocking.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace convoy::controlplane {

// Returns 0 or errno.
inline int syncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

}  // namespace convoy::controlplane
