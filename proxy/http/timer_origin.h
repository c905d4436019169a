#pragma once

// Of a time that ran out: where it was set, for the reply and the log. Looked up when it has
// happened; a request pays nothing before.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/base/timer_origins.h"
#include "proxy/http/failure.h"

namespace convoy::http {

// Who has said how long a stream may last.
enum class DurationSource : uint8_t { Manager, Route, Client };

// As base::TimerOrigins::text(). Empty: the failure is of no time that the connection manager or
// the route set. `route`: of the request's route; null: it has none.
std::string_view timerOrigin(Failure failure, const base::TimerOrigins& manager,
                             const base::TimerOrigins* route, DurationSource duration,
                             base::Arena& arena);

// "idle_timeout{envoy.yaml:31}": of a time of a connection.
std::string connectionTimer(base::Timer timer, const base::TimerOrigins& manager);

// "upstream_response_timeout{envoy.yaml:31}", as Envoy's details with a cause.
std::string_view detailsOfTimer(Failure failure, std::string_view origin, base::Arena& arena);

}  // namespace convoy::http
