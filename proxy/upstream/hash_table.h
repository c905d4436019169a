#pragma once

// What a hashing policy looks its hosts up in: a ring, a Maglev table, or plain arithmetic. Built
// on main once for each set of hosts and shared by all workers, which do no work per host then.
// Immutable; any thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace convoy::upstream {

class HostSet;

class HashTable {
 public:
  virtual ~HashTable() = default;
  // The host of a hash: an index of the set's entries. The same for all who have the same hosts.
  // Hashes are of good quality: every bit as likely to be set as not.
  virtual size_t find(uint64_t hash) const = 0;
};

// The table of a set that is not empty.
using MakeHashTable = std::function<std::shared_ptr<const HashTable>(const HostSet& hosts)>;

}  // namespace convoy::upstream
