#pragma once

// Where requests to a cluster may go: an immutable snapshot, built on main (grouping.h), read by
// every worker. A group is the set of hosts that an algorithm works on (HostSet): the hosts of one
// grade of one priority, of one locality where those are told apart. A selection says which groups
// a request may go to, and with which shares: there is one for the cluster as a whole, and one for
// each subset. Nearly every cluster has one group and nothing else; then an algorithm works as if
// there were none of this.
//
// Hosts are bare pointers: a worker lets go of a host only by the same message that brings it the
// snapshot without that host.
//
// Groups keep their ids from snapshot to snapshot, and, if nothing in them has changed, their
// HostSets.
//
// A request that is bound to a host (by a session) may also go to a host that is as usable and in
// no group: those are the spares. This is what Envoy calls override_host_status, with its default.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "proxy/base/subset_key.h"
#include "proxy/event/random.h"
#include "proxy/upstream/alias_table.h"
#include "proxy/upstream/group_index.h"
#include "proxy/upstream/grouping_spec.h"
#include "proxy/upstream/host_set.h"

namespace convoy::upstream {

struct HostGroup {
  uint64_t id = 0;
  std::string key;  // what it is, for main: priority, grade, locality, subset
  std::shared_ptr<const HostSet> hosts;
  bool panic = false;  // not those that are well, but those of the panic mode
};

// Groups with shares, and groups that get only what was tried on all of those.
class GroupSelection {
 public:
  GroupSelection() = default;
  // shares[i] is that of groups[i]; those of 0 are the reserve.
  GroupSelection(const std::vector<uint32_t>& groups, const std::vector<uint32_t>& shares);

  // Those with shares first, each in order.
  std::span<const uint32_t> groups() const { return groups_; }
  size_t withShares() const { return cumulative_.size(); }
  // Of the i-th group, of totalShares().
  uint64_t share(size_t i) const {
    return i < cumulative_.size() ? cumulative_[i] - (i == 0 ? 0 : cumulative_[i - 1]) : 0;
  }
  uint64_t totalShares() const { return cumulative_.empty() ? 0 : cumulative_.back(); }
  // An index of groups(), by the shares: at random, or by a request's hash, always the same for the
  // same hash. Shares that move leave the hashes before them alone. REQUIRES: withShares() > 0.
  size_t choose(event::Random& random, std::optional<uint64_t> hash) const;

  friend bool operator==(const GroupSelection& a, const GroupSelection& b) {
    return a.groups_ == b.groups_ && a.cumulative_ == b.cumulative_;
  }

 private:
  std::vector<uint32_t> groups_;
  std::vector<uint64_t> cumulative_;
  AliasTable shares_;  // empty: there is one
};

// Subsets, and what becomes of requests that ask for none of them.
struct SubsetTable {
  absl::flat_hash_map<std::string, GroupSelection> by_pairs;
  // Of selectors that have one of their own, by their names.
  absl::flat_hash_map<std::string, SubsetFallback> fallbacks;
  SubsetFallback fallback = SubsetFallback::None;
  GroupSelection default_subset;

  friend bool operator==(const SubsetTable&, const SubsetTable&) = default;
};

class HostGroups {
 public:
  struct Parts {
    std::vector<HostGroup> groups;  // at least one, which may be empty
    GroupSelection whole;
    std::shared_ptr<const SubsetTable> subsets;  // null: the cluster has no subsets
    std::vector<Host*> spares;
  };
  struct Found {
    const GroupSelection* selection = nullptr;  // null: nobody is to serve
    bool fallback = false;
  };

  // before: what these have come from, which makes it cheaper; null: from nothing.
  explicit HostGroups(Parts parts, const HostGroups* before = nullptr);
  // One group.
  explicit HostGroups(std::shared_ptr<const HostSet> hosts, std::vector<Host*> spares = {});
  // Nobody.
  HostGroups();

  std::span<const HostGroup> groups() const { return parts_.groups; }
  const Parts& parts() const { return parts_; }
  // Whether there is nothing to choose before an algorithm picks.
  bool single() const {
    return parts_.groups.size() == 1 && parts_.whole.withShares() == 1 && parts_.subsets == nullptr;
  }
  const GroupSelection& whole() const { return parts_.whole; }
  // wanted: what the request asks for; null: nothing. Any thread.
  Found select(const base::SubsetKey* wanted) const;
  std::span<Host* const> spares() const { return parts_.spares; }
  // Hosts that requests which ask for this may go to; those in several groups count as often.
  size_t hostCount(const base::SubsetKey* wanted) const;
  // Whether there is one of them that is not among these.
  bool hasUntried(std::span<const Host* const> tried, const base::SubsetKey* wanted) const;
  // Whether every host of groups()[group] is among these.
  bool allTried(uint32_t group, std::span<const Host* const> tried) const;
  // Indices of the groups that a host is in, in order. Empty unless single() is false.
  absl::InlinedVector<uint32_t, 8> groupsOf(const Host& host) const;
  // The host of this address (Host::addressText()) in any group or among the spares; null if there
  // is none. O(1) but for the first call of all workers, which makes an index, under a lock that
  // later calls do not take: clusters that nobody asks pay nothing.
  Host* find(std::string_view address) const;

 private:
  void noteGroups(const HostGroups* before);
  void buildIndex() const;

  const Parts parts_;
  // Both empty if single().
  absl::flat_hash_map<uint64_t, uint32_t> by_id_;
  GroupIndex groups_of_;
  mutable std::once_flag indexed_;
  mutable absl::flat_hash_map<absl::string_view, Host*> index_;  // keys are the hosts' own
};

}  // namespace convoy::upstream
