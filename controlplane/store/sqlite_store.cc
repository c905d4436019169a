#include "controlplane/store/sqlite_store.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controlplane/base/hash.h"
#include "proxy/base/assert.h"

namespace convoy::controlplane::store {

namespace {

constexpr int64_t kApplicationId = 0x436f6e76;  // "Conv"
constexpr int64_t kSchemaVersion = 1;
// Of a commit, for a process that writes the file, which none may: reads wait for it meanwhile.
constexpr std::chrono::milliseconds kPatience{100};

constexpr absl::string_view kSchema = R"(
CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 0), number INTEGER NOT NULL);
INSERT INTO head VALUES (0, 0);
CREATE TABLE revision (
  number INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL,
  author TEXT NOT NULL,
  comment TEXT NOT NULL,
  change_count INTEGER NOT NULL);
CREATE TABLE log (
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  value BLOB,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (kind, name, revision)) WITHOUT ROWID;
CREATE INDEX log_by_revision ON log (revision, kind, name);
)";

int64_t checksum(const Key& key, RevisionNumber revision, absl::string_view value) {
  return static_cast<int64_t>(contentHash(
      absl::StrCat(key.kind, "\n", revision, "\n", key.name.size(), "\n", key.name, value)));
}

absl::Status corrupt(const SqliteDb& db, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("store file ", db.path(), " is corrupt: ", what,
                   "; keep the file, restore a backup, or start with a new file and apply the "
                   "configuration again"));
}

// In the file itself and not in a log beside it: a copy of the file alone is known for a store.
// REQUIRES: not yet in WAL mode.
absl::Status createSchema(SqliteDb& db) {
  return db.execute(absl::StrCat("PRAGMA synchronous=FULL;BEGIN EXCLUSIVE;", kSchema,
                                 "PRAGMA application_id=", kApplicationId,
                                 ";PRAGMA user_version=", kSchemaVersion, ";COMMIT;"));
}

// True: there is nothing in it.
absl::StatusOr<bool> isEmpty(SqliteDb& db) {
  absl::StatusOr<int64_t> application = db.queryInteger("PRAGMA application_id");
  if (!application.ok()) return application.status();
  absl::StatusOr<int64_t> tables = db.queryInteger("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (*application == 0 && *tables == 0) return true;
  if (*application != kApplicationId) return db.error(SQLITE_NOTADB);
  absl::StatusOr<int64_t> version = db.queryInteger("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*version > kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "store file ", db.path(), " was written by a newer Convoy (schema ", *version,
        "; this one knows ", kSchemaVersion, "); run that version, or name another file"));
  }
  return false;
}

// SQLite's own structures are whole, and so is what they hold: one head, and behind it every
// revision with all its changes.
absl::Status checkIntegrity(SqliteDb& db) {
  absl::StatusOr<std::string> result = db.queryText("PRAGMA quick_check(1)");
  if (!result.ok()) return result.status();
  if (*result != "ok") return db.error(SQLITE_CORRUPT);
  absl::StatusOr<int64_t> heads = db.queryInteger("SELECT count(*) FROM head");
  if (!heads.ok()) return heads.status();
  if (*heads != 1) return corrupt(db, "it does not say which revision is the newest");
  absl::StatusOr<std::string> gap = db.queryText(
      "SELECT CASE WHEN head.number=count(r.number) AND head.number=coalesce(max(r.number),0)"
      " THEN '' ELSE 'its newest revision is '||head.number||', and it has '||count(r.number)||"
      "' of them up to '||coalesce(max(r.number),0) END FROM head LEFT JOIN revision AS r");
  if (!gap.ok()) return gap.status();
  if (!gap->empty()) return corrupt(db, *gap);
  absl::StatusOr<int64_t> torn = db.queryInteger(
      "SELECT number FROM revision AS r WHERE change_count<>"
      "(SELECT count(*) FROM log WHERE log.revision=r.number) ORDER BY number LIMIT 1");
  if (!torn.ok()) return torn.status();
  if (*torn != 0) return corrupt(db, absl::StrCat("changes of revision ", *torn, " are missing"));
  return absl::OkStatus();
}

absl::Status prepareDatabase(SqliteDb& db, bool is_new, int checkpoint_pages) {
  absl::Status status = is_new ? createSchema(db) : checkIntegrity(db);
  if (!status.ok()) return status;
  absl::StatusOr<std::string> mode = db.queryText("PRAGMA journal_mode=WAL");
  if (!mode.ok()) return mode.status();
  CONVOY_ASSERT(*mode == "wal");
  return db.execute(
      absl::StrCat("PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=", checkpoint_pages));
}

// A file with a schema and no revision, whole or not at all.
absl::Status makeStore(const StoreFile& file) {
  absl::Status status = file.beginNew();
  if (!status.ok()) return status;
  {
    absl::StatusOr<std::unique_ptr<SqliteDb>> db = SqliteDb::open(file.newPath(), "");
    status = db.ok() ? createSchema(**db) : db.status();
  }
  if (status.ok()) return file.putInPlace();
  file.abandonNew();
  return status;
}

// Opens and checks the database. `file`: null on the disk of a test, which has no other files.
absl::StatusOr<std::unique_ptr<SqliteDb>> openDatabase(const SqliteOptions& options,
                                                       const StoreFile* file) {
  const std::string& path = file != nullptr ? file->path() : options.path;
  absl::StatusOr<std::unique_ptr<SqliteDb>> db = SqliteDb::open(path, options.vfs);
  if (!db.ok()) return db;
  absl::StatusOr<bool> empty = isEmpty(**db);
  if (!empty.ok()) return empty.status();
  if (*empty && file != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("store file ", path,
                     " holds nothing, as the copy of a store does that was made without its log "
                     "(-wal); restore a backup, or move it away"));
  }
  absl::Status status = file != nullptr ? file->makePrivate() : absl::OkStatus();
  if (status.ok()) status = prepareDatabase(**db, *empty, options.checkpoint_pages);
  if (!status.ok()) return status;
  (*db)->setPatience(kPatience);
  return db;
}

// An error if what was acknowledged is not there.
absl::Status checkHead(SqliteDb& db, const StoreFile& file) {
  const absl::StatusOr<int64_t> head = db.queryInteger("SELECT number FROM head");
  if (!head.ok()) return head.status();
  if (*head >= file.acknowledged()) {
    file.acknowledge(*head);
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "store file ", file.path(), " is at revision ", *head, ", but revision ", file.acknowledged(),
      " was acknowledged (", file.path(), ".head): its log ", file.path(),
      "-wal is missing or damaged, or this is a backup; restore the log or a newer backup, or "
      "remove ",
      file.path(), ".head to go on with revision ", *head));
}

// The part of a WHERE clause for a range, and its values in order.
struct RangeSql {
  explicit RangeSql(const KeyRange& range) : range(range), end(range.prefix) {
    // The first text after all that begin with the prefix; UTF-8 has no byte 0xff.
    if (!end.empty()) ++end.back();
    if (range.kind != 0) clause += " AND kind=?";
    if (!range.prefix.empty()) clause += " AND name>=? AND name<?";
    if (!range.name.empty()) clause += " AND name=?";
    if (range.after.has_value()) clause += " AND (kind,name)>(?,?)";
  }
  void bindTo(SqliteStatement& statement) const {
    if (range.kind != 0) statement.bind(range.kind);
    if (!range.prefix.empty()) statement.bindText(range.prefix).bindText(end);
    if (!range.name.empty()) statement.bindText(range.name);
    if (range.after.has_value()) statement.bind(range.after->kind).bindText(range.after->name);
  }
  const KeyRange& range;
  std::string end;
  std::string clause;
};

int64_t microseconds(event::WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  std::unique_ptr<StoreFile> file;
  if (options.vfs.empty()) {
    absl::StatusOr<std::unique_ptr<StoreFile>> taken =
        StoreFile::take({options.path, options.key_file, options.new_store});
    if (!taken.ok()) return taken.status();
    file = *std::move(taken);
  }
  const bool absent = file == nullptr || file->absent();
  if (file != nullptr && absent) {
    if (absl::Status made = makeStore(*file); !made.ok()) return made;
  }
  absl::StatusOr<std::unique_ptr<SqliteDb>> db = openDatabase(options, file.get());
  if (!db.ok()) return db.status();
  if (file != nullptr) {
    file->noteOpened();
    if (absl::Status status = checkHead(**db, *file); !status.ok()) return status;
  }
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(file), std::move(*db), absent));
}

absl::StatusOr<RevisionNumber> SqliteStore::headLocked() {
  return db_->queryInteger("SELECT number FROM head");
}

absl::StatusOr<RevisionNumber> SqliteStore::head() {
  MutexLock lock(&mutex_);
  return headLocked();
}

absl::Status SqliteStore::requireNotPastHead(RevisionNumber revision) {
  absl::StatusOr<RevisionNumber> head = headLocked();
  if (!head.ok()) return head.status();
  if (revision < 0 || revision > *head) {
    return absl::OutOfRangeError(
        absl::StrCat("revision ", revision, " does not exist; the newest is ", *head));
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::badRow(const Key& key, RevisionNumber revision) const {
  return corrupt(*db_, absl::StrCat("the checksum of revision ", revision, " of ", key.name,
                                    " (kind ", key.kind, ") is wrong"));
}

absl::Status SqliteStore::stage(RevisionNumber revision, const RevisionInfo& info,
                                absl::Span<const Write> writes) {
  absl::StatusOr<SqliteStatement> entry =
      db_->prepare("INSERT INTO log (kind,name,revision,value,checksum) VALUES (?,?,?,?,?)");
  if (!entry.ok()) return entry.status();
  for (const Write& write : writes) {
    entry->bind(write.key.kind).bindText(write.key.name).bind(revision);
    write.value.has_value() ? entry->bindBlob(*write.value) : entry->bindNull();
    entry->bind(checksum(write.key, revision, write.value.value_or("")));
    absl::Status status = entry->run();
    if (!status.ok()) return status;
  }
  absl::StatusOr<SqliteStatement> row = db_->prepare("INSERT INTO revision VALUES (?,?,?,?,?)");
  if (!row.ok()) return row.status();
  return row->bind(revision)
      .bind(microseconds(info.time))
      .bindText(info.author)
      .bindText(info.comment)
      .bind(static_cast<int64_t>(writes.size()))
      .run();
}

absl::Status SqliteStore::swapHead(RevisionNumber from) {
  absl::StatusOr<SqliteStatement> swap = db_->prepare("UPDATE head SET number=? WHERE number=?");
  if (!swap.ok()) return swap.status();
  absl::Status status = swap->bind(from + 1).bind(from).run();
  if (!status.ok()) return status;
  CONVOY_ASSERT(db_->changedRows() == 1);  // the transaction has looked at the head already
  return absl::OkStatus();
}

absl::StatusOr<RevisionNumber> SqliteStore::commit(RevisionNumber expected_head,
                                                   const RevisionInfo& info,
                                                   absl::Span<const Write> writes) {
  CONVOY_ASSERT(!writes.empty());
  MutexLock lock(&mutex_);
  if (!failed_.ok()) return failed_;
  absl::Status status = file_ == nullptr ? absl::OkStatus() : file_->stillThere();
  if (status.ok()) status = db_->execute("BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  absl::StatusOr<RevisionNumber> head = headLocked();
  status = head.status();
  if (status.ok() && *head != expected_head) {
    status = absl::AbortedError(
        absl::StrCat("expected revision ", expected_head, ", but the newest is ", *head));
  }
  if (status.ok()) status = stage(expected_head + 1, info, writes);
  if (status.ok()) status = swapHead(expected_head);
  if (status.ok()) status = db_->execute("COMMIT");
  if (status.ok()) {
    if (file_ != nullptr) file_->acknowledge(expected_head + 1);
    return expected_head + 1;
  }
  // Fails if SQLite has rolled back by itself, as it does after a full disk.
  db_->execute("ROLLBACK").IgnoreError();
  if (absl::IsInternal(status)) {
    failed_ = absl::InternalError(absl::StrCat(
        "the store takes no more changes since a write failed; check the disk and restart: ",
        status.message()));
  }
  return status;
}

absl::StatusOr<Entry> SqliteStore::get(RevisionNumber revision, const Key& key) {
  MutexLock lock(&mutex_);
  absl::Status status = requireNotPastHead(revision);
  if (!status.ok()) return status;
  absl::StatusOr<SqliteStatement> row = db_->prepare(
      "SELECT revision,value,checksum FROM log WHERE kind=? AND name=? AND revision<=?"
      " ORDER BY revision DESC LIMIT 1");
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = row->bind(key.kind).bindText(key.name).bind(revision).step();
  if (!found.ok()) return found.status();
  if (!*found || row->isNull(1)) {
    return absl::NotFoundError(absl::StrCat(key.name, " does not exist at revision ", revision));
  }
  Entry entry{key, row->integer(0), row->text(1)};
  if (row->integer(2) != checksum(key, entry.revision, entry.value)) {
    return badRow(key, entry.revision);
  }
  return entry;
}

absl::StatusOr<std::vector<Entry>> SqliteStore::read(RevisionNumber revision, const KeyRange& range,
                                                     size_t limit) {
  MutexLock lock(&mutex_);
  absl::Status status = requireNotPastHead(revision);
  if (!status.ok()) return status;
  const RangeSql where(range);
  absl::StatusOr<SqliteStatement> rows = db_->prepare(absl::StrCat(
      "SELECT kind,name,revision,value,checksum FROM log AS l WHERE value IS NOT NULL",
      where.clause,
      " AND revision=(SELECT max(revision) FROM log AS m"
      " WHERE m.kind=l.kind AND m.name=l.name AND m.revision<=?) ORDER BY kind,name LIMIT ?"));
  if (!rows.ok()) return rows.status();
  where.bindTo(*rows);
  rows->bind(revision).bind(static_cast<int64_t>(limit));
  std::vector<Entry> entries;
  while (true) {
    absl::StatusOr<bool> row = rows->step();
    if (!row.ok()) return row.status();
    if (!*row) return entries;
    Key key{static_cast<int>(rows->integer(0)), rows->text(1)};
    Entry entry{std::move(key), rows->integer(2), rows->text(3)};
    if (rows->integer(4) != checksum(entry.key, entry.revision, entry.value)) {
      return badRow(entry.key, entry.revision);
    }
    entries.push_back(std::move(entry));
  }
}

absl::StatusOr<std::vector<LogEntry>> SqliteStore::changes(RevisionNumber revision,
                                                           const KeyRange& range, size_t limit) {
  MutexLock lock(&mutex_);
  absl::Status status = requireNotPastHead(revision);
  if (!status.ok()) return status;
  const RangeSql where(range);
  absl::StatusOr<SqliteStatement> rows = db_->prepare(absl::StrCat(
      "SELECT kind,name,value,checksum,(SELECT CASE WHEN m.value IS NULL THEN 0 ELSE m.revision END"
      " FROM log AS m WHERE m.kind=l.kind AND m.name=l.name AND m.revision<l.revision"
      " ORDER BY m.revision DESC LIMIT 1) FROM log AS l WHERE revision=?",
      where.clause, " ORDER BY kind,name LIMIT ?"));
  if (!rows.ok()) return rows.status();
  rows->bind(revision);
  where.bindTo(*rows);
  rows->bind(static_cast<int64_t>(limit));
  std::vector<LogEntry> entries;
  while (true) {
    absl::StatusOr<bool> row = rows->step();
    if (!row.ok()) return row.status();
    if (!*row) return entries;
    LogEntry entry;
    entry.key = {static_cast<int>(rows->integer(0)), rows->text(1)};
    entry.revision = revision;
    if (!rows->isNull(2)) entry.value = rows->text(2);
    entry.previous = rows->integer(4);
    if (rows->integer(3) != checksum(entry.key, revision, entry.value.value_or(""))) {
      return badRow(entry.key, revision);
    }
    entries.push_back(std::move(entry));
  }
}

absl::StatusOr<std::vector<RevisionInfo>> SqliteStore::revisions(RevisionNumber before,
                                                                 const KeyRange& range,
                                                                 size_t limit) {
  MutexLock lock(&mutex_);
  const RangeSql where(range);
  const std::string filter =
      where.clause.empty()
          ? ""
          : absl::StrCat(" AND EXISTS (SELECT 1 FROM log WHERE revision=number", where.clause, ")");
  absl::StatusOr<SqliteStatement> rows = db_->prepare(
      absl::StrCat("SELECT number,time_us,author,comment,change_count FROM revision WHERE number<?"
                   " AND number<=(SELECT number FROM head)",
                   filter, " ORDER BY number DESC LIMIT ?"));
  if (!rows.ok()) return rows.status();
  rows->bind(before);
  where.bindTo(*rows);
  rows->bind(static_cast<int64_t>(limit));
  std::vector<RevisionInfo> found;
  while (true) {
    absl::StatusOr<bool> row = rows->step();
    if (!row.ok()) return row.status();
    if (!*row) return found;
    found.push_back({rows->integer(0), event::WallTime(std::chrono::microseconds(rows->integer(1))),
                     rows->text(2), rows->text(3), rows->integer(4)});
  }
}

}  // namespace convoy::controlplane::store
