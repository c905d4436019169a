#include "controlplane/store/sqlite_db.h"

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"

namespace convoy::controlplane::store {

namespace {

// For another process that reads the file and is in the way for a moment.
constexpr std::chrono::seconds kPatience{5};

// The status code and the way out for a primary result code.
struct Meaning {
  absl::StatusCode code;
  const char* text;
};

Meaning meaningOf(int primary) {
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {absl::StatusCode::kResourceExhausted,
              "is being written by another process, which none but convoy-control may; stop that "
              "one, and try again"};
    case SQLITE_FULL:
      return {absl::StatusCode::kResourceExhausted,
              "cannot grow: the disk is full; nothing that was acknowledged is lost; free some "
              "space and try again"};
    case SQLITE_CORRUPT:
      return {absl::StatusCode::kDataLoss,
              "is corrupt; keep it, restore a backup, or start with a new file and apply the "
              "configuration again"};
    case SQLITE_NOTADB:
      return {absl::StatusCode::kFailedPrecondition,
              "is not a Convoy store; name another file, or move this one away"};
    case SQLITE_CANTOPEN:
      return {absl::StatusCode::kFailedPrecondition,
              "cannot be opened; check that its folder exists and that this user may write there"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {absl::StatusCode::kFailedPrecondition,
              "cannot be written; check the rights of the file and of its folder"};
    default:
      return {absl::StatusCode::kInternal,
              "cannot be read or written; check the disk and the system's log"};
  }
}

}  // namespace

SqliteStatement& SqliteStatement::bind(int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), next_++, value);
  CONVOY_ASSERT(code == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::bindText(absl::string_view value) {
  const int code = sqlite3_bind_text64(statement_.get(), next_++, value.data(), value.size(),
                                       SQLITE_STATIC, SQLITE_UTF8);
  CONVOY_ASSERT(code == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::bindBlob(absl::string_view value) {
  // A null pointer would bind NULL, and an empty value is not "no value".
  const char* data = value.empty() ? "" : value.data();
  const int code =
      sqlite3_bind_blob64(statement_.get(), next_++, data, value.size(), SQLITE_STATIC);
  CONVOY_ASSERT(code == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::bindNull() {
  const int code = sqlite3_bind_null(statement_.get(), next_++);
  CONVOY_ASSERT(code == SQLITE_OK);
  return *this;
}

absl::StatusOr<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    next_ = 1;
    return false;
  }
  return db_->error(code);
}

absl::Status SqliteStatement::run() {
  absl::StatusOr<bool> row = step();
  return row.status();
}

int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string SqliteStatement::text(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

bool SqliteStatement::isNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<SqliteDb>> SqliteDb::open(const std::string& path,
                                                         const std::string& vfs) {
  sqlite3* handle = nullptr;
  // The system's SQLite takes names such as ":memory:" and "file:x?mode=memory" for something else
  // than files.
  const bool may_be_special = vfs.empty() && !path.empty() && path[0] != '/';
  const std::string name = may_be_special ? absl::StrCat("./", path) : path;
  const int code = sqlite3_open_v2(
      name.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
      vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<SqliteDb> db(new SqliteDb(path, handle));
  if (code != SQLITE_OK) return db->error(code);
  sqlite3_extended_result_codes(handle, 1);
  db->setPatience(kPatience);
  return db;
}

SqliteDb::~SqliteDb() {
  sqlite3_close(handle_);
}

void SqliteDb::setPatience(std::chrono::milliseconds patience) {
  sqlite3_busy_timeout(handle_, static_cast<int>(patience.count()));
}

absl::StatusOr<SqliteStatement> SqliteDb::prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return error(code);
  return SqliteStatement(this, statement);
}

absl::Status SqliteDb::execute(absl::string_view sql) {
  const int code = sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : error(code);
}

absl::StatusOr<int64_t> SqliteDb::queryInteger(absl::string_view sql) {
  absl::StatusOr<SqliteStatement> statement = prepare(sql);
  if (!statement.ok()) return statement.status();
  absl::StatusOr<bool> row = statement->step();
  if (!row.ok()) return row.status();
  return *row ? statement->integer(0) : 0;
}

absl::StatusOr<std::string> SqliteDb::queryText(absl::string_view sql) {
  absl::StatusOr<SqliteStatement> statement = prepare(sql);
  if (!statement.ok()) return statement.status();
  absl::StatusOr<bool> row = statement->step();
  if (!row.ok()) return row.status();
  return *row ? statement->text(0) : std::string();
}

int64_t SqliteDb::changedRows() const {
  return sqlite3_changes64(handle_);
}

absl::Status SqliteDb::error(int code) const {
  const Meaning meaning = meaningOf(code & 0xff);
  // SQLite's own words, unless it has not noticed itself.
  const bool noticed = handle_ != nullptr && sqlite3_extended_errcode(handle_) == code;
  const char* detail = noticed ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  return absl::Status(meaning.code, absl::StrCat("store file ", path_, " ", meaning.text,
                                                 " (SQLite: ", detail, ", code ", code, ")"));
}

}  // namespace convoy::controlplane::store
