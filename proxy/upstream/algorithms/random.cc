#include "proxy/upstream/algorithms/random.h"

#include <algorithm>

namespace convoy::upstream::algorithms {

Host* Random::draw(event::Random& random) const {
  const auto entries = hosts_->entries();
  if (hosts_->equalWeights()) return entries[random.below(entries.size())].host;
  const auto sums = hosts_->cumulativeWeights();
  const auto at = std::upper_bound(sums.begin(), sums.end(), random.below(hosts_->totalWeight()));
  return entries[static_cast<size_t>(at - sums.begin())].host;
}

Pick Random::pick(PickContext& context) {
  if (hosts_ == nullptr || hosts_->empty()) return {};
  // Drawing again keeps the proportions of the hosts that are left; a bound for the case that
  // nearly all weight has been tried.
  constexpr int kDraws = 16;
  Host* host = draw(context.random);
  for (int i = 1; i < kDraws && context.triedAlready(host); ++i) host = draw(context.random);
  if (context.triedAlready(host)) host = context.firstUntried(*hosts_, host);
  return {.kind = Pick::Kind::Host, .host = host};
}

}  // namespace convoy::upstream::algorithms
