#pragma once

// Time that stands still until a test advances it. Loops that are attached run their deadlines
// inside advance(), on their own threads; advance() returns when they have. Thread-safe, but for
// attach() and detach(), which belong to the test's thread, like advance().

#include <atomic>
#include <vector>

#include "proxy/event/clock.h"
#include "proxy/event/loop.h"

namespace convoy::test {

class SimulatedClock final : public event::Clock {
 public:
  event::MonotonicTime monotonicNow() const override;
  event::WallTime wallNow() const override;
  bool flowsByItself() const override { return false; }

  // A loop that runs on another thread must be running whenever advance() is called.
  void attach(event::Loop& loop) { loops_.push_back(&loop); }
  void detach(event::Loop& loop) { std::erase(loops_, &loop); }

  // One jump: whatever expires on the way runs at the new time, the earliest first.
  void advance(event::Duration duration);
  // Several jumps, for what re-arms itself: a deadline fires at most `step` late.
  void advanceInSteps(event::Duration duration, event::Duration step);

 private:
  std::atomic<int64_t> elapsed_{0};  // nanoseconds since the clock was made
  std::vector<event::Loop*> loops_;
};

}  // namespace convoy::test
