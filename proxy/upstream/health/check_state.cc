#include "proxy/upstream/health/check_state.h"

#include <algorithm>
#include <utility>

namespace convoy::upstream {

namespace {

uint64_t below(event::Random& random, int64_t bound) {
  return bound <= 0 ? 0 : random.below(static_cast<uint64_t>(bound));
}

}  // namespace

bool CheckState::become(ActiveHealth health) {
  passes_ = failures_ = 0;
  edge_ = std::exchange(health_, health) != health;
  return edge_;
}

bool CheckState::onResult(ProbeResult::Kind kind, const HealthCheckSpec& spec) {
  edge_ = false;
  switch (kind) {
    case ProbeResult::Kind::Skipped:
      return false;
    case ProbeResult::Kind::Pass:
    case ProbeResult::Kind::Degraded: {
      failures_ = 0;
      const bool well = health_ != ActiveHealth::Unhealthy;
      if (!well && ++passes_ < spec.healthy_threshold) return false;
      return become(kind == ProbeResult::Kind::Pass ? ActiveHealth::Healthy
                                                    : ActiveHealth::Degraded);
    }
    case ProbeResult::Kind::Fail:
    case ProbeResult::Kind::Network:
    case ProbeResult::Kind::FailAtOnce:
      break;
  }
  passes_ = 0;
  if (health_ == ActiveHealth::Unhealthy) return false;
  const bool at_once = kind == ProbeResult::Kind::FailAtOnce;
  if (!at_once && ++failures_ < spec.unhealthy_threshold) return false;
  return become(ActiveHealth::Unhealthy);
}

void CheckState::onCheckChanged() {
  passes_ = failures_ = 0;
}

event::Duration CheckState::untilNext(const HealthCheckSpec& spec, bool traffic,
                                      event::Random& random) const {
  const bool well = health_ == ActiveHealth::Healthy || health_ == ActiveHealth::Degraded;
  const bool out = health_ == ActiveHealth::Unhealthy;
  HealthCheckSpec::Milliseconds interval = spec.interval;
  if (!traffic) {
    interval = well ? spec.no_traffic_healthy_interval : spec.no_traffic_interval;
  } else if (out) {
    interval = edge_ ? spec.unhealthy_edge_interval : spec.unhealthy_interval;
  } else if (edge_) {
    interval = spec.healthy_edge_interval;
  }
  const event::Duration base = interval;
  const event::Duration jitter = spec.interval_jitter;
  const event::Duration share = base / 100 * spec.interval_jitter_percent;
  return base + event::Duration(below(random, jitter.count())) +
         event::Duration(below(random, share.count()));
}

}  // namespace convoy::upstream
