// What is acknowledged survives: the power is cut at every operation on the disk, and a writing
// process is killed at many moments.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "controlplane/store/sqlite_store.h"
#include "test/controlplane/store/crash_disk.h"

namespace convoy::controlplane::store {
namespace {

constexpr int kKeys = 5;
constexpr int kRevisions = 12;

// Revision r writes keys 1..kKeys with values that say so, and deletes the key r % kKeys + 1.
std::string valueOf(int revision, int key) {
  return absl::StrCat("revision ", revision, " key ", key, " ", std::string(300, 'x'));
}

std::vector<Write> writesOf(int revision) {
  std::vector<Write> writes;
  for (int key = 1; key <= kKeys; ++key) {
    Write write{{1, absl::StrCat("key", key)}, valueOf(revision, key)};
    if (key == revision % kKeys + 1) write.value.reset();
    writes.push_back(std::move(write));
  }
  return writes;
}

// Commits revisions until one fails. Returns the last that was acknowledged.
int64_t commitUpTo(Store& store, int last) {
  int64_t acknowledged = 0;
  for (int revision = 1; revision <= last; ++revision) {
    const auto head = store.commit(revision - 1, {.author = "test"}, writesOf(revision));
    if (!head.ok()) return acknowledged;
    acknowledged = *head;
  }
  return acknowledged;
}

// Every revision up to the head is there, whole, and says what was written.
void expectWhole(Store& store, int64_t head) {
  for (int64_t revision = 1; revision <= head; ++revision) {
    const auto entries = store.read(revision, {.kind = 1}, 100);
    ASSERT_TRUE(entries.ok()) << entries.status();
    ASSERT_EQ(entries->size(), kKeys - 1u) << "revision " << revision;
    for (const Entry& entry : *entries) {
      EXPECT_EQ(entry.revision, revision);
      EXPECT_EQ(entry.value, valueOf(static_cast<int>(revision), entry.key.name.back() - '0'));
    }
    const auto changes = store.changes(revision, {}, 100);
    ASSERT_TRUE(changes.ok()) << changes.status();
    EXPECT_EQ(changes->size(), static_cast<size_t>(kKeys));
  }
  const auto revisions = store.revisions(head + 1, {}, 1000);
  ASSERT_TRUE(revisions.ok()) << revisions.status();
  EXPECT_EQ(revisions->size(), static_cast<size_t>(head));
}

// Few pages per checkpoint, so that power is cut in checkpoints too.
SqliteOptions optionsOn(const CrashDisk& disk) {
  return {.path = "store.db", .vfs = disk.vfsName(), .checkpoint_pages = 8};
}

// Opens, writes until the power goes; returns the last acknowledged revision.
int64_t writeUntilPowerCut(CrashDisk& disk) {
  auto store = SqliteStore::open(optionsOn(disk));
  return store.ok() ? commitUpTo(**store, kRevisions) : 0;
}

int64_t countOperations() {
  CrashDisk disk;
  EXPECT_EQ(writeUntilPowerCut(disk), kRevisions);
  return disk.operations();
}

class PowerCutTest : public testing::TestWithParam<CrashDisk::Loss> {};

TEST_P(PowerCutTest, LosesNoAcknowledgedRevisionAtAnyOperation) {
  const int64_t operations = countOperations();
  ASSERT_GT(operations, 100);
  for (int64_t cut = 1; cut <= operations; ++cut) {
    SCOPED_TRACE(absl::StrCat("power cut at operation ", cut, " of ", operations));
    CrashDisk disk;
    disk.cutPowerAt(cut);
    const int64_t acknowledged = writeUntilPowerCut(disk);
    auto found = disk.afterPowerCut(GetParam(), static_cast<uint64_t>(cut));

    auto store = SqliteStore::open(optionsOn(*found));
    ASSERT_TRUE(store.ok()) << store.status();
    const auto head = (*store)->head();
    ASSERT_TRUE(head.ok()) << head.status();
    EXPECT_GE(*head, acknowledged);
    EXPECT_LE(*head, acknowledged + 1);
    expectWhole(**store, *head);
    // And it works on.
    const auto next = (*store)->commit(*head, {}, writesOf(static_cast<int>(*head) + 1));
    ASSERT_TRUE(next.ok()) << next.status();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, PowerCutTest,
                         testing::Values(CrashDisk::Loss::All, CrashDisk::Loss::None,
                                         CrashDisk::Loss::Some));

TEST(DiskTest, FullDiskRefusesTheCommitAndGoesOnWhenThereIsSpace) {
  CrashDisk disk;
  auto store = SqliteStore::open(optionsOn(disk));
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_EQ(commitUpTo(**store, 3), 3);
  disk.setCapacity(disk.size());

  absl::Status status;
  int64_t head = 3;
  while (status.ok() && head < 100) {
    status = (*store)->commit(head, {}, writesOf(static_cast<int>(head) + 1)).status();
    if (status.ok()) ++head;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find("store.db"), absl::string_view::npos);
  expectWhole(**store, head);

  disk.setCapacity(0);
  const auto next = (*store)->commit(head, {}, writesOf(static_cast<int>(head) + 1));
  ASSERT_TRUE(next.ok()) << next.status();
  expectWhole(**store, head + 1);
}

TEST(DiskTest, FailedSyncStopsCommitsUntilTheStoreIsOpenedAnew) {
  for (int64_t sync = 1; sync < 60; ++sync) {
    SCOPED_TRACE(absl::StrCat("sync ", sync));
    CrashDisk disk;
    disk.failSyncAt(sync);
    int64_t acknowledged = 0;
    {
      auto store = SqliteStore::open(optionsOn(disk));
      if (!store.ok()) continue;
      acknowledged = commitUpTo(**store, kRevisions);
      if (acknowledged < kRevisions) {
        const auto again = (*store)->commit(acknowledged, {}, writesOf(1));
        EXPECT_EQ(again.status().code(), absl::StatusCode::kInternal);
        expectWhole(**store, acknowledged);
      }
    }
    auto found = disk.afterPowerCut(CrashDisk::Loss::All, 0);
    auto store = SqliteStore::open(optionsOn(*found));
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_GE(*(*store)->head(), acknowledged);
    expectWhole(**store, *(*store)->head());
  }
}

// Commits without end and writes each acknowledged revision to the pipe.
[[noreturn]] void writeForever(const std::string& path, int pipe) {
  auto store = SqliteStore::open({.path = path, .vfs = "", .checkpoint_pages = 16});
  if (!store.ok()) _exit(1);
  int64_t head = *(*store)->head();
  while (true) {
    const auto next = (*store)->commit(head, {}, writesOf(static_cast<int>(head) + 1));
    if (!next.ok()) _exit(1);
    head = *next;
    if (write(pipe, &head, sizeof(head)) != sizeof(head)) _exit(1);
  }
}

// Starts a writer, kills it after it acknowledged `count` revisions; returns the last one that it
// acknowledged.
int64_t killWriterAfter(const std::string& path, int count) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    writeForever(path, ends[1]);
  }
  close(ends[1]);
  int64_t acknowledged = 0;
  int64_t revision = 0;
  for (int i = 0; i < count && read(ends[0], &revision, sizeof(revision)) == sizeof(revision);
       ++i) {
    acknowledged = revision;
  }
  kill(child, SIGKILL);
  // What it wrote between our last look and its end is acknowledged too.
  while (read(ends[0], &revision, sizeof(revision)) == sizeof(revision)) acknowledged = revision;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  return acknowledged;
}

TEST(KillTest, LosesNoAcknowledgedRevision) {
  const std::string path = absl::StrCat(testing::TempDir(), "/kill.db");
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  for (const int count : {1, 2, 3, 5, 8, 13, 21, 7, 4, 1}) {
    const int64_t acknowledged = killWriterAfter(path, count);
    ASSERT_GT(acknowledged, 0);
    auto store = SqliteStore::open({.path = path, .vfs = ""});
    ASSERT_TRUE(store.ok()) << store.status();
    const auto head = (*store)->head();
    ASSERT_TRUE(head.ok()) << head.status();
    EXPECT_GE(*head, acknowledged);
    EXPECT_LE(*head, acknowledged + 1);
    expectWhole(**store, *head);
  }
}

}  // namespace
}  // namespace convoy::controlplane::store
