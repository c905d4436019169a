#include "proxy/upstream/algorithms/weighted_deadlines.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::upstream::algorithms {

namespace {

__extension__ using Wide = unsigned __int128;  // of two factors that may have 50 bits

}  // namespace

void WeightedDeadlines::setHosts(const HostSet& hosts, uint64_t start) {
  hosts_ = &hosts;
  start_ = start;
  fresh_ = true;
}

// (taken + 1) / share, compared crosswise.
bool WeightedDeadlines::later(uint32_t a, uint32_t b) const {
  const Wide left = Wide{classes_[a].taken + 1} * classes_[b].share;
  const Wide right = Wide{classes_[b].taken + 1} * classes_[a].share;
  return left != right ? left > right : a > b;
}

// How many deadlines of such a class are behind the one that was met last: on a tie the heavier
// class came first.
uint64_t WeightedDeadlines::takenOf(uint32_t weight, uint64_t share) const {
  const Wide due = Wide{met_.taken} * share;
  const auto taken = static_cast<uint64_t>(due / met_.share);
  const bool tie = taken > 0 && due == Wide{taken} * met_.share;
  return tie && weight < met_.weight ? taken - 1 : taken;
}

void WeightedDeadlines::adoptClass(const HostSet::WeightClass& of, uint64_t turns,
                                   Class* out) const {
  out->weight = of.weight;
  out->share = of.weight * of.count;
  out->taken = takenOf(of.weight, out->share);
  out->turns = turns;
  const uint64_t turn = turns % of.count;
  const auto part =
      std::ranges::upper_bound(of.parts, turn, {}, &HostSet::WeightClass::Part::first);
  out->part = static_cast<uint32_t>(part - of.parts.begin() - 1);
  out->member = static_cast<uint32_t>(turn - of.parts[out->part].first);
}

void WeightedDeadlines::adopt() {
  const auto classes = hosts_->weightClasses();
  const std::vector<Class> before = std::exchange(classes_, std::vector<Class>(classes.size()));
  auto old = before.begin();
  left_ = hosts_->totalWeight();
  for (size_t i = 0; i < classes.size(); ++i) {
    while (old != before.end() && old->weight > classes[i].weight) ++old;
    // A class that has become heavier or lighter is likely to be the one at its place.
    const bool known = old != before.end() && old->weight == classes[i].weight;
    const uint64_t other = i < before.size() ? before[i].turns : start_;
    adoptClass(classes[i], known ? old->turns : other, &classes_[i]);
    left_ -= classes_[i].taken;
  }
  fresh_ = false;
  orderClasses();
}

void WeightedDeadlines::startCycle() {
  for (Class& one : classes_) one.taken = 0;
  left_ = hosts_->totalWeight();
  orderClasses();
}

void WeightedDeadlines::orderClasses() {
  heap_.resize(classes_.size());
  for (uint32_t i = 0; i < heap_.size(); ++i) heap_[i] = i;
  std::make_heap(heap_.begin(), heap_.end(), [this](auto a, auto b) { return later(a, b); });
}

void WeightedDeadlines::advance(Class* one, const HostSet::WeightClass& of) {
  ++one->taken;
  ++one->turns;
  // As turns % count would have it.
  if (++one->member < of.parts[one->part].members.size()) return;
  one->member = 0;
  if (++one->part == of.parts.size()) one->part = 0;
}

const HostSet::Entry& WeightedDeadlines::next() {
  if (fresh_) adopt();
  if (left_ == 0) startCycle();
  CONVOY_ASSERT(!heap_.empty());
  const auto later = [this](uint32_t a, uint32_t b) { return this->later(a, b); };
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Class& due = classes_[heap_.back()];
  const HostSet::WeightClass& of = hosts_->weightClasses()[heap_.back()];
  const HostSet::WeightClass::Part& part = of.parts[due.part];
  const HostSet::Entry& entry = part.entries[part.members[due.member]];
  advance(&due, of);
  --left_;
  met_ = {.weight = due.weight, .taken = due.taken, .share = due.share};
  std::push_heap(heap_.begin(), heap_.end(), later);
  return entry;
}

}  // namespace convoy::upstream::algorithms
