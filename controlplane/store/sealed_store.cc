#include "controlplane/store/sealed_store.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy::controlplane::store {

namespace {

constexpr size_t kPage = 100;

std::string contextOf(const Key& key, RevisionNumber revision) {
  return absl::StrCat(key.kind, "\n", revision, "\n", key.name);
}

// The newest value of a kind in the whole log, as it is stored; none if there never was one.
absl::StatusOr<std::optional<std::string>> newestValue(Store& store, int kind) {
  absl::StatusOr<RevisionNumber> head = store.head();
  if (!head.ok()) return head.status();
  RevisionNumber before = *head + 1;
  while (true) {
    absl::StatusOr<std::vector<RevisionInfo>> page = store.revisions(before, {.kind = kind}, kPage);
    if (!page.ok()) return page.status();
    for (const RevisionInfo& info : *page) {
      absl::StatusOr<std::vector<LogEntry>> changes =
          store.changes(info.number, {.kind = kind}, static_cast<size_t>(info.change_count));
      if (!changes.ok()) return changes.status();
      for (LogEntry& change : *changes) {
        if (change.value.has_value()) return std::move(change.value);
      }
    }
    if (page->size() < kPage) return std::nullopt;
    before = page->back().number;
  }
}

absl::StatusOr<SecretsKey> keyFor(Store& store, const SealOptions& options) {
  std::optional<std::string> sealed;
  for (const int kind : options.kinds) {
    absl::StatusOr<std::optional<std::string>> newest = newestValue(store, kind);
    if (!newest.ok()) return newest.status();
    if (newest->has_value()) sealed = std::move(**newest);
  }
  absl::StatusOr<SecretsKey> key = SecretsKey::read(options.key_file);
  if (absl::IsNotFound(key.status())) {
    if (!sealed.has_value()) return SecretsKey::create(options.key_file);
    return absl::FailedPreconditionError(absl::StrCat(
        "secrets key file ", options.key_file, " does not exist, but store file ",
        options.store_file,
        " holds certificates that were sealed with one; put it back, name "
        "it with --secrets-key, or start with a new store and apply the configuration again"));
  }
  if (!key.ok()) return key.status();
  if (sealed.has_value() && !key->sealedBy(*sealed)) {
    return absl::FailedPreconditionError(
        absl::StrCat("secrets key file ", options.key_file,
                     " is not the one that the certificates in store "
                     "file ",
                     options.store_file,
                     " were sealed with; name the right one with --secrets-key, "
                     "or start with a new store and apply the configuration again"));
  }
  return key;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SealedStore>> SealedStore::open(std::unique_ptr<Store> behind,
                                                               SealOptions options) {
  absl::StatusOr<SecretsKey> key = keyFor(*behind, options);
  if (!key.ok()) return key.status();
  return std::unique_ptr<SealedStore>(new SealedStore(std::move(behind), std::move(options), *key));
}

absl::Status SealedStore::unseal(const Key& key, RevisionNumber revision,
                                 std::string* value) const {
  if (!isSecret(key)) return absl::OkStatus();
  std::optional<std::string> plain = key_.unseal(*value, contextOf(key, revision));
  if (!plain.has_value()) {
    return absl::DataLossError(absl::StrCat(
        "store file ", options_.store_file, ": revision ", revision, " of ", key.name, " (kind ",
        key.kind, ") does not open with secrets key file ", options_.key_file,
        ": it is damaged or was put there by another; restore a backup"));
  }
  *value = std::move(*plain);
  return absl::OkStatus();
}

absl::StatusOr<RevisionNumber> SealedStore::commit(RevisionNumber expected_head,
                                                   const RevisionInfo& info,
                                                   absl::Span<const Write> writes) {
  std::vector<Write> sealed(writes.begin(), writes.end());
  for (Write& write : sealed) {
    if (!isSecret(write.key) || !write.value.has_value()) continue;
    write.value = key_.seal(*write.value, contextOf(write.key, expected_head + 1));
  }
  return behind_->commit(expected_head, info, sealed);
}

absl::StatusOr<Entry> SealedStore::get(RevisionNumber revision, const Key& key) {
  absl::StatusOr<Entry> entry = behind_->get(revision, key);
  if (!entry.ok()) return entry;
  absl::Status status = unseal(entry->key, entry->revision, &entry->value);
  if (!status.ok()) return status;
  return entry;
}

absl::StatusOr<std::vector<Entry>> SealedStore::read(RevisionNumber revision, const KeyRange& range,
                                                     size_t limit) {
  absl::StatusOr<std::vector<Entry>> entries = behind_->read(revision, range, limit);
  if (!entries.ok()) return entries;
  for (Entry& entry : *entries) {
    absl::Status status = unseal(entry.key, entry.revision, &entry.value);
    if (!status.ok()) return status;
  }
  return entries;
}

absl::StatusOr<std::vector<LogEntry>> SealedStore::changes(RevisionNumber revision,
                                                           const KeyRange& range, size_t limit) {
  absl::StatusOr<std::vector<LogEntry>> entries = behind_->changes(revision, range, limit);
  if (!entries.ok()) return entries;
  for (LogEntry& entry : *entries) {
    if (!entry.value.has_value()) continue;
    absl::Status status = unseal(entry.key, entry.revision, &*entry.value);
    if (!status.ok()) return status;
  }
  return entries;
}

}  // namespace convoy::controlplane::store
