#pragma once

// Which requests are lost with their host, and not one by one: when a host dies or is stopped, all
// that it has not answered is lost in one moment, once, however much that is. Sending this again
// cannot multiply the load, so it need not be charged to the retry budget. A host that goes on to
// break connections must not pass for one that dies all the time: a moment in which more than kFew
// are lost is the only one within kApart. One per host and worker. Pure: time is handed in.

#include <chrono>
#include <cstdint>

#include "proxy/event/clock.h"

namespace convoy::upstream {

class HostLoss {
 public:
  // A connection that was about to be used may break a little later than the first one.
  static constexpr event::Duration kLasts = std::chrono::seconds(1);
  static constexpr uint64_t kFew = 3;
  static constexpr event::Duration kApart = std::chrono::seconds(10);

  // A request that was sent at `sent` is lost, unanswered. True: with its host.
  bool note(event::MonotonicTime sent, event::MonotonicTime now) {
    const bool of_the_moment = lost_ > 0 && sent - began_ <= kLasts;
    if (of_the_moment) {
      ++lost_;
      return true;
    }
    if (lost_ > kFew && now - began_ < kApart) return false;
    began_ = now;
    lost_ = 1;
    return true;
  }

 private:
  event::MonotonicTime began_{};  // when the first one was lost
  uint64_t lost_ = 0;             // in the latest moment
};

}  // namespace convoy::upstream
