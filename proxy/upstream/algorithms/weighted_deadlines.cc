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

void WeightedDeadlines::startCycle() {
  const auto classes = hosts_->weightClasses();
  if (fresh_) {
    heap_.resize(classes.size());
    for (uint32_t i = 0; i < classes.size(); ++i) {
      const uint64_t share = uint64_t{classes[i].weight} * classes[i].count;
      heap_[i] = {.next = 1, .share = share, .turn = start_ % classes[i].count, .index = i};
    }
    fresh_ = false;
  } else {
    for (Due& due : heap_) due.next = 1;
  }
  std::make_heap(heap_.begin(), heap_.end(), later);
  left_ = hosts_->totalWeight();
}

size_t WeightedDeadlines::next() {
  if (fresh_ || left_ == 0) startCycle();
  CONVOY_ASSERT(!heap_.empty());
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Due& due = heap_.back();
  const HostSet::WeightClass& of = hosts_->weightClasses()[due.index];
  const uint32_t member = hosts_->members()[of.first + due.turn];
  if (++due.turn == of.count) due.turn = 0;
  ++due.next;
  --left_;
  std::push_heap(heap_.begin(), heap_.end(), later);
  return member;
}

}  // namespace convoy::upstream::algorithms
