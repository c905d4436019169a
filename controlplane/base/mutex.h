#pragma once

// The standard's mutex with the annotations of absl/base/thread_annotations.h. Not Abseil's:
// Debian's build of it is invisible to the thread sanitizer, which would then call every guarded
// access a race.

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace convoy::controlplane {

class ABSL_LOCKABLE Mutex {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_->lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

class Condition {
 public:
  // REQUIRES: the mutex is held. May return for no reason.
  void waitFor(Mutex* mutex, std::chrono::nanoseconds patience) {
    condition_.wait_for(*mutex, patience);
  }
  void signalAll() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace convoy::controlplane
