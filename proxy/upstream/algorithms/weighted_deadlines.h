#pragma once

// Earliest deadline first over weight classes. A class of c hosts of weight w is due for the k-th
// time at k / (w c); the class that is due first is next, the heavier one on a tie, and takes its
// hosts in turn. Over one cycle (the sum of all weights) every host comes exactly as often as its
// weight says. Deadlines are compared as fractions, so nothing drifts.
//
// State is per class, of which there are few; a pick costs the logarithm of their number, and the
// first one of a new set about as much for each of them.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proxy/upstream/host_set.h"

namespace convoy::upstream::algorithms {

class WeightedDeadlines {
 public:
  // Starts a cycle; every class begins with host number `start` of its own. The hosts outlive the
  // calls of next().
  void reset(const HostSet& hosts, uint64_t start);
  // REQUIRES: hosts.weightClasses() is not empty.
  const HostSet::Entry& next();

 private:
  struct Due {
    uint64_t next = 1;    // 1-based count of this class's next turn in the cycle
    uint64_t share = 0;   // turns per cycle: weight times hosts
    uint32_t index = 0;   // of the class
    uint32_t part = 0;    // which of its hosts is next: of this part of it,
    uint32_t member = 0;  // this member
  };
  static bool later(const Due& a, const Due& b);
  Due dueOf(uint32_t index) const;
  void startCycle();

  const HostSet* hosts_ = nullptr;
  std::vector<Due> heap_;
  uint64_t start_ = 0;
  uint64_t left_ = 0;  // turns left in the cycle
  bool fresh_ = true;  // the heap is to be built at the next pick
};

}  // namespace convoy::upstream::algorithms
