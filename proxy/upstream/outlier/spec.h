#pragma once

// What a cluster does about failing hosts (envoy.config.cluster.v3.OutlierDetection and
// convoy.ext.FailurePolicy), made by config/: plain data. The defaults are Envoy's; a time that
// Envoy derives from another one has been derived.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace convoy::upstream {

// Why a host is an outlier.
enum class Detection : uint8_t {
  Consecutive5xx,
  ConsecutiveGatewayFailure,
  ConsecutiveLocalOriginFailure,  // only with split_local_errors, like the other two of that origin
  SuccessRate,
  LocalOriginSuccessRate,
  FailurePercentage,
  LocalOriginFailurePercentage,
  Latency,  // ours
  kCount,
};
inline constexpr auto kDetections = static_cast<size_t>(Detection::kCount);

constexpr std::string_view nameOf(Detection detection) {
  constexpr std::array<std::string_view, kDetections> kNames{"consecutive_5xx",
                                                             "consecutive_gateway_failure",
                                                             "consecutive_local_origin_failure",
                                                             "success_rate",
                                                             "local_origin_success_rate",
                                                             "failure_percentage",
                                                             "local_origin_failure_percentage",
                                                             "latency"};
  return kNames[static_cast<size_t>(detection)];
}

// A host whose mean time to a response's head is so many times the median of the hosts' means, and
// so much above it (convoy.ext.FailurePolicy).
struct LatencyOutlierSpec {
  double factor = 3;
  std::chrono::milliseconds least_excess{100};
  uint32_t minimum_hosts = 3;
  uint32_t request_volume = 20;  // of a host in an interval
};

struct OutlierSpec {
  using Milliseconds = std::chrono::milliseconds;

  uint32_t consecutive_5xx = 5;
  uint32_t consecutive_gateway_failure = 5;
  uint32_t consecutive_local_origin_failure = 5;
  // Failures without a response count by themselves, and not as 5xx.
  bool split_local_errors = false;

  Milliseconds interval{10'000};  // between two sweeps
  Milliseconds base_ejection_time{30'000};
  Milliseconds max_ejection_time{300'000};
  Milliseconds max_ejection_jitter{0};
  uint32_t max_ejection_percent = 10;
  bool always_eject_one = false;
  bool health_check_unejects = true;

  uint32_t success_rate_minimum_hosts = 5;
  uint32_t success_rate_request_volume = 100;
  double success_rate_factor = 1.9;  // of the standard deviation
  uint32_t failure_percentage_threshold = 85;
  uint32_t failure_percentage_minimum_hosts = 5;
  uint32_t failure_percentage_request_volume = 50;
  std::optional<LatencyOutlierSpec> latency;

  // Chance in percent that a detection is followed by an ejection.
  std::array<uint32_t, kDetections> enforcing{100, 0, 100, 100, 100, 0, 0, 100};

  uint32_t chance(Detection detection) const { return enforcing[static_cast<size_t>(detection)]; }
};

// When more than so many hosts begin to fail in the same way within a window, nobody is taken out
// for it (correlation.h).
struct CorrelationSpec {
  uint32_t percent = 50;
  std::chrono::milliseconds window{30'000};
};

// A circuit breaker for each host (host_breakers.h).
struct HostBreakerSpec {
  uint32_t failures = 5;  // in a row
  std::chrono::milliseconds open_time{60'000};
};

// How hosts come back after an outage of many (governor.h).
struct RecoverySpec {
  uint32_t outage_percent = 50;  // more of the hosts than this are out
  uint32_t max_requests = 100;
  uint32_t requests_per_second = 10;  // as fast the requests that are allowed grow
  std::chrono::milliseconds jitter{10'000};
  std::chrono::milliseconds settle_time{30'000};
};

}  // namespace convoy::upstream
