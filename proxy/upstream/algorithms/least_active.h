#pragma once

// Least connections: the host with the fewest requests under way, the first one on ties. Weighted:
// with the smallest (active + 1) / weight; the 1 is the request to be placed, without which idle
// hosts would tie whatever their weights. Counts are the node's, not this worker's. Taking a host
// and counting it is one atomic step: if another worker took the same host in between, the choice
// is made again.
//
// The true minimum in small pools, the best of some in large ones (candidates.h). The look stops at
// the first idle host of the largest weight, which nothing can beat.

#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream::algorithms {

class LeastActive final : public LoadBalancer {
 public:
  enum class Weights : uint8_t { Ignored, Counted };

  explicit LeastActive(Weights weights = Weights::Counted) : weights_(weights) {}

  void setHosts(const HostSet& hosts) override { hosts_ = &hosts; }
  Pick pick(PickContext& context) override;
  Pick adopt(PickContext& context, Host& host) override;

 private:
  struct Choice {
    Host* host = nullptr;
    ActiveCounts::Count* count = nullptr;
    uint32_t active = 0;
  };
  Choice choose(const PickContext& context, bool all_tried) const;
  Choice chooseUntried(const PickContext& context) const;

  const Weights weights_;
  const HostSet* hosts_ = nullptr;
};

}  // namespace convoy::upstream::algorithms
