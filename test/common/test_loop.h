#pragma once

// Loops for tests. TestLoop is driven by the test's own thread; LoopThread runs a loop on a thread
// of its own, as a worker does. Every wait is bounded by kPatience of real time, so that a broken
// test fails instead of hanging.

#include <uv.h>

#include <functional>
#include <string>
#include <thread>

#include "proxy/event/clock.h"
#include "proxy/event/loop.h"
#include "proxy/event/random.h"

namespace convoy::test {

inline constexpr std::chrono::seconds kPatience{20};

class TestLoop {
 public:
  explicit TestLoop(const event::Clock& clock, uint64_t seed = 1);
  ~TestLoop();

  event::Loop& loop() { return loop_; }
  // Runs the loop until the condition holds, tested after each iteration. False: it never did.
  [[nodiscard]] bool runUntil(const std::function<bool()>& condition);
  // Runs what is ready now, and what that makes ready, without waiting.
  void runReady();

 private:
  uv_timer_t watchdog_;
  bool out_of_patience_ = false;
  event::Loop loop_;
};

class LoopThread {
 public:
  explicit LoopThread(const event::Clock& clock, std::string name = "worker");
  // Stops the loop; before that, everything that lives on it must have been destroyed on it.
  ~LoopThread();

  event::Loop& loop() { return loop_; }
  // Runs the task on the loop's thread and waits until it returned.
  void run(const std::function<void()>& task);
  // Ends the thread; the loop stays, and belongs to the caller then.
  void stop();

 private:
  event::Loop loop_;
  std::thread thread_;
};

}  // namespace convoy::test
