#pragma once

// How many retries may be under way at a time in a cluster
// (envoy.config.cluster.v3.CircuitBreakers: retry_budget, else max_retries), on all workers
// together. The count itself is exact (Breakers::retries); what it is in relation to is read
// without a lock, from what each worker has counted of itself. Any thread.

#include <algorithm>
#include <cstdint>
#include <limits>

#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// requests: of that priority, under way or waiting for a connection, on all workers; a sum that is
// read while it changes may be below zero for a moment.
inline uint32_t mostRetries(const CircuitBreakers& breakers, int64_t requests) {
  if (!breakers.retry_budget.has_value()) return breakers.max_retries;
  const double share =
      breakers.retry_budget->percent / 100 * static_cast<double>(std::max<int64_t>(requests, 0));
  constexpr double kMost = std::numeric_limits<uint32_t>::max();
  const auto most = static_cast<uint32_t>(std::min(share, kMost));  // floor
  return std::max(most, breakers.retry_budget->min_concurrency);
}

}  // namespace convoy::upstream
