#include "controlplane/store/sqlite_db.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"

namespace convoy::controlplane::store {
namespace {

std::unique_ptr<SqliteDb> openNew() {
  const std::string path = testing::TempDir() + "/sqlite_db_test.db";
  std::remove(path.c_str());
  auto db = SqliteDb::open(path, "");
  EXPECT_TRUE(db.ok()) << db.status();
  return std::move(*db);
}

TEST(SqliteDbTest, BindsAndReadsEveryType) {
  auto db = openNew();
  ASSERT_TRUE(db->execute("CREATE TABLE t (i, s, b, n)").ok());
  {
    auto insert = db->prepare("INSERT INTO t VALUES (?,?,?,?)");
    ASSERT_TRUE(insert.ok());
    const std::string bytes("\0x\xff", 3);
    ASSERT_TRUE(
        insert->bind(int64_t{1} << 40).bindText("text").bindBlob(bytes).bindNull().run().ok());
    // A statement that is done can be used again.
    ASSERT_TRUE(insert->bind(2).bindText("").bindBlob("").bindNull().run().ok());
    EXPECT_EQ(db->changedRows(), 1);
  }
  auto rows = db->prepare("SELECT i,s,b,n FROM t ORDER BY i DESC");
  ASSERT_TRUE(*rows->step());
  EXPECT_EQ(rows->integer(0), int64_t{1} << 40);
  EXPECT_EQ(rows->text(1), "text");
  EXPECT_EQ(rows->text(2), std::string("\0x\xff", 3));
  EXPECT_TRUE(rows->isNull(3));
  ASSERT_TRUE(*rows->step());
  EXPECT_EQ(rows->text(2), "");
  EXPECT_FALSE(rows->isNull(2));
  EXPECT_FALSE(*rows->step());
}

TEST(SqliteDbTest, QueriesGiveTheFirstValueOrNothing) {
  auto db = openNew();
  EXPECT_EQ(*db->queryInteger("SELECT 7"), 7);
  EXPECT_EQ(*db->queryInteger("SELECT 7 WHERE 0"), 0);
  EXPECT_EQ(*db->queryText("SELECT 'x'"), "x");
  EXPECT_EQ(*db->queryText("SELECT 'x' WHERE 0"), "");
}

TEST(SqliteDbTest, ErrorsAreStatusesThatNameTheFile) {
  auto db = openNew();
  for (const absl::Status& status :
       {db->execute("nonsense"), db->prepare("nonsense").status(),
        db->queryInteger("nonsense").status(), db->queryText("nonsense").status()}) {
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find(absl::StrCat("store file ", db->path())),
              absl::string_view::npos)
        << status;
  }
  // A constraint shows only when the statement runs.
  ASSERT_TRUE(db->execute("CREATE TABLE t (x NOT NULL)").ok());
  EXPECT_FALSE(db->prepare("INSERT INTO t VALUES (NULL)")->run().ok());
}

TEST(SqliteDbTest, EachResultCodeHasItsStatus) {
  struct Case {
    int code;
    absl::StatusCode status;
    std::string words;
  };
  const Case cases[] = {
      {SQLITE_BUSY, absl::StatusCode::kResourceExhausted, "being written by another"},
      {SQLITE_FULL, absl::StatusCode::kResourceExhausted, "disk is full"},
      {SQLITE_CORRUPT, absl::StatusCode::kDataLoss, "corrupt"},
      {SQLITE_NOTADB, absl::StatusCode::kFailedPrecondition, "not a Convoy store"},
      {SQLITE_CANTOPEN, absl::StatusCode::kFailedPrecondition, "cannot be opened"},
      {SQLITE_READONLY, absl::StatusCode::kFailedPrecondition, "cannot be written"},
      {SQLITE_IOERR_FSYNC, absl::StatusCode::kInternal, "check the disk"},
  };
  auto db = openNew();
  for (const Case& c : cases) {
    const absl::Status status = db->error(c.code);
    EXPECT_EQ(status.code(), c.status) << status;
    EXPECT_NE(status.message().find(c.words), absl::string_view::npos) << status;
    // What we found out ourselves, SQLite has no words of its own for.
    EXPECT_EQ(status.message().find("not an error"), absl::string_view::npos) << status;
  }
}

TEST(SqliteDbTest, AFolderThatIsNotThereCannotBeOpened) {
  EXPECT_EQ(SqliteDb::open("/dev/null/x.db", "").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace convoy::controlplane::store
