#pragma once

// The seam between the connection manager and route/: a published, immutable table that finds a
// request's route. route::RouteTable implements it; tests bring their own. Thread-safe after
// construction.

#include <optional>
#include <string_view>

#include "proxy/base/timer_origins.h"
#include "proxy/event/random.h"
#include "proxy/http/message.h"

namespace convoy::route {
class CompiledRoute;
}

namespace convoy::http {

class RouteMatcher {
 public:
  virtual ~RouteMatcher() = default;
  // Null if no route matches. The route lives as long as the table.
  virtual const route::CompiledRoute* match(const RequestHead& head,
                                            event::Random& random) const = 0;
  // Whether the route lets clients switch to this protocol, or "CONNECT"; unset: it says nothing.
  virtual std::optional<bool> allowsTunnel(const route::CompiledRoute& /*route*/,
                                           std::string_view /*protocol*/) const {
    return std::nullopt;
  }
  // Where the route's times were set; null: it has none.
  virtual const base::TimerOrigins* timerOrigins(const route::CompiledRoute& /*route*/) const {
    return nullptr;
  }
};

}  // namespace convoy::http
