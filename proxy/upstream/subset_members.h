#pragma once

// Which hosts of a cluster are in which subset. That is a matter of their labels alone, so main
// finds it out once for each assignment, whatever becomes of the hosts' health.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "proxy/base/subset_key.h"
#include "proxy/upstream/grouping_spec.h"
#include "proxy/upstream/host_blocks.h"

namespace convoy::upstream {

class SubsetMembers {
 public:
  struct Subset {
    std::string pairs;  // SubsetKey::pairs
    HostBlocks hosts;
  };
  std::vector<Subset> subsets;  // at most kMostSubsets, each with a host
  HostBlocks in_default;        // empty if no fallback asks for them
  size_t overflow = 0;          // subsets that there is no room for
  size_t of_block = HostBlocks::kHosts;

  // This host of the cluster is not as it was.
  void touch(size_t host);
  void touchAll();
  // When the rest is there, before the first touch(). hosts: of the cluster.
  void notePlaces(size_t hosts);

 private:
  struct Place {
    uint32_t subset;  // its index; one more than there are: the default
    uint32_t position;
  };
  HostBlocks& blocksOf(size_t subset) {
    return subset < subsets.size() ? subsets[subset].hosts : in_default;
  }

  // By host: where its places begin; one more at the end.
  std::vector<uint32_t> first_of_;
  std::vector<Place> places_;
};

// labels: of each host. Blocks are as large as in `before`. Subsets that are in it keep their room,
// and what is known of their hosts if these are at the same indices: touch() is to be called for
// those that are not as they were. What is left of the room goes to those whose hosts come first.
SubsetMembers subsetMembers(std::span<const base::SubsetLabels* const> labels,
                            const SubsetSpec& spec, SubsetMembers before);

}  // namespace convoy::upstream
