#include "proxy/upstream/algorithms/weighted_deadlines.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::upstream::algorithms {

namespace {

__extension__ using Wide = unsigned __int128;

// part / whole of another whole, to the nearest: if each change of the whole lost a turn, changes
// that come faster than picks would hold the order back. REQUIRES: part <= whole, whole > 0.
uint64_t scaled(uint64_t part, uint64_t whole, uint64_t other) {
  return static_cast<uint64_t>((Wide{part} * other + whole / 2) / whole);
}

}  // namespace

void WeightedDeadlines::setHosts(const HostSet& hosts, uint64_t start) {
  hosts_ = &hosts;
  start_ = start;
  fresh_ = true;
}

// (taken + 1) / share, compared crosswise; both factors may have 50 bits.
bool WeightedDeadlines::later(uint32_t a, uint32_t b) const {
  const Wide left = Wide{classes_[a].taken + 1} * classes_[b].share;
  const Wide right = Wide{classes_[b].taken + 1} * classes_[a].share;
  return left != right ? left > right : a > b;
}

void WeightedDeadlines::adoptClass(const HostSet::WeightClass& of, const Class* before,
                                   uint64_t cycle_before, Class* out) const {
  out->weight = of.weight;
  out->share = of.weight * of.count;
  if (before != nullptr) {
    out->taken = scaled(before->taken, before->share, out->share);
  } else if (cycle_before > 0) {
    out->taken = scaled(cycle_before - left_, cycle_before, out->share);
  }
  out->turn = (before != nullptr ? before->turn : start_) % of.count;
  const auto part =
      std::ranges::upper_bound(of.parts, out->turn, {}, &HostSet::WeightClass::Part::first);
  out->part = static_cast<uint32_t>(part - of.parts.begin() - 1);
  out->member = static_cast<uint32_t>(out->turn - of.parts[out->part].first);
}

void WeightedDeadlines::adopt() {
  const auto classes = hosts_->weightClasses();
  const std::vector<Class> before = std::exchange(classes_, std::vector<Class>(classes.size()));
  const uint64_t cycle_before = std::exchange(cycle_, hosts_->totalWeight());
  auto old = before.begin();
  uint64_t taken = 0;
  for (size_t i = 0; i < classes.size(); ++i) {
    while (old != before.end() && old->weight > classes[i].weight) ++old;
    const bool known = old != before.end() && old->weight == classes[i].weight;
    adoptClass(classes[i], known ? &*old : nullptr, cycle_before, &classes_[i]);
    taken += classes_[i].taken;
  }
  left_ = cycle_ - taken;
  fresh_ = false;
  orderClasses();
}

void WeightedDeadlines::orderClasses() {
  if (left_ == 0) {
    for (Class& one : classes_) one.taken = 0;
    left_ = cycle_;
  }
  heap_.resize(classes_.size());
  for (uint32_t i = 0; i < heap_.size(); ++i) heap_[i] = i;
  std::make_heap(heap_.begin(), heap_.end(), [this](auto a, auto b) { return later(a, b); });
}

void WeightedDeadlines::advance(Class* one, const HostSet::WeightClass& of) const {
  ++one->taken;
  if (++one->turn == of.count) one->turn = 0;
  if (++one->member < of.parts[one->part].members.size()) return;
  one->member = 0;
  if (++one->part == of.parts.size()) one->part = 0;
}

const HostSet::Entry& WeightedDeadlines::next() {
  if (fresh_) adopt();
  if (left_ == 0) orderClasses();
  CONVOY_ASSERT(!heap_.empty());
  const auto later = [this](uint32_t a, uint32_t b) { return this->later(a, b); };
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Class& due = classes_[heap_.back()];
  const HostSet::WeightClass& of = hosts_->weightClasses()[heap_.back()];
  const HostSet::WeightClass::Part& part = of.parts[due.part];
  const HostSet::Entry& entry = part.entries[part.members[due.member]];
  advance(&due, of);
  --left_;
  std::push_heap(heap_.begin(), heap_.end(), later);
  return entry;
}

}  // namespace convoy::upstream::algorithms
