#pragma once

// What the results of one host's checks come to: verdict, counts, and the time to the next check.
// A pure class.
//
//   Unknown --a pass--> Healthy        Healthy --unhealthy_threshold failures in a row--> Unhealthy
//   Unknown --unhealthy_threshold failures--> Unhealthy --healthy_threshold passes--> Healthy
//
// A result of the other kind starts the count anew. Nothing but the first pass flips a host by
// itself; a failure that says so (FailAtOnce) counts as a full row of them, as Envoy has it for
// HTTP. When the check is another from now on, the verdict stays until the new check has reached
// one of its own.
//
// A gray failure must not oscillate: a host that breaks under its share of the load is well as soon
// as it has none, comes back, and breaks again, for ever, and each round costs requests. So a host
// that goes out within kForget of its return has relapsed: it needs twice as many passes in a row
// as the last time, kLongest without a failure at most. After healthy_threshold of them it is
// Relapsed: well enough if nobody else is. One that was well for kForget begins anew, so the first
// failure, and each that comes alone, is over as soon as it ever was.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "proxy/event/clock.h"
#include "proxy/event/random.h"
#include "proxy/upstream/health/spec.h"
#include "proxy/upstream/health_monitor.h"

namespace convoy::upstream {

struct ProbeResult {
  enum class Kind : uint8_t {
    Pass,
    Degraded,    // a pass, of a host that wants to be spared
    Fail,        // counts towards the threshold
    FailAtOnce,  // needs no other
    Network,     // as Fail: no connection, no answer, no time left
    Skipped,     // there was no result
  };
  Kind kind = Kind::Skipped;
  std::string reason = {};    // of a failure, for people
  bool told_by_host = false;  // x-envoy-immediate-health-check-fail
};

class CheckState {
 public:
  static constexpr event::Duration kForget = std::chrono::minutes(10);
  static constexpr event::Duration kLongest = std::chrono::minutes(5);

  ActiveHealth health() const { return health_; }
  // True: health() is another than before.
  bool onResult(ProbeResult::Kind kind, const HealthCheckSpec& spec, event::MonotonicTime now);
  void onCheckChanged();
  // In a row.
  uint32_t relapses() const { return relapses_; }
  // In a row, while the host is out.
  uint64_t passesNeeded(const HealthCheckSpec& spec) const {
    return uint64_t{spec.healthy_threshold} << relapses_;
  }
  // From the beginning of the last check to the next. traffic: the cluster has ever been used.
  event::Duration untilNext(const HealthCheckSpec& spec, bool traffic, event::Random& random) const;

 private:
  bool onPass(ActiveHealth well, const HealthCheckSpec& spec, event::MonotonicTime now);
  bool onFailure(bool at_once, const HealthCheckSpec& spec, event::MonotonicTime now);
  bool isOut() const {
    return health_ == ActiveHealth::Unhealthy || health_ == ActiveHealth::Relapsed;
  }
  bool become(ActiveHealth health);

  ActiveHealth health_ = ActiveHealth::Unknown;
  bool edge_ = false;  // the last result took the host out, or brought it back
  // In a row.
  uint32_t passes_ = 0;
  uint32_t failures_ = 0;
  uint32_t relapses_ = 0;
  event::MonotonicTime failed_at_{};             // the last time
  std::optional<event::MonotonicTime> back_at_;  // likewise
};

}  // namespace convoy::upstream
