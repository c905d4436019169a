#include "proxy/upstream/host_piece.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::upstream {

namespace {

constexpr auto kInOrder = [] {
  std::array<uint32_t, HostPiece::kMostHosts> indices{};
  std::iota(indices.begin(), indices.end(), 0u);
  return indices;
}();

}  // namespace

HostPiece::HostPiece(std::vector<HostEntry> entries) : entries_(std::move(entries)) {
  for (const HostEntry& entry : entries_) {
    CONVOY_ASSERT(entry.weight > 0);
    max_weight_ = std::max(max_weight_, entry.weight);
    total_weight_ += entry.weight;
  }
  if (!equalWeights()) {
    std::vector<uint64_t> weights;
    weights.reserve(entries_.size());
    for (const HostEntry& entry : entries_) weights.push_back(entry.weight);
    shares_ = AliasTable(weights);
  }
  if (entries_.size() <= kMostHosts) buildClasses();
}

void HostPiece::buildClasses() {
  if (equalWeights()) {
    if (!entries_.empty()) classes_ = {{max_weight_, std::span(kInOrder).first(entries_.size())}};
    return;
  }
  members_.assign(kInOrder.begin(),
                  kInOrder.begin() + static_cast<std::ptrdiff_t>(entries_.size()));
  std::ranges::stable_sort(
      members_, [this](uint32_t a, uint32_t b) { return entries_[a].weight > entries_[b].weight; });
  for (size_t first = 0, end = 0; first < members_.size(); first = end) {
    const uint32_t weight = entries_[members_[first]].weight;
    while (end < members_.size() && entries_[members_[end]].weight == weight) ++end;
    classes_.push_back({weight, std::span(members_).subspan(first, end - first)});
  }
}

size_t countHosts(const HostPieces& pieces) {
  size_t hosts = 0;
  for (const auto& piece : pieces) hosts += piece->entries().size();
  return hosts;
}

bool sameHosts(const HostPieces& a, const HostPieces& b) {
  std::span<const HostEntry> left_a;  // of the pieces that are looked at
  std::span<const HostEntry> left_b;
  for (size_t next_a = 0, next_b = 0;;) {
    const bool at_cuts = left_a.empty() && left_b.empty();
    if (at_cuts && next_a < a.size() && next_b < b.size() && a[next_a] == b[next_b]) {
      ++next_a;
      ++next_b;
      continue;
    }
    if (left_a.empty() && next_a < a.size()) left_a = a[next_a++]->entries();
    if (left_b.empty() && next_b < b.size()) left_b = b[next_b++]->entries();
    const size_t both = std::min(left_a.size(), left_b.size());
    if (both == 0) return left_a.empty() && left_b.empty();
    if (!std::ranges::equal(left_a.first(both), left_b.first(both))) return false;
    left_a = left_a.subspan(both);
    left_b = left_b.subspan(both);
  }
}

HostPieces piecesOf(std::vector<HostEntry> entries) {
  HostPieces pieces;
  if (entries.empty()) return pieces;
  if (entries.size() <= HostPiece::kMostHosts) {
    pieces.push_back(std::make_shared<const HostPiece>(std::move(entries)));
    return pieces;
  }
  const std::span<const HostEntry> all = entries;
  for (size_t first = 0; first < all.size(); first += HostPiece::kMostHosts) {
    const auto some = all.subspan(first, std::min(HostPiece::kMostHosts, all.size() - first));
    pieces.push_back(
        std::make_shared<const HostPiece>(std::vector<HostEntry>(some.begin(), some.end())));
  }
  return pieces;
}

}  // namespace convoy::upstream
