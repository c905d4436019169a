#pragma once

// A store in front of another that fails when it is told to.

#include <string>
#include <vector>

#include "controlplane/store/store.h"

namespace convoy::controlplane {

class FailingStore final : public store::Store {
 public:
  explicit FailingStore(store::Store* store) : store_(store) {}

  // What the calls of a kind answer from now on; OK: the store behind does.
  absl::Status commits;
  absl::Status reads;

  absl::StatusOr<store::RevisionNumber> head() override {
    if (!reads.ok()) return reads;
    return store_->head();
  }
  absl::StatusOr<store::RevisionNumber> commit(store::RevisionNumber expected_head,
                                               const store::RevisionInfo& info,
                                               absl::Span<const store::Write> writes) override {
    if (!commits.ok()) return commits;
    return store_->commit(expected_head, info, writes);
  }
  absl::StatusOr<store::Entry> get(store::RevisionNumber revision, const store::Key& key) override {
    if (!reads.ok()) return reads;
    return store_->get(revision, key);
  }
  absl::StatusOr<std::vector<store::Entry>> read(store::RevisionNumber revision,
                                                 const store::KeyRange& range,
                                                 size_t limit) override {
    if (!reads.ok()) return reads;
    return store_->read(revision, range, limit);
  }
  absl::StatusOr<std::vector<store::LogEntry>> changes(store::RevisionNumber revision,
                                                       const store::KeyRange& range,
                                                       size_t limit) override {
    if (!reads.ok()) return reads;
    return store_->changes(revision, range, limit);
  }
  absl::StatusOr<std::vector<store::RevisionInfo>> revisions(store::RevisionNumber before,
                                                             const store::KeyRange& range,
                                                             size_t limit) override {
    if (!reads.ok()) return reads;
    return store_->revisions(before, range, limit);
  }

 private:
  store::Store* store_;
};

}  // namespace convoy::controlplane
