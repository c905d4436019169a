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
  void allowProbes() {
    const uint32_t before = probe_.load(std::memory_order_relaxed);
    probe_.store((before & ~kState) + kNext + kFree, std::memory_order_relaxed);
  }
  void stopProbes() { probe_.fetch_and(~kState, std::memory_order_relaxed); }
  // Any worker. Not kNoProbe: this request is the probe; giveBackProbe() with it when that is over,
  // whatever came. A probe may have had its outcome long before, and others probe meanwhile.
  static constexpr uint32_t kNoProbe = 0;
  [[nodiscard]] uint32_t takeProbe() {
    uint32_t probe = probe_.load(std::memory_order_relaxed);
    if ((probe & kState) != kFree) return kNoProbe;
    const uint32_t taken = probe - kFree + kTaken;
    return probe_.compare_exchange_strong(probe, taken, std::memory_order_relaxed) ? taken
                                                                                   : kNoProbe;
  }
  void giveBackProbe(uint32_t taken) {
    probe_.compare_exchange_strong(taken, taken - kTaken + kFree, std::memory_order_relaxed);
  }
  // It has an outcome. True: main is to be told, and there are no more probes; false: it was no
  // probe, or not the last one.
  bool endProbe(uint32_t taken) {
    return taken != kNoProbe &&
           probe_.compare_exchange_strong(taken, taken - kTaken, std::memory_order_relaxed);
  }

  // Comes back after an outage: its requests count against a limit (main sets it).
  void setMetered(bool metered) { metered_.store(metered, std::memory_order_relaxed); }
  bool metered() const { return metered_.load(std::memory_order_relaxed); }

  uint32_t length(Streak streak) const {
    return rows_[static_cast<size_t>(streak)].length.load(std::memory_order_relaxed);
  }

 private:
  // Of probe_: what it is now (0: there is none), and in the other bits how often there was one.
  static constexpr uint32_t kState = 3;
  static constexpr uint32_t kFree = 1;
  static constexpr uint32_t kTaken = 2;
  static constexpr uint32_t kNext = 4;

  struct Row {
    std::atomic<uint32_t> length{0};
    std::atomic<bool> told{false};
  };
  std::array<Row, static_cast<size_t>(Streak::kCount)> rows_;
  std::atomic<uint32_t> probe_{0};
  std::atomic<bool> metered_{false};
};

}  // namespace convoy::upstream
