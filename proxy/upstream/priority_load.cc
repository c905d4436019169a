#include "proxy/upstream/priority_load.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream/grouping_spec.h"
#include "proxy/upstream/outlier/panic.h"

namespace convoy::upstream {

namespace {

constexpr uint32_t kAll = 100;

struct Health {
  uint32_t healthy = 0;
  uint32_t degraded = 0;
};

uint32_t healthOf(uint64_t usable, uint64_t hosts, uint32_t overprovisioning) {
  if (hosts == 0) return 0;
  // Hosts may count by their weights, and backups come with an overprovisioning beyond measure.
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint32_t>(std::min<Wide>(kAll, Wide{overprovisioning} * usable / hosts));
}

// Returns what is left of the load.
uint32_t distribute(const std::vector<Health>& healths, uint32_t Health::*health, uint32_t total,
                    uint32_t left, uint32_t PriorityLoad::*load, std::vector<PriorityLoad>* loads) {
  for (size_t i = 0; i < healths.size(); ++i) {
    const uint32_t share = std::min(left, healths[i].*health * kAll / total);
    (*loads)[i].*load = share;
    left -= share;
  }
  return left;
}

// What rounding leaves over.
void giveRest(uint32_t rest, std::vector<PriorityLoad>* loads) {
  if (rest == 0) return;
  for (uint32_t PriorityLoad::*kind : {&PriorityLoad::healthy, &PriorityLoad::degraded}) {
    for (PriorityLoad& load : *loads) {
      if (load.*kind == 0) continue;
      load.*kind += rest;
      return;
    }
  }
}

bool allInPanic(std::span<const PriorityHealth> healths, const std::vector<PriorityLoad>& loads) {
  for (size_t i = 0; i < healths.size(); ++i) {
    if (healths[i].present && healths[i].hosts > 0 && !loads[i].panic) return false;
  }
  return true;
}

// What is left of their health says nothing any more.
void shareByHosts(std::span<const PriorityHealth> healths, std::vector<PriorityLoad>* loads) {
  uint64_t all = 0;
  for (const PriorityHealth& health : healths) all += health.present ? health.hosts : 0;
  uint32_t left = kAll;
  for (size_t i = 0; i < healths.size(); ++i) {
    if (!healths[i].present) continue;
    const uint64_t share = all == 0 ? 0 : kAll * healths[i].hosts / all;
    (*loads)[i] = {.healthy = static_cast<uint32_t>(share), .panic = true};
    left -= (*loads)[i].healthy;
  }
  for (size_t i = 0; i < healths.size(); ++i) {
    const bool counts = all == 0 || healths[i].hosts > 0;
    if ((*loads)[i].panic && counts) (*loads)[i].healthy += std::exchange(left, 0);
  }
}

}  // namespace

std::vector<PriorityLoad> priorityLoads(std::span<const PriorityHealth> healths,
                                        uint32_t overprovisioning_percent, const PanicSpec& panic) {
  std::vector<PriorityLoad> loads(healths.size());
  std::vector<Health> scores;
  uint64_t sum = 0;
  uint64_t enough = 0;
  for (const PriorityHealth& health : healths) {
    enough += healthOf(health.healthy + health.degraded, health.hosts,
                       std::min(overprovisioning_percent, kOverprovisioning));
    scores.push_back({healthOf(health.healthy, health.hosts, overprovisioning_percent),
                      healthOf(health.degraded, health.hosts, overprovisioning_percent)});
    // The smallest share that is there at all.
    if (health.healthy > 0) scores.back().healthy = std::max(scores.back().healthy, 1u);
    if (health.degraded > 0) scores.back().degraded = std::max(scores.back().degraded, 1u);
    sum += scores.back().healthy + scores.back().degraded;
  }
  const auto total = static_cast<uint32_t>(std::min<uint64_t>(kAll, sum));
  if (total == 0) {
    if (panic.mode != PanicSpec::Mode::Fail) shareByHosts(healths, &loads);
    return loads;
  }
  uint32_t left = distribute(scores, &Health::healthy, total, kAll, &PriorityLoad::healthy, &loads);
  left = distribute(scores, &Health::degraded, total, left, &PriorityLoad::degraded, &loads);
  giveRest(left, &loads);
  for (size_t i = 0; enough < kAll && i < healths.size(); ++i) {
    loads[i].panic = tooFew(panic, healths[i].hosts, healths[i].healthy + healths[i].degraded);
  }
  if (allInPanic(healths, loads)) shareByHosts(healths, &loads);
  return loads;
}

}  // namespace convoy::upstream
