#pragma once

// How much of the load each priority gets, by Envoy's documented rule, in whole percent:
//   health(P) = min(100, overprovisioning x healthy / hosts), likewise of its degraded hosts;
//   the healthy hosts of the first priority take as much as their health, those of the next the
//   rest as far as their health goes, and so on; then the degraded ones in the same order. If all
//   healths together are below 100, they are scaled to 100; what rounding leaves over goes to the
//   first that has any.
// Panic: a priority whose usable hosts are fewer than the PanicSpec's percentage serves with those
// that the panic mode says, unless the priorities together have enough for all requests: a host
// stands for no more than 1.4 there, since an overprovisioning beyond measure, which keeps backups
// waiting, makes one host look like enough. If all priorities are in panic, which they are when
// nobody at all can be used, they share by the number of their hosts. Pure.

#include <cstdint>
#include <span>
#include <vector>

#include "proxy/upstream/spec.h"

namespace convoy::upstream {

struct PriorityHealth {
  uint64_t hosts = 0;     // that count
  uint64_t healthy = 0;   // of these
  uint64_t degraded = 0;  // likewise
  bool present = false;   // there are hosts that may serve in panic
};

struct PriorityLoad {
  uint32_t healthy = 0;   // percent of all requests
  uint32_t degraded = 0;  // likewise
  bool panic = false;

  uint32_t sum() const { return healthy + degraded; }
  friend bool operator==(const PriorityLoad&, const PriorityLoad&) = default;
};

// In order of priorities. The loads add up to 100, or to 0 if nobody may serve.
std::vector<PriorityLoad> priorityLoads(std::span<const PriorityHealth> healths,
                                        uint32_t overprovisioning_percent, const PanicSpec& panic);

}  // namespace convoy::upstream
