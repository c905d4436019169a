#include "proxy/upstream/algorithms/peak_ewma.h"

#include <chrono>
#include <cmath>

#include "proxy/upstream/algorithms/least_response_time.h"

namespace convoy::upstream::algorithms {

void PeakTime::note(const RequestResult& result, float median, event::Duration memory) {
  const float seconds = resultSeconds(result, peak_ > 0 ? peak_ : median);
  if (seconds >= peak_) {
    peak_ = seconds;
  } else {
    const float pause = std::chrono::duration<float>(result.now - at_).count();
    const float fresh = 1 - std::exp(-pause / std::chrono::duration<float>(memory).count());
    peak_ += (seconds - peak_) * fresh;
  }
  at_ = result.now;
}

}  // namespace convoy::upstream::algorithms
