#include "proxy/upstream/host_state.h"

namespace convoy::upstream {

namespace {

OutBy outBy(HealthStatus told, const CheckedHost& checked, const EjectionView& ejection) {
  if (told == HealthStatus::Unhealthy || told == HealthStatus::Timeout) return OutBy::ControlPlane;
  // Held: many hosts fail so, and this one answers requests all the same.
  const bool fails = checked.health == ActiveHealth::Unhealthy && !ejection.held;
  if (fails || checked.health == ActiveHealth::Relapsed) return OutBy::HealthCheck;
  if (ejection.ejected) return OutBy::Ejection;
  if (ejection.breaker_open) return OutBy::BreakerOpen;
  if (ejection.breaker_half_open) return OutBy::BreakerHalfOpen;
  return ejection.waits ? OutBy::Recovery : OutBy::Nobody;
}

}  // namespace

HostStanding standingOf(HealthStatus told, const CheckedHost& checked,
                        const EjectionView& ejection) {
  if (told == HealthStatus::Draining) return {HostState::Draining};
  const OutBy by = outBy(told, checked, ejection);
  if (by != OutBy::Nobody) return {HostState::Unhealthy, by};
  return {checked.health == ActiveHealth::Unknown ? HostState::Unknown : HostState::Healthy};
}

bool isAtWork(const Host& host) {
  return host.sum(&HostMetrics::cx_active) > 0 || host.sum(&HostMetrics::rq_active) > 0;
}

std::string_view nameOf(HostState state) {
  switch (state) {
    case HostState::Unknown:
      return "unknown";
    case HostState::Healthy:
      return "healthy";
    case HostState::Unhealthy:
      return "unhealthy";
    case HostState::Draining:
      return "draining";
    case HostState::Removed:
      break;
  }
  return "removed";
}

}  // namespace convoy::upstream
