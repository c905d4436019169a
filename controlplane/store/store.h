#pragma once

// The durable, ordered log of configuration changes: the one place where configuration lives.
//
// A store holds values (bytes) under keys (kind and name) and knows nothing of what they mean. Each
// commit makes one revision: 1, 2, 3, ... without gaps; 0 is the empty state before the first. A
// commit is all or nothing: it stages the log entries of revision head+1 and then moves the head by
// one compare-and-swap. Entries above the head do not exist for any reader, so a back end whose
// transactions are too small for a whole commit (etcd: 128 operations, 1.5 MiB) stages in several
// and swaps in the last.
//
// Nothing is overwritten: every past state can be read. commit() returns only once the revision
// would survive a loss of power.
//
// Errors: Aborted (the head is not the expected one), OutOfRange (a revision past the head),
// FailedPrecondition (the store cannot be used: in use by another process, newer schema, not a
// store), DataLoss (corrupt), ResourceExhausted (disk full), Internal (I/O error). Every message
// names the store's file and the way out. Implementations are thread-safe.

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "proxy/event/clock.h"

namespace convoy::controlplane::store {

using RevisionNumber = int64_t;

// Ordered by kind, then by name bytewise.
struct Key {
  int kind = 0;  // a convoy.v1.Kind; 0 is not used
  std::string name;

  // clang-tidy 14 takes the comparisons made of <=> for a null pointer.
  friend auto operator<=>(const Key&, const Key&) = default;  // NOLINT(modernize-use-nullptr)
};

// One change of a commit. No value: the key is deleted.
struct Write {
  Key key;
  std::optional<std::string> value;
};

// A key's value and the revision that wrote it.
struct Entry {
  Key key;
  RevisionNumber revision = 0;
  std::string value;
};

// What a key became in a revision.
struct LogEntry {
  Key key;
  RevisionNumber revision = 0;
  std::optional<std::string> value;  // none: deleted
  RevisionNumber previous = 0;       // revision that wrote the key before; 0: it did not exist
};

// What is known of a revision besides its changes.
struct RevisionInfo {
  RevisionNumber number = 0;
  event::WallTime time = {};
  std::string author = {};
  std::string comment = {};
  int64_t change_count = 0;
};

// Keys of one kind (0: of all) of which the name is this one, or begins with a prefix (empty: any),
// after a key (exclusive).
struct KeyRange {
  int kind = 0;
  std::string prefix = {};
  std::string name = {};
  std::optional<Key> after = {};
};

class Store {
 public:
  virtual ~Store() = default;

  virtual absl::StatusOr<RevisionNumber> head() = 0;

  // Appends revision expected_head + 1. `info` gives time, author and comment. Returns the new
  // head. REQUIRES: writes is not empty and no key is in it twice.
  virtual absl::StatusOr<RevisionNumber> commit(RevisionNumber expected_head,
                                                const RevisionInfo& info,
                                                absl::Span<const Write> writes) = 0;

  // The value of one key as of a revision; NotFound if it does not exist there.
  virtual absl::StatusOr<Entry> get(RevisionNumber revision, const Key& key) = 0;

  // The entries of a range as of a revision, in key order, at most `limit` of them.
  virtual absl::StatusOr<std::vector<Entry>> read(RevisionNumber revision, const KeyRange& range,
                                                  size_t limit) = 0;

  // The changes of one revision in key order, those in the range only, at most `limit`.
  virtual absl::StatusOr<std::vector<LogEntry>> changes(RevisionNumber revision,
                                                        const KeyRange& range, size_t limit) = 0;

  // Revisions below `before`, newest first, that changed something in the range, at most `limit`.
  virtual absl::StatusOr<std::vector<RevisionInfo>> revisions(RevisionNumber before,
                                                              const KeyRange& range,
                                                              size_t limit) = 0;
};

}  // namespace convoy::controlplane::store
