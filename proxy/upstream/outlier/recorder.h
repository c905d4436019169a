#pragma once

// How requests went, as one worker writes it down for the outlier detection: in counters of its own
// for each host, which main reads, and in the host's streaks, which all workers share. No lock, no
// clock, and where all is well no write that another worker sees. Worker's thread only.

#include <cstdint>
#include <functional>
#include <memory>

#include "proxy/event/clock.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/outlier/spec.h"
#include "proxy/upstream/outlier/streaks.h"

namespace convoy::upstream {

struct Outcome {
  enum class Kind : uint8_t {
    Connected,  // the request has a connection
    Answered,   // with `status`, after `took`
    Failed,     // no connection, or it broke before the response
    TimedOut,   // no response in time
  };
  Kind kind = Kind::Answered;
  uint16_t status = 0;
  event::Duration took{};

  static Outcome connected() { return {Kind::Connected}; }
  static Outcome answered(uint16_t status, event::Duration took) {
    return {Kind::Answered, status, took};
  }
  static Outcome failed() { return {Kind::Failed}; }
  static Outcome timedOut() { return {Kind::TimedOut}; }
};

// Any worker: this streak of this host has reached its threshold.
using TellStreak = std::function<void(const std::shared_ptr<const Host>& host, Streak streak)>;

class Recorder {
 public:
  // tell outlives this object.
  explicit Recorder(const TellStreak& tell) : tell_(tell) {}

  // Null: nothing is recorded.
  void configure(const OutlierSpec* spec) { spec_ = spec; }
  bool records() const { return spec_ != nullptr; }
  // REQUIRES: records(). mine: this worker's metrics of the host.
  void note(const Host& host, HostMetrics& mine, const Outcome& outcome);

 private:
  void noteStatus(const Host& host, HostMetrics& mine, uint16_t status);
  void extend(const Host& host, Streak streak, uint32_t threshold);

  const TellStreak& tell_;
  const OutlierSpec* spec_ = nullptr;
};

}  // namespace convoy::upstream
