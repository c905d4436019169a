#pragma once

// Weighted round robin. Equal weights: the hosts in their order. Different weights: nginx's smooth
// order, as long as it is small enough to be computed ahead (wrr_sequence.h); above that, earliest
// deadline first over the classes of equal weight (weighted_deadlines.h), which gives every host
// exactly its share over a cycle, evenly spread, without a heap of hosts on each worker.
//
// No cross-worker state: every worker follows the order by itself. When the hosts change, it goes
// on at the same place, so that frequent updates favour nobody.

#include <cstddef>
#include <cstdint>

#include "proxy/upstream/algorithms/weighted_deadlines.h"
#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream::algorithms {

class RoundRobin final : public LoadBalancer {
 public:
  RoundRobin(size_t worker, size_t workers) : worker_(worker), workers_(workers) {}

  void setHosts(const HostSet& hosts) override;
  Pick pick(PickContext& context) override;

 private:
  Host* next();

  const size_t worker_;
  const size_t workers_;
  const HostSet* hosts_ = nullptr;
  size_t cycle_ = 0;     // steps until the order repeats
  size_t position_ = 0;  // of the next pick, below cycle_
  bool started_ = false;
  WeightedDeadlines deadlines_;
};

}  // namespace convoy::upstream::algorithms
