#include "proxy/upstream/algorithms/registry.h"

#include "proxy/upstream/algorithms/adaptive_score.h"
#include "proxy/upstream/algorithms/hashed.h"
#include "proxy/upstream/algorithms/least_active.h"
#include "proxy/upstream/algorithms/least_request.h"
#include "proxy/upstream/algorithms/least_response_time.h"
#include "proxy/upstream/algorithms/maglev.h"
#include "proxy/upstream/algorithms/modulo.h"
#include "proxy/upstream/algorithms/peak_ewma.h"
#include "proxy/upstream/algorithms/random.h"
#include "proxy/upstream/algorithms/ring.h"
#include "proxy/upstream/algorithms/round_robin.h"

namespace convoy::upstream::algorithms {

std::unique_ptr<LoadBalancer> makeLoadBalancer(const BalancingSpec& spec, size_t worker,
                                               size_t workers) {
  switch (spec.algorithm) {
    case Algorithm::RoundRobin:
      break;
    case Algorithm::LeastConnections:
      return std::make_unique<LeastActive>(LeastActive::Weights::Ignored);
    case Algorithm::WeightedLeastConnections:
      return std::make_unique<LeastActive>();
    case Algorithm::LeastRequest:
      if (spec.choices == 0) return std::make_unique<LeastActive>();
      return std::make_unique<LeastRequest>(spec.choices, spec.active_request_bias);
    case Algorithm::Random:
      return std::make_unique<Random>();
    case Algorithm::LeastResponseTime:
      return std::make_unique<LeastResponseTime>(spec.memory);
    case Algorithm::PeakEwma:
      return std::make_unique<PeakEwma>(spec.memory);
    case Algorithm::AdaptiveScore:
      return std::make_unique<AdaptiveScore>(spec.memory);
    case Algorithm::IpHash:
    case Algorithm::RingHash:
    case Algorithm::Maglev:
      return std::make_unique<Hashed>(spec.hash_balance_percent);
  }
  return std::make_unique<RoundRobin>(worker, workers);
}

MakeHashTable hashTableMaker(const BalancingSpec& spec) {
  switch (spec.algorithm) {
    case Algorithm::IpHash:
      return [](const HostSet& hosts) { return std::make_shared<const Modulo>(hosts); };
    case Algorithm::RingHash:
      return [spec](const HostSet& hosts) {
        return std::make_shared<const Ring>(ringPoints(hosts, spec));
      };
    case Algorithm::Maglev:
      return [size = spec.maglev_table_size](const HostSet& hosts) {
        return std::make_shared<const Maglev>(hosts, size);
      };
    default:
      return nullptr;
  }
}

}  // namespace convoy::upstream::algorithms
