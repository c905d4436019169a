#include "proxy/upstream/algorithms/ring.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/base/xxhash.h"

namespace convoy::upstream::algorithms {

namespace {

uint64_t placeOf(std::string_view key, BalancingSpec::HashFunction function) {
  // The standard library's own hash is MurmurHash2 with the seed that Envoy uses.
  return function == BalancingSpec::HashFunction::Murmur2 ? std::hash<std::string_view>()(key)
                                                          : base::xxHash64(key);
}

// Points for each unit of normalized weight: so many that the lightest host has a whole number of
// them and all have at least the minimum together, but at most the maximum.
double pointsPerShare(const HostSet& hosts, const BalancingSpec& spec) {
  uint32_t least = hosts.maxWeight();
  for (const HostSet::Entry& entry : hosts.entries()) least = std::min(least, entry.weight);
  const double share = static_cast<double>(least) / static_cast<double>(hosts.totalWeight());
  return std::min(std::ceil(share * static_cast<double>(spec.ring_min_size)) / share,
                  static_cast<double>(spec.ring_max_size));
}

}  // namespace

std::vector<Ring::Point> ringPoints(const HostSet& hosts, const BalancingSpec& spec) {
  const double scale = pointsPerShare(hosts, spec);
  std::vector<Ring::Point> points;
  points.reserve(static_cast<size_t>(std::ceil(scale)) + 1);
  std::string key;
  double target = 0;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const HostSet::Entry& entry = hosts.entries()[i];
    target +=
        scale * (static_cast<double>(entry.weight) / static_cast<double>(hosts.totalWeight()));
    key = entry.host->addressText() + "_";
    const size_t prefix = key.size();
    for (size_t n = 0; static_cast<double>(points.size()) < target; ++n) {
      key.resize(prefix);
      key += std::to_string(n);
      points.push_back({placeOf(key, spec.ring_hash), static_cast<uint32_t>(i)});
    }
  }
  return points;
}

Ring::Ring(std::vector<Point> points) {
  CONVOY_ASSERT(!points.empty());
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.place < b.place; });
  const auto bits = std::max(1U, static_cast<unsigned>(std::bit_width(points.size())) - 1);
  shift_ = 64 - bits;
  slices_.resize(size_t{1} << bits);
  places_.reserve(points.size());
  hosts_.reserve(points.size());
  size_t slice = 0;
  for (const Point& point : points) {
    for (; slice <= point.place >> shift_; ++slice) {
      slices_[slice] = static_cast<uint32_t>(places_.size());
    }
    places_.push_back(point.place);
    hosts_.push_back(point.host);
  }
  for (; slice < slices_.size(); ++slice) slices_[slice] = static_cast<uint32_t>(places_.size());
}

size_t Ring::find(uint64_t hash) const {
  size_t at = slices_[hash >> shift_];
  while (at < places_.size() && places_[at] < hash) ++at;
  return hosts_[at == places_.size() ? 0 : at];
}

}  // namespace convoy::upstream::algorithms
