#pragma once

// A disk in memory, seen by SQLite as a VFS, that can lose power: what was written but not synced
// is then lost, wholly or in part, and a new disk shows what a machine would find after the reboot.
// Every operation that changes the disk is counted, so that a test can cut the power at each.

#include <sqlite3.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace convoy::controlplane::store {

class CrashDisk {
 public:
  // What the power cut does to writes that were not synced.
  enum class Loss {
    All,   // none of them reaches the disk
    None,  // all of them do, as when only the process dies
    Some,  // some 512-byte pieces of them do, chosen by the seed
  };

  CrashDisk();
  ~CrashDisk();
  CrashDisk(const CrashDisk&) = delete;

  const std::string& vfsName() const { return name_; }

  // Operations that changed the disk, or tried to.
  int64_t operations() const { return operations_; }
  // The power goes at this operation (from 1), which does not happen; from then on all fail.
  void cutPowerAt(int64_t operation) { cut_at_ = operation; }
  bool dead() const { return cut_at_ != 0 && operations_ >= cut_at_; }
  // Fails this sync (from 1), once, as a broken disk does.
  void failSyncAt(int64_t sync) { fail_sync_at_ = sync; }
  // Writes that would make the files larger than this in sum find the disk full; 0: no limit.
  void setCapacity(int64_t bytes) { capacity_ = bytes; }
  int64_t size() const;

  // What a reboot finds.
  std::unique_ptr<CrashDisk> afterPowerCut(Loss loss, uint64_t seed) const;

  // The content of a file; to look at, or to damage.
  std::string& content(const std::string& file) { return files_.at(file)->current; }
  bool has(const std::string& file) const { return files_.count(file) != 0; }

 private:
  friend struct CrashVfs;

  // A change that has not been synced: bytes at an offset, or (no bytes) the file's new size.
  struct Pending {
    int64_t offset = 0;
    std::string bytes;
    bool truncate = false;
  };
  struct File {
    std::string durable;
    std::string current;
    std::vector<Pending> pending;
    bool entry_durable = false;   // its name is on the disk
    std::deque<std::string> shm;  // regions of the WAL's index, at fixed places
  };

  static void apply(const Pending& change, std::string* content);
  // Counts an operation. False: the disk is dead.
  bool operate();

  std::string name_;
  sqlite3_vfs vfs_ = {};
  std::map<std::string, std::shared_ptr<File>> files_;
  int64_t operations_ = 0;
  int64_t cut_at_ = 0;
  int64_t syncs_ = 0;
  int64_t fail_sync_at_ = 0;
  int64_t capacity_ = 0;
};

}  // namespace convoy::controlplane::store
