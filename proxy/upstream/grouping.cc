#include "proxy/upstream/grouping.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/upstream/priority_load.h"
#include "proxy/upstream/zone_aware.h"

namespace convoy::upstream {

namespace {

constexpr uint32_t kEverywhere = UINT32_MAX;  // in place of a locality
constexpr uint64_t kWhole = 1'000'000;        // of a priority's percent
constexpr double kPercent = 100;

enum class Kind : uint8_t { Healthy, Degraded, Panic };

std::string_view nameOf(Kind kind) {
  return kind == Kind::Degraded ? "degraded" : "";  // a priority in panic goes on with its state
}

// Hosts of one locality in one priority.
struct Area {
  uint64_t hosts = 0;  // that count
  uint64_t healthy = 0;
  uint64_t degraded = 0;
};

using Indices = std::vector<uint32_t>;  // of hosts
using Entries = std::vector<HostSet::Entry>;

// One priority.
struct Level {
  PriorityHealth health;
  Indices members;
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
    Indices all(input_.hosts.size());
    std::iota(all.begin(), all.end(), 0u);
    plan_.whole = select(all, "");
    if (plan_.groups.empty()) {
      plan_.groups.push_back({.key = "0", .entries = {}});
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

  uint32_t numberOf(const GroupedHost& host) const {
    return numbers_.empty() ? 0 : numbers_[host.locality];
  }

  bool counts(const GroupedHost& host) const {
    return host.grade != HostGrade::Unverified || !input_.panic.ignores_unverified;
  }

  std::map<uint32_t, Level> levelsOf(const Indices& members) const {
    std::map<uint32_t, Level> levels;
    Level* level = nullptr;
    Area* area = nullptr;
    const GroupedHost* last = nullptr;  // neighbours are mostly of one locality
    for (const uint32_t i : members) {
      const GroupedHost& host = input_.hosts[i];
      if (last == nullptr || host.priority != last->priority || host.locality != last->locality) {
        if (levels.empty()) levels[host.priority].members.reserve(members.size());
        level = &levels[host.priority];
        area = nullptr;
      }
      last = &host;
      level->members.push_back(i);
      if (host.grade != HostGrade::Away) level->health.present = true;
      if (!counts(host)) continue;
      const uint64_t of_priority =
          input_.assignment.weighted_priority_health ? host.entry.weight : 1;
      const bool healthy = host.grade == HostGrade::Healthy;
      const bool degraded = host.grade == HostGrade::Degraded;
      level->health.hosts += of_priority;
      if (healthy) level->health.healthy += of_priority;
      if (degraded) level->health.degraded += of_priority;
      if (numbers_.empty()) continue;
      if (area == nullptr) area = &level->areas[numberOf(host)];
      ++area->hosts;
      area->healthy += healthy;
      area->degraded += degraded;
    }
    return levels;
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
    if (kind != Kind::Panic) {
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

  bool belongs(const GroupedHost& host, Kind kind, bool any_last_good) const {
    switch (kind) {
      case Kind::Healthy:
        return host.grade == HostGrade::Healthy;
      case Kind::Degraded:
        return host.grade == HostGrade::Degraded;
      case Kind::Panic:
        return host.grade != HostGrade::Away &&
               (!any_last_good || host.last_good || host.grade <= HostGrade::Degraded);
    }
    return false;
  }

  // By the numbers of the division. Whoever is in none of its localities is a spare.
  std::map<uint32_t, Entries> entriesOf(const Level& level, Kind kind, const Division& division) {
    std::map<uint32_t, Entries> entries;
    for (const auto& [number, weight] : division) entries[number];
    const bool any_last_good =
        kind == Kind::Panic && input_.panic.mode == PanicSpec::Mode::ServeLastGood &&
        std::any_of(level.members.begin(), level.members.end(), [this](uint32_t i) {
          const GroupedHost& host = input_.hosts[i];
          return host.last_good && host.grade != HostGrade::Away;
        });
    Entries* const anywhere = division.contains(kEverywhere) ? &entries[kEverywhere] : nullptr;
    const bool divided = anywhere == nullptr || division.size() > 1;
    // Most hosts are well.
    if (anywhere != nullptr && kind != Kind::Degraded) anywhere->reserve(level.members.size());
    Entries* local = nullptr;
    const GroupedHost* last = nullptr;  // that `local` was looked up for
    for (const uint32_t i : level.members) {
      const GroupedHost& host = input_.hosts[i];
      if (!belongs(host, kind, any_last_good)) continue;
      if (anywhere != nullptr) anywhere->push_back(host.entry);
      if (!divided) continue;
      if (last == nullptr || host.locality != last->locality) {
        const auto found = entries.find(numberOf(host));
        local = found == entries.end() ? nullptr : &found->second;
      }
      last = &host;
      if (local != nullptr) local->push_back(host.entry);
      if (whole_ && local == nullptr && anywhere == nullptr) {
        plan_.spares.push_back(host.entry.host);
      }
    }
    return entries;
  }

  // The groups of one kind in one priority, and their shares.
  void addGroups(const std::string& prefix, uint32_t priority, const Level& level, Kind kind,
                 uint32_t load, bool first) {
    const Division division = divide(priority, level, kind, first);
    std::map<uint32_t, Entries> entries = entriesOf(level, kind, division);
    double sum = 0;
    for (const auto& [number, hosts] : entries) {
      if (!hosts.empty()) sum += static_cast<double>(division.at(number));
    }
    for (auto& [number, hosts] : entries) {
      if (hosts.empty()) continue;
      const uint64_t weight = division.at(number);
      uint32_t share = 0;
      if (load > 0 && weight > 0) {
        const double part = static_cast<double>(weight) / sum;
        share = std::max(static_cast<uint32_t>(part * load * static_cast<double>(kWhole)), 1u);
      }
      chosen_.push_back(static_cast<uint32_t>(plan_.groups.size()));
      shares_.push_back(share);
      plan_.groups.push_back({.key = keyOf(prefix, priority, kind, number),
                              .entries = std::move(hosts),
                              .panic = kind == Kind::Panic});
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
  void notePanic(const Level& level) {
    if (input_.panic.mode != PanicSpec::Mode::ServeLastGood) return;
    plan_.in_panic.resize(input_.hosts.size());
    for (const uint32_t i : level.members) plan_.in_panic[i] = true;
  }

  // A priority that gets nothing though it could.
  void leaveOut(const Level& level) {
    for (const uint32_t i : level.members) {
      const GroupedHost& host = input_.hosts[i];
      if (whole_ && host.grade <= HostGrade::Degraded) plan_.spares.push_back(host.entry.host);
    }
  }

  GroupSelection select(const Indices& members, const std::string& prefix) {
    const std::map<uint32_t, Level> levels = levelsOf(members);
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
      if (load.panic) notePanic(level);
      if (load.panic && load.sum() > 0) {
        if (fails) {
          leaveOut(level);
          continue;
        }
        addGroups(prefix, priority, level, Kind::Panic, load.sum(), first);
        plan_.panic = true;
        continue;
      }
      if (level.health.healthy > 0) {
        addGroups(prefix, priority, level, Kind::Healthy, load.healthy, first);
      }
      if (level.health.degraded > 0) {
        addGroups(prefix, priority, level, Kind::Degraded, load.degraded, first);
      }
    }
    return GroupSelection(chosen_, shares_);
  }

  void planSubsets() {
    const SubsetSpec& spec = *input_.spec.subsets;
    auto table = std::make_shared<SubsetTable>();
    table->fallback = spec.fallback;
    for (const SubsetSpec::Selector& selector : spec.selectors) {
      if (!selector.has_fallback) continue;
      table->fallbacks[base::subsetKeyNames(selector.names)] = selector.fallback;
    }
    for (const SubsetMembers::Subset& subset : input_.subsets->subsets) {
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
