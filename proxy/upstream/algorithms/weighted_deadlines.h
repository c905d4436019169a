#pragma once

// Earliest deadline first over weight classes. A class of c hosts of weight w is due for the k-th
// time at k / (w c); the class that is due first is next, the heavier one on a tie, and takes its
// hosts in turn. Over one cycle (the sum of all weights) every host comes exactly as often as its
// weight says. Deadlines are compared as fractions, so nothing drifts.
//
// A new set goes on where the one before was: of each class what was due up to the deadline that
// was met last counts as taken, and a class of the same weight, or else at the same place, goes on
// with its hosts. Were each set a new beginning, frequent updates would leave nothing to hosts that
// are due late.
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
  // start: where the first classes begin, in their hosts. The hosts outlive the calls of next().
  // REQUIRES: hosts.weightClasses() is not empty.
  void setHosts(const HostSet& hosts, uint64_t start);
  // REQUIRES: there are hosts.
  const HostSet::Entry& next();

 private:
  struct Class {
    uint32_t weight = 0;
    uint32_t part = 0;    // which of its hosts is next: of this part of it,
    uint32_t member = 0;  // this member
    uint64_t turns = 0;   // ever, with `start`: by it a class of other hosts goes on
    uint64_t taken = 0;   // turns in this cycle
    uint64_t share = 0;   // turns in a whole cycle: weight times hosts
  };
  // A deadline.
  struct Met {
    uint32_t weight = 0;
    uint64_t taken = 0;
    uint64_t share = 1;
  };
  bool later(uint32_t a, uint32_t b) const;
  void adopt();
  void adoptClass(const HostSet::WeightClass& of, uint64_t turns, Class* out) const;
  uint64_t takenOf(uint32_t weight, uint64_t share) const;
  void startCycle();
  void orderClasses();
  static void advance(Class* one, const HostSet::WeightClass& of);

  const HostSet* hosts_ = nullptr;
  std::vector<Class> classes_;  // heaviest first
  std::vector<uint32_t> heap_;  // of their indices; the one that is due first in front
  Met met_;                     // the deadline that was met last
  uint64_t start_ = 0;
  uint64_t left_ = 0;  // turns of this cycle
  bool fresh_ = true;  // the hosts are to be adopted at the next pick
};

}  // namespace convoy::upstream::algorithms
