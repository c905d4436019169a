#pragma once

// Which hosts a policy that wants the best one compares. Up to kScannedHosts: all of them, in
// configured order, so that its choice is the true minimum. Above: kSampledHosts drawn at random,
// which costs the same at any size; the best of eight is in the best eighth of the pool with two
// chances in three, and the worst half is hit once in 256 picks. A policy that goes by weights
// draws by weight, one that does not draws evenly.
//
// An index of all hosts ordered by load would be exact, but every request of every worker would
// write to it.

#include <cstddef>
#include <cstdint>

#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream::algorithms {

inline constexpr size_t kScannedHosts = 32;
inline constexpr size_t kSampledHosts = 8;

enum class Draw : uint8_t { ByWeight, Evenly };

// Calls consider(entry) for each; it returns false to stop the look.
template <class Consider>
void forEachCandidate(const HostSet& hosts, event::Random& random, Draw draw, Consider&& consider) {
  if (hosts.size() <= kScannedHosts) {
    for (const HostSet::Entry& entry : hosts.few()) {
      if (!consider(entry)) return;
    }
    return;
  }
  // Drawn first and read then, so that the reads do not wait for one another.
  const HostSet::Entry* drawn[kSampledHosts];
  for (const HostSet::Entry*& entry : drawn) {
    entry = draw == Draw::ByWeight ? &hosts.draw(random) : &hosts.at(random.below(hosts.size()));
  }
  for (const HostSet::Entry* entry : drawn) {
    if (!consider(*entry)) return;
  }
}

// A host drawn by weight that was not tried, while there is one.
Host* drawUntried(const HostSet& hosts, const PickContext& context);

}  // namespace convoy::upstream::algorithms
