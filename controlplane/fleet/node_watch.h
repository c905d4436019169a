#pragma once

// A WatchNodes: asks the registry what changed and sends it. Keeps itself alive until gRPC is done
// with it.

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include <grpcpp/support/server_callback.h>
#include "absl/base/thread_annotations.h"
#include "api/convoy/v1/fleet_service.pb.h"
#include "controlplane/base/mutex.h"
#include "controlplane/base/observers.h"
#include "controlplane/base/stop_signal.h"
#include "controlplane/fleet/registry.h"

namespace convoy::controlplane::fleet {

// Where a watch is, without its socket. Not thread-safe.
class NodeCursor {
 public:
  NodeCursor(Registry* registry, v1::NodeSelector selector,
             std::function<store::RevisionNumber()> head)
      : registry_(registry), selector_(std::move(selector)), head_(std::move(head)) {}

  // The next message; none: nothing has changed. A node that changes while older messages wait is
  // sent once, as it is when they have gone.
  std::optional<v1::WatchNodesResponse> next();

 private:
  Registry* registry_;
  v1::NodeSelector selector_;
  std::function<store::RevisionNumber()> head_;
  Sequence sequence_ = 0;
  bool initial_ = true;
  std::deque<v1::WatchNodesResponse> waiting_;
};

class NodeWatch final : public grpc::ServerWriteReactor<v1::WatchNodesResponse>, public Observer {
 public:
  static NodeWatch* start(NodeCursor cursor, Observers* changes, StopSignal* stop);

  void onChange() override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { const std::shared_ptr<NodeWatch> self = std::move(self_); }

 private:
  NodeWatch(NodeCursor cursor, StopSignal* stop) : stop_(stop), cursor_(std::move(cursor)) {}

  void pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void finish(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  StopSignal* const stop_;
  std::shared_ptr<NodeWatch> self_;

  Mutex mutex_;
  NodeCursor cursor_ ABSL_GUARDED_BY(mutex_);
  v1::WatchNodesResponse message_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace convoy::controlplane::fleet
