#pragma once

// Files that hold certificates and keys, and whether they changed. A path is looked at through its
// symbolic links, so that swapping a link (as Kubernetes does) counts as a change. Looked at from
// time to time instead of by inotify: a stat per file and second costs a microsecond, and sees link
// swaps in any folder on the way, renames, mounts and network file systems alike. Main's thread.

#include <sys/stat.h>

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "proxy/tls/spec.h"

namespace convoy::tls {

inline constexpr size_t kMaxDataBytes = 1024 * 1024;

// What the data is. The error names the path and the reason.
absl::StatusOr<std::string> load(const DataSpec& data);

// Differs after any change that a reader could see.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  int64_t modified = 0;  // nanoseconds
  int64_t changed = 0;   // nanoseconds
  bool exists = false;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stampOf(const std::string& path);

}  // namespace convoy::tls
