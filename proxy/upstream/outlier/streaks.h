#pragma once

// Failures of one host in a row, over all workers, so that "five in a row" means what it says
// whatever the number of workers. On a cache line of its own that is written by failures, and by
// the first success after one: where all is well, workers only read it.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace convoy::upstream {

enum class Streak : uint8_t {
  ServerErrors,     // 5xx
  GatewayFailures,  // 502, 503, 504
  LocalFailures,    // no response, where these count by themselves
  kCount,
};

class alignas(64) Streaks {
 public:
  // True for whoever is to tell main that the streak is this long: once, until it is broken.
  bool extend(Streak streak, uint32_t threshold) {
    Row& row = rows_[static_cast<size_t>(streak)];
    if (row.length.fetch_add(1, std::memory_order_relaxed) + 1 < threshold) return false;
    return !row.told.load(std::memory_order_relaxed) &&
           !row.told.exchange(true, std::memory_order_relaxed);
  }
  void end(Streak streak) {
    Row& row = rows_[static_cast<size_t>(streak)];
    if (row.length.load(std::memory_order_relaxed) == 0) return;
    row.length.store(0, std::memory_order_relaxed);
    row.told.store(false, std::memory_order_relaxed);
  }
  void endAll() {
    for (size_t i = 0; i < rows_.size(); ++i) end(static_cast<Streak>(i));
  }
  uint32_t length(Streak streak) const {
    return rows_[static_cast<size_t>(streak)].length.load(std::memory_order_relaxed);
  }

 private:
  struct Row {
    std::atomic<uint32_t> length{0};
    std::atomic<bool> told{false};
  };
  std::array<Row, static_cast<size_t>(Streak::kCount)> rows_;
};

}  // namespace convoy::upstream
