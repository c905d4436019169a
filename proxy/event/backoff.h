#pragma once

// Waiting times between attempts: full jitter, a random time in [0, min(cap, base * 2^failures)).
// The mean doubles as failures go on, and nodes that lost the same server at the same moment come
// back spread out. A value; randomness is the caller's.

#include <algorithm>

#include "proxy/event/clock.h"
#include "proxy/event/random.h"

namespace convoy::event {

class Backoff {
 public:
  Backoff(Duration base, Duration cap) : base_(base), cap_(cap), bound_(base) {}

  // The wait after one more failure.
  Duration next(Random& random);
  // What the next wait will be below.
  Duration bound() const { return std::min(bound_, cap_); }
  // An attempt succeeded: the series starts afresh.
  void reset() { bound_ = base_; }

 private:
  Duration base_;
  Duration cap_;
  Duration bound_;
};

}  // namespace convoy::event
