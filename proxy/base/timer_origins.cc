#include "proxy/base/timer_origins.h"

namespace convoy::base {

std::string_view fieldOf(Timer timer) {
  switch (timer) {
    case Timer::RequestHeaders:
      return "request_headers_timeout";
    case Timer::Request:
      return "request_timeout";
    case Timer::StreamIdle:
      return "stream_idle_timeout";
    case Timer::ManagerStreamDuration:
      return "common_http_protocol_options.max_stream_duration";
    case Timer::ConnectionIdle:
      return "common_http_protocol_options.idle_timeout";
    case Timer::ConnectionAge:
      return "common_http_protocol_options.max_connection_duration";
    case Timer::RouteStreamDuration:
      return "route.max_stream_duration.max_stream_duration";
    case Timer::RouteIdle:
      return "route.idle_timeout";
    case Timer::TunnelIdle:
      return "metadata.typed_filter_metadata[\"convoy.ext.RoutePolicy\"].tunnel_idle_timeout";
    case Timer::FirstByte:
      return "metadata.typed_filter_metadata[\"convoy.ext.RoutePolicy\"].first_byte_timeout";
    case Timer::Response:
      return "route.timeout";
    case Timer::PerTry:
      return "per_try_timeout";
    case Timer::PerTryIdle:
      return "per_try_idle_timeout";
    case Timer::Connect:
      return "connect_timeout";
    case Timer::kCount:
      break;
  }
  return {};
}

std::string_view sourceFieldOf(Timer timer) {
  switch (timer) {
    case Timer::RouteStreamDuration:
      return "max_stream_duration";
    case Timer::RouteIdle:
      return "idle_timeout";
    case Timer::TunnelIdle:
      return "tunnel_idle_timeout";
    case Timer::FirstByte:
      return "first_byte_timeout";
    case Timer::Response:
      return "timeout";
    case Timer::PerTry:
      return "retries.per_try_timeout";
    default:
      return {};
  }
}

std::string_view TimerOrigins::text(Timer timer, Arena& arena) const {
  const uint32_t at = at_[index(timer)];
  if (at == 0) return "default";
  std::string text = where_;
  if (at < kInSource) {
    text += ':' + std::to_string(at);
  } else {
    const bool whole = text.empty() || text.back() == ':';
    if (!whole) text += '.';
    text += at == kInSource ? sourceFieldOf(timer) : fieldOf(timer);
  }
  // Names are the control plane's or a person's: no blank or control character splits a log line.
  for (char& c : text) {
    if (c <= ' ' || c == '\x7f') c = '_';
  }
  return arena.copy(text);
}

}  // namespace convoy::base
