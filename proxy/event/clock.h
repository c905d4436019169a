#pragma once

// Where time comes from. Only proxy/event reads the system's clocks; everybody else is handed a
// Clock, so that tests run on simulated time (test/common/simulated_clock.h).

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace convoy::event {

using Duration = std::chrono::nanoseconds;
// Time since an arbitrary point; never goes back.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// The nearest that a WallTime can hold: its nanoseconds end in 2262, while certificates may say
// 9999, or 0001. Nothing that we have was before 1970.
inline WallTime wallTimeOf(std::chrono::sys_seconds time) {
  constexpr std::chrono::sys_seconds kFirst{};
  constexpr std::chrono::sys_seconds kLast = std::chrono::sys_days{std::chrono::year(2262) / 1 / 1};
  return std::clamp(time, kFirst, kLast);
}

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime monotonicNow() const = 0;
  virtual WallTime wallNow() const = 0;
  // True when time moves by itself, so that a loop may arm a real timer for its next deadline. A
  // simulated clock answers false and wakes the loops itself when it is advanced.
  virtual bool flowsByItself() const = 0;
};

class SystemClock final : public Clock {
 public:
  MonotonicTime monotonicNow() const override;
  WallTime wallNow() const override;
  bool flowsByItself() const override { return true; }
};

// The time source of the process's own log (base::setLogTimeSource): microseconds since 1970.
uint64_t wallMicroseconds();

}  // namespace convoy::event
