#pragma once

// Hosts that new requests may go to, in configured order, with their weights: an immutable
// snapshot, built on main, read by every worker. Hosts are bare pointers: a worker lets go of a
// host only by the same message that brings it the set without that host.
//
// It is what an algorithm works on: one group of a cluster's hosts (host_groups.h). Most clusters
// have one group.
//
// What algorithms need is computed here, once for all workers: the smooth weighted order while it
// is small (wrr_sequence.h), classes of equal weight otherwise.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "proxy/event/random.h"
#include "proxy/upstream/alias_table.h"
#include "proxy/upstream/hash_table.h"
#include "proxy/upstream/host.h"

namespace convoy::upstream {

class HostSet {
 public:
  struct Entry {
    Entry() = default;  // nobody
    Entry(Host* host, uint32_t weight)
        : host(host), active(&host->active()), weight(weight), slot(host->slot()) {}

    Host* host = nullptr;
    // The host's: without a look at the host.
    ActiveCounts::Count* active = nullptr;
    uint32_t weight = 1;  // >= 1
    uint32_t slot = 0;
  };
  // All hosts of one weight, for earliest-deadline-first picks: members()[first, first + count).
  struct WeightClass {
    uint32_t weight;
    uint32_t first;
    uint32_t count;
  };

  // make_table: what a hashing policy needs; null: nothing.
  explicit HostSet(std::vector<Entry> entries, const MakeHashTable& make_table = nullptr);

  std::span<const Entry> entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  bool equalWeights() const { return equal_weights_; }
  uint32_t maxWeight() const { return max_weight_; }
  uint64_t totalWeight() const { return total_weight_; }
  // Indices of entries in smooth weighted order, one whole cycle; empty with equal weights (the
  // order is that of the entries) and above the limits of wrr_sequence.h.
  std::span<const uint16_t> smoothOrder() const { return smooth_order_; }
  // Heaviest first; members are indices of entries. Empty unless weights differ and there is no
  // smooth order.
  std::span<const WeightClass> weightClasses() const { return classes_; }
  std::span<const uint32_t> members() const { return members_; }
  // An index of entries at random, with the probabilities of the weights. REQUIRES: not empty.
  size_t draw(event::Random& random) const {
    const size_t index = random.below(entries_.size());
    return equal_weights_ ? index : shares_.at(index, random.below(total_weight_));
  }
  // For draws of another kind; empty with equal weights.
  const AliasTable& shares() const { return shares_; }
  // Null: none was asked for, or the set is empty.
  const HashTable* hashTable() const { return hash_table_.get(); }

 private:
  void buildClasses();

  const std::vector<Entry> entries_;
  bool equal_weights_ = true;
  uint32_t max_weight_ = 0;
  uint64_t total_weight_ = 0;
  std::vector<uint16_t> smooth_order_;
  std::vector<WeightClass> classes_;
  std::vector<uint32_t> members_;
  AliasTable shares_;
  std::shared_ptr<const HashTable> hash_table_;
};

}  // namespace convoy::upstream
