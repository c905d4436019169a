#pragma once

// Notes where the times of a message are set, as base/timer_origins.h keeps it.

#include "api/convoy/ext/route_policy.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/base/timer_origins.h"
#include "proxy/config/context.h"

namespace convoy::config {

// Those of the message at hand, of which no time is noted yet.
base::TimerOrigins originsAt(const Context& context, const base::FieldReport& report);

// A field of that message sets the time. The report's scope is the message's.
void noteOrigin(base::Timer timer, const Context& context, const base::FieldReport& report,
                base::TimerOrigins* origins);

// The same for a message that a control plane has compiled of what a person wrote.
void noteSource(base::Timer timer, const ext::RoutePolicy::Origin& source,
                base::TimerOrigins* origins);

}  // namespace convoy::config
