#pragma once

// Divides the hosts of a cluster into groups, and says how much of the requests each gets: the
// priorities' loads (priority_load.h), within a priority the localities' (by weight, or the node's
// own zone first: zone_aware.h), and all of that once more for each subset. On main. What it keeps
// is in the blocks (host_blocks.h), which are to be touched before where hosts have changed; all
// else is pure.
//
// Of a priority that has no load, and of zones that get nothing, there are groups, too: they are
// the reserve, for requests that were tried on every host with a share.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxy/upstream/grouping_spec.h"
#include "proxy/upstream/host_blocks.h"
#include "proxy/upstream/host_groups.h"
#include "proxy/upstream/spec.h"
#include "proxy/upstream/subset_members.h"

namespace convoy::upstream {

// Where the callers of clusters are: the healthy hosts of the node's own one, by locality.
using CallersByLocality = std::map<LocalityName, uint64_t>;

struct GroupingInput {
  std::span<const GroupedHost> hosts;
  HostBlocks& blocks;  // of all of them
  const AssignmentSpec& assignment;
  const GroupingSpec& spec;
  const PanicSpec& panic;
  const LocalityName* own = nullptr;           // the node's; null: unknown
  const CallersByLocality* callers = nullptr;  // null: unknown
  SubsetMembers* subsets = nullptr;            // not null if the spec has subsets
};

struct GroupPlan {
  struct Group {
    std::string key;  // what it is; the same in the next plan
    HostPieces pieces;
    bool panic = false;  // not the hosts that are well, but those of the panic mode
  };
  std::vector<Group> groups;  // at least one
  GroupSelection whole;
  std::shared_ptr<const SubsetTable> subsets;  // null: none are configured
  // Those that can be used and are in no group of the whole (host_groups.h).
  std::vector<Host*> spares;
  bool panic = false;  // some requests go to a panic's hosts
  // By index of the hosts: whether their priority, in the whole or in some subset, is in panic.
  // Only where the last good ones matter; empty: nobody's.
  std::vector<bool> in_panic;
};

GroupPlan planGroups(const GroupingInput& input);

}  // namespace convoy::upstream
