#include "proxy/upstream/grouping.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/upstream/priority_load.h"
#include "proxy/upstream/zone_aware.h"

namespace convoy::upstream {

namespace {

constexpr uint32_t kEverywhere = HostBlocks::kEverywhere;
constexpr uint64_t kWhole = 1'000'000;  // of a priority's percent
constexpr double kPercent = 100;

using Kind = HostKind;

std::string_view nameOf(Kind kind) {
  return kind == Kind::Degraded ? "degraded" : "";  // a priority in panic goes on with its state
}

bool isPanic(Kind kind) {
  return kind == Kind::Panic || kind == Kind::PanicLastGood;
}

// Hosts of one locality in one priority.
struct Area {
  uint64_t hosts = 0;  // that count
  uint64_t healthy = 0;
  uint64_t degraded = 0;
};

// One priority.
struct Level {
  PriorityHealth health;
  bool any_last_good = false;
  std::map<uint32_t, Area> areas;  // by locality's number; only if localities are told apart
};

// What the hosts of one kind in one level are divided into: a weight for each locality's number, or
// for everywhere. A host whose locality is not there is in no group.
using Division = std::map<uint32_t, uint64_t>;

class Planner {
 public:
  explicit Planner(const GroupingInput& input) : input_(input) {
    using Localities = GroupingSpec::Localities;
    const bool by_zone = input.spec.localities == Localities::ZoneAware &&
                         input.spec.zone_percent > 0 && input.own != nullptr &&
                         (input.callers != nullptr || input.spec.zone_aware_asked);
    if (by_zone || input.spec.localities == Localities::Weighted) numberLocalities();
  }

  GroupPlan run() {
    plan_.whole = select(input_.blocks, "");
    if (plan_.groups.empty()) {
      plan_.groups.push_back({.key = "0", .pieces = {}});
      plan_.whole = GroupSelection({0}, {1});
    }
    whole_ = false;
    if (input_.spec.subsets != nullptr) planSubsets();
    return std::move(plan_);
  }

 private:
  // The same locality may be there several times: in each priority, and among hosts that discovery
  // has taken away.
  void numberLocalities() {
    std::map<LocalityName, uint32_t> numbers;
    for (const LocalitySpec& locality : input_.assignment.localities) {
      const LocalityName name{locality.region, locality.zone, locality.sub_zone};
      const auto [at, added] = numbers.emplace(name, static_cast<uint32_t>(names_.size()));
      if (added) names_.push_back(name);
      numbers_.push_back(at->second);
      if (!locality.weight.has_value()) continue;
      weights_.emplace(std::pair(locality.priority, at->second), *locality.weight);
    }
    if (input_.own == nullptr) return;
    const auto own = numbers.find(*input_.own);
    if (own != numbers.end()) own_ = own->second;
  }

  uint32_t numberOf(const HostTally& tally) const {
    return numbers_.empty() ? 0 : numbers_[tally.locality];
  }

  std::map<uint32_t, Level> levelsOf(const HostBlocks& blocks) const {
    std::map<uint32_t, Level> levels;
    blocks.forEachTally([&](const HostTally& tally) {
      Level& level = levels[tally.priority];
      if (tally.present > 0) level.health.present = true;
      if (tally.last_good > 0) level.any_last_good = true;
      const bool by_weight = input_.assignment.weighted_priority_health;
      const HostTally::Counts& counts = by_weight ? tally.weight : tally.count;
      level.health.hosts += thatCount(counts);
      level.health.healthy += counts.healthy;
      level.health.degraded += counts.degraded;
      if (numbers_.empty() || thatCount(tally.count) == 0) return;
      Area& area = level.areas[numberOf(tally)];
      area.hosts += thatCount(tally.count);
      area.healthy += tally.count.healthy;
      area.degraded += tally.count.degraded;
    });
    return levels;
  }

  uint64_t thatCount(const HostTally::Counts& counts) const {
    return counts.hosts - (input_.panic.ignores_unverified ? counts.unverified : 0);
  }

  // Envoy's effective weights: weight x min(1, overprovisioning x usable / hosts).
  Division byWeight(uint32_t priority, const Level& level, Kind kind) const {
    constexpr uint64_t kFine = 10'000;
    Division division;
    for (const auto& [number, area] : level.areas) {
      const auto weight = weights_.find(std::pair(priority, number));
      const uint64_t usable = kind == Kind::Degraded ? area.degraded : area.healthy;
      if (weight == weights_.end() || usable == 0) continue;
      const uint64_t available =
          std::min(100 * kFine, input_.assignment.overprovisioning_percent * kFine * usable /
                                    std::max<uint64_t>(area.hosts, 1));
      const uint64_t effective = weight->second * available;
      if (effective > 0) division[number] = effective;
    }
    if (division.empty()) division[kEverywhere] = 1;
    return division;
  }

  // In the first priority only, as in Envoy.
  Division byZone(const Level& level) const {
    const GroupingSpec& spec = input_.spec;
    Division everywhere{{kEverywhere, 1}};
    if (!own_.has_value() || spec.zone_percent <= 0) return everywhere;
    std::vector<uint32_t> numbers;
    std::vector<ZoneCount> zones;
    std::optional<size_t> own;
    uint64_t hosts = 0;
    for (const auto& [number, area] : level.areas) {
      if (number == *own_) own = zones.size();
      numbers.push_back(number);
      zones.push_back({.hosts = area.healthy, .callers = callersIn(number)});
      hosts += area.healthy;
    }
    uint64_t callers = zones.size();
    if (input_.callers != nullptr) {
      callers = 0;
      for (const auto& [name, count] : *input_.callers) callers += count;
    }
    if (!own.has_value() || callers == 0 || hosts == 0 || hosts < spec.zone_least_hosts) {
      return everywhere;
    }
    const std::vector<uint64_t> weights = zoneWeights(zones, *own, callers);
    Division division;
    double sum = 0;
    for (size_t i = 0; i < zones.size(); ++i) {
      division[numbers[i]] = weights[i];
      sum += static_cast<double>(weights[i]);
    }
    if (spec.zone_percent < kPercent) {
      division[kEverywhere] =
          static_cast<uint64_t>(sum * (kPercent - spec.zone_percent) / spec.zone_percent);
    }
    return division;
  }

  uint64_t callersIn(uint32_t number) const {
    if (input_.callers == nullptr) return 1;
    const auto found = input_.callers->find(names_[number]);
    return found == input_.callers->end() ? 0 : found->second;
  }

  Division divide(uint32_t priority, const Level& level, Kind kind, bool first) const {
    if (!isPanic(kind)) {
      if (input_.spec.localities == GroupingSpec::Localities::Weighted) {
        return byWeight(priority, level, kind);
      }
      if (input_.spec.localities == GroupingSpec::Localities::ZoneAware && kind == Kind::Healthy &&
          first) {
        return byZone(level);
      }
    }
    return {{kEverywhere, 1}};
  }

  // By the numbers of the division. Whoever is in none of its localities is a spare.
  HostBlocks::PiecesByPlace piecesOf(HostBlocks& blocks, uint32_t priority, Kind kind,
                                     const Division& division) {
    HostBlocks::PiecesByPlace pieces;
    for (const auto& [number, weight] : division) pieces[number];
    blocks.addPieces(priority, kind, input_.hosts, numbers_, pieces);
    if (!whole_ || division.contains(kEverywhere)) return pieces;
    blocks.forEachTally([&](const HostTally& tally) {
      if (tally.priority != priority || division.contains(numberOf(tally))) return;
      forEachHost(blocks, tally, [&](size_t i) {
        const GroupedHost& host = input_.hosts[i];
        if (isOfKind(host, kind)) plan_.spares.push_back(host.entry.host);
      });
    });
    return pieces;
  }

  template <class Visit>
  static void forEachHost(const HostBlocks& blocks, const HostTally& tally, Visit&& visit) {
    const size_t end = tally.first + tally.count.hosts;
    for (size_t at = tally.first; at < end; ++at) visit(blocks.indexAt(at));
  }

  // The groups of one kind in one priority, and their shares.
  void addGroups(HostBlocks& blocks, const std::string& prefix, uint32_t priority,
                 const Level& level, Kind kind, uint32_t load, bool first) {
    const Division division = divide(priority, level, kind, first);
    HostBlocks::PiecesByPlace by_number = piecesOf(blocks, priority, kind, division);
    double sum = 0;
    for (const auto& [number, pieces] : by_number) {
      if (!pieces.empty()) sum += static_cast<double>(division.at(number));
    }
    for (auto& [number, pieces] : by_number) {
      if (pieces.empty()) continue;
      const uint64_t weight = division.at(number);
      uint32_t share = 0;
      if (load > 0 && weight > 0) {
        const double part = static_cast<double>(weight) / sum;
        share = std::max(static_cast<uint32_t>(part * load * static_cast<double>(kWhole)), 1u);
      }
      chosen_.push_back(static_cast<uint32_t>(plan_.groups.size()));
      shares_.push_back(share);
      plan_.groups.push_back({.key = keyOf(prefix, priority, kind, number),
                              .pieces = std::move(pieces),
                              .panic = isPanic(kind)});
    }
  }

  std::string keyOf(const std::string& prefix, uint32_t priority, Kind kind,
                    uint32_t number) const {
    std::string key = absl::StrCat(prefix, priority);
    key += nameOf(kind);
    if (number == kEverywhere) return key;
    const LocalityName& name = names_[number];
    // The lengths first: whatever is in the names, no other three make the same key.
    for (const std::string& part : {name.region, name.zone, name.sub_zone}) {
      absl::StrAppend(&key, "/", part.size(), ":", part);
    }
    return key;
  }

  // What is known of who was good last is not to be overwritten.
  void notePanic(const HostBlocks& blocks, uint32_t priority) {
    if (input_.panic.mode != PanicSpec::Mode::ServeLastGood) return;
    plan_.in_panic.resize(input_.hosts.size());
    blocks.forEachTally([&](const HostTally& tally) {
      if (tally.priority != priority) return;
      forEachHost(blocks, tally, [this](size_t i) { plan_.in_panic[i] = true; });
    });
  }

  // A priority that gets nothing though it could.
  void leaveOut(const HostBlocks& blocks, uint32_t priority) {
    if (!whole_) return;
    blocks.forEachTally([&](const HostTally& tally) {
      if (tally.priority != priority) return;
      forEachHost(blocks, tally, [this](size_t i) {
        const GroupedHost& host = input_.hosts[i];
        if (host.grade <= HostGrade::Degraded) plan_.spares.push_back(host.entry.host);
      });
    });
  }

  GroupSelection select(HostBlocks& blocks, const std::string& prefix) {
    blocks.refresh(input_.hosts);
    const std::map<uint32_t, Level> levels = levelsOf(blocks);
    std::vector<PriorityHealth> healths;
    for (const auto& [priority, level] : levels) healths.push_back(level.health);
    const std::vector<PriorityLoad> loads =
        priorityLoads(healths, input_.assignment.overprovisioning_percent, input_.panic);
    const bool fails =
        input_.spec.localities == GroupingSpec::Localities::ZoneAware && input_.spec.fail_on_panic;
    chosen_.clear();
    shares_.clear();
    size_t index = 0;
    for (const auto& [priority, level] : levels) {
      const PriorityLoad& load = loads[index];
      const bool first = index++ == 0;
      if (load.panic) notePanic(blocks, priority);
      if (load.panic && load.sum() > 0) {
        if (fails) {
          leaveOut(blocks, priority);
          continue;
        }
        addGroups(blocks, prefix, priority, level, panicKind(level), load.sum(), first);
        plan_.panic = true;
        continue;
      }
      if (level.health.healthy > 0) {
        addGroups(blocks, prefix, priority, level, Kind::Healthy, load.healthy, first);
      }
      if (level.health.degraded > 0) {
        addGroups(blocks, prefix, priority, level, Kind::Degraded, load.degraded, first);
      }
    }
    blocks.forgetUnwanted();
    return GroupSelection(chosen_, shares_);
  }

  Kind panicKind(const Level& level) const {
    const bool last_good = input_.panic.mode == PanicSpec::Mode::ServeLastGood;
    return last_good && level.any_last_good ? Kind::PanicLastGood : Kind::Panic;
  }

  void planSubsets() {
    const SubsetSpec& spec = *input_.spec.subsets;
    auto table = std::make_shared<SubsetTable>();
    table->fallback = spec.fallback;
    for (const SubsetSpec::Selector& selector : spec.selectors) {
      if (!selector.has_fallback) continue;
      table->fallbacks[base::subsetKeyNames(selector.names)] = selector.fallback;
    }
    for (SubsetMembers::Subset& subset : input_.subsets->subsets) {
      table->by_pairs[subset.pairs] =
          select(subset.hosts, absl::StrCat("subset ", subset.pairs, " "));
    }
    if (!input_.subsets->in_default.empty()) {
      table->default_subset = select(input_.subsets->in_default, "default subset ");
    }
    plan_.subsets = std::move(table);
  }

  const GroupingInput& input_;
  GroupPlan plan_;
  bool whole_ = true;                // no subset is being planned
  std::vector<LocalityName> names_;  // by number
  std::vector<uint32_t> numbers_;    // by index of the assignment's localities; empty: ignored
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> weights_;  // by priority and number
  std::optional<uint32_t> own_;                                // a number
  // Of the selection that is being put together.
  std::vector<uint32_t> chosen_;
  std::vector<uint32_t> shares_;
};

}  // namespace

GroupPlan planGroups(const GroupingInput& input) {
  return Planner(input).run();
}

}  // namespace convoy::upstream
