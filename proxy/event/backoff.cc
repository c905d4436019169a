#include "proxy/event/backoff.h"

namespace convoy::event {

Duration Backoff::next(Random& random) {
  const Duration bound = this->bound();
  bound_ = std::min(bound_ * 2, cap_);
  return Duration(random.below(static_cast<uint64_t>(bound.count())));
}

}  // namespace convoy::event
