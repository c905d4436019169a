#pragma once

// Adaptive score: 0.3 for each request under way (the new one included), 0.4 for each millisecond
// of the 99th percentile, 0.3 for each per cent of failures; the lowest, over the weight, wins.
// Percentile and failures are those of the host's last kResults results, none older than `memory`
// before the newest: what has not been seen does not count as fast or as healthy.
//
// A host's window takes 1.6 KB on each worker that has used it, and a result costs a look through
// it: for pools whose requests are worth that.

#include <array>
#include <cstdint>
#include <memory>

#include "proxy/upstream/algorithms/scored.h"

namespace convoy::upstream::algorithms {

// The formula itself.
constexpr float adaptiveScore(float active, float p99_ms, float failed_percent) {
  return 0.3F * active + 0.4F * p99_ms + 0.3F * failed_percent;
}

class ResultWindow {
 public:
  static constexpr size_t kResults = 100;

  float cost() const { return adaptiveScore(0, p99_ms_, failed_percent_); }
  event::MonotonicTime at() const { return at_; }
  void note(const RequestResult& result, float median, event::Duration memory);
  static float score(float cost, uint32_t active) {
    return cost + adaptiveScore(static_cast<float>(active), 0, 0);
  }

  // By nearest rank.
  float p99Milliseconds() const { return p99_ms_; }
  float failedPercent() const { return failed_percent_; }

 private:
  struct Sample {
    event::MonotonicTime at;
    float milliseconds;
    bool failed;
  };
  // The newest at next - 1, the older ones before it, round the end.
  struct Samples {
    std::array<Sample, kResults> ring;
    size_t next = 0;
    size_t count = 0;

    const Sample& back(size_t age) const { return ring[(next + kResults - 1 - age) % kResults]; }
  };
  void summarize();

  std::unique_ptr<Samples> samples_;  // made with the first result
  float p99_ms_ = 0;
  float failed_percent_ = 0;
  event::MonotonicTime at_{};
};

using AdaptiveScore = Scored<ResultWindow>;

}  // namespace convoy::upstream::algorithms
