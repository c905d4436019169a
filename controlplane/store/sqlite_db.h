#pragma once

// A thin owner of an SQLite connection and of its statements. Turns SQLite's result codes into
// statuses that name the file and the way out. Not thread-safe.

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace convoy::controlplane::store {

class SqliteDb;

// A prepared statement in use. Binds by position from 1; bound text must outlive step().
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&&) = default;

  SqliteStatement& bind(int64_t value);
  SqliteStatement& bindText(absl::string_view value);
  SqliteStatement& bindBlob(absl::string_view value);
  SqliteStatement& bindNull();

  // True: a row is there. False: done.
  absl::StatusOr<bool> step();
  // step() for statements without rows.
  absl::Status run();

  int64_t integer(int column) const;
  std::string text(int column) const;  // text or blob
  bool isNull(int column) const;

 private:
  friend class SqliteDb;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  SqliteStatement(SqliteDb* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}

  SqliteDb* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_ = 1;
};

class SqliteDb {
 public:
  // `vfs`: name of a registered SQLite VFS; empty: the system's files.
  static absl::StatusOr<std::unique_ptr<SqliteDb>> open(const std::string& path,
                                                        const std::string& vfs);
  ~SqliteDb();
  SqliteDb(const SqliteDb&) = delete;

  // How long a statement waits for another process that has the file locked; 5 s unless said.
  void setPatience(std::chrono::milliseconds patience);

  absl::StatusOr<SqliteStatement> prepare(absl::string_view sql);
  absl::Status execute(absl::string_view sql);
  // The first column of the first row of a query.
  absl::StatusOr<int64_t> queryInteger(absl::string_view sql);
  absl::StatusOr<std::string> queryText(absl::string_view sql);

  // Rows that the last INSERT, UPDATE or DELETE touched.
  int64_t changedRows() const;
  const std::string& path() const { return path_; }
  // The status for a result code of this connection.
  absl::Status error(int code) const;

 private:
  SqliteDb(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}

  std::string path_;
  sqlite3* handle_;
};

}  // namespace convoy::controlplane::store
