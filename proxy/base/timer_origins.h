#pragma once

// Where the times of one message of configuration were set, so that whoever is hurt by one knows
// which line to change: the file and line of a static bootstrap, the field of convoy.v1, or the
// resource and field that another control plane sent. Made with the spec; looked at only when a
// time has run out. Immutable then; any thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"

namespace convoy::base {

enum class Timer : uint8_t {
  // Of a connection manager.
  RequestHeaders,
  Request,
  StreamIdle,
  ManagerStreamDuration,
  ConnectionIdle,
  ConnectionAge,
  // Of a route.
  RouteStreamDuration,
  RouteIdle,
  TunnelIdle,
  FirstByte,
  Response,
  // Of a retry policy.
  PerTry,
  PerTryIdle,
  // Of a cluster.
  Connect,
  kCount
};

// Path of the field from the message that has the time.
std::string_view fieldOf(Timer timer);
// The same from the convoy.v1 message that it was compiled of; empty: none has it.
std::string_view sourceFieldOf(Timer timer);

class TimerOrigins {
 public:
  // Nothing is set: defaults.
  TimerOrigins() = default;
  // `where`: the file; or the resource and the path of the message in it
  // ("RouteConfiguration/web:virtual_hosts[0].routes[3]").
  explicit TimerOrigins(std::string where) : where_(std::move(where)) {}

  void setInFile(Timer timer, uint32_t line) { at_[index(timer)] = line; }
  void setInResource(Timer timer) { at_[index(timer)] = kInResource; }
  // `where` is a message of convoy.v1.
  void setInSource(Timer timer) { at_[index(timer)] = kInSource; }

  // "envoy.yaml:31", "Cluster/web:connect_timeout", "listener/public:routes[2].timeout" or
  // "default"; in the arena, without blanks.
  std::string_view text(Timer timer, Arena& arena) const;

 private:
  static constexpr uint32_t kInResource = UINT32_MAX;
  static constexpr uint32_t kInSource = UINT32_MAX - 1;
  static constexpr size_t index(Timer timer) { return static_cast<size_t>(timer); }

  std::string where_;
  std::array<uint32_t, static_cast<size_t>(Timer::kCount)> at_{};  // a line; 0: not set
};

}  // namespace convoy::base
