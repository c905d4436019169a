#pragma once

// How many connections may be open at the same time, over all workers: of one listener, or of the
// process. Exact: workers that take the last place at the same moment get it once. Thread-safe; one
// atomic per connection, none without a limit.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

namespace convoy::server {

class ConnectionLimit {
 public:
  // Unset: no limit, and nothing is counted.
  explicit ConnectionLimit(std::optional<uint64_t> most) : most_(most) {}

  // False: it is reached. Otherwise giveBack() follows when the connection has ended.
  bool tryTake() {
    if (!most_.has_value()) return true;
    if (open_.fetch_add(1, std::memory_order_relaxed) < *most_) return true;
    giveBack();
    return false;
  }
  // For a limit that is kept by whoever asks full() before: takes a place, there or not.
  void take() {
    if (most_.has_value()) open_.fetch_add(1, std::memory_order_relaxed);
  }
  bool full() const {
    return most_.has_value() && open_.load(std::memory_order_relaxed) >= places();
  }
  void giveBack() {
    if (most_.has_value()) open_.fetch_sub(1, std::memory_order_relaxed);
  }

  // So many places are no connection's until putBack(): full() heeds it. One is left, however many
  // are set aside, or nobody would ever be let in.
  void setAside(uint64_t places) { aside_.fetch_add(places, std::memory_order_relaxed); }
  void putBack(uint64_t places) { aside_.fetch_sub(places, std::memory_order_relaxed); }

 private:
  uint64_t places() const {
    const uint64_t aside = aside_.load(std::memory_order_relaxed);
    return *most_ == 0 ? 0 : *most_ - std::min(aside, *most_ - 1);
  }

  const std::optional<uint64_t> most_;
  std::atomic<uint64_t> open_{0};
  std::atomic<uint64_t> aside_{0};
};

}  // namespace convoy::server
