#pragma once

// A hash ring (consistent hashing): every host has points on a circle of 2^64 places, as many as
// its weight says, and a key belongs to the first point at or after its own hash. A host that
// leaves gives its keys to others. Of the other keys some move as well, since the ring keeps its
// size and the hosts that stay get more points.
//
// Points are where Envoy's RING_HASH puts them (the hash of "ADDRESS_0", "ADDRESS_1", ...; sizes as
// its settings say), so that both choose alike. A look-up reads the start of a slice of the circle
// and a point or two behind it: slices are about as many as points.

#include <cstdint>
#include <span>
#include <vector>

#include "proxy/upstream/host_set.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream::algorithms {

class Ring final : public HashTable {
 public:
  struct Point {
    uint64_t place;
    uint32_t host;  // index of the set's entries
  };

  // REQUIRES: at least one point; those of one place count in their order.
  explicit Ring(std::vector<Point> points);
  size_t find(uint64_t hash) const override;
  size_t size() const { return places_.size(); }

 private:
  unsigned shift_ = 0;            // a hash's slice is its bits above
  std::vector<uint32_t> slices_;  // the first point at or after each slice's start
  std::vector<uint64_t> places_;
  std::vector<uint32_t> hosts_;
};

// REQUIRES: the set is not empty.
std::vector<Ring::Point> ringPoints(const HostSet& hosts, const BalancingSpec& spec);

}  // namespace convoy::upstream::algorithms
