#pragma once

// A Watch of the configuration: reads the log from where it is and sends what it finds. Keeps
// itself alive until gRPC is done with it.

#include <memory>
#include <optional>
#include <set>
#include <string>

#include <grpcpp/support/server_callback.h>
#include "absl/base/thread_annotations.h"
#include "api/convoy/v1/config_service.pb.h"
#include "controlplane/base/mutex.h"
#include "controlplane/base/observers.h"
#include "controlplane/base/stop_signal.h"
#include "controlplane/store/store.h"

namespace convoy::controlplane::manage {

// Where a watch is in the log, without its socket. Not thread-safe.
class WatchCursor {
 public:
  // `after`: the revision after which it starts.
  WatchCursor(store::Store* store, store::RevisionNumber after, std::set<int> kinds);

  // The next message; none: the newest revision has been sent.
  absl::StatusOr<std::optional<v1::WatchResponse>> next();

 private:
  store::Store* const store_;
  store::RevisionNumber after_;        // all of it has been sent
  std::optional<store::Key> partial_;  // of after_ + 1, up to this key
  const std::set<int> kinds_;          // empty: all
  bool announced_ = false;
};

class ConfigWatch final : public grpc::ServerWriteReactor<v1::WatchResponse>, public Observer {
 public:
  static ConfigWatch* start(WatchCursor cursor, Observers* revisions, StopSignal* stop);

  void onChange() override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { const std::shared_ptr<ConfigWatch> self = std::move(self_); }

 private:
  ConfigWatch(WatchCursor cursor, StopSignal* stop) : stop_(stop), cursor_(std::move(cursor)) {}

  void pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void finish(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  StopSignal* const stop_;
  std::shared_ptr<ConfigWatch> self_;

  Mutex mutex_;
  WatchCursor cursor_ ABSL_GUARDED_BY(mutex_);
  v1::WatchResponse message_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace convoy::controlplane::manage
