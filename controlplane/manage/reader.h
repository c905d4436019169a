#pragma once

// Reads of the configuration and of its history, straight from the store's log.

#include "absl/status/statusor.h"
#include "api/convoy/v1/config_service.pb.h"
#include "controlplane/store/store.h"

namespace convoy::controlplane::manage {

absl::StatusOr<v1::GetResponse> get(store::Store& store, const v1::GetRequest& request);
absl::StatusOr<v1::ListResponse> list(store::Store& store, const v1::ListRequest& request);
absl::StatusOr<v1::HistoryResponse> history(store::Store& store, const v1::HistoryRequest& request);

// Number, time, author, comment and number of changes.
absl::StatusOr<v1::Revision> describe(store::Store& store, store::RevisionNumber number);

// The changes of a revision in a range, until the limit, and until about a page of contents.
struct ChangePage {
  std::vector<v1::Change> changes;
  bool complete = true;  // no more in this range
};
absl::StatusOr<ChangePage> changes(store::Store& store, store::RevisionNumber number,
                                   const store::KeyRange& range, size_t limit, bool contents);

// Most changes of a revision that a response to Apply, Delete, Validate or History lists.
inline constexpr size_t kMostListedChanges = 1000;

}  // namespace convoy::controlplane::manage
