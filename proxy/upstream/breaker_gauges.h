#pragma once

// The state of a cluster's circuit breakers as people see it, under Envoy's names:
// cluster.NAME.circuit_breakers.{default,high}.{cx_open,rq_pending_open,rq_open,rq_retry_open}, 1
// while a limit is reached, and remaining_{cx,pending,rq,retries} where track_remaining asks for
// them. Computed when somebody reads, so that requests write nothing for them. What is not counted
// (Breakers::countsRequests) is never open: the limit on connections is reached first.
//
// Main sets the limits, any thread reads.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "proxy/observe/metrics.h"
#include "proxy/upstream/breakers.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

class BreakerGauges final : public observe::MetricGroupBase {
 public:
  // under_way: requests that a priority's retry budget is in relation to; any thread. The registry
  // and the breakers outlive this object.
  BreakerGauges(observe::MetricRegistry& registry, observe::Labels labels, const Breakers& breakers,
                std::function<int64_t(Priority)> under_way);
  ~BreakerGauges() override;
  BreakerGauges(const BreakerGauges&) = delete;
  BreakerGauges& operator=(const BreakerGauges&) = delete;

  void setLimits(const ClusterSpec& spec);
  void read(observe::MetricReader& reader) const override;

 private:
  struct Limits {
    std::atomic<uint32_t> connections, pending, requests, retries;
    std::atomic<double> budget_percent;  // < 0: none
    std::atomic<uint32_t> budget_least;
    std::atomic<bool> track_remaining;
  };
  void readOf(Priority priority, observe::MetricReader& reader) const;
  uint32_t retriesOf(Priority priority, const Limits& limits) const;

  observe::MetricRegistry& registry_;
  const observe::Labels labels_;
  const Breakers& breakers_;
  const std::function<int64_t(Priority)> under_way_;
  std::array<Limits, 2> limits_{};
};

}  // namespace convoy::upstream
