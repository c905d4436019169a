#pragma once

// How requests went, as one worker writes it down for the outlier detection: in counters of its own
// for each host, which main reads, and in the host's streaks, which all workers share. No lock, no
// clock, and where all is well no write that another worker sees. Worker's thread only.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>

#include "proxy/event/clock.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/outlier/streaks.h"
#include "proxy/upstream/spec.h"

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
// Any worker: the request that probed this host (Streaks::takeProbe) went so.
using TellProbe = std::function<void(const std::shared_ptr<const Host>& host, bool passed)>;

// What is to be recorded, and told.
struct RecordingSpec {
  static constexpr uint32_t kNever = std::numeric_limits<uint32_t>::max();

  static RecordingSpec of(const ClusterSpec& cluster);

  bool on = false;
  bool split_local_errors = false;
  bool timed = false;
  uint32_t consecutive_5xx = kNever;
  uint32_t consecutive_gateway_failure = kNever;
  uint32_t consecutive_local_origin_failure = kNever;
  uint32_t breaker_failures = kNever;
};

class Recorder {
 public:
  // Both outlive this object.
  Recorder(const TellStreak& tell, const TellProbe& tell_probe)
      : tell_(tell), tell_probe_(tell_probe) {}

  void configure(const RecordingSpec& spec) { spec_ = spec; }
  bool records() const { return spec_.on; }
  // REQUIRES: records(). mine: this worker's metrics of the host.
  // probe: the one that the request is (Streaks::takeProbe()).
  void note(const Host& host, HostMetrics& mine, const Outcome& outcome,
            uint32_t probe = Streaks::kNoProbe);

 private:
  void noteForBreaker(const Host& host, bool failed, uint32_t probe);
  void noteStatus(const Host& host, HostMetrics& mine, uint16_t status);
  void extend(const Host& host, Streak streak, uint32_t threshold);

  const TellStreak& tell_;
  const TellProbe& tell_probe_;
  RecordingSpec spec_;
};

}  // namespace convoy::upstream
