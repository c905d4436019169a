#include "controlplane/store/store_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "controlplane/base/sync_folder.h"

namespace convoy::controlplane::store {

namespace {

constexpr off_t kHeaderBytes = 100;  // of every SQLite database
constexpr int kMostLinks = 40;       // as the kernel's
constexpr char kFolderAdvice[] =
    "cannot be used; check that its folder exists and that this user may write to it (other files "
    "are kept beside it)";

absl::Status fileError(const std::string& path, absl::string_view what, int error = 0) {
  return absl::FailedPreconditionError(absl::StrCat(
      "store file ", path, " ", what, error == 0 ? "" : ": ", error == 0 ? "" : strerror(error)));
}

// No value: there is nothing, or nothing that can be looked at.
std::optional<struct stat> statusOf(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

std::string logOf(const std::string& path) {
  return absl::StrCat(path, "-wal");
}

std::string headOf(const std::string& path) {
  return absl::StrCat(path, ".head");
}

// The name that it has without links; also where a link leads to a file that is not there yet.
absl::StatusOr<std::string> followed(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path at = path;
  for (int links = 0; fs::is_symlink(at, error); ++links) {
    if (links == kMostLinks) return fileError(path, "is a link without an end");
    at = at.parent_path() / fs::read_symlink(at, error);  // an absolute one stands for itself
  }
  return at.string();
}

// What SQLite keeps beside a database.
void removeCompanions(const std::string& path) {
  for (const char* end : {"-journal", "-wal", "-shm"}) {
    ::unlink(absl::StrCat(path, end).c_str());
  }
}

absl::Status checkFolder(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return fileError(path, kFolderAdvice, errno);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreFile>> StoreFile::take(const StoreFileOptions& options) {
  const absl::StatusOr<std::string> real = followed(options.path);
  if (!real.ok()) return real.status();
  const std::string& path = *real;
  if (absl::Status status = checkFolder(path); !status.ok()) return status;
  const std::optional<struct stat> found = statusOf(path);
  if (found.has_value() && !S_ISREG(found->st_mode)) {
    return fileError(path, "is not a regular file; name another");
  }
  // The lock is by name.
  if (found.has_value() && found->st_nlink > 1) {
    return fileError(path, absl::StrCat("has ", found->st_nlink,
                                        " names (hard links), and each could be used at the same "
                                        "time; remove the others, or use a copy"));
  }
  const int lock = ::open(absl::StrCat(path, ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return fileError(path, kFolderAdvice, errno);
  std::unique_ptr<StoreFile> file(new StoreFile(path, lock));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fileError(path, "cannot be locked", errno);
    return fileError(path,
                     "is in use by another process; stop that one, or give this one a store of its "
                     "own");
  }
  if (absl::Status status = file->look(options); !status.ok()) return status;
  return file;
}

StoreFile::~StoreFile() {
  ::close(lock_);
}

absl::Status StoreFile::look(const StoreFileOptions& options) {
  const std::optional<struct stat> found = statusOf(path_);
  const off_t size = found.has_value() ? found->st_size : 0;
  if (size >= kHeaderBytes) {
    if (!options.new_store) return absl::OkStatus();
    return fileError(path_,
                     "exists, and --new-store makes a store only where there is none; leave the "
                     "flag out, or move the file away");
  }
  if (size > 0) {
    return fileError(path_, absl::StrCat("has ", size,
                                         " bytes and cannot be a store: it was cut short; restore "
                                         "a backup, or move it away"));
  }
  const absl::string_view what = found.has_value() ? "is empty" : "does not exist";
  const std::optional<struct stat> log = statusOf(logOf(path_));
  if (log.has_value() && log->st_size > 0) {
    return fileError(path_, absl::StrCat(what, ", but ", logOf(path_),
                                         " is there, with changes of a store: put the store back "
                                         "beside it, or move it away"));
  }
  absent_ = true;
  if (options.new_store) return absl::OkStatus();
  if (!options.key_file.empty() && statusOf(options.key_file).has_value()) {
    return fileError(
        path_, absl::StrCat(what, ", but secrets key file ", options.key_file,
                            " is there, so a store was: check the path and that its disk is "
                            "mounted, restore a backup, or make a new store with --new-store"));
  }
  if (found.has_value()) {
    return fileError(path_,
                     "is empty, which no store is: restore a backup, or make a new store with "
                     "--new-store");
  }
  return absl::OkStatus();
}

std::string StoreFile::newPath() const {
  return absl::StrCat(path_, ".new");
}

absl::Status StoreFile::beginNew() const {
  abandonNew();
  const int fd = ::open(newPath().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return fileError(path_, kFolderAdvice, errno);
  const bool is_private = ::fchmod(fd, 0600) == 0;
  const int error = errno;
  ::close(fd);
  return is_private ? absl::OkStatus() : fileError(path_, "cannot be made private", error);
}

absl::Status StoreFile::putInPlace() const {
  // SQLite would take what is left beside the name for a part of the new store.
  removeCompanions(path_);
  ::unlink(headOf(path_).c_str());
  if (::rename(newPath().c_str(), path_.c_str()) != 0) {
    return fileError(path_, kFolderAdvice, errno);
  }
  const int error = syncFolderOf(path_);
  return error == 0 ? absl::OkStatus() : fileError(path_, "cannot be kept", error);
}

void StoreFile::abandonNew() const {
  removeCompanions(newPath());
  ::unlink(newPath().c_str());
}

absl::Status StoreFile::makePrivate() const {
  for (const std::string& path : {path_, logOf(path_)}) {
    const std::optional<struct stat> found = statusOf(path);
    if (!found.has_value() || (found->st_mode & 0077) == 0) continue;
    if (::chmod(path.c_str(), 0600) != 0) {
      return fileError(path, "may be read by others, and its mode cannot be changed to 0600",
                       errno);
    }
  }
  return absl::OkStatus();
}

int64_t StoreFile::acknowledged() const {
  int64_t revision = 0;
  std::ifstream file(headOf(path_));
  return file >> revision ? revision : 0;
}

void StoreFile::acknowledge(int64_t revision) const {
  const int fd = ::open(headOf(path_).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  // Always as long: one write replaces another. What cannot be written only says less.
  const std::string text = absl::StrFormat("%020d\n", revision);
  const ssize_t written = ::pwrite(fd, text.data(), text.size(), 0);
  static_cast<void>(written);
  ::close(fd);
}

void StoreFile::noteOpened() {
  const std::optional<struct stat> found = statusOf(path_);
  if (!found.has_value()) return;
  device_ = found->st_dev;
  inode_ = found->st_ino;
}

absl::Status StoreFile::stillThere() const {
  const std::optional<struct stat> found = statusOf(path_);
  if (found.has_value() && found->st_dev == device_ && found->st_ino == inode_) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat(
      "store file ", path_, found.has_value() ? " was replaced" : " was taken away",
      " while it is in use, and changes would be lost; put it back, or restart convoy-control"));
}

}  // namespace convoy::controlplane::store
