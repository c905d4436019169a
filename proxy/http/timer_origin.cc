#include "proxy/http/timer_origin.h"

namespace convoy::http {

using base::Timer;

std::string_view timerOrigin(Failure failure, const base::TimerOrigins& manager,
                             const base::TimerOrigins* route, DurationSource duration,
                             base::Arena& arena) {
  const auto of_manager = [&](Timer timer) { return manager.text(timer, arena); };
  const auto of_route = [&](Timer timer) {
    return route == nullptr ? std::string_view() : route->text(timer, arena);
  };
  switch (failure) {
    case Failure::RequestHeaderTimeout:
      return of_manager(Timer::RequestHeaders);
    case Failure::RequestTimeout:
      return of_manager(Timer::Request);
    case Failure::StreamIdleTimeout:
      return of_manager(Timer::StreamIdle);
    case Failure::RouteIdleTimeout:
      return of_route(Timer::RouteIdle);
    case Failure::TunnelIdleTimeout:
      return of_route(Timer::TunnelIdle);
    case Failure::UpstreamFirstByteTimeout:
      return of_route(Timer::FirstByte);
    case Failure::UpstreamResponseTimeout:
      return of_route(Timer::Response);
    case Failure::MaxStreamDuration:
      if (duration == DurationSource::Client) return "grpc-timeout";
      return duration == DurationSource::Route ? of_route(Timer::RouteStreamDuration)
                                               : of_manager(Timer::ManagerStreamDuration);
    default:
      return {};
  }
}

std::string_view detailsOfTimer(Failure failure, std::string_view origin, base::Arena& arena) {
  std::string details(info(failure).code);
  details += '{';
  details += origin;
  details += '}';
  return arena.copy(details);
}

std::string connectionTimer(base::Timer timer, const base::TimerOrigins& manager) {
  base::Arena arena;
  const std::string_view field = base::fieldOf(timer);
  std::string text(field.substr(field.rfind('.') + 1));
  text += '{';
  text += manager.text(timer, arena);
  text += '}';
  return text;
}

}  // namespace convoy::http
