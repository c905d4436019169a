#include "proxy/http/h2_flood.h"

#include <algorithm>

namespace convoy::http {

bool H2Flood::refill() {
  const event::MonotonicTime now = clock_.monotonicNow();
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - filled_at_);
  // An hour fills any purse, and keeps the product small.
  const int64_t milliseconds = std::min<int64_t>(passed.count(), 3'600'000);
  const int64_t credit = milliseconds * refill_per_second_ / 1000;
  if (credit > 0) filled_at_ = now;
  earn(credit);
  return left_ >= 0;
}

}  // namespace convoy::http
