#pragma once

// The part that policies by response time have in common: what is known of each host (a Track, fed
// with the results of requests), a cost from that, and a pick of the host with the lowest score of
// cost, requests under way and weight. The true minimum in small pools, the best of some in large
// ones (candidates.h).
//
// A host of which nothing is known is given the median cost of those that are known: neither the
// best, which would draw the whole traffic to a new host, nor the worst. (Of an even number of
// costs the median is the upper one.) On a tie it goes first, so that all hosts of a new pool are
// tried soon. Until its first answer it gets at most kColdRequests at a time while there is another
// choice.
//
// Nobody starves: one pick in kLookEvery looks at the next few hosts in turn, and takes one that is
// idle and has not answered for `memory`, or never. So a host that has recovered is noticed, for
// one request each time.
//
// A Track is copied by value and has:
//   float cost() const               of a host; the lower, the better
//   event::MonotonicTime at() const  its last result
//   void note(const RequestResult&, float median, event::Duration memory)
//   static float score(float cost, uint32_t active)  active: the request to be placed included

#include <algorithm>
#include <array>
#include <cstdint>

#include "proxy/upstream/algorithms/candidates.h"
#include "proxy/upstream/algorithms/per_host.h"
#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream::algorithms {

inline constexpr uint32_t kColdRequests = 4;
inline constexpr uint32_t kLookEvery = 16;

template <class Track>
class Scored : public LoadBalancer {
 public:
  explicit Scored(event::Duration memory) : memory_(memory) {}

  void setHosts(const HostSet& hosts) final { hosts_ = &hosts; }
  bool wantsResults() const final { return true; }

  Pick pick(PickContext& context) final {
    if (hosts_ == nullptr || hosts_->empty()) return {};
    Host* host = ++picks_ % kLookEvery == 0 ? findForgotten(context) : nullptr;
    if (host == nullptr) host = best(context);
    return adopt(context, *host);
  }

  Pick adopt(PickContext& /*context*/, Host& host) final {
    return Pick::counting(host, host.active());
  }

  void onResult(const Host& host, const RequestResult& result) final {
    tracks_.of(host).note(result, median_, memory_);
    // Early results change the median most.
    if (++results_ < kLookEvery || results_ % kLookEvery == 0) findMedian();
  }

  // Of the known hosts' costs; 0 before the first result.
  float medianForTest() const { return median_; }

 private:
  // All hosts the same while none is known.
  float costOf(const Track* track) const {
    return track != nullptr ? track->cost() : (median_ > 0 ? median_ : 1);
  }

  struct Choice {
    Host* host = nullptr;
    float score = 0;
    bool known = false;
    bool full = false;  // cold, and with as many requests as such a host may have

    bool betterThan(const Choice& other) const {
      if (other.host == nullptr) return true;
      if (full != other.full) return other.full;
      return score < other.score || (score == other.score && !known && other.known);
    }
  };

  Host* best(const PickContext& context) const {
    Choice best;
    forEachCandidate(*hosts_, context.random, Draw::ByWeight, [&](const HostSet::Entry& entry) {
      if (!context.tried.empty() && context.triedAlready(entry.host)) return true;
      const Track* track = tracks_.find(*entry.host);
      const uint32_t active = entry.active->load(std::memory_order_relaxed);
      const Choice choice = {
          .host = entry.host,
          .score = Track::score(costOf(track), active + 1) / static_cast<float>(entry.weight),
          .known = track != nullptr,
          .full = track == nullptr && active >= kColdRequests};
      if (choice.betterThan(best)) best = choice;
      return true;
    });
    return best.host != nullptr ? best.host : drawUntried(*hosts_, context);
  }

  Host* findForgotten(const PickContext& context) {
    const auto entries = hosts_->entries();
    for (size_t i = std::min(entries.size(), kSampledHosts); i > 0; --i) {
      if (++look_at_ >= entries.size()) look_at_ = 0;
      Host* host = entries[look_at_].host;
      const Track* track = tracks_.find(*host);
      if (track != nullptr && context.now - track->at() < memory_) continue;
      if (host->active().load(std::memory_order_relaxed) != 0) continue;
      if (!context.triedAlready(host)) return host;
    }
    return nullptr;
  }

  // Of some hosts in turn: all of a small pool.
  void findMedian() {
    if (hosts_ == nullptr) return;
    const auto entries = hosts_->entries();
    std::array<float, 2 * kScannedHosts> costs{};
    size_t known = 0;
    for (size_t i = std::min(entries.size(), costs.size()); i > 0; --i) {
      if (++median_at_ >= entries.size()) median_at_ = 0;
      const Track* track = tracks_.find(*entries[median_at_].host);
      if (track != nullptr) costs[known++] = track->cost();
    }
    if (known == 0) return;
    const auto middle = costs.begin() + static_cast<ptrdiff_t>(known / 2);
    std::nth_element(costs.begin(), middle, costs.begin() + static_cast<ptrdiff_t>(known));
    median_ = *middle;
  }

  const event::Duration memory_;
  const HostSet* hosts_ = nullptr;
  PerHost<Track> tracks_;
  uint64_t picks_ = 0;
  uint64_t results_ = 0;
  size_t look_at_ = 0;
  size_t median_at_ = 0;
  float median_ = 0;
};

}  // namespace convoy::upstream::algorithms
