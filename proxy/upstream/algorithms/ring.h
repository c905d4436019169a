#pragma once

// A hash ring (consistent hashing): every host has points on a circle of 2^64 places, as many as
// its weight says, and a key belongs to the first point at or after its own hash. A host that
// leaves gives its keys to others.
//
// Points are where Envoy's RING_HASH puts them: the hash of "ADDRESS_0", "ADDRESS_1", ... How many
// a host has is said in one of two ways:
//   - by the size of the ring (ring_min_size), exactly as in Envoy, so that both choose alike. When
//     a host leaves the others get more points, and some of their keys move as well.
//   - by its own weight alone (ring_points_per_weight): no key moves but of or to hosts that
//     change. At ring_max_size the number for a unit of weight is halved, as often as it takes;
//     only a change of hosts that comes to that moves others.
//
// A look-up reads the start of a slice of the circle and a point or two behind it: slices are about
// as many as points.

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

  // REQUIRES: at least one point. A place that several have is that of the lowest index.
  explicit Ring(const std::vector<Point>& points);
  size_t find(uint64_t hash) const override;
  size_t size() const { return points_.size(); }

 private:
  unsigned shift_ = 0;            // a hash's slice is its bits above
  std::vector<uint32_t> slices_;  // the first point at or after each slice's start
  std::vector<Point> points_;     // by place
};

// REQUIRES: the set is not empty.
std::vector<Ring::Point> ringPoints(const HostSet& hosts, const BalancingSpec& spec);

}  // namespace convoy::upstream::algorithms
