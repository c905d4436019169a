#include "test/controlplane/store/crash_disk.h"

#include <atomic>
#include <cstring>
#include <new>
#include <random>

namespace convoy::controlplane::store {

// SQLite's C callbacks. A handle is a sqlite3_file with the disk and the file behind it.
struct CrashVfs {
  using File = CrashDisk::File;

  struct Handle {
    sqlite3_file base;
    CrashDisk* disk;
    std::shared_ptr<File> file;
  };

  static Handle* of(sqlite3_file* file) { return reinterpret_cast<Handle*>(file); }
  static CrashDisk* of(sqlite3_vfs* vfs) { return static_cast<CrashDisk*>(vfs->pAppData); }

  static int close(sqlite3_file* file) {
    of(file)->file.~shared_ptr();
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
    if (of(file)->disk->dead()) return SQLITE_IOERR_READ;
    const std::string& content = of(file)->file->current;
    std::memset(out, 0, amount);
    if (offset >= static_cast<int64_t>(content.size())) return SQLITE_IOERR_SHORT_READ;
    const size_t length = std::min<size_t>(amount, content.size() - offset);
    std::memcpy(out, content.data() + offset, length);
    return length == static_cast<size_t>(amount) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }

  static int change(sqlite3_file* file, CrashDisk::Pending pending) {
    CrashDisk::apply(pending, &of(file)->file->current);
    of(file)->file->pending.push_back(std::move(pending));
    return SQLITE_OK;
  }

  static int write(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
    CrashDisk* disk = of(file)->disk;
    if (!disk->operate()) return SQLITE_IOERR_WRITE;
    const int64_t growth = offset + amount - static_cast<int64_t>(of(file)->file->current.size());
    if (disk->capacity_ != 0 && growth > 0 && disk->size() + growth > disk->capacity_) {
      return SQLITE_FULL;
    }
    return change(file, {offset, std::string(static_cast<const char*>(data), amount), false});
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (!of(file)->disk->operate()) return SQLITE_IOERR_TRUNCATE;
    return change(file, {size, "", true});
  }

  static int sync(sqlite3_file* file, int) {
    CrashDisk* disk = of(file)->disk;
    if (!disk->operate()) return SQLITE_IOERR_FSYNC;
    if (++disk->syncs_ == disk->fail_sync_at_) return SQLITE_IOERR_FSYNC;
    File& target = *of(file)->file;
    target.durable = target.current;
    target.pending.clear();
    target.entry_durable = true;
    return SQLITE_OK;
  }

  static int fileSize(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(file)->file->current.size());
    return SQLITE_OK;
  }

  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int checkReservedLock(sqlite3_file*, int* out) {
    *out = 0;
    return SQLITE_OK;
  }
  static int fileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  // The WAL's index: memory of the processes, which no disk keeps. One connection at a time.
  static int shmMap(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
    std::deque<std::string>& shm = of(file)->file->shm;
    *out = nullptr;
    if (static_cast<size_t>(region) >= shm.size() && extend == 0) return SQLITE_OK;
    while (shm.size() <= static_cast<size_t>(region)) shm.emplace_back(size, '\0');
    *out = shm[region].data();
    return SQLITE_OK;
  }
  static int shmLock(sqlite3_file*, int, int, int) { return SQLITE_OK; }
  static void shmBarrier(sqlite3_file*) {}
  static int shmUnmap(sqlite3_file* file, int) {
    of(file)->file->shm.clear();
    return SQLITE_OK;
  }
  static int sectorSize(sqlite3_file*) { return 4096; }
  // As SQLite's own VFS says of every Linux file system.
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods kMethods = [] {
      sqlite3_io_methods m = {};
      m.iVersion = 2;
      m.xClose = close;
      m.xRead = read;
      m.xWrite = write;
      m.xTruncate = truncate;
      m.xSync = sync;
      m.xFileSize = fileSize;
      m.xLock = lock;
      m.xUnlock = lock;
      m.xCheckReservedLock = checkReservedLock;
      m.xFileControl = fileControl;
      m.xSectorSize = sectorSize;
      m.xDeviceCharacteristics = characteristics;
      m.xShmMap = shmMap;
      m.xShmLock = shmLock;
      m.xShmBarrier = shmBarrier;
      m.xShmUnmap = shmUnmap;
      return m;
    }();
    return &kMethods;
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags,
                  int* out_flags) {
    CrashDisk* disk = of(vfs);
    out->pMethods = nullptr;
    const std::string key = name == nullptr ? "temporary" : name;
    std::shared_ptr<File> file;
    if (auto found = disk->files_.find(key); found != disk->files_.end()) file = found->second;
    if (file == nullptr) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      if (!disk->operate()) return SQLITE_IOERR;
      file = std::make_shared<File>();
      disk->files_[key] = file;
    }
    Handle* handle = of(out);
    handle->disk = disk;
    new (&handle->file) std::shared_ptr<File>(std::move(file));
    handle->base.pMethods = methods();
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int) {
    CrashDisk* disk = of(vfs);
    if (!disk->operate()) return SQLITE_IOERR_DELETE;
    return disk->files_.erase(name) == 0 ? SQLITE_IOERR_DELETE_NOENT : SQLITE_OK;
  }

  static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    *out = of(vfs)->has(name);
    return SQLITE_OK;
  }

  static int fullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }

  static int randomness(sqlite3_vfs*, int size, char* out) {
    std::memset(out, 42, size);
    return size;
  }
  static int pause(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int currentTime(sqlite3_vfs*, double* out) {
    *out = 2460000.5;
    return SQLITE_OK;
  }
};

CrashDisk::CrashDisk() {
  static std::atomic<int> counter = 0;
  name_ = "crash" + std::to_string(++counter);
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(CrashVfs::Handle);
  vfs_.mxPathname = 512;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = CrashVfs::open;
  vfs_.xDelete = CrashVfs::remove;
  vfs_.xAccess = CrashVfs::access;
  vfs_.xFullPathname = CrashVfs::fullPathname;
  vfs_.xRandomness = CrashVfs::randomness;
  vfs_.xSleep = CrashVfs::pause;
  vfs_.xCurrentTime = CrashVfs::currentTime;
  sqlite3_vfs_register(&vfs_, 0);
}

CrashDisk::~CrashDisk() {
  sqlite3_vfs_unregister(&vfs_);
}

bool CrashDisk::operate() {
  if (!dead()) ++operations_;
  return !dead();
}

int64_t CrashDisk::size() const {
  int64_t sum = 0;
  for (const auto& [name, file] : files_) sum += static_cast<int64_t>(file->current.size());
  return sum;
}

void CrashDisk::apply(const Pending& change, std::string* content) {
  if (change.truncate) {
    content->resize(change.offset);
    return;
  }
  const size_t end = change.offset + change.bytes.size();
  if (content->size() < end) content->resize(end);
  content->replace(change.offset, change.bytes.size(), change.bytes);
}

std::unique_ptr<CrashDisk> CrashDisk::afterPowerCut(Loss loss, uint64_t seed) const {
  auto disk = std::make_unique<CrashDisk>();
  std::mt19937_64 random(seed);
  for (const auto& [name, file] : files_) {
    const bool keeps_name =
        file->entry_durable || loss == Loss::None || (loss == Loss::Some && random() % 2 == 0);
    if (!keeps_name) continue;
    auto found = std::make_shared<File>();
    found->current = loss == Loss::None ? file->current : file->durable;
    if (loss == Loss::Some) {
      for (const Pending& change : file->pending) {
        if (change.truncate) {
          if (random() % 2 == 0) apply(change, &found->current);
          continue;
        }
        for (size_t at = 0; at < change.bytes.size(); at += 512) {
          if (random() % 2 == 0) continue;
          apply({change.offset + static_cast<int64_t>(at), change.bytes.substr(at, 512), false},
                &found->current);
        }
      }
    }
    found->durable = found->current;
    found->entry_durable = true;
    disk->files_[name] = std::move(found);
  }
  return disk;
}

}  // namespace convoy::controlplane::store
