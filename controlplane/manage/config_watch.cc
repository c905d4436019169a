#include "controlplane/manage/config_watch.h"

#include <utility>

#include "controlplane/manage/reader.h"
#include "controlplane/manage/status.h"

namespace convoy::controlplane::manage {

namespace {

constexpr size_t kMostChangesPerMessage = 1000;

}  // namespace

WatchCursor::WatchCursor(store::Store* store, store::RevisionNumber after, std::set<int> kinds)
    : store_(store), after_(after), kinds_(std::move(kinds)) {}

absl::StatusOr<std::optional<v1::WatchResponse>> WatchCursor::next() {
  v1::WatchResponse response;
  if (!announced_) {
    announced_ = true;
    response.set_after_revision(after_);
    response.set_complete(true);
    return response;
  }
  absl::StatusOr<store::RevisionNumber> head = store_->head();
  if (!head.ok()) return head.status();
  if (after_ >= *head) return std::nullopt;
  absl::StatusOr<v1::Revision> revision = describe(*store_, after_ + 1);
  if (!revision.ok()) return revision.status();
  absl::StatusOr<ChangePage> page =
      changes(*store_, after_ + 1, {.after = partial_}, kMostChangesPerMessage, true);
  if (!page.ok()) return page.status();
  if (page->complete) {
    partial_.reset();
    ++after_;
  } else {
    const v1::ResourceId& last = page->changes.back().id();
    partial_ = store::Key{last.kind(), last.name()};
  }
  for (v1::Change& change : page->changes) {
    if (!kinds_.empty() && kinds_.count(change.id().kind()) == 0) continue;
    *revision->add_changes() = std::move(change);
  }
  *response.mutable_revision() = std::move(*revision);
  response.set_complete(page->complete);
  return response;
}

ConfigWatch* ConfigWatch::start(WatchCursor cursor, Observers* revisions, StopSignal* stop) {
  std::shared_ptr<ConfigWatch> watch(new ConfigWatch(std::move(cursor), stop));
  watch->self_ = watch;
  revisions->add(watch);
  stop->observers().add(watch);
  watch->onChange();
  return watch.get();
}

void ConfigWatch::onChange() {
  MutexLock lock(&mutex_);
  if (stop_->stopped()) {
    finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the control plane stops"));
    return;
  }
  pump();
}

void ConfigWatch::pump() {
  if (writing_ || finished_) return;
  absl::StatusOr<std::optional<v1::WatchResponse>> next = cursor_.next();
  if (!next.ok()) {
    finish(toGrpc(next.status()));
    return;
  }
  if (!next->has_value()) return;
  message_ = std::move(**next);
  writing_ = true;
  StartWrite(&message_);
}

void ConfigWatch::OnWriteDone(bool ok) {
  MutexLock lock(&mutex_);
  writing_ = false;
  if (ok) {
    pump();
  } else {
    finish(grpc::Status::CANCELLED);
  }
}

void ConfigWatch::OnCancel() {
  MutexLock lock(&mutex_);
  finish(grpc::Status::CANCELLED);
}

void ConfigWatch::finish(const grpc::Status& status) {
  if (finished_) return;
  finished_ = true;
  Finish(status);
}

}  // namespace convoy::controlplane::manage
