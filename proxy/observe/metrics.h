#pragma once

// Metrics are typed fields of plain structs, one struct instance per worker, written without
// atomics' cost by the thread that owns the instance and merged when somebody reads (admin,
// Prometheus). The names are Envoy's where the meaning is.
//
//   struct ClusterMetrics {
//     Counter upstream_rq_total;
//     Gauge upstream_rq_active;
//     Histogram upstream_rq_time;
//     template <class Self, class Visitor>
//     static void visit(Self& self, Visitor&& visitor) {
//       visitor("upstream_rq_total", self.upstream_rq_total, "Requests sent to this cluster");
//       ...
//     }
//   };
//   MetricGroup<ClusterMetrics> group(registry, "cluster", {{"envoy_cluster_name", "web"}}, slots);
//   group.slot(worker_index).upstream_rq_total.add();
//
// Labels have bounded cardinality: they come from configuration, never from a request.

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy::observe {

// One writer thread, any readers. A relaxed load and store: plain moves on x86, no lock prefix.
class Counter {
 public:
  void add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// As Counter. Per-worker values may be negative (opened on one thread, closed on another); the
// merged sum is not.
class Gauge {
 public:
  void add(int64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void sub(int64_t n = 1) { add(-n); }
  void set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Log-linear buckets over microseconds: eight to each doubling, so that the middle of a bucket is
// at most 1/16 away from any value in it, up to 2^32 us (1.2 hours); longer ones count in the last.
class Histogram {
 public:
  static constexpr int kSubBuckets = 8;
  static constexpr int kBuckets = 30 * kSubBuckets;

  void record(uint64_t microseconds) {
    count_.add();
    sum_.add(microseconds);
    buckets_[static_cast<size_t>(bucketOf(microseconds))].add();
  }
  uint64_t count() const { return count_.value(); }
  uint64_t sum() const { return sum_.value(); }
  uint64_t bucket(int index) const { return buckets_[static_cast<size_t>(index)].value(); }
  static constexpr int bucketOf(uint64_t microseconds) {
    // Below the first doubling a bucket is one value.
    if (microseconds < kSubBuckets) return static_cast<int>(microseconds);
    const int log2 = std::bit_width(microseconds) - 1;
    if (log2 >= 32) return kBuckets - 1;
    const auto sub = static_cast<int>((microseconds >> (log2 - 3)) & (kSubBuckets - 1));
    return (log2 - 2) * kSubBuckets + sub;
  }
  // Both inclusive, microseconds.
  static uint64_t lowerBoundOf(int index);
  static uint64_t upperBoundOf(int index);

 private:
  Counter count_;
  Counter sum_;
  std::array<Counter, kBuckets> buckets_;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

// What a reader is shown: one merged metric.
struct HistogramSnapshot {
  uint64_t count = 0;
  uint64_t sum = 0;
  std::array<uint64_t, Histogram::kBuckets> buckets{};
  void add(const Histogram& histogram);
  // In microseconds, the middle of the bucket that holds the value; 0 when empty. q in [0, 1].
  uint64_t quantile(double q) const;
};
class MetricReader {
 public:
  virtual ~MetricReader() = default;
  // prefix is the group's ("cluster", "http", "listener", ...); help is one sentence.
  virtual void counter(std::string_view prefix, const Labels& labels, std::string_view name,
                       std::string_view help, uint64_t value) = 0;
  virtual void gauge(std::string_view prefix, const Labels& labels, std::string_view name,
                     std::string_view help, int64_t value) = 0;
  virtual void histogram(std::string_view prefix, const Labels& labels, std::string_view name,
                         std::string_view help, const HistogramSnapshot& value) = 0;
};

class MetricGroupBase {
 public:
  virtual ~MetricGroupBase() = default;
  virtual void read(MetricReader& reader) const = 0;
};

// Knows the live groups. Thread-safe; never used on the hot path. Outlives every group. A reader
// must not make or destroy groups.
class MetricRegistry {
 public:
  void add(const MetricGroupBase* group);
  void remove(const MetricGroupBase* group);
  // Groups in the order of their adding.
  void read(MetricReader& reader) const;

 private:
  mutable std::mutex mutex_;
  std::vector<const MetricGroupBase*> groups_;
};

template <class Metrics>
class MetricGroup final : public MetricGroupBase {
 public:
  // slots: one per worker plus one for main (the last).
  MetricGroup(MetricRegistry& registry, std::string prefix, Labels labels, int slots)
      : registry_(registry), prefix_(std::move(prefix)), labels_(std::move(labels)) {
    for (int i = 0; i < slots; ++i) slots_.push_back(std::make_unique<Padded>());
    registry_.add(this);
  }
  ~MetricGroup() override { registry_.remove(this); }
  MetricGroup(const MetricGroup&) = delete;
  MetricGroup& operator=(const MetricGroup&) = delete;

  // Written only by the slot's thread.
  Metrics& slot(int index) { return slots_[static_cast<size_t>(index)]->metrics; }
  const Labels& labels() const { return labels_; }
  void read(MetricReader& reader) const override;

 private:
  struct alignas(64) Padded {
    Metrics metrics;
  };
  MetricRegistry& registry_;
  const std::string prefix_;
  const Labels labels_;
  std::vector<std::unique_ptr<Padded>> slots_;
};

}  // namespace convoy::observe

#include "proxy/observe/metrics_inl.h"
