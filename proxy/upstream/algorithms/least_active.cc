#include "proxy/upstream/algorithms/least_active.h"

namespace convoy::upstream::algorithms {

LeastActive::Choice LeastActive::choose(const PickContext& context, bool all_tried) const {
  Choice best;
  uint64_t best_weight = 0;
  for (const HostSet::Entry& entry : hosts_->entries()) {
    const uint32_t active = entry.host->active().load(std::memory_order_relaxed);
    // (active + 1) / weight < (best.active + 1) / best_weight, without division.
    const bool better =
        (uint64_t{active} + 1) * best_weight < (uint64_t{best.active} + 1) * entry.weight;
    if (best.host != nullptr && !better) continue;
    if (!all_tried && context.triedAlready(entry.host)) continue;
    best = {.host = entry.host, .active = active};
    best_weight = entry.weight;
    if (active == 0 && entry.weight == hosts_->maxWeight()) break;
  }
  return best;
}

Pick LeastActive::pick(PickContext& context) {
  if (hosts_ == nullptr || hosts_->empty()) return {};
  // Losing a race says that the choice is out of date. After so many losses in a row the counts
  // move faster than they can be read, and one choice is as good as the next.
  constexpr int kRaces = 4;
  bool all_tried = context.tried.empty();
  Choice choice;
  for (int i = 0; i < kRaces; ++i) {
    choice = choose(context, all_tried);
    if (choice.host == nullptr) {
      all_tried = true;
      choice = choose(context, all_tried);
    }
    if (choice.host->active().compare_exchange_strong(choice.active, choice.active + 1,
                                                      std::memory_order_relaxed)) {
      return {.kind = Pick::Kind::Host, .counted = true, .host = choice.host};
    }
  }
  choice.host->active().fetch_add(1, std::memory_order_relaxed);
  return {.kind = Pick::Kind::Host, .counted = true, .host = choice.host};
}

}  // namespace convoy::upstream::algorithms
