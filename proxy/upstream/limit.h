#pragma once

// A limit on how many there are of something at a time on the whole node: one atomic count that the
// workers share. A permit is never given beyond the limit, and never refused while one is free. The
// limit itself is the caller's, since it changes with the configuration while the count goes on.

#include <atomic>
#include <cstdint>

namespace convoy::upstream {

class Limit {
 public:
  bool tryAcquire(uint32_t most) {
    uint32_t used = used_.load(std::memory_order_relaxed);
    while (used < most) {
      if (used_.compare_exchange_weak(used, used + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  // Beyond the limit; says so.
  void acquireAnyway() { used_.fetch_add(1, std::memory_order_relaxed); }
  void release() { used_.fetch_sub(1, std::memory_order_relaxed); }
  uint32_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> used_{0};
};

}  // namespace convoy::upstream
