#include "proxy/upstream/host_blocks.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::upstream {

namespace {

uint32_t placeOf(const HostTally& tally, std::span<const uint32_t> places) {
  return places.empty() ? 0 : places[tally.locality];
}

}  // namespace

bool isOfKind(const GroupedHost& host, HostKind kind) {
  switch (kind) {
    case HostKind::Healthy:
      return host.grade == HostGrade::Healthy;
    case HostKind::Degraded:
      return host.grade == HostGrade::Degraded;
    case HostKind::Panic:
      return host.grade != HostGrade::Away;
    case HostKind::PanicLastGood:
      return host.grade != HostGrade::Away && (host.last_good || host.grade <= HostGrade::Degraded);
  }
  return false;
}

void HostTally::add(const GroupedHost& host) {
  for (Counts* counts : {&count, &weight}) {
    const uint64_t as_many = counts == &count ? 1 : host.entry.weight;
    counts->hosts += as_many;
    if (host.grade == HostGrade::Healthy) counts->healthy += as_many;
    if (host.grade == HostGrade::Degraded) counts->degraded += as_many;
    if (host.grade == HostGrade::Unverified) counts->unverified += as_many;
  }
  max_weight = std::max(max_weight, host.entry.weight);
  unproven += isUnproven(host.grade);
  present += host.grade != HostGrade::Away;
  last_good += host.last_good && host.grade != HostGrade::Away;
}

bool HostTally::any(HostKind kind) const {
  switch (kind) {
    case HostKind::Healthy:
      return count.healthy > 0;
    case HostKind::Degraded:
      return count.degraded > 0;
    case HostKind::Panic:
    case HostKind::PanicLastGood:
      break;
  }
  return present > 0;
}

HostBlocks::HostBlocks(size_t of_block) : of_block_(of_block) {
  CONVOY_ASSERT(of_block <= kHosts);
}

HostBlocks::HostBlocks(std::vector<uint32_t> indices, size_t of_block)
    : of_block_(of_block),
      indices_(std::move(indices)),
      count_(indices_.size()),
      blocks_(blocksOf(count_)) {
  CONVOY_ASSERT(!indices_.empty());
}

void HostBlocks::resize(size_t count, size_t from) {
  CONVOY_ASSERT(indices_.empty());
  count_ = count;
  blocks_.resize(blocksOf(count));
  for (size_t block = from / of_block_; block < blocks_.size(); ++block) touchBlock(block);
}

void HostBlocks::touchAll() {
  for (size_t block = 0; block < blocks_.size(); ++block) touchBlock(block);
}

void HostBlocks::touchBlock(size_t block) {
  blocks_[block].touched = true;
  blocks_[block].fresh = false;
}

void HostBlocks::refresh(std::span<const GroupedHost> hosts) {
  for (size_t block = 0; block < blocks_.size(); ++block) {
    if (!blocks_[block].fresh) tally(block, hosts);
  }
}

std::vector<HostBlocks::Range> HostBlocks::takeTouched() {
  std::vector<Range> ranges;
  for (size_t block = 0; block < blocks_.size(); ++block) {
    if (std::exchange(blocks_[block].touched, false)) ranges.push_back(rangeOf(block));
  }
  return ranges;
}

void HostBlocks::tally(size_t block, std::span<const GroupedHost> hosts) {
  Block& of = blocks_[block];
  of.fresh = true;
  of.tallies.clear();
  for (auto& [of_kind, made] : of.made) made.fresh = false;
  const auto [first, end] = rangeOf(block);
  for (size_t position = first; position < end; ++position) {
    const GroupedHost& host = hosts[indexAt(position)];
    if (of.tallies.empty() || of.tallies.back().priority != host.priority ||
        of.tallies.back().locality != host.locality) {
      HostTally& next = of.tallies.emplace_back();
      next.priority = host.priority;
      next.locality = host.locality;
      next.first = position;
    }
    of.tallies.back().add(host);
  }
}

void HostBlocks::addPieces(uint32_t priority, HostKind kind, std::span<const GroupedHost> hosts,
                           std::span<const uint32_t> places, PiecesByPlace& to) {
  for (Block& block : blocks_) {
    Places asked = this->asked(block, priority, kind, places, to);
    if (asked.empty()) continue;
    Made& made = block.made[{priority, kind}];
    made.wanted = true;
    if (!made.fresh || made.asked != asked) {
      made.asked = std::move(asked);
      make(block, priority, kind, hosts, places, made);
    }
    for (const auto& [place, piece] : made.pieces) to[place].push_back(piece);
  }
}

// Of the places of `to`, those where the block has somebody.
HostBlocks::Places HostBlocks::asked(const Block& block, uint32_t priority, HostKind kind,
                                     std::span<const uint32_t> places, const PiecesByPlace& to) {
  Places asked;
  bool any = false;
  for (const HostTally& tally : block.tallies) {
    if (tally.priority != priority || !tally.any(kind)) continue;
    any = true;
    const uint32_t place = placeOf(tally, places);
    if (to.contains(place)) asked.push_back(place);
  }
  std::ranges::sort(asked);
  asked.erase(std::ranges::unique(asked).begin(), asked.end());
  if (any && to.contains(kEverywhere)) asked.push_back(kEverywhere);
  return asked;
}

// In one pass, whatever the number of places.
void HostBlocks::make(const Block& block, uint32_t priority, HostKind kind,
                      std::span<const GroupedHost> hosts, std::span<const uint32_t> places,
                      Made& made) const {
  std::map<uint32_t, std::vector<HostEntry>> entries;
  const auto entriesAt = [&](uint32_t place) {
    return std::ranges::binary_search(made.asked, place) ? &entries[place] : nullptr;
  };
  for (const HostTally& tally : block.tallies) {
    if (tally.priority != priority || !tally.any(kind)) continue;
    std::vector<HostEntry>* const everywhere = entriesAt(kEverywhere);
    std::vector<HostEntry>* const here = entriesAt(placeOf(tally, places));
    const size_t end = tally.first + tally.count.hosts;
    for (size_t position = tally.first; position < end; ++position) {
      const GroupedHost& host = hosts[indexAt(position)];
      if (!isOfKind(host, kind)) continue;
      if (everywhere != nullptr) everywhere->push_back(host.entry);
      if (here != nullptr) here->push_back(host.entry);
    }
  }
  auto before = std::exchange(made.pieces, {});
  made.fresh = true;
  for (auto& [place, of_place] : entries) {
    std::shared_ptr<const HostPiece>& piece = before[place];
    if (of_place.empty()) continue;
    if (piece == nullptr || !std::ranges::equal(of_place, piece->entries())) {
      piece = std::make_shared<const HostPiece>(std::move(of_place));
    }
    made.pieces[place] = piece;
  }
}

void HostBlocks::forgetUnwanted() {
  for (Block& block : blocks_) {
    std::erase_if(block.made, [](const auto& made) { return !made.second.wanted; });
    for (auto& [of_kind, made] : block.made) made.wanted = false;
  }
}

}  // namespace convoy::upstream
