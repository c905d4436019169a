#pragma once

// Which hosts a cluster has: turns each assignment into a snapshot of groups (host_groups.h),
// keeping the Host of every address that stays. Main's thread only.
//
// Who is in it:
//   - Health is the worse of what the control plane says and what our own checks found, if there
//     are any. UNKNOWN and HEALTHY of the control plane count as healthy, DEGRADED as degraded;
//     UNHEALTHY, TIMEOUT and DRAINING get no new requests. A host that is not checked yet comes
//     last: it serves if no other can, and then until its own first verdict.
//   - How priorities and localities share the requests, and when there is panic, is Envoy's
//     (grouping.h).
//   - If no host may serve, the only group is empty and requests fail with NoHealthyUpstream.
//   - An address that occurs more than once counts where it occurs first.
//
// An assignment comes whole, mostly with the hosts of the one before in the same order. So the two
// are walked side by side; an address is looked up only where they differ. When nothing is left of
// it that groups are made of, they stay as they are; else each is put together anew, and one of
// which nothing has changed keeps its set, with what was computed for it. What it costs:
//   an assignment           a look at each endpoint and what is known of it,
//   verdicts on some hosts  a question for each of these,
//   and either              a look at each host of the blocks of those that have changed, and at
//                           the sums of the other blocks (host_blocks.h)
// A hash table is made of all hosts of its group whenever there is another one.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/net/address.h"
#include "proxy/upstream/grouping.h"
#include "proxy/upstream/health_monitor.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/host_blocks.h"
#include "proxy/upstream/host_groups.h"
#include "proxy/upstream/spec.h"
#include "proxy/upstream/subset_members.h"

namespace convoy::upstream {

// How hosts are divided, and what that depends on outside of the cluster.
struct Grouping {
  GroupingSpec spec = {};
  LocalityName own = {};                       // of the node; empty: unknown
  const CallersByLocality* callers = nullptr;  // null: unknown; of the time of the call
};

class Membership {
 public:
  struct Change {
    std::shared_ptr<const HostGroups> hosts;
    std::vector<std::shared_ptr<const Host>> removed;
    // Hosts that stay, but whose health now keeps new requests away.
    std::vector<std::shared_ptr<const Host>> draining;
    bool same_hosts = true;  // as before, in the same order, whether they serve or not
    // False: the same groups of the same hosts, with the same weights and shares, as before;
    // `hosts` is the former snapshot.
    bool changed = false;
    bool panic = false;  // some of `hosts` are not those that are well, but the panic mode's
  };
  struct PriorityCounts {
    uint32_t total = 0;
    uint32_t healthy = 0;
    uint32_t degraded = 0;
  };
  struct Counts : PriorityCounts {  // of all of them
    uint32_t excluded = 0;
    uint32_t max_weight = 0;
    std::map<uint32_t, PriorityCounts> by_priority;
    std::vector<uint32_t> healthy_by_locality;  // by index of the assignment's
    size_t subsets = 0;
    size_t subset_overflow = 0;  // there is no room for so many more
  };

  // What checks of our own, and what is done about failing hosts, say of a host.
  struct Verdict {
    // NOLINTNEXTLINE(google-explicit-constructor): mostly it is nothing else.
    Verdict(ActiveHealth health, bool waits = false) : health(health), waits(waits) {}

    ActiveHealth health;
    bool waits;  // it may not serve, not even in panic, since others do
  };
  // Null: they say nothing.
  using ActiveHealthOf = std::function<Verdict(const EndpointSpec& endpoint)>;

  // of_block: hosts of a block; others are for tests.
  explicit Membership(size_t workers, size_t of_block = HostBlocks::kHosts);

  // What sets of hosts carry from now on for a hashing policy; the present one is made again.
  void makeTablesBy(MakeHashTable make_table);
  // For a new assignment, which outlives the next call of update(), or this object.
  Change update(const AssignmentSpec& assignment, const ActiveHealthOf& active = nullptr,
                const PanicSpec& panic = {}, const Grouping& grouping = {});
  // The assignment is that of the last update(), all else may be new. of: whose verdicts may be
  // others than at the last call; null: anybody's. REQUIRES: there was an update().
  Change refresh(const ActiveHealthOf& active = nullptr, const PanicSpec& panic = {},
                 const Grouping& grouping = {}, const std::vector<net::Address>* of = nullptr);
  const std::shared_ptr<const HostGroups>& hosts() const { return hosts_; }
  const Counts& counts() const { return counts_; }
  // Null if there is no such host.
  const Host* find(const net::Address& address) const;
  const EndpointSpec* endpointOf(const net::Address& address) const;
  // In configured order, each once.
  std::vector<std::shared_ptr<const Host>> all() const;

 private:
  // In place of a position:
  static constexpr uint32_t kNew = UINT32_MAX;
  static constexpr uint32_t kPlaced = UINT32_MAX - 1;  // new, and named already

  struct Member {
    explicit Member(const net::Address& address) : address(address) {}

    const net::Address address;
    std::shared_ptr<Host> host;
    uint32_t position = kNew;  // in placed_
  };
  // What only Membership knows of a host.
  struct Standing {
    Member* member = nullptr;
    const EndpointSpec* endpoint = nullptr;
    HostGrade told = HostGrade::Excluded;    // by the control plane
    HostGrade before = HostGrade::Excluded;  // at the end of the last call
    // Not checked yet, and serving all the same, since nobody else could; until it is checked.
    bool trusted = false;
  };
  // All hosts in configured order. Two arrays, since blocks are made of the first only.
  struct Placed {
    std::vector<GroupedHost> hosts;
    std::vector<Standing> standings;
    size_t size() const { return hosts.size(); }
    // Those from there on, which it loses.
    Placed splitAt(size_t index);
  };
  // All but the hosts that groups were made of.
  struct Basis {
    struct Locality {
      LocalityName name;
      uint32_t priority = 0;
      std::optional<uint32_t> weight;
      friend bool operator==(const Locality&, const Locality&) = default;
    };
    PanicSpec panic;
    GroupingSpec spec;
    LocalityName own;
    std::optional<CallersByLocality> callers;
    uint32_t overprovisioning_percent = kOverprovisioning;
    bool weighted_priority_health = false;
    std::vector<Locality> localities;
    friend bool operator==(const Basis&, const Basis&) = default;
  };

  bool place(const AssignmentSpec& assignment, const ActiveHealthOf& active, Change& change);
  bool note(size_t index, const EndpointSpec& endpoint, uint32_t locality,
            const ActiveHealthOf& active);
  static bool isAt(const Placed& placed, size_t index, const net::Address& address);
  Member& memberOf(const net::Address& address);
  void removeUnnamed(const Placed& before, const std::vector<bool>& stays, Change& change);
  void addHosts(const std::vector<uint32_t>& added);
  uint32_t takeSlot();
  bool judge(size_t index, const ActiveHealthOf& active);
  void ask(size_t index, const ActiveHealthOf& active);
  Change settle(bool same, const PanicSpec& panic, const Grouping& grouping, Change change);
  void trustIfNobodyServes();
  void count();
  bool noteGrades(Change& change);
  bool noteBasis(const PanicSpec& panic, const Grouping& grouping);
  bool noteSubsets(const std::shared_ptr<const SubsetSpec>& spec);
  void regroup(const PanicSpec& panic, const Grouping& grouping, Change& change);
  HostGroups::Parts partsOf(GroupPlan plan, bool* changed);
  void noteGood(const PanicSpec& panic, const std::vector<bool>& in_panic);

  const size_t workers_;
  const std::shared_ptr<ActiveCounts> counts_of_hosts_ = std::make_shared<ActiveCounts>();
  MakeHashTable make_table_;  // null: none
  // Nodes do not move: standings point to them.
  absl::flat_hash_map<net::Address, std::unique_ptr<Member>> members_;
  const AssignmentSpec* assignment_ = nullptr;
  Placed placed_;
  HostBlocks blocks_;                       // of placed_
  std::vector<HostBlocks::Range> touched_;  // hosts that this call may be about
  Basis basis_;
  std::shared_ptr<const SubsetSpec> subsets_by_;  // null: who is in subsets is to be found out
  SubsetMembers subset_members_;
  std::vector<uint32_t> free_slots_;
  uint32_t next_slot_ = 0;
  std::shared_ptr<const HostGroups> hosts_;
  std::vector<HostPieces> pieces_;  // that its groups are made of, in their order
  uint64_t next_group_ = 1;
  bool good_noted_ = false;  // whoever is well is known to be good, but for news
  bool panic_ = false;
  Counts counts_;
};

}  // namespace convoy::upstream
