#include "proxy/upstream/host_set.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/wrr_sequence.h"

namespace convoy::upstream {

HostSet::HostSet(std::vector<Entry> entries, const MakeHashTable& make_table)
    : entries_(std::move(entries)) {
  for (const Entry& entry : entries_) {
    CONVOY_ASSERT(entry.weight > 0);
    max_weight_ = std::max(max_weight_, entry.weight);
    total_weight_ += entry.weight;
  }
  equal_weights_ = total_weight_ == uint64_t{max_weight_} * entries_.size();
  if (!equal_weights_) {
    std::vector<uint32_t> weights(entries_.size());
    for (size_t i = 0; i < entries_.size(); ++i) weights[i] = entries_[i].weight;
    shares_ = AliasTable(weights);
    smooth_order_ = smoothWeightedOrder(weights);
    if (smooth_order_.empty()) buildClasses();
  }
  if (make_table && !entries_.empty()) hash_table_ = make_table(*this);
}

void HostSet::buildClasses() {
  members_.resize(entries_.size());
  std::iota(members_.begin(), members_.end(), 0u);
  std::stable_sort(members_.begin(), members_.end(), [this](uint32_t a, uint32_t b) {
    return entries_[a].weight > entries_[b].weight;
  });
  for (uint32_t i = 0; i < members_.size(); ++i) {
    const uint32_t weight = entries_[members_[i]].weight;
    if (classes_.empty() || classes_.back().weight != weight) classes_.push_back({weight, i, 0});
    ++classes_.back().count;
  }
}

}  // namespace convoy::upstream
