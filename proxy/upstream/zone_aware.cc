#include "proxy/upstream/zone_aware.h"

#include <algorithm>
#include <numeric>

namespace convoy::upstream {

namespace {

constexpr uint64_t kWhole = 10'000;  // parts are in hundredths of a percent
constexpr uint64_t kScale = 1'000'000;

}  // namespace

std::vector<uint64_t> zoneWeights(std::span<const ZoneCount> zones, size_t own,
                                  uint64_t all_callers) {
  uint64_t all_hosts = 0;
  for (const ZoneCount& zone : zones) all_hosts += zone.hosts;
  const auto ofHosts = [&](size_t i) { return kWhole * zones[i].hosts / all_hosts; };
  const auto ofCallers = [&](size_t i) { return kWhole * zones[i].callers / all_callers; };
  std::vector<uint64_t> weights(zones.size());
  if (zones[own].hosts > 0 && ofHosts(own) >= ofCallers(own)) {
    weights[own] = kScale;
    return weights;
  }
  std::vector<uint64_t> residual(zones.size());
  for (size_t i = 0; i < zones.size(); ++i) {
    if (i != own && ofHosts(i) > ofCallers(i)) residual[i] = ofHosts(i) - ofCallers(i);
  }
  uint64_t sum = std::accumulate(residual.begin(), residual.end(), uint64_t{0});
  // Rounding, or callers in zones without hosts: nobody has room to spare.
  for (size_t i = 0; sum == 0 && i < zones.size(); ++i) {
    if (i != own) residual[i] = zones[i].hosts;
  }
  if (sum == 0) sum = std::accumulate(residual.begin(), residual.end(), uint64_t{0});
  weights[own] = zones[own].hosts == 0 ? 0 : kScale * ofHosts(own) / ofCallers(own);
  if (sum == 0) {
    weights[own] = kScale;
    return weights;
  }
  const uint64_t rest = kScale - weights[own];
  for (size_t i = 0; i < zones.size(); ++i) {
    if (i != own) weights[i] = rest * residual[i] / sum;
  }
  return weights;
}

}  // namespace convoy::upstream
