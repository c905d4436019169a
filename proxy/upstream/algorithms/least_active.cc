#include "proxy/upstream/algorithms/least_active.h"

#include "proxy/upstream/algorithms/candidates.h"

namespace convoy::upstream::algorithms {

LeastActive::Choice LeastActive::choose(const PickContext& context, bool all_tried) const {
  Choice best;
  uint64_t best_weight = 0;
  const bool weighted = weights_ == Weights::Counted;
  const uint64_t max_weight = weighted ? hosts_->maxWeight() : 1;
  const Draw draw = weighted ? Draw::ByWeight : Draw::Evenly;
  forEachCandidate(*hosts_, context.random, draw, [&](const HostSet::Entry& entry) {
    const uint32_t active = entry.active->load(std::memory_order_relaxed);
    const uint64_t weight = weighted ? entry.weight : 1;
    // (active + 1) / weight < (best.active + 1) / best_weight, without division.
    const bool better = (uint64_t{active} + 1) * best_weight < (uint64_t{best.active} + 1) * weight;
    if (best.host != nullptr && !better) return true;
    if (!all_tried && context.triedAlready(entry.host)) return true;
    best = {.host = entry.host, .count = entry.active, .active = active};
    best_weight = weight;
    return active != 0 || weight != max_weight;
  });
  return best;
}

LeastActive::Choice LeastActive::chooseUntried(const PickContext& context) const {
  Choice choice = choose(context, context.tried.empty());
  if (choice.host != nullptr) return choice;
  // All candidates were tried; of a large pool others may be left.
  choice.host = context.firstUntried(*hosts_, nullptr);
  if (choice.host == nullptr) return choose(context, /*all_tried=*/true);
  choice.count = &choice.host->active();
  choice.active = choice.count->load(std::memory_order_relaxed);
  return choice;
}

Pick LeastActive::pick(PickContext& context) {
  if (hosts_ == nullptr || hosts_->empty()) return {};
  // Losing a race says that the choice is out of date. After so many losses in a row the counts
  // move faster than they can be read, and one choice is as good as the next.
  constexpr int kRaces = 4;
  Choice choice;
  for (int i = 0; i < kRaces; ++i) {
    choice = chooseUntried(context);
    if (choice.count->compare_exchange_strong(choice.active, choice.active + 1,
                                              std::memory_order_relaxed)) {
      return {.kind = Pick::Kind::Host, .counted = true, .host = choice.host};
    }
  }
  return adopt(context, *choice.host);
}

Pick LeastActive::adopt(PickContext&, Host& host) {
  return Pick::counting(host, host.active());
}

}  // namespace convoy::upstream::algorithms
