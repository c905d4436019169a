#include "proxy/upstream/algorithms/maglev.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <string>

#include "proxy/base/assert.h"
#include "proxy/base/xxhash.h"

namespace convoy::upstream::algorithms {

namespace {

constexpr uint32_t kFree = std::numeric_limits<uint32_t>::max();

struct Filler {
  uint32_t host;
  uint64_t at;  // the place that it wants next
  uint64_t skip;
};

// A host's next turn. The heaviest host has one in each round, the others in proportion.
struct Turn {
  uint64_t round;
  uint32_t filler;
  uint64_t count;  // of this host's turns, this one included

  bool operator>(const Turn& other) const {
    return round != other.round ? round > other.round : filler > other.filler;
  }
};

std::vector<Filler> fillersOf(const HostSet& hosts, uint32_t size) {
  std::vector<Filler> fillers;
  fillers.reserve(hosts.size());
  for (uint32_t i = 0; i < hosts.size(); ++i) {
    const std::string& key = hosts.entries()[i].host->addressText();
    fillers.push_back({.host = i,
                       .at = base::xxHash64(key) % size,
                       .skip = base::xxHash64(key, 1) % (size - 1) + 1});
  }
  std::sort(fillers.begin(), fillers.end(), [&hosts](const Filler& a, const Filler& b) {
    return hosts.entries()[a.host].host->addressText() <
           hosts.entries()[b.host].host->addressText();
  });
  return fillers;
}

}  // namespace

Maglev::Maglev(const HostSet& hosts, uint32_t size) : places_(size, kFree) {
  CONVOY_ASSERT(!hosts.empty() && size >= 2);
  std::vector<Filler> fillers = fillersOf(hosts, size);
  const auto turnOf = [&hosts, &fillers](uint32_t filler, uint64_t count) {
    const uint64_t weight = hosts.entries()[fillers[filler].host].weight;
    return Turn{(count * hosts.maxWeight() + weight - 1) / weight, filler, count};
  };
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  for (uint32_t i = 0; i < fillers.size(); ++i) turns.push(turnOf(i, 1));
  for (uint32_t filled = 0; filled < size; ++filled) {
    const Turn turn = turns.top();
    turns.pop();
    Filler& filler = fillers[turn.filler];
    while (places_[filler.at] != kFree) filler.at = (filler.at + filler.skip) % size;
    places_[filler.at] = filler.host;
    turns.push(turnOf(turn.filler, turn.count + 1));
  }
}

}  // namespace convoy::upstream::algorithms
