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
// are walked side by side; an address is looked up only where they differ. A group of which nothing
// has changed keeps its set, with what was computed for it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/net/address.h"
#include "proxy/upstream/grouping.h"
#include "proxy/upstream/health_monitor.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/host_groups.h"
#include "proxy/upstream/spec.h"

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
  struct Counts {
    uint32_t total = 0;
    uint32_t healthy = 0;
    uint32_t degraded = 0;
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

  explicit Membership(size_t workers);

  // What sets of hosts carry from now on for a hashing policy; the present one is made again.
  void makeTablesBy(MakeHashTable make_table);
  // For a new assignment, and when a verdict has changed.
  Change update(const AssignmentSpec& assignment, const ActiveHealthOf& active = nullptr,
                const PanicSpec& panic = {}, const Grouping& grouping = {});
  const std::shared_ptr<const HostGroups>& hosts() const { return hosts_; }
  const Counts& counts() const { return counts_; }
  // Null if there is no such host.
  const Host* find(const net::Address& address) const;

 private:
  struct Member {
    explicit Member(const net::Address& address) : address(address) {}

    const net::Address address;
    std::shared_ptr<Host> host;
    size_t position = 0;  // in order_, unless it is new
    uint64_t seen = 0;    // the update that named it last
    bool usable = false;  // its health lets requests through
    // Not checked yet, and serving all the same, since nobody else could; until it is checked.
    bool trusted = false;
    bool last_good = false;  // it could be used when there were enough
    uint64_t grouped = 0;    // the update that put it into a group last
  };
  struct Candidate {
    Member* member;
    const EndpointSpec* endpoint;
    uint32_t priority;
    uint32_t locality;  // index of the assignment's
    HostGrade grade;
  };

  Member& memberOf(const net::Address& address, size_t& next);
  std::vector<Candidate> noteEndpoints(const AssignmentSpec& assignment,
                                       const ActiveHealthOf& active);
  static void trustIfNobodyServes(std::vector<Candidate>& candidates);
  void grade(const std::vector<Candidate>& candidates, Change& change);
  void sweep(const std::vector<Candidate>& candidates, Change& change);
  uint32_t takeSlot();
  GroupPlan plan(const std::vector<Candidate>& candidates, const AssignmentSpec& assignment,
                 const PanicSpec& panic, const Grouping& grouping) const;
  HostGroups::Parts partsOf(GroupPlan plan, bool* changed);
  void noteServing(const std::vector<Candidate>& candidates, const HostGroups::Parts& parts,
                   const PanicSpec& panic, bool in_panic);
  std::vector<Host*> sparesOf(const std::vector<Candidate>& candidates) const;

  const size_t workers_;
  const std::shared_ptr<ActiveCounts> counts_of_hosts_ = std::make_shared<ActiveCounts>();
  MakeHashTable make_table_;  // null: none
  uint64_t updates_ = 0;
  // Nodes do not move: candidates point to them.
  absl::flat_hash_map<net::Address, std::unique_ptr<Member>> members_;
  std::vector<Member*> order_;  // of the last assignment: all of them
  std::vector<uint32_t> free_slots_;
  uint32_t next_slot_ = 0;
  std::shared_ptr<const HostGroups> hosts_;
  std::vector<Member*> by_slot_;  // of the present hosts
  uint64_t next_group_ = 1;
  bool panic_ = false;
  Counts counts_;
};

}  // namespace convoy::upstream
