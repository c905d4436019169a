#include "proxy/upstream/algorithms/least_response_time.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace convoy::upstream::algorithms {

float resultSeconds(const RequestResult& result, float expected) {
  // Failures in a row double the time; past a minute the host is slow enough.
  constexpr float kLeast = 1e-6F;
  constexpr float kMost = 60;
  const float took = std::chrono::duration<float>(result.took).count();
  float least = kLeast;
  if (result.failed) least = std::max(least, std::min(2 * expected, kMost));
  if (result.abandoned) least = std::max(least, expected);
  return std::max(took, least);
}

void MeanTime::note(const RequestResult& result, float median, event::Duration memory) {
  const float seconds = resultSeconds(result, results_ == 0 ? median : mean_);
  results_ = std::min(results_ + 1, kFull);
  const float pause = std::chrono::duration<float>(result.now - at_).count();
  const float fresh = 1 - std::exp(-pause / std::chrono::duration<float>(memory).count());
  mean_ += (seconds - mean_) * std::max(1 / static_cast<float>(results_), fresh);
  at_ = result.now;
}

}  // namespace convoy::upstream::algorithms
