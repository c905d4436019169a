#include "proxy/upstream/algorithms/hashed.h"

#include "proxy/base/xxhash.h"
#include "proxy/upstream/algorithms/candidates.h"

namespace convoy::upstream::algorithms {

namespace {

// Of a key's sequence; after so many the rest is looked at one by one.
constexpr uint64_t kProbes = 16;

}  // namespace

uint64_t boundedCapacity(uint32_t percent, uint64_t total, uint64_t weight, uint64_t weights) {
  __extension__ using Wide = unsigned __int128;
  const Wide share = Wide{percent} * total * weight;
  const Wide unit = Wide{100} * weights;
  return static_cast<uint64_t>((share + unit - 1) / unit);
}

bool Hashed::take(const HostSet::Entry& entry, const PickContext& context, uint64_t total) const {
  if (context.triedAlready(entry.host)) return false;
  if (total == 0) return true;
  const uint64_t capacity =
      boundedCapacity(balance_percent_, total, entry.weight, hosts_->totalWeight());
  ActiveCounts::Count& active = *entry.active;
  uint32_t seen = active.load(std::memory_order_relaxed);
  while (seen < capacity) {
    if (active.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

Host* Hashed::find(uint64_t hash, const PickContext& context, uint64_t total) const {
  const HashTable& table = *hosts_->hashTable();
  for (uint64_t probe = 0; probe < kProbes; ++probe) {
    const uint64_t place = probe == 0 ? hash : base::mixBits(hash + probe);
    const HostSet::Entry& entry = hosts_->entries()[table.find(place)];
    if (take(entry, context, total)) return entry.host;
  }
  return findAnywhere(table.find(hash), context, total);
}

Host* Hashed::findAnywhere(size_t from, const PickContext& context, uint64_t total) const {
  const auto entries = hosts_->entries();
  for (size_t i = 1; i <= entries.size(); ++i) {
    const HostSet::Entry& entry = entries[(from + i) % entries.size()];
    if (take(entry, context, total)) return entry.host;
  }
  return nullptr;
}

Pick Hashed::pick(PickContext& context) {
  if (hosts_ == nullptr || hosts_->empty()) return {};
  const bool hashes = context.hash.has_value() && hosts_->hashTable() != nullptr;
  if (!bounds(context)) {
    Host* host = hashes ? find(*context.hash, context, 0) : drawUntried(*hosts_, context);
    if (host == nullptr) host = hosts_->entries()[hosts_->hashTable()->find(*context.hash)].host;
    return {.kind = Pick::Kind::Host, .host = host};
  }
  const uint64_t total =
      uint64_t{context.cluster_active->fetch_add(1, std::memory_order_relaxed)} + 1;
  Host* host = hashes ? find(*context.hash, context, total) : nullptr;
  if (host == nullptr) {
    // No key; or everything was tried, or other workers took the last room: the bound gives way.
    host = drawUntried(*hosts_, context);
    host->active().fetch_add(1, std::memory_order_relaxed);
  }
  return {.kind = Pick::Kind::Host, .counted = true, .in_total = true, .host = host};
}

// It has its place whatever the bound says.
Pick Hashed::adopt(PickContext& context, Host& host) {
  if (!bounds(context)) return {.kind = Pick::Kind::Host, .host = &host};
  context.cluster_active->fetch_add(1, std::memory_order_relaxed);
  host.active().fetch_add(1, std::memory_order_relaxed);
  return {.kind = Pick::Kind::Host, .counted = true, .in_total = true, .host = &host};
}

}  // namespace convoy::upstream::algorithms
