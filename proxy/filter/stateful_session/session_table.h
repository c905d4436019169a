#pragma once

// Learned sessions of a process: who a client is -> the host of its session. Requests of one client
// arrive on any worker, so workers share a table. It is cut into shards with a lock each, held for
// one look-up in a hash map: the only lock that a request takes, and only where sessions are
// learned.
//
// A session is over when it was not used for the table's ttl; in a full shard the one that was not
// used for longest makes room. Clients are kept as the hash that their Key is, not as what they
// sent.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/base/arena.h"
#include "proxy/event/clock.h"
#include "proxy/filter/stateful_session/spec.h"

namespace convoy::filter::stateful_session {

// Thread-safe.
class SessionTable {
 public:
  using Key = std::array<uint64_t, 2>;  // of a hash without collisions that anybody could find

  SessionTable();
  SessionTable(const SessionTable&) = delete;

  // Both hold from the next call on.
  void setLimits(event::Duration ttl, uint32_t max_entries);

  // The host, copied; empty: there is no session. Counts as a use. check: whether somebody else is
  // to be asked if it still is that host: said once in kCheckEvery (or half the ttl), for the first
  // time so long after put().
  static constexpr event::Duration kCheckEvery = std::chrono::seconds(10);
  std::string_view find(const Key& client, event::MonotonicTime now, base::Arena& arena,
                        bool* check = nullptr);

  struct Change {
    int64_t entries = 0;   // how many more there are
    uint64_t evicted = 0;  // that could have been used
  };
  Change put(const Key& client, std::string_view host, event::MonotonicTime now);
  // Of a session that there is: it has another host by now. No use.
  void move(const Key& client, std::string_view host);

  size_t size() const;
  // All that there is has not been used for the ttl.
  bool isStale(event::MonotonicTime now) const;

 private:
  struct Entry {
    Key client;
    std::string host;
    event::MonotonicTime used;
    event::MonotonicTime checked;
  };
  using Entries = std::list<Entry>;
  struct Shard {
    mutable std::mutex mutex;
    Entries entries;  // the last one used first
    absl::flat_hash_map<Key, Entries::iterator> index;
    event::MonotonicTime used{};  // the last of all
  };
  static constexpr size_t kShards = 64;

  Shard& shardOf(const Key& client) { return shards_[client[0] % kShards]; }

  std::atomic<event::Duration::rep> ttl_{0};
  std::atomic<size_t> most_in_shard_{1};
  std::array<Shard, kShards> shards_;
};

// The tables of a process by their names. They stay for configuration that is yet to come; one that
// nobody holds and whose sessions are all over goes when another is made. Thread-safe.
class SessionTables {
 public:
  // With the limits of this spec, which is the newest of its table.
  std::shared_ptr<SessionTable> get(const Learned& spec, event::MonotonicTime now);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<SessionTable>, std::less<>> tables_;
};

}  // namespace convoy::filter::stateful_session
