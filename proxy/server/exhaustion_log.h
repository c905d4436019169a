#pragma once

// Tells people that accepting pauses because descriptors or memory ran out. It happens ten times a
// second on every worker while it lasts, so it is said once in kQuiet for the whole process; the
// metric downstream_accept_paused counts the rest. Thread-safe.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/event/clock.h"
#include "proxy/net/address.h"

namespace convoy::server {

class ExhaustionLog {
 public:
  static constexpr event::Duration kQuiet = std::chrono::minutes(1);

  // error: errno of accept(). True if the line was written.
  bool report(const net::Address& address, int error, event::MonotonicTime now);

  static std::string text(const net::Address& address, int error);

 private:
  std::atomic<event::MonotonicTime> quiet_until_{event::MonotonicTime::min()};
};

}  // namespace convoy::server
