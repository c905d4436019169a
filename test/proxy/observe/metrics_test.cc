#include "proxy/observe/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace convoy::observe {
namespace {

struct SampleMetrics {
  Counter requests;
  Gauge active;
  Histogram time;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("rq_total", self.requests, "Requests");
    visitor("rq_active", self.active, "Requests running");
    visitor("rq_time", self.time, "Time of a request");
  }
};

class Recorder final : public MetricReader {
 public:
  void counter(std::string_view prefix, const Labels& labels, std::string_view name,
               std::string_view help, uint64_t value) override {
    note(prefix, labels, name, help);
    counters[lines.back()] = value;
  }
  void gauge(std::string_view prefix, const Labels& labels, std::string_view name,
             std::string_view help, int64_t value) override {
    note(prefix, labels, name, help);
    gauges[lines.back()] = value;
  }
  void histogram(std::string_view prefix, const Labels& labels, std::string_view name,
                 std::string_view help, const HistogramSnapshot& value) override {
    note(prefix, labels, name, help);
    histograms[lines.back()] = value;
  }

  std::vector<std::string> lines;
  std::map<std::string, uint64_t> counters;
  std::map<std::string, int64_t> gauges;
  std::map<std::string, HistogramSnapshot> histograms;

 private:
  void note(std::string_view prefix, const Labels& labels, std::string_view name,
            std::string_view help) {
    EXPECT_FALSE(help.empty());
    std::string line = std::string(prefix) + "." + std::string(name);
    for (const auto& [key, value] : labels) line.append(" ").append(key).append("=").append(value);
    lines.push_back(line);
  }
};

TEST(Metrics, SlotsAreMergedWhenRead) {
  MetricRegistry registry;
  MetricGroup<SampleMetrics> group(registry, "cluster", {{"cluster_name", "web"}}, 3);
  for (int slot = 0; slot < 3; ++slot) {
    group.slot(slot).requests.add(static_cast<uint64_t>(slot) + 1);
    group.slot(slot).time.record(1000);
  }
  group.slot(0).active.add(5);  // opened on one thread, closed on another
  group.slot(1).active.sub(3);
  group.slot(2).active.set(2);
  Recorder seen;
  registry.read(seen);
  EXPECT_EQ(seen.lines, (std::vector<std::string>{"cluster.rq_total cluster_name=web",
                                                  "cluster.rq_active cluster_name=web",
                                                  "cluster.rq_time cluster_name=web"}));
  EXPECT_EQ(seen.counters.at(seen.lines[0]), 6u);
  EXPECT_EQ(seen.gauges.at(seen.lines[1]), 4);
  const HistogramSnapshot& time = seen.histograms.at(seen.lines[2]);
  EXPECT_EQ(time.count, 3u);
  EXPECT_EQ(time.sum, 3000u);
  EXPECT_EQ(time.buckets[static_cast<size_t>(Histogram::bucketOf(1000))], 3u);
  EXPECT_EQ(group.labels().front().second, "web");
}

TEST(Metrics, GroupsComeInOrderAndGoWhenDestroyed) {
  MetricRegistry registry;
  MetricGroup<SampleMetrics> first(registry, "a", {}, 1);
  auto second = std::make_unique<MetricGroup<SampleMetrics>>(registry, "b", Labels(), 1);
  MetricGroup<SampleMetrics> third(registry, "c", {}, 1);
  Recorder all;
  registry.read(all);
  ASSERT_EQ(all.lines.size(), 9u);
  EXPECT_EQ(all.lines[3], "b.rq_total");
  second.reset();
  Recorder rest;
  registry.read(rest);
  ASSERT_EQ(rest.lines.size(), 6u);
  EXPECT_EQ(rest.lines[3], "c.rq_total");
}

TEST(Metrics, MayBeReadWhileTheyAreWritten) {
  MetricRegistry registry;
  MetricGroup<SampleMetrics> group(registry, "x", {}, 1);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop) {
      group.slot(0).requests.add();
      group.slot(0).time.record(7);
    }
  });
  uint64_t last = 0;
  while (last < 1000) {
    Recorder seen;
    registry.read(seen);
    const uint64_t value = seen.counters.at("x.rq_total");
    EXPECT_GE(value, last);
    last = value;
    const HistogramSnapshot& time = seen.histograms.at("x.rq_time");
    EXPECT_LE(time.buckets[7], time.count);
  }
  stop = true;
  writer.join();
}

TEST(Histogram, BucketsCoverEveryValueOnceAndInOrder) {
  EXPECT_EQ(Histogram::lowerBoundOf(0), 0u);
  for (int i = 0; i < Histogram::kBuckets; ++i) {
    const uint64_t lower = Histogram::lowerBoundOf(i);
    const uint64_t upper = Histogram::upperBoundOf(i);
    ASSERT_LE(lower, upper) << i;
    EXPECT_EQ(Histogram::bucketOf(lower), i);
    EXPECT_EQ(Histogram::bucketOf(upper), i);
    EXPECT_EQ(Histogram::bucketOf(lower + (upper - lower) / 2), i);
    if (i > 0) {
      EXPECT_EQ(lower, Histogram::upperBoundOf(i - 1) + 1) << i;
    }
    // The promise: the middle is at most a sixteenth away from any value of the bucket.
    const uint64_t half = (upper - lower) / 2;
    const auto middle = static_cast<double>(lower + half);
    if (lower > 0) {
      EXPECT_LE((middle - static_cast<double>(lower)) / static_cast<double>(lower), 1.0 / 16) << i;
      EXPECT_LE((static_cast<double>(upper) - middle) / static_cast<double>(upper), 1.0 / 16) << i;
    }
  }
  EXPECT_EQ(Histogram::upperBoundOf(Histogram::kBuckets - 1), (uint64_t{1} << 32) - 1);
}

TEST(Histogram, LongerThanTheRangeCountsInTheLastBucket) {
  for (const uint64_t huge : {uint64_t{1} << 32, uint64_t{1} << 40, ~uint64_t{0}}) {
    EXPECT_EQ(Histogram::bucketOf(huge), Histogram::kBuckets - 1) << huge;
  }
}

TEST(Histogram, QuantilesAreWithinTheClaimedError) {
  Histogram histogram;
  std::vector<uint64_t> values;
  uint64_t value = 1;
  for (int i = 0; i < 20'000; ++i) {
    value = (value * 48'271) % 2'147'483'647;  // spread over the whole range
    const uint64_t us = value % (i % 3 == 0 ? 1'000 : 3'000'000);
    values.push_back(us);
    histogram.record(us);
  }
  std::sort(values.begin(), values.end());
  HistogramSnapshot snapshot;
  snapshot.add(histogram);
  EXPECT_EQ(snapshot.count, values.size());
  for (const double q : {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(static_cast<double>(snapshot.quantile(q)), exact, std::max(exact / 16, 0.5)) << q;
  }
}

TEST(Histogram, QuantilesOfLittle) {
  HistogramSnapshot empty;
  EXPECT_EQ(empty.quantile(0.5), 0u);
  Histogram one;
  one.record(5);
  HistogramSnapshot snapshot;
  snapshot.add(one);
  for (const double q : {-1.0, 0.0, 0.5, 1.0, 2.0}) EXPECT_EQ(snapshot.quantile(q), 5u) << q;
}

}  // namespace
}  // namespace convoy::observe
