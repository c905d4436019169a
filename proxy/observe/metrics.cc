#include "proxy/observe/metrics.h"

#include <algorithm>
#include <cmath>

namespace convoy::observe {

uint64_t Histogram::lowerBoundOf(int index) {
  if (index < kSubBuckets) return static_cast<uint64_t>(index);
  const int log2 = index / kSubBuckets + 2;
  const auto sub = static_cast<uint64_t>(index % kSubBuckets);
  return (kSubBuckets + sub) << (log2 - 3);
}

uint64_t Histogram::upperBoundOf(int index) {
  return lowerBoundOf(index + 1) - 1;
}

void HistogramSnapshot::add(const Histogram& histogram) {
  // The buckets first: their writer counts before it fills them, so that a sum of buckets read
  // meanwhile never exceeds the count.
  for (int i = 0; i < Histogram::kBuckets; ++i) {
    buckets[static_cast<size_t>(i)] += histogram.bucket(i);
  }
  count += histogram.count();
  sum += histogram.sum();
}

uint64_t HistogramSnapshot::quantile(double q) const {
  uint64_t total = 0;
  for (const uint64_t in_bucket : buckets) total += in_bucket;
  if (total == 0) return 0;
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(total));
  const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  uint64_t seen = 0;
  int index = 0;
  for (; index < Histogram::kBuckets - 1; ++index) {
    seen += buckets[static_cast<size_t>(index)];
    if (seen >= rank) break;
  }
  const uint64_t lower = Histogram::lowerBoundOf(index);
  return lower + (Histogram::upperBoundOf(index) - lower) / 2;
}

void MetricRegistry::add(const MetricGroupBase* group) {
  const std::lock_guard lock(mutex_);
  groups_.push_back(group);
}

void MetricRegistry::remove(const MetricGroupBase* group) {
  const std::lock_guard lock(mutex_);
  std::erase(groups_, group);
}

void MetricRegistry::read(MetricReader& reader) const {
  const std::lock_guard lock(mutex_);
  for (const MetricGroupBase* group : groups_) group->read(reader);
}

}  // namespace convoy::observe
