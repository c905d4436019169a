#include "proxy/upstream/algorithms/least_request.h"

#include <algorithm>
#include <cmath>
#include <utility>

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

LeastRequest::Pair LeastRequest::draw(event::Random& random) const {
  Pair pair;
  for (const HostSet::Entry*& entry : pair) {
    entry = &hosts_->draw(random);
    __builtin_prefetch(entry);
  }
  return pair;
}

LeastRequest::Pair LeastRequest::nextPair(event::Random& random) {
  if (!drawn_) {
    for (Pair& pair : ahead_) pair = draw(random);
    drawn_ = true;
  }
  const Pair pair = std::exchange(ahead_[next_], draw(random));
  next_ = (next_ + 1) % ahead_.size();
  for (const HostSet::Entry* entry : ahead_[next_]) __builtin_prefetch(entry->active);
  return pair;
}

const HostSet::Entry* LeastRequest::best(const Pair& pair, const PickContext& context) const {
  const HostSet::Entry* best = nullptr;
  const auto consider = [&](const HostSet::Entry& entry) {
    if (context.triedAlready(entry.host)) return;
    if (best == nullptr || lighter(entry, *best)) best = &entry;
  };
  for (const HostSet::Entry* entry : pair) consider(*entry);
  // More draws than hosts find nothing new.
  for (size_t i = pair.size(); i < std::min(size_t{choices_}, hosts_->size()); ++i) {
    consider(hosts_->draw(context.random));
  }
  return best;
}

Pick LeastRequest::pick(PickContext& context) {
  if (hosts_ == nullptr || hosts_->empty()) return {};
  const HostSet::Entry* const best = this->best(nextPair(context.random), context);
  if (best == nullptr) return adopt(context, *drawUntried(*hosts_, context));
  return Pick::counting(*best->host, *best->active);
}

Pick LeastRequest::adopt(PickContext& /*context*/, Host& host) {
  return Pick::counting(host, host.active());
}

}  // namespace convoy::upstream::algorithms
