#pragma once

// Tells those who registered that something happened; what it is they look up themselves.
// Thread-safe. An observer is called without any lock held, on the notifying thread, and may be
// called once more just after it was dropped by its owner, never after it is destroyed.

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "controlplane/base/mutex.h"

namespace convoy::controlplane {

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void onChange() = 0;
};

class Observers {
 public:
  // Held weakly: it is forgotten with its owner.
  void add(std::weak_ptr<Observer> observer);
  void notify();

 private:
  Mutex mutex_;
  std::vector<std::weak_ptr<Observer>> observers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace convoy::controlplane
