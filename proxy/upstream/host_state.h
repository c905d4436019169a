#pragma once

// The state of a host, for people: what the control plane, our own checks and the rules about
// failing hosts come to, in one word. Decides nothing: who gets requests is Membership's affair.
// Pure functions; main's thread, since what they are asked about is main's.
//
//   Unknown    no check has come to a verdict yet: requests only while nobody else can take them
//   Healthy    it gets requests (a degraded one: if there are not enough others)
//   Unhealthy  no new requests, or few; `by` says why. What runs is finished
//   Draining   the control plane says that it is to leave: no new requests; what runs is finished
//   Removed    its cluster has it no more, or is gone; it is there as long as something runs

#include <cstdint>
#include <string_view>

#include "proxy/upstream/health_monitor.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/outlier/detector.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

enum class HostState : uint8_t { Unknown, Healthy, Unhealthy, Draining, Removed };

// Who is against a host that is Unhealthy; if several are, the first of these.
enum class OutBy : uint8_t {
  Nobody,
  ControlPlane,
  HealthCheck,
  Ejection,
  BreakerOpen,
  BreakerHalfOpen,  // it gets one request at a time
  Recovery,         // it is well, and waits for its turn after an outage
};

struct HostStanding {
  HostState state = HostState::Healthy;
  OutBy by = OutBy::Nobody;
};

// Of a host that its cluster has. Panic changes nothing: such a host gets requests although it is
// what it is.
HostStanding standingOf(HealthStatus told, const CheckedHost& checked,
                        const EjectionView& ejection);

// Of those that were removed: something is left to do there.
bool isAtWork(const Host& host);

std::string_view nameOf(HostState state);

}  // namespace convoy::upstream
