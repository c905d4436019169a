#pragma once

// The store's file as it is before SQLite looks: taken for this process alone, and either a store's
// or nothing at all. SQLite takes a file that is missing or cut to nothing for a new database, and
// a control plane that did the same would take the configuration from every node that connects. So
// a store is made only where nothing says that there was one, unless somebody asks for it.
//
// A store is made under another name, FILE.new, and gets its own when it is whole: a start that
// ends in between leaves nothing that the next one minds.
//
// A link as FILE is followed once, at the start: all files are beside what it leads to. The lock is
// on a file of its own, FILE.lock, which stays: locks on the store itself are SQLite's, and other
// processes may read the store meanwhile (a backup does). The kernel drops the lock when the
// process ends, however it does.
//
// FILE.head says which revision was acknowledged last. SQLite takes a log (-wal) that is missing or
// damaged for one that ends earlier, and the store would be that of an earlier day with nothing to
// tell it. It is written behind each commit and not synced: what it says was acknowledged for sure,
// and after a power failure perhaps a little more was.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace convoy::controlplane::store {

struct StoreFileOptions {
  std::string path;
  std::string key_file;    // a store that was here has left this behind; empty: nothing
  bool new_store = false;  // make one, whatever was here; an error if one is
};

class StoreFile {
 public:
  // Changes nothing but the lock. Errors: FailedPrecondition, naming the file and the way out.
  static absl::StatusOr<std::unique_ptr<StoreFile>> take(const StoreFileOptions& options);
  ~StoreFile();
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;

  // Without links.
  const std::string& path() const { return path_; }
  // There is none: it is to be made.
  bool absent() const { return absent_; }

  // How it is made: beginNew() makes an empty file newPath(), with its mode from the first moment,
  // in place of what another start has left there; when that is a store, putInPlace().
  std::string newPath() const;
  absl::Status beginNew() const;
  absl::Status putInPlace() const;
  void abandonNew() const;
  // Tightens the mode of an old store and its log. Only once it is known to be a store: a file that
  // somebody named by mistake stays as it is.
  absl::Status makePrivate() const;

  // 0: nothing is known.
  int64_t acknowledged() const;
  void acknowledge(int64_t revision) const;
  // Once SQLite has the file open.
  void noteOpened();
  // An error if somebody has taken it away since, or put another in its place: what is written
  // would be lost.
  absl::Status stillThere() const;

 private:
  StoreFile(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  absl::Status look(const StoreFileOptions& options);

  const std::string path_;
  const int lock_;
  bool absent_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace convoy::controlplane::store
