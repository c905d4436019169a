#include "proxy/upstream/group_index.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "proxy/base/assert.h"

namespace convoy::upstream {

namespace {

using Slots = std::vector<uint32_t>;

const HostPieces& piecesOf(const HostSet* set) {
  static const HostPieces none;
  return set == nullptr ? none : set->pieces();
}

// In order; of pieces that the other one does not have.
Slots slotsOf(const HostPieces& pieces, const HostPieces& without) {
  absl::flat_hash_set<const HostPiece*> others;
  for (const auto& piece : without) others.insert(piece.get());
  Slots slots;
  for (const auto& piece : pieces) {
    if (others.contains(piece.get())) continue;
    for (const HostEntry& entry : piece->entries()) slots.push_back(entry.slot);
  }
  std::ranges::sort(slots);
  return slots;
}

Slots difference(const Slots& a, const Slots& b) {
  Slots out;
  std::ranges::set_difference(a, b, std::back_inserter(out));
  return out;
}

}  // namespace

std::span<const uint64_t> GroupIndex::groupsOf(uint32_t slot) const {
  const size_t page = slot / kSlots;
  if (page >= pages_.size() || pages_[page] == nullptr) return {};
  const Page& of = *pages_[page];
  const uint32_t first = of.first[slot % kSlots];
  return std::span(of.groups).subspan(first, of.first[slot % kSlots + 1] - first);
}

void GroupIndex::Changes::note(uint64_t group, const HostSet* before, const HostSet* now) {
  if (before == now) return;
  const Slots were = slotsOf(piecesOf(before), piecesOf(now));
  const Slots are = slotsOf(piecesOf(now), piecesOf(before));
  for (const uint32_t slot : difference(were, are)) changes_.push_back({slot, group, false});
  for (const uint32_t slot : difference(are, were)) changes_.push_back({slot, group, true});
}

void GroupIndex::apply(Changes changes) {
  using Change = Changes::Change;
  std::ranges::sort(changes.changes_, {},
                    [](const Change& change) { return std::pair(change.slot, change.group); });
  const std::span<const Change> all = changes.changes_;
  for (size_t first = 0, end = 0; first < all.size(); first = end) {
    const size_t page = all[first].slot / kSlots;
    while (end < all.size() && all[end].slot / kSlots == page) ++end;
    applyTo(page, all.subspan(first, end - first));
  }
}

// Both what was there and the changes are in order of slots, and then of groups.
void GroupIndex::applyTo(size_t page, std::span<const Changes::Change> changes) {
  if (page >= pages_.size()) pages_.resize(page + 1);
  auto made = std::make_shared<Page>();
  auto change = changes.begin();
  for (size_t i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<uint32_t>(page * kSlots + i);
    const auto ofSlot = [&] { return change != changes.end() && change->slot == slot; };
    for (const uint64_t group : groupsOf(slot)) {
      for (; ofSlot() && change->group < group; ++change) {
        CONVOY_ASSERT(change->comes);
        made->groups.push_back(change->group);
      }
      if (ofSlot() && change->group == group) {
        CONVOY_ASSERT(!change->comes);
        ++change;
      } else {
        made->groups.push_back(group);
      }
    }
    for (; ofSlot(); ++change) {
      CONVOY_ASSERT(change->comes);
      made->groups.push_back(change->group);
    }
    made->first[i + 1] = static_cast<uint32_t>(made->groups.size());
  }
  pages_[page] = std::move(made);
}

}  // namespace convoy::upstream
