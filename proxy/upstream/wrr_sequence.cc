#include "proxy/upstream/wrr_sequence.h"

#include <numeric>

#include "proxy/base/assert.h"

namespace convoy::upstream {

std::vector<uint16_t> smoothWeightedOrder(std::span<const uint32_t> weights) {
  if (weights.size() > kSmoothMaxHosts) return {};
  uint32_t divisor = 0;
  uint64_t sum = 0;
  for (const uint32_t weight : weights) {
    CONVOY_ASSERT(weight > 0);
    divisor = std::gcd(divisor, weight);
    sum += weight;
  }
  if (divisor == 0 || sum / divisor > kSmoothMaxCycle) return {};

  const auto cycle = static_cast<int64_t>(sum / divisor);
  std::vector<int64_t> current(weights.size(), 0);
  std::vector<uint16_t> order;
  order.reserve(static_cast<size_t>(cycle));
  for (int64_t step = 0; step < cycle; ++step) {
    size_t best = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      current[i] += weights[i] / divisor;
      if (current[i] > current[best]) best = i;
    }
    current[best] -= cycle;
    order.push_back(static_cast<uint16_t>(best));
  }
  return order;
}

}  // namespace convoy::upstream
