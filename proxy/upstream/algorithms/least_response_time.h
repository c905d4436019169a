#pragma once

// Least response time: the smallest mean time to the head of a response, times the requests under
// way there (the new one included), over the weight. So of two hosts as fast as one another the
// one with fewer connections is taken, and a fast host is not flooded.
//
// The mean is that of the first kFull results as they are; from then on a new one counts for one
// part in kFull, or for more if the last is long ago (1 - exp(-pause / memory)). A failure counts
// as twice what is expected of the host, at least: a host that fails at once is not a fast one. A
// response that nobody waited for counts as what is expected, at least.

#include <cstdint>

#include "proxy/upstream/algorithms/scored.h"

namespace convoy::upstream::algorithms {

// The time that a result stands for, in seconds and never 0. expected: the host's cost so far.
float resultSeconds(const RequestResult& result, float expected);

class MeanTime {
 public:
  static constexpr uint32_t kFull = 10;

  float cost() const { return mean_; }
  event::MonotonicTime at() const { return at_; }
  void note(const RequestResult& result, float median, event::Duration memory);
  static float score(float cost, uint32_t active) { return cost * static_cast<float>(active); }

 private:
  float mean_ = 0;  // seconds
  uint32_t results_ = 0;
  event::MonotonicTime at_{};
};

using LeastResponseTime = Scored<MeanTime>;

}  // namespace convoy::upstream::algorithms
