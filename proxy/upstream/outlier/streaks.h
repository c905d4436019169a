#pragma once

// Failures of one host in a row, over all workers, so that "five in a row" means what it says
// whatever the number of workers; and what main allows: a request that probes the host, or only so
// many requests. On a cache line of its own that is written by failures, and by the first success
// after one: where all is well, workers only read it.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace convoy::upstream {

enum class Streak : uint8_t {
  ServerErrors,     // 5xx
  GatewayFailures,  // 502, 503, 504
  LocalFailures,    // no response, where these count by themselves
  Failures,         // 5xx or no response, for the circuit breaker
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
  // Main, when it does nothing about a row that it was told of: if a success comes while the row is
  // told, the row may be left with no length and as told, and so may one that nobody watched.
  void tellAgain(Streak streak) {
    rows_[static_cast<size_t>(streak)].told.store(false, std::memory_order_relaxed);
  }
  // Main: it begins from nothing, whatever it is.
  void forget(Streak streak) {
    rows_[static_cast<size_t>(streak)].length.store(0, std::memory_order_relaxed);
    tellAgain(streak);
  }
  // Of a half-open circuit breaker (main): one request at a time may go to the host, until one has
  // an outcome.
  void allowProbes() { probe_.store(Probe::Free, std::memory_order_relaxed); }
  void stopProbes() { probe_.store(Probe::None, std::memory_order_relaxed); }
  // Any worker. True: this request is the probe; giveBackProbe() when it is over, whatever came.
  bool takeProbe() { return changeProbe(Probe::Free, Probe::Taken); }
  void giveBackProbe() { changeProbe(Probe::Taken, Probe::Free); }
  // True for whoever is to tell main of the outcome: there are no more probes then.
  bool endProbe() { return changeProbe(Probe::Taken, Probe::None); }

  // Comes back after an outage: its requests count against a limit (main sets it).
  void setMetered(bool metered) { metered_.store(metered, std::memory_order_relaxed); }
  bool metered() const { return metered_.load(std::memory_order_relaxed); }

  uint32_t length(Streak streak) const {
    return rows_[static_cast<size_t>(streak)].length.load(std::memory_order_relaxed);
  }

 private:
  enum class Probe : uint8_t { None, Free, Taken };
  bool changeProbe(Probe from, Probe to) {
    return probe_.load(std::memory_order_relaxed) == from &&
           probe_.compare_exchange_strong(from, to, std::memory_order_relaxed);
  }

  struct Row {
    std::atomic<uint32_t> length{0};
    std::atomic<bool> told{false};
  };
  std::array<Row, static_cast<size_t>(Streak::kCount)> rows_;
  std::atomic<Probe> probe_{Probe::None};
  std::atomic<bool> metered_{false};
};

}  // namespace convoy::upstream
