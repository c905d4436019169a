#include "controlplane/fleet/node_watch.h"

#include <utility>

namespace convoy::controlplane::fleet {

std::optional<v1::WatchNodesResponse> NodeCursor::next() {
  if (waiting_.empty()) {
    FleetChanges changes = registry_->changesSince(sequence_, selector_);
    sequence_ = changes.sequence;
    for (v1::Node& node : changes.nodes) {
      *waiting_.emplace_back().mutable_node() = std::move(node);
    }
    // Who begins to watch has never heard of those that are gone.
    if (!initial_) {
      for (std::string& id : changes.removed) waiting_.emplace_back().set_removed(std::move(id));
    }
    if (std::exchange(initial_, false)) waiting_.emplace_back().set_initial_complete(true);
  }
  if (waiting_.empty()) return std::nullopt;
  v1::WatchNodesResponse response = std::move(waiting_.front());
  waiting_.pop_front();
  response.set_revision(head_());
  return response;
}

NodeWatch* NodeWatch::start(NodeCursor cursor, Observers* changes, StopSignal* stop) {
  std::shared_ptr<NodeWatch> watch(new NodeWatch(std::move(cursor), stop));
  watch->self_ = watch;
  changes->add(watch);
  stop->observers().add(watch);
  watch->onChange();
  return watch.get();
}

void NodeWatch::onChange() {
  MutexLock lock(&mutex_);
  if (stop_->stopped()) {
    finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the control plane stops"));
    return;
  }
  pump();
}

void NodeWatch::pump() {
  if (writing_ || finished_) return;
  std::optional<v1::WatchNodesResponse> next = cursor_.next();
  if (!next.has_value()) return;
  message_ = std::move(*next);
  writing_ = true;
  StartWrite(&message_);
}

void NodeWatch::OnWriteDone(bool ok) {
  MutexLock lock(&mutex_);
  writing_ = false;
  if (ok) {
    pump();
  } else {
    finish(grpc::Status::CANCELLED);
  }
}

void NodeWatch::OnCancel() {
  MutexLock lock(&mutex_);
  finish(grpc::Status::CANCELLED);
}

void NodeWatch::finish(const grpc::Status& status) {
  if (finished_) return;
  finished_ = true;
  Finish(status);
}

}  // namespace convoy::controlplane::fleet
