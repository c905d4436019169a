#pragma once

// Which hosts of a cluster are in which subset. That is a matter of their labels alone, so main
// finds it out once for each assignment, whatever becomes of the hosts' health. Pure.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "proxy/base/subset_key.h"
#include "proxy/upstream/grouping_spec.h"
#include "proxy/upstream/host_groups.h"

namespace convoy::upstream {

struct SubsetMembers {
  struct Subset {
    std::string pairs;  // SubsetKey::pairs
    std::vector<uint32_t> hosts;
  };
  std::vector<Subset> subsets;       // at most kMostSubsets, each with a host
  std::vector<uint32_t> in_default;  // empty if no fallback asks for them
  size_t overflow = 0;               // subsets that there is no room for
};

// labels: of each host. Subsets that are in `before` (null: there are none) keep their room; what
// is left of it goes to those whose hosts come first.
SubsetMembers subsetMembers(std::span<const base::SubsetLabels* const> labels,
                            const SubsetSpec& spec, const SubsetTable* before);

}  // namespace convoy::upstream
