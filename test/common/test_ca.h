#pragma once

// Certificates made by the openssl command when a test first asks (test_ca.sh says which), and a
// clock on real time, moved, because certificates hold from the time they are made. The clock is
// thread-safe.

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "proxy/event/clock.h"

namespace convoy::test {

// The bytes of one file, such as "ecdsa.pem".
std::string caFile(std::string_view name);
// Its path.
std::string caPath(std::string_view name);

class ShiftedClock final : public event::Clock {
 public:
  event::MonotonicTime monotonicNow() const override { return system_.monotonicNow(); }
  event::WallTime wallNow() const override { return system_.wallNow() + shift.load(); }
  bool flowsByItself() const override { return true; }

  std::atomic<event::Duration> shift{event::Duration::zero()};

 private:
  event::SystemClock system_;
};

}  // namespace convoy::test
