#pragma once

// A limit on how many there are of something at a time on the whole node: one atomic count that the
// workers share. A permit is never given beyond the limit, and never refused while one is free. The
// limit itself is the caller's, since it changes with the configuration while the count goes on.
// Sequentially consistent, for those who wait for a permit (permit_queues.h).

#include <atomic>
#include <cstdint>

namespace convoy::upstream {

class Limit {
 public:
  bool tryAcquire(uint32_t most) {
    uint32_t used = used_.load();
    while (used < most) {
      if (used_.compare_exchange_weak(used, used + 1)) return true;
    }
    return false;
  }
  // One more whatever the limit is.
  void add() { used_.fetch_add(1); }
  void release() { used_.fetch_sub(1); }
  uint32_t used() const { return used_.load(); }

 private:
  std::atomic<uint32_t> used_{0};
};

}  // namespace convoy::upstream
