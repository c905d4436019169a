#include "proxy/upstream/subset_members.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace convoy::upstream {

namespace {

using Subset = SubsetMembers::Subset;
using Labels = std::span<const base::SubsetLabels* const>;

bool needsDefault(const SubsetSpec& spec) {
  return spec.fallback == SubsetFallback::Default ||
         std::any_of(spec.selectors.begin(), spec.selectors.end(), [](const auto& selector) {
           return selector.has_fallback && selector.fallback == SubsetFallback::Default;
         });
}

// In the order of their first hosts, selector by selector.
std::vector<Subset> allSubsets(Labels labels, const SubsetSpec& spec) {
  std::vector<Subset> subsets;
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

}  // namespace

SubsetMembers subsetMembers(Labels labels, const SubsetSpec& spec, const SubsetTable* before) {
  SubsetMembers members{.subsets = allSubsets(labels, spec), .in_default = {}};
  std::vector<Subset>& subsets = members.subsets;
  if (subsets.size() > kMostSubsets) {
    members.overflow = subsets.size() - kMostSubsets;
    std::stable_partition(subsets.begin(), subsets.end(), [before](const Subset& subset) {
      return before != nullptr && before->by_pairs.contains(subset.pairs);
    });
    subsets.erase(subsets.begin() + kMostSubsets, subsets.end());
  }
  if (!needsDefault(spec)) return members;
  for (uint32_t i = 0; i < labels.size(); ++i) {
    if (base::hasAll(*labels[i], spec.default_labels)) members.in_default.push_back(i);
  }
  return members;
}

}  // namespace convoy::upstream
