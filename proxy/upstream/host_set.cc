#include "proxy/upstream/host_set.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/wrr_sequence.h"

namespace convoy::upstream {

namespace {

// Pieces of fewer hosts are put together with their neighbours: where nearly nobody serves there
// would be as many pieces as hosts.
constexpr size_t kSmall = 64;

std::shared_ptr<const HostPiece> join(std::span<const std::shared_ptr<const HostPiece>> pieces) {
  if (pieces.size() == 1) return pieces[0];
  std::vector<HostEntry> entries;
  for (const auto& piece : pieces) {
    entries.insert(entries.end(), piece->entries().begin(), piece->entries().end());
  }
  return std::make_shared<const HostPiece>(std::move(entries));
}

HostPieces joinSmall(const HostPieces& pieces) {
  HostPieces joined;
  const std::span all(pieces);
  for (size_t first = 0, end = 0; first < all.size(); first = end) {
    size_t hosts = 0;
    do {
      hosts += all[end++]->entries().size();
    } while (end < all.size() && all[end - 1]->entries().size() < kSmall &&
             all[end]->entries().size() < kSmall &&
             hosts + all[end]->entries().size() <= HostPiece::kMostHosts);
    joined.push_back(join(all.subspan(first, end - first)));
  }
  return joined;
}

HostPieces arrange(HostPieces pieces, bool in_one) {
  if (pieces.size() <= 1) return pieces;
  if (in_one || countHosts(pieces) <= HostPiece::kMostHosts) return {join(pieces)};
  return joinSmall(pieces);
}

}  // namespace

HostSet::HostSet(HostPieces pieces, const MakeHashTable& make_table)
    : pieces_(arrange(std::move(pieces), /*in_one=*/make_table != nullptr)) {
  notePieces();
  noteParts();
  if (make_table == nullptr && !equal_weights_) buildOrder();
  if (make_table && !empty()) hash_table_ = make_table(*this);
}

void HostSet::notePieces() {
  parts_.reserve(pieces_.size() + 1);
  for (const auto& piece : pieces_) {
    CONVOY_ASSERT(!piece->entries().empty());
    parts_.push_back({piece->entries(), size_});
    size_ += piece->entries().size();
    max_weight_ = std::max(max_weight_, piece->maxWeight());
    total_weight_ += piece->totalWeight();
  }
  parts_.push_back({{}, size_});
  equal_weights_ = total_weight_ == uint64_t{max_weight_} * size_;
}

void HostSet::noteParts() {
  if (pieces_.size() <= 1) {
    flat_ = parts_.front().entries.data();
    if (!pieces_.empty()) shares_ = &pieces_.front()->shares();
    return;
  }
  part_near_.reserve(size_ / kStride + 1);
  for (uint32_t part = 0; part_near_.size() * kStride < size_; ++part) {
    const size_t end = parts_[part + 1].first;
    while (part_near_.size() * kStride < end) part_near_.push_back(part);
  }
  if (equal_weights_) return;
  std::vector<uint64_t> weights;
  for (const auto& piece : pieces_) weights.push_back(piece->totalWeight());
  part_shares_ = AliasTable(weights);
}

void HostSet::buildOrder() {
  if (size_ <= kSmoothMaxHosts) {
    std::vector<uint32_t> weights;
    for (const Entry& entry : entries()) weights.push_back(entry.weight);
    smooth_order_ = smoothWeightedOrder(weights);
  }
  if (smooth_order_.empty()) buildClasses();
}

// Of the pieces' own classes, the heaviest first and then in order of the pieces.
void HostSet::buildClasses() {
  struct Run {
    uint32_t weight;
    uint32_t piece;
    uint32_t index;  // of the piece's class
  };
  std::vector<Run> runs;
  for (uint32_t piece = 0; piece < pieces_.size(); ++piece) {
    const auto classes = pieces_[piece]->weightClasses();
    for (uint32_t i = 0; i < classes.size(); ++i) runs.push_back({classes[i].weight, piece, i});
  }
  std::ranges::sort(runs, [](const Run& a, const Run& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.piece < b.piece;
  });
  class_parts_.reserve(runs.size());
  for (const Run& run : runs) {
    const bool other = classes_.empty() || classes_.back().weight != run.weight;
    if (other) classes_.push_back({.weight = run.weight, .count = 0, .parts = {}});
    const HostPiece& piece = *pieces_[run.piece];
    const auto members = piece.weightClasses()[run.index].members;
    WeightClass& of = classes_.back();
    class_parts_.push_back({piece.entries(), members, of.count});
    of.parts = {&class_parts_.back() - of.parts.size(), of.parts.size() + 1};
    of.count += members.size();
  }
}

const HostSet::Entry& HostSet::drawInParts(event::Random& random) const {
  if (equal_weights_) return inParts(random.below(size_));
  const size_t index = random.below(pieces_.size());
  return pieces_[part_shares_.at(index, random.below(total_weight_))]->draw(random);
}

}  // namespace convoy::upstream
