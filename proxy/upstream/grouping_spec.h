#pragma once

// Where a request may go before an algorithm picks (priorities, localities, subsets): what config/
// makes of lb_subset_config, common_lb_config and an assignment's policy. Plain data.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "proxy/base/subset_key.h"

namespace convoy::upstream {

struct LocalityName {
  std::string region, zone, sub_zone;

  bool empty() const { return region.empty() && zone.empty() && sub_zone.empty(); }
  friend bool operator==(const LocalityName&, const LocalityName&) = default;
  friend auto operator<=>(const LocalityName&, const LocalityName&) = default;
};

// Envoy's overprovisioning, in percent.
inline constexpr uint32_t kOverprovisioning = 140;
inline constexpr uint32_t kMostOverprovisioning = 10'000'000;

// Subsets that a cluster has at most; hosts of further ones are found by the fallback only.
inline constexpr size_t kMostSubsets = 1000;
inline constexpr int kMostSubsetSelectors = 16;
// Localities of one assignment.
inline constexpr int kMostLocalities = 1000;

enum class SubsetFallback : uint8_t { None, Any, Default };

struct SubsetSpec {
  struct Selector {
    std::vector<std::string> names;  // in order, at least one
    bool has_fallback = false;       // of its own, for requests that name just these
    SubsetFallback fallback = SubsetFallback::None;

    friend bool operator==(const Selector&, const Selector&) = default;
  };
  std::vector<Selector> selectors;
  SubsetFallback fallback = SubsetFallback::None;
  base::SubsetLabels default_labels;  // empty: every host has them

  friend bool operator==(const SubsetSpec&, const SubsetSpec&) = default;
};

struct LocalityRule {
  enum class Localities : uint8_t {
    Ignored,
    Weighted,   // by their weights and health
    ZoneAware,  // the node's own first, as far as that is fair
  };
  Localities localities = Localities::Ignored;
  // ZoneAware:
  bool zone_aware_asked = false;  // by name: also without knowing where the callers are
  double zone_percent = 100;      // of the requests; the others go anywhere
  uint64_t zone_least_hosts = 6;
  bool fail_on_panic = false;  // a priority in panic gets nothing

  friend bool operator==(const LocalityRule&, const LocalityRule&) = default;
};

struct GroupingSpec : LocalityRule {
  std::shared_ptr<const SubsetSpec> subsets;  // null: none

  friend bool operator==(const GroupingSpec& a, const GroupingSpec& b) {
    const LocalityRule& rule = a;
    return rule == b && (a.subsets == b.subsets || (a.subsets != nullptr && b.subsets != nullptr &&
                                                    *a.subsets == *b.subsets));
  }
};

}  // namespace convoy::upstream
