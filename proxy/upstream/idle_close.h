#pragma once

// How long a host keeps an idle connection, learned from what it says ("Keep-Alive: timeout=5") and
// from when it closes them, so that a connection is given up before the host does that in the very
// moment in which a request is sent on it. One per host and worker. Pure: time is handed in.
//
// One close tells nothing, since a host that restarts closes everything at once: it takes two of
// about the same idle time, kApart or more apart. What was learned is forgotten after kValidFor,
// so that a host whose time-out has become longer is not wronged for ever.

#include <algorithm>
#include <chrono>
#include <optional>

#include "proxy/event/clock.h"

namespace convoy::upstream {

class IdleClose {
 public:
  static constexpr event::Duration kShortest = std::chrono::milliseconds(100);  // that is learned
  static constexpr event::Duration kApart = std::chrono::seconds(1);
  static constexpr event::Duration kValidFor = std::chrono::minutes(10);

  // The host closed a connection that had been idle for this long. Whether something was learned.
  bool noteClosed(event::Duration idle, event::MonotonicTime now) {
    if (idle < kShortest) return false;
    const event::Duration near = std::max<event::Duration>(kShortest, idle / 8);
    const event::Duration off = idle > last_idle_ ? idle - last_idle_ : last_idle_ - idle;
    const bool again = last_idle_.count() > 0 && off <= near && now - last_at_ >= kApart;
    if (!again && last_idle_.count() > 0 && off <= near) return false;  // of the same moment
    const event::Duration limit = again ? std::min(idle, last_idle_) : event::Duration(0);
    last_idle_ = idle;
    last_at_ = now;
    return again && learn(limit, now);
  }
  // The host has said it.
  bool noteTold(event::Duration limit, event::MonotonicTime now) {
    return limit >= kShortest && learn(limit, now);
  }

  // After how long an idle connection is to be given up; unset: nothing is known, or no longer.
  std::optional<event::Duration> retireAfter(event::MonotonicTime now) const {
    if (limit_.count() == 0 || now - learned_at_ > kValidFor) return std::nullopt;
    return rounded(limit_ - std::max<event::Duration>(limit_ / 8, kShortest / 2));
  }

  // Down to one of four steps in each doubling: a loop keeps a queue for every duration.
  static event::Duration rounded(event::Duration duration) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    int shift = 0;
    for (; left >= 8; left >>= 1) ++shift;
    return std::chrono::milliseconds(left << shift);
  }

 private:
  bool learn(event::Duration limit, event::MonotonicTime now) {
    const auto before = retireAfter(now);
    limit_ = limit;
    learned_at_ = now;
    return retireAfter(now) != before;
  }

  event::Duration limit_{0};
  event::MonotonicTime learned_at_{};
  event::Duration last_idle_{0};
  event::MonotonicTime last_at_{};
};

}  // namespace convoy::upstream
