#include "proxy/upstream/outlier/panic.h"

#include <algorithm>

namespace convoy::upstream {

bool inPanic(const PanicSpec& spec, const PriorityHealths& healths, uint32_t chosen) {
  constexpr uint64_t kOverprovisioned = 140;  // percent
  if (spec.mode == PanicSpec::Mode::Fail) return false;
  uint64_t capacity = 0;  // percent of what all requests need
  bool any = false;
  for (const auto& [priority, health] : healths) {
    any |= health.usable > 0;
    if (health.hosts == 0) continue;
    capacity += std::min<uint64_t>(100, kOverprovisioned * health.usable / health.hosts);
  }
  if (!any) return true;
  const auto found = healths.find(chosen);
  if (capacity >= 100 || found == healths.end() || found->second.hosts == 0) return false;
  return uint64_t{found->second.usable} * 100 < uint64_t{spec.percent} * found->second.hosts;
}

std::string_view nameOf(PanicSpec::Mode mode) {
  switch (mode) {
    case PanicSpec::Mode::ServeAll:
      return "serve_all";
    case PanicSpec::Mode::ServeLastGood:
      return "serve_last_good";
    case PanicSpec::Mode::Fail:
      break;
  }
  return "fail";
}

}  // namespace convoy::upstream
