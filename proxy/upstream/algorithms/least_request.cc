#include "proxy/upstream/algorithms/least_request.h"

#include <algorithm>
#include <cmath>

#include "proxy/upstream/algorithms/candidates.h"

namespace convoy::upstream::algorithms {

bool LeastRequest::lighter(const HostSet::Entry& a, const HostSet::Entry& b) const {
  const uint64_t active_a = a.active->load(std::memory_order_relaxed);
  const uint64_t active_b = b.active->load(std::memory_order_relaxed);
  if (hosts_->equalWeights()) return active_a < active_b;
  if (bias_ == 1.0) return active_a * b.weight < active_b * a.weight;
  if (bias_ == 0.0) return false;
  return std::pow(static_cast<double>(active_a), bias_) * b.weight <
         std::pow(static_cast<double>(active_b), bias_) * a.weight;
}

Pick LeastRequest::pick(PickContext& context) {
  if (hosts_ == nullptr || hosts_->empty()) return {};
  const auto entries = hosts_->entries();
  // More draws than hosts find nothing new.
  const auto draws = std::max(size_t{2}, std::min(size_t{choices_}, entries.size()));
  const HostSet::Entry* best = nullptr;
  for (size_t i = 0; i < draws; ++i) {
    const HostSet::Entry& drawn = entries[hosts_->draw(context.random)];
    if (context.triedAlready(drawn.host)) continue;
    if (best == nullptr || lighter(drawn, *best)) best = &drawn;
  }
  if (best == nullptr) return adopt(context, *drawUntried(*hosts_, context));
  return take(*best->host, *best->active);
}

Pick LeastRequest::adopt(PickContext& /*context*/, Host& host) {
  return take(host, host.active());
}

Pick LeastRequest::take(Host& host, ActiveCounts::Count& active) {
  active.fetch_add(1, std::memory_order_relaxed);
  return {.kind = Pick::Kind::Host, .counted = true, .host = &host};
}

}  // namespace convoy::upstream::algorithms
