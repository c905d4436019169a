#pragma once

// The embedded store: one SQLite file in WAL mode with synchronous=FULL, written by one process at
// a time (StoreFile keeps the others out), readable by its owner only (0600). Programs of SQLite
// may read it meanwhile: `.backup` of the shell copies it while it is in use.
//
// Tables: revision (number, time, author, comment, number of changes), log (one row per change; the
// primary key kind, name, revision makes "the newest row at or below a revision" one search),
// head (one row). A row of the log carries a checksum, so that a flipped bit in a value is found,
// which SQLite itself would not notice.
//
// After an I/O error in a commit its outcome on disk is unknown. The store then refuses further
// commits, and goes on answering reads, until it is opened anew.

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "controlplane/base/mutex.h"
#include "controlplane/store/sqlite_db.h"
#include "controlplane/store/store.h"
#include "controlplane/store/store_file.h"

namespace convoy::controlplane::store {

struct SqliteOptions {
  std::string path;             // file; made if nothing was ever there. Its folder must exist.
  std::string vfs;              // tests: an SQLite VFS instead of the system's files
  int checkpoint_pages = 1000;  // WAL pages after which SQLite moves them into the main file
  std::string key_file = {};    // as in StoreFileOptions
  bool new_store = false;       // likewise
};

class SqliteStore final : public Store {
 public:
  // Makes or opens, locks and checks the file.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);

  // open() made it.
  bool isNew() const { return is_new_; }

  absl::StatusOr<RevisionNumber> head() override;
  absl::StatusOr<RevisionNumber> commit(RevisionNumber expected_head, const RevisionInfo& info,
                                        absl::Span<const Write> writes) override;
  absl::StatusOr<Entry> get(RevisionNumber revision, const Key& key) override;
  absl::StatusOr<std::vector<Entry>> read(RevisionNumber revision, const KeyRange& range,
                                          size_t limit) override;
  absl::StatusOr<std::vector<LogEntry>> changes(RevisionNumber revision, const KeyRange& range,
                                                size_t limit) override;
  absl::StatusOr<std::vector<RevisionInfo>> revisions(RevisionNumber before, const KeyRange& range,
                                                      size_t limit) override;

 private:
  SqliteStore(std::unique_ptr<StoreFile> file, std::unique_ptr<SqliteDb> db, bool is_new)
      : file_(std::move(file)), is_new_(is_new), db_(std::move(db)) {}

  // Writes the rows of one revision and moves the head, inside an open transaction.
  absl::Status stage(RevisionNumber revision, const RevisionInfo& info,
                     absl::Span<const Write> writes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status swapHead(RevisionNumber from) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status requireNotPastHead(RevisionNumber revision) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<RevisionNumber> headLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status badRow(const Key& key, RevisionNumber revision) const;

  const std::unique_ptr<StoreFile> file_;  // outlives db_: the lock is the last to go
  const bool is_new_;
  Mutex mutex_;
  const std::unique_ptr<SqliteDb> db_ ABSL_PT_GUARDED_BY(mutex_);
  absl::Status failed_ ABSL_GUARDED_BY(mutex_);  // why commits are refused
};

}  // namespace convoy::controlplane::store
