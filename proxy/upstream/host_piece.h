#pragma once

// Some hosts that are next to one another in a set, with what algorithms want to know of them: what
// large sets (host_set.h) are put together from. A set that differs from the one before in one host
// has all its pieces but one from that, so a change costs as much as a piece, not as the set.
// Immutable; any thread.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "proxy/event/random.h"
#include "proxy/upstream/alias_table.h"
#include "proxy/upstream/host.h"

namespace convoy::upstream {

// A host of a set.
struct HostEntry {
  HostEntry() = default;  // nobody
  HostEntry(Host* host, uint32_t weight)
      : host(host), active(&host->active()), weight(weight), slot(host->slot()) {}

  Host* host = nullptr;
  // The host's: without a look at the host.
  ActiveCounts::Count* active = nullptr;
  uint32_t weight = 1;  // >= 1
  uint32_t slot = 0;

  friend bool operator==(const HostEntry& a, const HostEntry& b) {
    return a.host == b.host && a.weight == b.weight && a.slot == b.slot;
  }
};

class HostPiece {
 public:
  static constexpr size_t kMostHosts = 1024;

  // All hosts of one weight, in order: indices of entries().
  struct WeightClass {
    uint32_t weight;
    std::span<const uint32_t> members;
  };

  // Of more than kMostHosts there are no classes: a set that has so many in one piece has them for
  // a hash table.
  explicit HostPiece(std::vector<HostEntry> entries);
  HostPiece(const HostPiece&) = delete;
  HostPiece& operator=(const HostPiece&) = delete;

  std::span<const HostEntry> entries() const { return entries_; }
  bool equalWeights() const { return total_weight_ == uint64_t{max_weight_} * entries_.size(); }
  uint32_t maxWeight() const { return max_weight_; }
  uint64_t totalWeight() const { return total_weight_; }
  // Empty with equal weights.
  const AliasTable& shares() const { return shares_; }
  // Heaviest first.
  std::span<const WeightClass> weightClasses() const { return classes_; }
  // A host at random, with the probabilities of the weights. REQUIRES: not empty.
  const HostEntry& draw(event::Random& random) const {
    const size_t index = random.below(entries_.size());
    return entries_[shares_.empty() ? index : shares_.at(index, random.below(total_weight_))];
  }

 private:
  void buildClasses();

  const std::vector<HostEntry> entries_;
  uint32_t max_weight_ = 0;
  uint64_t total_weight_ = 0;
  AliasTable shares_;
  std::vector<uint32_t> members_;  // class by class; empty with equal weights
  std::vector<WeightClass> classes_;
};

// In order; none is empty.
using HostPieces = std::vector<std::shared_ptr<const HostPiece>>;

size_t countHosts(const HostPieces& pieces);
// The same hosts with the same weights in the same order, however they are cut. What both share is
// not looked at.
bool sameHosts(const HostPieces& a, const HostPieces& b);
// Cut into pieces.
HostPieces piecesOf(std::vector<HostEntry> entries);

}  // namespace convoy::upstream
