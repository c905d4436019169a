#pragma once

// Maglev's table (Eisenbud et al., NSDI 2016): a prime number of places, which the hosts fill in
// turns, each following a permutation of its own, as often as its weight says. A key is looked up
// by one remainder. Shares are within a per cent of the weights; when a host comes or goes, its own
// keys move and few others do (fewer, the larger the table).
//
// It depends on the hosts' addresses and weights only, not on their order. Hosts in excess of the
// places get none: a table should have a hundred places for each.

#include <cstdint>
#include <vector>

#include "proxy/upstream/host_set.h"

namespace convoy::upstream::algorithms {

class Maglev final : public HashTable {
 public:
  // REQUIRES: hosts is not empty; size is a prime.
  Maglev(const HostSet& hosts, uint32_t size);
  size_t find(uint64_t hash) const override { return places_[hash % places_.size()]; }

 private:
  std::vector<uint32_t> places_;  // index of the set's entries
};

}  // namespace convoy::upstream::algorithms
