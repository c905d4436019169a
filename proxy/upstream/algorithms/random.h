#pragma once

// Random: every host with the probability of its weight. No state.

#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream::algorithms {

class Random final : public LoadBalancer {
 public:
  void setHosts(const HostSet& hosts) override { hosts_ = &hosts; }
  Pick pick(PickContext& context) override;

 private:
  const HostSet* hosts_ = nullptr;
};

}  // namespace convoy::upstream::algorithms
