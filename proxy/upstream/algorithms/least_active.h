#pragma once

// Weighted least connections, and Envoy's LEAST_REQUEST, served as the true minimum over all hosts
// instead of the better of two random ones: the host with the smallest (active + 1) / weight, the
// first one on ties. Counts are the node's, not this worker's. Taking a host and counting it is one
// atomic step: if another worker took the same host in between, the choice is made again.
//
// The look stops at the first idle host of the largest weight, which nothing can beat: with more
// hosts than requests under way, a pick costs about as many steps as there are requests.

#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream::algorithms {

class LeastActive final : public LoadBalancer {
 public:
  void setHosts(const HostSet& hosts) override { hosts_ = &hosts; }
  Pick pick(PickContext& context) override;

 private:
  struct Choice {
    Host* host = nullptr;
    uint32_t active = 0;
  };
  Choice choose(const PickContext& context, bool all_tried) const;

  const HostSet* hosts_ = nullptr;
};

}  // namespace convoy::upstream::algorithms
