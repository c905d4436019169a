#pragma once

// Hands every new snapshot to every stream. Thread-safe.

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "controlplane/base/mutex.h"
#include "controlplane/compile/snapshot.h"

namespace convoy::controlplane::push {

// Differences between views, each worked out once for all the nodes that share them. Not
// thread-safe.
class Differences {
 public:
  const compile::ViewDifference& between(const compile::ViewPtr& from, const compile::ViewPtr& to);

 private:
  // The views are kept so that no other one can take their address.
  std::map<std::pair<compile::ViewPtr, compile::ViewPtr>, compile::ViewDifference> known_;
};

// A stream, as the publisher sees it.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // Snapshots may come out of order: an older one than before is to be left alone.
  virtual void onSnapshot(const compile::SnapshotPtr& snapshot, Differences& differences) = 0;
  // The control plane stops: the stream is to end.
  virtual void onStop() = 0;
};

class Publisher {
 public:
  explicit Publisher(compile::SnapshotPtr snapshot) : snapshot_(std::move(snapshot)) {}

  // Returns when every stream has been handed the snapshot and has begun to send.
  void publish(const compile::SnapshotPtr& snapshot);

  // From now on the receiver, held weakly, gets what is published. Returns the snapshot of now.
  compile::SnapshotPtr add(const std::shared_ptr<Receiver>& receiver);

  // Ends all streams, and those that come later at once.
  void stop();

 private:
  std::vector<std::shared_ptr<Receiver>> alive() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  compile::SnapshotPtr snapshot_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<Receiver>> receivers_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace convoy::controlplane::push
