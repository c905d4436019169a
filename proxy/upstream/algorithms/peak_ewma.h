#pragma once

// Peak EWMA: as least response time, but of the worst that was seen of late: a response that took
// longer than the estimate becomes the estimate at once, and quicker ones bring it down only as
// time passes (by 1 - exp(-pause / memory)). So a host that begins to stall loses its traffic with
// the first slow response, and gets it back slowly.

#include "proxy/upstream/algorithms/scored.h"

namespace convoy::upstream::algorithms {

class PeakTime {
 public:
  float cost() const { return peak_; }
  event::MonotonicTime at() const { return at_; }
  void note(const RequestResult& result, float median, event::Duration memory);
  static float score(float cost, uint32_t active) { return cost * static_cast<float>(active); }

 private:
  float peak_ = 0;  // seconds
  event::MonotonicTime at_{};
};

using PeakEwma = Scored<PeakTime>;

}  // namespace convoy::upstream::algorithms
