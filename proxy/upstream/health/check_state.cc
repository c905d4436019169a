#include "proxy/upstream/health/check_state.h"

#include <algorithm>
#include <utility>

namespace convoy::upstream {

namespace {

// More make no difference: even at the shortest interval kLongest comes first.
constexpr uint32_t kMostRelapses = 16;

uint64_t below(event::Random& random, int64_t bound) {
  return bound <= 0 ? 0 : random.below(static_cast<uint64_t>(bound));
}

}  // namespace

bool CheckState::become(ActiveHealth health) {
  edge_ = std::exchange(health_, health) != health;
  return edge_;
}

bool CheckState::onResult(ProbeResult::Kind kind, const HealthCheckSpec& spec,
                          event::MonotonicTime now) {
  edge_ = false;
  switch (kind) {
    case ProbeResult::Kind::Skipped:
      return false;
    case ProbeResult::Kind::Pass:
      return onPass(ActiveHealth::Healthy, spec, now);
    case ProbeResult::Kind::Degraded:
      return onPass(ActiveHealth::Degraded, spec, now);
    case ProbeResult::Kind::Fail:
    case ProbeResult::Kind::Network:
    case ProbeResult::Kind::FailAtOnce:
      break;
  }
  return onFailure(kind == ProbeResult::Kind::FailAtOnce, spec, now);
}

bool CheckState::onPass(ActiveHealth well, const HealthCheckSpec& spec, event::MonotonicTime now) {
  failures_ = 0;
  ++passes_;
  if (!isOut()) return become(well);
  if (passes_ < spec.healthy_threshold) return false;
  if (passes_ >= passesNeeded(spec) || now - failed_at_ >= kLongest) {
    back_at_ = now;
    return become(well);
  }
  const bool changed = become(ActiveHealth::Relapsed);
  edge_ = false;
  return changed;
}

bool CheckState::onFailure(bool at_once, const HealthCheckSpec& spec, event::MonotonicTime now) {
  passes_ = 0;
  failed_at_ = now;
  if (health_ == ActiveHealth::Unhealthy) return false;
  if (!at_once && ++failures_ < spec.unhealthy_threshold) return false;
  failures_ = 0;
  if (!isOut()) {
    const bool soon = back_at_.has_value() && now - *back_at_ < kForget;
    relapses_ = soon ? std::min(relapses_ + 1, kMostRelapses) : 0;
  }
  return become(ActiveHealth::Unhealthy);
}

void CheckState::onCheckChanged() {
  passes_ = failures_ = relapses_ = 0;
  back_at_.reset();
}

event::Duration CheckState::untilNext(const HealthCheckSpec& spec, bool traffic,
                                      event::Random& random) const {
  const bool well = health_ == ActiveHealth::Healthy || health_ == ActiveHealth::Degraded;
  HealthCheckSpec::Milliseconds interval = spec.interval;
  if (!traffic) {
    interval = well ? spec.no_traffic_healthy_interval : spec.no_traffic_interval;
  } else if (isOut()) {
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
