#pragma once

// Which requests are lost with their host, and not one by one: when a host dies or is stopped, all
// that it has not answered is lost in one moment, once, however much that is, and sending it again
// need not be charged to the retry budget. A host that goes on to break connections must not pass
// for one that dies all the time: there are at most two such moments in kApart (two, since one
// request that is lost for itself must not stand in the way of a death a little later). So of a
// steady loss a fifth goes free; a host that holds everything back, and dies each time, is one that
// dies.
//
// One per host, written by all workers, without a lock: two that begin a moment at once begin the
// same one. Time is handed in.

#include <atomic>
#include <chrono>

#include "proxy/event/clock.h"

namespace convoy::upstream {

class HostLoss {
 public:
  static constexpr event::Duration kLasts = std::chrono::seconds(1);
  static constexpr event::Duration kApart = std::chrono::seconds(10);

  // A request is lost, unanswered. True: with its host.
  bool note(event::MonotonicTime at) {
    const event::Duration now = at.time_since_epoch();
    event::Duration latest = latest_.load(std::memory_order_relaxed);
    if (now - latest <= kLasts) return true;
    if (now - before_.load(std::memory_order_acquire) < kApart) {
      // Another worker may have begun one since the first look.
      return now - latest_.load(std::memory_order_relaxed) <= kLasts;
    }
    if (latest_.compare_exchange_strong(latest, now, std::memory_order_relaxed)) {
      before_.store(latest, std::memory_order_release);
    }
    return true;
  }

 private:
  static constexpr event::Duration kNever = -std::chrono::hours(1);

  // When the last two moments began.
  std::atomic<event::Duration> latest_{kNever};
  std::atomic<event::Duration> before_{kNever};
};

}  // namespace convoy::upstream
