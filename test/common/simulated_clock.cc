#include "test/common/simulated_clock.h"

#include <algorithm>
#include <latch>

namespace convoy::test {

namespace {

// Any point will do; not zero, so that an unset time is noticed.
constexpr std::chrono::hours kMonotonicStart{1000};
constexpr std::chrono::seconds kWallStart{1'700'000'000};  // 2023-11-14T22:13:20Z

}  // namespace

event::MonotonicTime SimulatedClock::monotonicNow() const {
  return event::MonotonicTime(kMonotonicStart + event::Duration(elapsed_.load()));
}

event::WallTime SimulatedClock::wallNow() const {
  return event::WallTime(kWallStart + event::Duration(elapsed_.load()));
}

void SimulatedClock::advance(event::Duration duration) {
  elapsed_ += duration.count();
  const auto elsewhere = std::count_if(
      loops_.begin(), loops_.end(), [](const event::Loop* loop) { return !loop->isOwnThread(); });
  std::latch done(elsewhere);
  for (event::Loop* const loop : loops_) {
    if (loop->isOwnThread()) continue;
    loop->post([loop, &done] {
      loop->runDeadlines();
      done.count_down();
    });
  }
  for (event::Loop* const loop : loops_) {
    if (loop->isOwnThread()) loop->runDeadlines();
  }
  done.wait();
}

void SimulatedClock::advanceInSteps(event::Duration duration, event::Duration step) {
  while (duration > event::Duration::zero()) {
    const event::Duration next = std::min(duration, step);
    advance(next);
    duration -= next;
  }
}

}  // namespace convoy::test
