#include "proxy/upstream/algorithms/registry.h"

#include "proxy/upstream/algorithms/least_active.h"
#include "proxy/upstream/algorithms/random.h"
#include "proxy/upstream/algorithms/round_robin.h"

namespace convoy::upstream::algorithms {

std::unique_ptr<LoadBalancer> makeLoadBalancer(Algorithm algorithm, size_t worker, size_t workers) {
  switch (algorithm) {
    case Algorithm::RoundRobin:
      break;
    case Algorithm::WeightedLeastConnections:
    case Algorithm::LeastRequest:
      return std::make_unique<LeastActive>();
    case Algorithm::Random:
      return std::make_unique<Random>();
  }
  return std::make_unique<RoundRobin>(worker, workers);
}

}  // namespace convoy::upstream::algorithms
