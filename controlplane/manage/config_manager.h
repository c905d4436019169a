#pragma once

// The path that every change takes: plan, compile, check, commit, publish. One change at a time, in
// the order of the revisions. Thread-safe.
//
// What a change fails at leaves everything as it was: nothing is published that is not on disk, and
// nothing is committed that does not compile.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "api/convoy/v1/config_service.pb.h"
#include "controlplane/base/mutex.h"
#include "controlplane/base/observers.h"
#include "controlplane/compile/snapshot.h"
#include "controlplane/manage/planner.h"
#include "controlplane/model/model.h"
#include "controlplane/store/store.h"
#include "controlplane/validate/xds_check.h"
#include "proxy/event/clock.h"

namespace convoy::controlplane::manage {

class ConfigManager {
 public:
  // Gets every new snapshot, in order.
  using Publish = std::function<void(const compile::SnapshotPtr&)>;

  // Reads and compiles what the store holds. The pointers outlive the manager. `derive`: the keys
  // of what is compiled.
  static absl::StatusOr<std::unique_ptr<ConfigManager>> open(store::Store* store,
                                                             const event::Clock* clock,
                                                             validate::XdsCheck check,
                                                             compile::DeriveKey derive = {});

  // Before the first change.
  void setPublish(Publish publish) { publish_ = std::move(publish); }

  compile::SnapshotPtr snapshot();
  // Takes no lock: it is asked from within publish too.
  store::RevisionNumber head() const { return head_; }

  // As ConfigService documents them, but for `wait`.
  absl::StatusOr<v1::ApplyResponse> apply(const v1::ApplyRequest& request);
  absl::StatusOr<v1::DeleteResponse> remove(const v1::DeleteRequest& request);
  absl::StatusOr<v1::ValidateResponse> validate(const v1::ValidateRequest& request);

  // Brings a secret into force that is no part of the configuration: no revision, nothing stored.
  void putSecret(compile::EncodedPtr secret);

  // Told of every new revision.
  Observers& observers() { return observers_; }

 private:
  ConfigManager(store::Store* store, const event::Clock* clock, validate::XdsCheck check)
      : store_(store), clock_(clock), check_(std::move(check)) {}

  struct Author {
    const std::string& name;
    const std::string& comment;
  };

  absl::Status load(compile::DeriveKey derive);
  absl::Status expectHead(bool checked, int64_t expected) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What the plan compiles to. Error: InvalidArgument, a refusal() with what the check says.
  absl::StatusOr<compile::SnapshotPtr> compilePlan(const Plan& plan)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Brings the plan into force.
  absl::StatusOr<v1::Revision> commit(Plan plan, const Author& author)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  store::Store* const store_;
  const event::Clock* const clock_;
  const validate::XdsCheck check_;
  Publish publish_;
  Observers observers_;
  std::atomic<store::RevisionNumber> head_ = 0;

  Mutex mutex_;
  model::Model model_ ABSL_GUARDED_BY(mutex_);
  compile::SnapshotPtr snapshot_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace convoy::controlplane::manage
