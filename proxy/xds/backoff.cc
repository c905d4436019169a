#include "proxy/xds/backoff.h"

namespace convoy::xds {

event::Duration Backoff::next(event::Random& random) {
  const event::Duration bound = this->bound();
  bound_ = std::min(bound_ * 2, cap_);
  return event::Duration(random.below(static_cast<uint64_t>(bound.count())));
}

}  // namespace convoy::xds
