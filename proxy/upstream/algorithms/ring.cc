#include "proxy/upstream/algorithms/ring.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/xxhash.h"

namespace convoy::upstream::algorithms {

namespace {

uint64_t placeOf(std::string_view key, BalancingSpec::HashFunction function) {
  // The standard library's own hash is MurmurHash2 with the seed that Envoy uses.
  return function == BalancingSpec::HashFunction::Murmur2 ? std::hash<std::string_view>()(key)
                                                          : base::xxHash64(key);
}

// A host's points, one after another.
class PointsOfHost {
 public:
  PointsOfHost(const Host& host, uint32_t index, BalancingSpec::HashFunction function)
      : key_(host.addressText() + "_"), prefix_(key_.size()), index_(index), function_(function) {}

  Ring::Point next() {
    key_.resize(prefix_);
    key_ += std::to_string(count_++);
    return {placeOf(key_, function_), index_};
  }

 private:
  std::string key_;
  const size_t prefix_;
  const uint32_t index_;
  const BalancingSpec::HashFunction function_;
  uint64_t count_ = 0;
};

// Points for each unit of normalized weight: so many that the lightest host has a whole number of
// them and all have at least the minimum together, but at most the maximum.
double pointsPerShare(const HostSet& hosts, const BalancingSpec& spec) {
  uint32_t least = hosts.maxWeight();
  for (const HostSet::Entry& entry : hosts.entries()) least = std::min(least, entry.weight);
  const double share = static_cast<double>(least) / static_cast<double>(hosts.totalWeight());
  return std::min(std::ceil(share * static_cast<double>(spec.ring_min_size)) / share,
                  static_cast<double>(spec.ring_max_size));
}

std::vector<Ring::Point> pointsBySize(const HostSet& hosts, const BalancingSpec& spec) {
  const double scale = pointsPerShare(hosts, spec);
  std::vector<Ring::Point> points;
  points.reserve(static_cast<size_t>(std::ceil(scale)) + 1);
  double target = 0;
  for (uint32_t i = 0; i < hosts.size(); ++i) {
    const HostSet::Entry& entry = hosts.entries()[i];
    target +=
        scale * (static_cast<double>(entry.weight) / static_cast<double>(hosts.totalWeight()));
    PointsOfHost of(*entry.host, i, spec.ring_hash);
    while (static_cast<double>(points.size()) < target) points.push_back(of.next());
  }
  return points;
}

std::vector<Ring::Point> pointsByWeight(const HostSet& hosts, const BalancingSpec& spec) {
  const uint64_t all = hosts.totalWeight() * spec.ring_points_per_weight;
  unsigned halvings = 0;
  while (all >> halvings > spec.ring_max_size) ++halvings;
  std::vector<Ring::Point> points;
  points.reserve((all >> halvings) + hosts.size());
  for (uint32_t i = 0; i < hosts.size(); ++i) {
    const HostSet::Entry& entry = hosts.entries()[i];
    const uint64_t wanted = uint64_t{entry.weight} * spec.ring_points_per_weight >> halvings;
    PointsOfHost of(*entry.host, i, spec.ring_hash);
    for (uint64_t left = std::max(wanted, uint64_t{1}); left > 0; --left) {
      points.push_back(of.next());
    }
  }
  return points;
}

}  // namespace

std::vector<Ring::Point> ringPoints(const HostSet& hosts, const BalancingSpec& spec) {
  return spec.ring_points_per_weight == 0 ? pointsBySize(hosts, spec) : pointsByWeight(hosts, spec);
}

// Sorted by slices first, which takes two passes, and then within each, of a point or two.
Ring::Ring(const std::vector<Point>& points) : points_(points.size()) {
  CONVOY_ASSERT(!points.empty());
  const auto bits = std::max(1U, static_cast<unsigned>(std::bit_width(points.size())) - 1);
  shift_ = 64 - bits;
  // Until the last pass: the end of what is filled in.
  slices_.resize(size_t{1} << bits);
  for (const Point& point : points) ++slices_[point.place >> shift_];
  uint32_t start = 0;
  for (uint32_t& slice : slices_) start += std::exchange(slice, start);
  for (const Point& point : points) points_[slices_[point.place >> shift_]++] = point;
  start = 0;
  for (uint32_t& slice : slices_) {
    const uint32_t end = std::exchange(slice, start);
    std::sort(points_.begin() + start, points_.begin() + end, [](const Point& a, const Point& b) {
      return a.place != b.place ? a.place < b.place : a.host < b.host;
    });
    start = end;
  }
}

size_t Ring::find(uint64_t hash) const {
  size_t at = slices_[hash >> shift_];
  while (at < points_.size() && points_[at].place < hash) ++at;
  return points_[at == points_.size() ? 0 : at].host;
}

}  // namespace convoy::upstream::algorithms
