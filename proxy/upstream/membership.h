#pragma once

// Which hosts a cluster has: turns each assignment into a HostSet (whose header says by which
// rules), keeping the Host of every address that stays. Main's thread only.
//
// An assignment comes whole, mostly with the hosts of the one before in the same order. So the two
// are walked side by side; an address is looked up only where they differ.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "proxy/net/address.h"
#include "proxy/upstream/health_monitor.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/host_set.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

enum class HostGrade : uint8_t {
  Healthy,
  Degraded,
  Unverified,  // no check has told anything yet
  Excluded,
};

class Membership {
 public:
  struct Change {
    std::shared_ptr<const HostSet> hosts;
    std::vector<std::shared_ptr<const Host>> removed;
    // Hosts that stay, but whose health now keeps new requests away.
    std::vector<std::shared_ptr<const Host>> draining;
    // False: the same hosts with the same weights as before; `hosts` is the former set.
    bool changed = false;
    bool panic = false;  // `hosts` are not those that are well, but those of the panic mode
  };
  struct Counts {
    uint32_t total = 0;
    uint32_t healthy = 0;
    uint32_t degraded = 0;
    uint32_t excluded = 0;
    uint32_t max_weight = 0;
  };

  // What checks of our own say of a host; null: there are none.
  using ActiveHealthOf = std::function<ActiveHealth(const EndpointSpec& endpoint)>;

  explicit Membership(size_t workers);

  // What sets of hosts carry from now on for a hashing policy; the present one is made again.
  void makeTablesBy(MakeHashTable make_table);
  // For a new assignment, and when a verdict has changed.
  Change update(const AssignmentSpec& assignment, const ActiveHealthOf& active = nullptr,
                const PanicSpec& panic = {});
  const std::shared_ptr<const HostSet>& hosts() const { return hosts_; }
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
  };
  struct Candidate {
    Member* member;
    const EndpointSpec* endpoint;
    uint32_t priority;
    HostGrade grade;
  };

  Member& memberOf(const net::Address& address, size_t& next);
  std::vector<Candidate> noteEndpoints(const AssignmentSpec& assignment,
                                       const ActiveHealthOf& active);
  static void trustIfNobodyServes(std::vector<Candidate>& candidates);
  void grade(const std::vector<Candidate>& candidates, Change& change);
  void sweep(const std::vector<Candidate>& candidates, Change& change);
  uint32_t takeSlot();
  static std::vector<HostSet::Entry> choose(const std::vector<Candidate>& candidates);
  static std::vector<Host*> sparesOf(const std::vector<Candidate>& candidates,
                                     const std::vector<HostSet::Entry>& chosen);
  bool panic(const std::vector<Candidate>& candidates, const PanicSpec& spec,
             std::vector<HostSet::Entry>& entries);

  const size_t workers_;
  const std::shared_ptr<ActiveCounts> counts_of_hosts_ = std::make_shared<ActiveCounts>();
  MakeHashTable make_table_;  // null: none
  uint64_t updates_ = 0;
  // Nodes do not move: candidates point to them.
  absl::flat_hash_map<net::Address, std::unique_ptr<Member>> members_;
  std::vector<Member*> order_;  // of the last assignment: all of them
  std::vector<uint32_t> free_slots_;
  uint32_t next_slot_ = 0;
  std::shared_ptr<const HostSet> hosts_;
  bool panic_ = false;
  absl::flat_hash_set<net::Address> last_good_;  // only of PanicSpec::Mode::ServeLastGood
  Counts counts_;
};

}  // namespace convoy::upstream
