#pragma once

// Zone-aware routing, as Envoy has it: as many requests as possible stay in the node's own zone, as
// long as all hosts get about the same number. Who calls decides how many those are:
//   - The own zone has at least as large a part of the hosts as of the callers: all stay.
//   - Otherwise as many stay as the hosts are due (hosts' part / callers' part), and the rest goes
//     to zones that have a larger part of the hosts than of the callers, in proportion to the
//     difference.
// Where the callers are is known from the node's own cluster (local_cluster_name); if there is
// none, zones are taken to have the same number of callers each. Pure.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace convoy::upstream {

struct ZoneCount {
  uint64_t hosts = 0;  // healthy ones
  uint64_t callers = 0;
};

// A weight for each zone; the sum is not 0. all_callers: those in zones without hosts included.
// REQUIRES: there are hosts and callers; own is an index.
std::vector<uint64_t> zoneWeights(std::span<const ZoneCount> zones, size_t own,
                                  uint64_t all_callers);

}  // namespace convoy::upstream
