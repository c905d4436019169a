#include "proxy/upstream/algorithms/adaptive_score.h"

#include <algorithm>
#include <chrono>

namespace convoy::upstream::algorithms {

void ResultWindow::note(const RequestResult& result, float /*median*/, event::Duration memory) {
  if (samples_ == nullptr) samples_ = std::make_unique<Samples>();
  Samples& all = *samples_;
  const float took = std::chrono::duration<float, std::milli>(result.took).count();
  all.ring[all.next] = {result.now, result.abandoned ? std::max(took, p99_ms_) : took,
                        result.failed};
  all.next = (all.next + 1) % kResults;
  all.count = std::min(all.count + 1, kResults);
  while (result.now - all.back(all.count - 1).at > memory) --all.count;
  at_ = result.now;
  summarize();
}

void ResultWindow::summarize() {
  const size_t count = samples_->count;
  std::array<float, kResults> sorted{};
  size_t failed = 0;
  for (size_t i = 0; i < count; ++i) {
    sorted[i] = samples_->back(i).milliseconds;
    failed += samples_->back(i).failed ? 1 : 0;
  }
  const size_t rank = (99 * count + 99) / 100;
  const auto at = sorted.begin() + static_cast<ptrdiff_t>(rank - 1);
  std::nth_element(sorted.begin(), at, sorted.begin() + static_cast<ptrdiff_t>(count));
  p99_ms_ = *at;
  failed_percent_ = 100 * static_cast<float>(failed) / static_cast<float>(count);
}

}  // namespace convoy::upstream::algorithms
