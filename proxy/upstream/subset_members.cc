#include "proxy/upstream/subset_members.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace convoy::upstream {

namespace {

using Labels = std::span<const base::SubsetLabels* const>;

struct Found {
  std::string pairs;
  std::vector<uint32_t> hosts;
};

bool needsDefault(const SubsetSpec& spec) {
  return spec.fallback == SubsetFallback::Default ||
         std::any_of(spec.selectors.begin(), spec.selectors.end(), [](const auto& selector) {
           return selector.has_fallback && selector.fallback == SubsetFallback::Default;
         });
}

// In the order of their first hosts, selector by selector.
std::vector<Found> allSubsets(Labels labels, const SubsetSpec& spec) {
  std::vector<Found> subsets;
  absl::flat_hash_map<std::string, size_t> known;
  std::string pairs;
  for (const SubsetSpec::Selector& selector : spec.selectors) {
    for (uint32_t i = 0; i < labels.size(); ++i) {
      if (!base::subsetPairs(*labels[i], selector.names, &pairs)) continue;
      const auto [found, added] = known.try_emplace(pairs, subsets.size());
      if (added) subsets.push_back({pairs, {}});
      subsets[found->second].hosts.push_back(i);
    }
  }
  return subsets;
}

// What was known is worth keeping if they are the same hosts.
HostBlocks blocksOf(std::vector<uint32_t> hosts, size_t of_block, HostBlocks* before) {
  if (before == nullptr || !std::ranges::equal(hosts, before->indices())) {
    return HostBlocks(std::move(hosts), of_block);
  }
  return std::move(*before);
}

}  // namespace

SubsetMembers subsetMembers(Labels labels, const SubsetSpec& spec, SubsetMembers before) {
  absl::flat_hash_map<std::string, HostBlocks*> known;
  for (SubsetMembers::Subset& subset : before.subsets) known[subset.pairs] = &subset.hosts;
  std::vector<Found> found = allSubsets(labels, spec);
  SubsetMembers members;
  members.of_block = before.of_block;
  if (found.size() > kMostSubsets) {
    members.overflow = found.size() - kMostSubsets;
    std::stable_partition(found.begin(), found.end(),
                          [&known](const Found& subset) { return known.contains(subset.pairs); });
    found.erase(found.begin() + kMostSubsets, found.end());
  }
  for (Found& subset : found) {
    const auto at = known.find(subset.pairs);
    HostBlocks* const blocks = at == known.end() ? nullptr : at->second;
    members.subsets.push_back(
        {subset.pairs, blocksOf(std::move(subset.hosts), before.of_block, blocks)});
  }
  if (needsDefault(spec)) {
    std::vector<uint32_t> hosts;
    for (uint32_t i = 0; i < labels.size(); ++i) {
      if (base::hasAll(*labels[i], spec.default_labels)) hosts.push_back(i);
    }
    if (!hosts.empty()) {
      members.in_default = blocksOf(std::move(hosts), before.of_block, &before.in_default);
    }
  }
  members.notePlaces(labels.size());
  return members;
}

// Counted first, then filled.
void SubsetMembers::notePlaces(size_t hosts) {
  const auto forEach = [this](auto&& visit) {
    for (uint32_t subset = 0; subset <= subsets.size(); ++subset) {
      const auto indices = blocksOf(subset).indices();
      for (uint32_t at = 0; at < indices.size(); ++at) visit(indices[at], Place{subset, at});
    }
  };
  first_of_.assign(hosts + 1, 0);
  forEach([this](uint32_t host, Place) { ++first_of_[host + 1]; });
  for (size_t i = 1; i < first_of_.size(); ++i) first_of_[i] += first_of_[i - 1];
  places_.resize(first_of_.back());
  std::vector<uint32_t> next(first_of_.begin(), first_of_.end() - 1);
  forEach([&](uint32_t host, Place place) { places_[next[host]++] = place; });
}

void SubsetMembers::touch(size_t host) {
  if (host + 1 >= first_of_.size()) return;
  for (uint32_t i = first_of_[host]; i < first_of_[host + 1]; ++i) {
    blocksOf(places_[i].subset).touch(places_[i].position);
  }
}

void SubsetMembers::touchAll() {
  for (size_t subset = 0; subset <= subsets.size(); ++subset) blocksOf(subset).touchAll();
}

}  // namespace convoy::upstream
