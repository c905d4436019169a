#include "controlplane/store/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/controlplane/store/crash_disk.h"

namespace convoy::controlplane::store {
namespace {

namespace fs = std::filesystem;

// A folder of its own for each test.
class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / absl::StrCat("store_", info->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = folder_ / "convoy.db";
  }

  std::unique_ptr<SqliteStore> open(bool new_store = false) {
    auto store = SqliteStore::open({.path = path_, .vfs = "", .new_store = new_store});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? std::move(*store) : nullptr;
  }

  // Expects that opening fails with this code and a message that names the file and the words.
  void expectRefusal(absl::StatusCode code, const std::string& words, bool new_store = false) {
    auto store = SqliteStore::open(
        {.path = path_, .vfs = "", .key_file = path_ + ".key", .new_store = new_store});
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(store.status().code(), code) << store.status();
    EXPECT_NE(store.status().message().find(path_), absl::string_view::npos) << store.status();
    EXPECT_NE(store.status().message().find(words), absl::string_view::npos) << store.status();
  }

  fs::path folder_;
  std::string path_;
};

Write put(int kind, const std::string& name, const std::string& value) {
  return {{kind, name}, value};
}
Write erase(int kind, const std::string& name) {
  return {{kind, name}, std::nullopt};
}

std::string text(const absl::StatusOr<std::vector<Entry>>& entries) {
  if (!entries.ok()) return entries.status().ToString();
  std::string out;
  for (const Entry& e : *entries) {
    absl::StrAppend(&out, e.key.kind, "/", e.key.name, "=", e.value, "@", e.revision, " ");
  }
  return out;
}

std::string text(const absl::StatusOr<std::vector<LogEntry>>& entries) {
  if (!entries.ok()) return entries.status().ToString();
  std::string out;
  for (const LogEntry& e : *entries) {
    absl::StrAppend(&out, e.key.kind, "/", e.key.name, "=", e.value.value_or("-"), " after ",
                    e.previous, " ");
  }
  return out;
}

std::string numbers(const absl::StatusOr<std::vector<RevisionInfo>>& revisions) {
  if (!revisions.ok()) return revisions.status().ToString();
  std::string out;
  for (const RevisionInfo& r : *revisions) absl::StrAppend(&out, r.number, " ");
  return out;
}

// Three revisions: a and b are made; b changes and c is made; a goes.
void fill(Store& store) {
  ASSERT_EQ(*store.commit(0, {}, {put(1, "a", "a1"), put(1, "b", "b1"), put(2, "a", "other")}), 1);
  ASSERT_EQ(*store.commit(1, {}, {put(1, "b", ""), put(1, "c", std::string("\0c", 2))}), 2);
  ASSERT_EQ(*store.commit(2, {}, {erase(1, "a")}), 3);
}

TEST_F(SqliteStoreTest, StartsEmptyAndPrivate) {
  auto store = open();
  EXPECT_EQ(*store->head(), 0);
  EXPECT_EQ(text(store->read(0, {}, 10)), "");
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  fill(*store);
  ASSERT_EQ(stat((path_ + "-wal").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(SqliteStoreTest, ReadsEveryPastState) {
  auto store = open();
  fill(*store);
  EXPECT_EQ(text(store->read(1, {}, 10)), "1/a=a1@1 1/b=b1@1 2/a=other@1 ");
  EXPECT_EQ(text(store->read(2, {.kind = 1}, 10)),
            absl::StrCat("1/a=a1@1 1/b=@2 1/c=", std::string("\0c", 2), "@2 "));
  EXPECT_EQ(store->read(3, {}, 10)->size(), 3u);
  EXPECT_EQ(text(store->read(1, {.after = Key{1, "a"}}, 1)), "1/b=b1@1 ");
  EXPECT_EQ(text(store->read(1, {.prefix = "b"}, 9)), "1/b=b1@1 ");
  EXPECT_EQ(store->get(1, {1, "b"})->value, "b1");
  EXPECT_EQ(store->get(2, {1, "b"})->value, "");
  EXPECT_EQ(store->get(3, {1, "b"})->revision, 2);
  EXPECT_TRUE(absl::IsNotFound(store->get(3, {1, "a"}).status()));
  EXPECT_TRUE(absl::IsNotFound(store->get(3, {1, "z"}).status()));
  EXPECT_TRUE(absl::IsOutOfRange(store->get(4, {1, "a"}).status()));
  EXPECT_TRUE(absl::IsOutOfRange(store->read(4, {}, 1).status()));
  EXPECT_TRUE(absl::IsOutOfRange(store->changes(-1, {}, 1).status()));
}

TEST_F(SqliteStoreTest, TellsWhatARevisionChanged) {
  auto store = open();
  fill(*store);
  ASSERT_EQ(*store->commit(3, {}, {put(1, "a", "again")}), 4);
  EXPECT_EQ(text(store->changes(1, {}, 10)), "1/a=a1 after 0 1/b=b1 after 0 2/a=other after 0 ");
  EXPECT_EQ(text(store->changes(2, {.after = Key{1, "a"}}, 1)), "1/b= after 1 ");
  EXPECT_EQ(text(store->changes(3, {}, 10)), "1/a=- after 1 ");
  EXPECT_EQ(text(store->changes(4, {.kind = 1}, 10)), "1/a=again after 0 ");
  EXPECT_EQ(text(store->changes(4, {.kind = 2}, 10)), "");
}

TEST_F(SqliteStoreTest, ListsRevisionsNewestFirst) {
  auto store = open();
  fill(*store);
  EXPECT_EQ(numbers(store->revisions(100, {}, 2)), "3 2 ");
  EXPECT_EQ(numbers(store->revisions(2, {}, 2)), "1 ");
  EXPECT_EQ(numbers(store->revisions(100, {.kind = 1, .prefix = "b"}, 5)), "2 1 ");
  const event::WallTime time = event::WallTime(std::chrono::microseconds(1'700'000'000'000'001));
  ASSERT_EQ(
      *store->commit(3, {.time = time, .author = "ann", .comment = "why"}, {put(1, "d", "d")}), 4);
  const auto newest = store->revisions(5, {}, 1);
  EXPECT_EQ(newest->front().time, time);
  EXPECT_EQ(newest->front().author, "ann");
  EXPECT_EQ(newest->front().comment, "why");
  EXPECT_EQ(newest->front().change_count, 1);
}

TEST_F(SqliteStoreTest, RefusesACommitOnAnotherHead) {
  auto store = open();
  fill(*store);
  const absl::Status status = store->commit(2, {}, {put(1, "a", "x")}).status();
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_NE(status.message().find("expected revision 2, but the newest is 3"),
            absl::string_view::npos);
  EXPECT_EQ(*store->head(), 3);
}

TEST_F(SqliteStoreTest, FindsEverythingAfterReopening) {
  fill(*open());
  auto store = open();
  EXPECT_EQ(*store->head(), 3);
  EXPECT_EQ(store->get(3, {1, "b"})->revision, 2);
}

TEST_F(SqliteStoreTest, TightensTheModeOfAnOldFile) {
  fill(*open());
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  auto store = open();
  struct stat info;
  for (const std::string& path : {path_, path_ + "-wal"}) {
    ASSERT_EQ(stat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << path;
  }
}

TEST_F(SqliteStoreTest, RefusesAFileInUse) {
  auto store = open();
  expectRefusal(absl::StatusCode::kFailedPrecondition, "in use by another process");
  // And by a process that is truly another.
  const pid_t child = fork();
  if (child == 0) {
    _exit(SqliteStore::open({.path = path_, .vfs = ""}).status().code() ==
                  absl::StatusCode::kFailedPrecondition
              ? 0
              : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(SqliteStoreTest, RefusesWhatIsNoStore) {
  std::ofstream(path_) << std::string(5000, 'x');
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  expectRefusal(absl::StatusCode::kFailedPrecondition, "is not a Convoy store");
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644u) << "whose file it is, decides who may read it";
}

// Names that mean something else to SQLite.
TEST_F(SqliteStoreTest, ANameIsAlwaysAFile) {
  fs::current_path(folder_);
  for (const char* name : {":memory:", "file:convoy.db?mode=memory"}) {
    path_ = name;
    fill(*open());
    EXPECT_EQ(*open()->head(), 3) << name;
    EXPECT_TRUE(fs::exists(folder_ / name));
  }
}

TEST_F(SqliteStoreTest, RefusesAnotherProgramsDatabase) {
  {
    auto db = SqliteDb::open(path_, "");
    ASSERT_TRUE((*db)->execute("CREATE TABLE theirs (x)").ok());
  }
  expectRefusal(absl::StatusCode::kFailedPrecondition, "is not a Convoy store");
}

TEST_F(SqliteStoreTest, RefusesANewerSchema) {
  fill(*open());
  {
    auto db = SqliteDb::open(path_, "");
    ASSERT_TRUE((*db)->execute("PRAGMA user_version=7").ok());
  }
  expectRefusal(absl::StatusCode::kFailedPrecondition, "written by a newer Convoy (schema 7");
}

// What a store is not: made by mistake it would empty the fleet.
TEST_F(SqliteStoreTest, MakesNoStoreWhereOneWas) {
  const std::string key = path_ + ".key";
  EXPECT_TRUE(open()->isNew());
  EXPECT_FALSE(open()->isNew());
  expectRefusal(absl::StatusCode::kFailedPrecondition, "exists, and --new-store", true);
  for (const size_t size : {1, 99}) {
    std::ofstream(path_) << std::string(size, 'S');
    expectRefusal(absl::StatusCode::kFailedPrecondition, absl::StrCat("has ", size, " bytes"));
    expectRefusal(absl::StatusCode::kFailedPrecondition, "cut short", true);
  }
  std::ofstream(path_, std::ios::trunc).close();
  expectRefusal(absl::StatusCode::kFailedPrecondition, "is empty, which no store is");
  std::ofstream(key) << "key";
  expectRefusal(absl::StatusCode::kFailedPrecondition, "is empty, but secrets key file " + key);
  fs::remove(path_);
  expectRefusal(absl::StatusCode::kFailedPrecondition,
                "does not exist, but secrets key file " + key);
  std::ofstream(path_ + "-wal") << std::string(5000, 'w');
  expectRefusal(absl::StatusCode::kFailedPrecondition, "with changes of a store", true);
  EXPECT_EQ(fs::file_size(path_ + "-wal"), 5000u);
  EXPECT_FALSE(fs::exists(path_));
  fs::remove(path_ + "-wal");
  EXPECT_TRUE(open(true)->isNew());
}

TEST_F(SqliteStoreTest, ACopyWithoutItsLogIsAStoreAllTheSame) {
  auto store = open();
  fill(*store);
  const std::string copy = folder_ / "copy.db";
  fs::copy_file(path_, copy);
  store.reset();
  path_ = copy;
  EXPECT_EQ(*open()->head(), 0) << "but an old one";
  // As older versions left it.
  std::ofstream(path_) << std::string(0, ' ');
  {
    auto db = SqliteDb::open(path_, "");
    ASSERT_EQ(*(*db)->queryText("PRAGMA journal_mode=WAL"), "wal");
  }
  expectRefusal(absl::StatusCode::kFailedPrecondition, "holds nothing, as the copy of a store");
}

// As a control plane leaves it that was killed: most of it is in the log.
TEST_F(SqliteStoreTest, MissesWhatWasAcknowledgedAndIsNotInItsLog) {
  const auto flip = [](const std::string& wal) {
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(wal)) - 1'000);
    file.put('\xff');
  };
  const std::function<void(const std::string&)> cases[] = {
      [](const std::string& wal) { fs::remove(wal); },
      [](const std::string& wal) { fs::resize_file(wal, 0); },
      [](const std::string& wal) { fs::resize_file(wal, fs::file_size(wal) - 1); },
      flip,
  };
  auto store = open();
  fill(*store);
  const std::string killed = folder_ / "killed.db";
  const auto copyAll = [&] {
    for (const char* end : {"", "-wal", ".head"}) {
      fs::copy_file(path_ + end, killed + end, fs::copy_options::overwrite_existing);
    }
  };
  for (const auto& damage : cases) {
    copyAll();
    damage(killed + "-wal");
    const absl::Status refused = SqliteStore::open({.path = killed, .vfs = ""}).status();
    EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
    EXPECT_NE(refused.message().find("but revision 3 was acknowledged (" + killed + ".head)"),
              absl::string_view::npos)
        << refused;
  }
  fs::remove(killed + ".head");
  EXPECT_LT(*(*SqliteStore::open({.path = killed, .vfs = ""}))->head(), 3) << "as it was told to";
  copyAll();
  EXPECT_EQ(*(*SqliteStore::open({.path = killed, .vfs = ""}))->head(), 3);
}

TEST_F(SqliteStoreTest, WritesNothingToAFileThatWasTakenAway) {
  auto store = open();
  fill(*store);
  const std::string elsewhere = folder_ / "elsewhere.db";
  fs::rename(path_, elsewhere);
  for (const char* words :
       {"was taken away while it is in use", "was replaced while it is in use"}) {
    const absl::Status refused = store->commit(3, {}, {put(1, "d", "d")}).status();
    EXPECT_TRUE(absl::IsInternal(refused)) << refused;
    EXPECT_NE(refused.message().find(words), absl::string_view::npos) << refused;
    std::ofstream(path_) << "another";
  }
  fs::rename(elsewhere, path_);
  EXPECT_EQ(*store->commit(3, {}, {put(1, "d", "d")}), 4);
}

TEST_F(SqliteStoreTest, RefusesAHistoryWithGaps) {
  struct Case {
    const char* sql;
    const char* words;
  };
  const Case cases[] = {
      {"DELETE FROM head", "does not say which revision is the newest"},
      {"UPDATE head SET number=1", "its newest revision is 1, and it has 3 of them up to 3"},
      {"UPDATE head SET number=9", "its newest revision is 9, and it has 3 of them up to 3"},
      {"DELETE FROM revision WHERE number=2", "newest revision is 3, and it has 2 of them"},
      {"DELETE FROM revision", "newest revision is 3, and it has 0 of them up to 0"},
      {"DELETE FROM log WHERE revision=2 AND name='c'", "changes of revision 2 are missing"},
      {"DELETE FROM log", "changes of revision 1 are missing"},
  };
  fill(*open());
  const std::string whole = folder_ / "whole.db";
  fs::copy_file(path_, whole);
  for (const Case& c : cases) {
    fs::copy_file(whole, path_, fs::copy_options::overwrite_existing);
    {
      auto db = SqliteDb::open(path_, "");
      ASSERT_TRUE((*db)->execute(c.sql).ok());
    }
    expectRefusal(absl::StatusCode::kDataLoss, c.words);
  }
}

TEST_F(SqliteStoreTest, CanBeReadWhileItIsInUse) {
  auto store = open();
  fill(*store);
  {
    auto reader = SqliteDb::open(path_, "");
    EXPECT_EQ(*(*reader)->queryInteger("SELECT number FROM head"), 3);
    ASSERT_TRUE((*reader)->execute("BEGIN; SELECT * FROM log").ok());
    ASSERT_EQ(*store->commit(3, {}, {put(1, "d", "d")}), 4);
    EXPECT_EQ(*(*reader)->queryInteger("SELECT number FROM head"), 3);
  }
  expectRefusal(absl::StatusCode::kFailedPrecondition, "in use by another process");
  EXPECT_EQ(*store->head(), 4);
}

// Nobody else may write it. Who does so all the same is not waited for, and spoils nothing.
TEST_F(SqliteStoreTest, AnotherWriterIsRefusedByName) {
  auto store = open();
  fill(*store);
  auto writer = SqliteDb::open(path_, "");
  ASSERT_TRUE((*writer)->execute("BEGIN IMMEDIATE").ok());
  const absl::Status refused = store->commit(3, {}, {put(1, "d", "d")}).status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_NE(refused.message().find("is being written by another"), absl::string_view::npos);
  EXPECT_EQ(*store->head(), 3);
  ASSERT_TRUE((*writer)->execute("ROLLBACK").ok());
  EXPECT_EQ(*store->commit(3, {}, {put(1, "d", "d")}), 4);
}

TEST_F(SqliteStoreTest, IsOneStoreByWhateverName) {
  auto store = open();
  fs::create_symlink(path_, folder_ / "link.db");
  const auto again = SqliteStore::open({.path = folder_ / "link.db", .vfs = ""});
  EXPECT_TRUE(absl::IsFailedPrecondition(again.status()));
  EXPECT_NE(again.status().message().find(path_ + " is in use by another process"),
            absl::string_view::npos)
      << again.status();
}

TEST_F(SqliteStoreTest, IsMadeAndFoundAgainThroughALink) {
  const std::string real = path_;
  path_ = folder_ / "link.db";
  fs::create_symlink("convoy.db", path_);
  {
    auto store = open();
    EXPECT_TRUE(store->isNew());
    fill(*store);
    EXPECT_TRUE(fs::exists(real + "-wal"));
  }
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_TRUE(fs::is_regular_file(real));
  EXPECT_EQ(*open()->head(), 3);
  path_ = real;
  EXPECT_EQ(*open()->head(), 3);
  fs::remove(real);
  std::ofstream(real + "-wal") << std::string(5000, 'w');
  path_ = folder_ / "link.db";
  auto store = SqliteStore::open({.path = path_, .vfs = ""});
  EXPECT_NE(store.status().message().find("with changes of a store"), absl::string_view::npos)
      << store.status();
}

// Killed at any moment, a first start leaves nothing in the way of the second.
TEST_F(SqliteStoreTest, AFirstStartThatWasKilledIsMadeGood) {
  open().reset();
  const std::string whole = folder_ / "whole.db";
  fs::rename(path_, whole);
  const auto size = static_cast<off_t>(fs::file_size(whole));
  for (const off_t bytes : {off_t{0}, off_t{1}, off_t{4096}, size}) {
    fs::copy_file(whole, path_ + ".new", fs::copy_options::overwrite_existing);
    ASSERT_EQ(::truncate((path_ + ".new").c_str(), bytes), 0);
    std::ofstream(path_ + ".new-journal") << std::string(static_cast<size_t>(bytes), 'j');
    auto store = open();
    ASSERT_NE(store, nullptr) << bytes;
    EXPECT_TRUE(store->isNew());
    EXPECT_EQ(*store->head(), 0);
    EXPECT_FALSE(fs::exists(path_ + ".new"));
    EXPECT_FALSE(fs::exists(path_ + ".new-journal"));
    store.reset();
    fs::remove(path_);
  }
}

TEST_F(SqliteStoreTest, RefusesAFolderThatDoesNotExist) {
  path_ = folder_ / "missing" / "convoy.db";
  expectRefusal(absl::StatusCode::kFailedPrecondition, "check that its folder exists");
}

TEST_F(SqliteStoreTest, RefusesAFolderAsFile) {
  path_ = folder_;
  expectRefusal(absl::StatusCode::kFailedPrecondition, "is not a regular file");
}

TEST_F(SqliteStoreTest, FindsAFlippedBitWhereverItIs) {
  {
    auto store = open();
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(store->commit(i, {}, {put(1, absl::StrCat("k", i), std::string(200, 'v'))}).ok());
    }
  }
  std::string good((std::stringstream() << std::ifstream(path_).rdbuf()).str());
  ASSERT_GT(good.size(), 8192u);
  // A bit in a value: SQLite sees nothing, the row's checksum does.
  const size_t at = good.find(std::string(200, 'v')) + 77;
  std::string bad = good;
  bad[at] ^= 1;
  std::ofstream(path_) << bad;
  auto store = open();
  const absl::Status status = store->read(40, {}, 100).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find(path_), absl::string_view::npos);
  bool found = false;
  for (int i = 0; i < 40 && !found; ++i) {
    const Key key{1, absl::StrCat("k", i)};
    found = absl::IsDataLoss(store->get(40, key).status()) &&
            absl::IsDataLoss(store->changes(i + 1, {}, 1).status());
  }
  EXPECT_TRUE(found);
  store.reset();
  // A page that is overwritten.
  bad = good;
  bad.replace(4096, 4096, std::string(4096, '\xee'));
  std::ofstream(path_) << bad;
  expectRefusal(absl::StatusCode::kDataLoss, "is corrupt");
}

TEST(SqliteStoreDiskTest, RefusesToStartOnAFullDisk) {
  CrashDisk disk;
  disk.setCapacity(4096);
  auto store = SqliteStore::open({.path = "store.db", .vfs = disk.vfsName()});
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.status().code(), absl::StatusCode::kResourceExhausted) << store.status();
}

TEST(SqliteStoreDiskTest, SaysWhenTheDiskCannotBeRead) {
  CrashDisk disk;
  auto store = SqliteStore::open({.path = "store.db", .vfs = disk.vfsName()});
  ASSERT_TRUE(store.ok());
  fill(**store);
  disk.cutPowerAt(disk.operations() + 1);
  EXPECT_FALSE((*store)->commit(3, {}, {put(1, "x", "y")}).ok());
}

}  // namespace
}  // namespace convoy::controlplane::store
