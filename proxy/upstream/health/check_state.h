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

#include <cstdint>
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
  ActiveHealth health() const { return health_; }
  // True: health() is another than before.
  bool onResult(ProbeResult::Kind kind, const HealthCheckSpec& spec);
  void onCheckChanged();
  // From the beginning of the last check to the next. traffic: the cluster has ever been used.
  event::Duration untilNext(const HealthCheckSpec& spec, bool traffic, event::Random& random) const;

 private:
  bool become(ActiveHealth health);

  ActiveHealth health_ = ActiveHealth::Unknown;
  bool edge_ = false;  // the last result changed it
  uint32_t passes_ = 0;
  uint32_t failures_ = 0;
};

}  // namespace convoy::upstream
