#include "proxy/upstream/algorithms/weighted_deadlines.h"

#include <algorithm>

#include "proxy/base/assert.h"

namespace convoy::upstream::algorithms {

void WeightedDeadlines::reset(const HostSet& hosts, uint64_t start) {
  hosts_ = &hosts;
  start_ = start;
  fresh_ = true;
}

bool WeightedDeadlines::later(const Due& a, const Due& b) {
  // next / share, compared crosswise; both factors may have 50 bits.
  __extension__ using Wide = unsigned __int128;
  const Wide left = Wide{a.next} * b.share;
  const Wide right = Wide{b.next} * a.share;
  return left != right ? left > right : a.index > b.index;
}

WeightedDeadlines::Due WeightedDeadlines::dueOf(uint32_t index) const {
  const HostSet::WeightClass& of = hosts_->weightClasses()[index];
  Due due{.share = of.weight * of.count, .index = index};
  const uint64_t turn = start_ % of.count;
  const auto part =
      std::ranges::upper_bound(of.parts, turn, {}, &HostSet::WeightClass::Part::first);
  due.part = static_cast<uint32_t>(part - of.parts.begin() - 1);
  due.member = static_cast<uint32_t>(turn - of.parts[due.part].first);
  return due;
}

void WeightedDeadlines::startCycle() {
  const auto classes = hosts_->weightClasses();
  if (fresh_) {
    heap_.resize(classes.size());
    for (uint32_t i = 0; i < classes.size(); ++i) heap_[i] = dueOf(i);
    fresh_ = false;
  } else {
    for (Due& due : heap_) due.next = 1;
  }
  std::make_heap(heap_.begin(), heap_.end(), later);
  left_ = hosts_->totalWeight();
}

const HostSet::Entry& WeightedDeadlines::next() {
  if (fresh_ || left_ == 0) startCycle();
  CONVOY_ASSERT(!heap_.empty());
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Due& due = heap_.back();
  const HostSet::WeightClass& of = hosts_->weightClasses()[due.index];
  const HostSet::WeightClass::Part& part = of.parts[due.part];
  const HostSet::Entry& entry = part.entries[part.members[due.member]];
  if (++due.member == part.members.size()) {
    due.member = 0;
    if (++due.part == of.parts.size()) due.part = 0;
  }
  ++due.next;
  --left_;
  std::push_heap(heap_.begin(), heap_.end(), later);
  return entry;
}

}  // namespace convoy::upstream::algorithms
