#pragma once

// A store in front of another that seals the values of some kinds on their way in and opens them on
// their way out: behind it they are nowhere in the clear. A value is bound to its kind, name and
// revision, so that no row can take another's place.
//
// Thread-safe if the store behind is.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controlplane/store/secrets_key.h"
#include "controlplane/store/store.h"

namespace convoy::controlplane::store {

struct SealOptions {
  std::string store_file;  // for messages
  std::string key_file;    // made if it does not exist and nothing has been sealed yet
  std::set<int> kinds;     // whose values are secrets
};

class SealedStore final : public Store {
 public:
  // Error: FailedPrecondition, naming both files, if the key is not the one that the store's values
  // are sealed with, or is missing.
  static absl::StatusOr<std::unique_ptr<SealedStore>> open(std::unique_ptr<Store> behind,
                                                           SealOptions options);

  const SecretsKey& key() const { return key_; }

  absl::StatusOr<RevisionNumber> head() override { return behind_->head(); }
  absl::StatusOr<RevisionNumber> commit(RevisionNumber expected_head, const RevisionInfo& info,
                                        absl::Span<const Write> writes) override;
  absl::StatusOr<Entry> get(RevisionNumber revision, const Key& key) override;
  absl::StatusOr<std::vector<Entry>> read(RevisionNumber revision, const KeyRange& range,
                                          size_t limit) override;
  absl::StatusOr<std::vector<LogEntry>> changes(RevisionNumber revision, const KeyRange& range,
                                                size_t limit) override;
  absl::StatusOr<std::vector<RevisionInfo>> revisions(RevisionNumber before, const KeyRange& range,
                                                      size_t limit) override {
    return behind_->revisions(before, range, limit);
  }

 private:
  SealedStore(std::unique_ptr<Store> behind, SealOptions options, const SecretsKey& key)
      : behind_(std::move(behind)), options_(std::move(options)), key_(key) {}

  bool isSecret(const Key& key) const { return options_.kinds.count(key.kind) != 0; }
  // Opens a value in place. Error: DataLoss.
  absl::Status unseal(const Key& key, RevisionNumber revision, std::string* value) const;

  const std::unique_ptr<Store> behind_;
  const SealOptions options_;
  const SecretsKey key_;
};

}  // namespace convoy::controlplane::store
