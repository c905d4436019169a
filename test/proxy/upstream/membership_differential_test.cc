// Two memberships see the same events: one with its hosts in many small blocks (host_blocks.h),
// which is told whom news are about, and one with all of them in a single block, which asks
// everybody. Whatever the first one does not look at again, both are to come to the same.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proxy/event/random.h"
#include "proxy/upstream/membership.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::hostAddress;

constexpr uint64_t kSeeds = 200;
constexpr int kRounds = 60;
constexpr size_t kAddresses = 150;
constexpr size_t kUnknownAddresses = 5;  // more, which no assignment ever has
constexpr uint32_t kPriorities = 3;

constexpr const char* kZones[] = {"a", "b", "c", "d"};
constexpr HealthStatus kTold[] = {HealthStatus::Unknown,  HealthStatus::Healthy,
                                  HealthStatus::Degraded, HealthStatus::Unhealthy,
                                  HealthStatus::Timeout,  HealthStatus::Draining};
constexpr ActiveHealth kVerdicts[] = {ActiveHealth::NotChecked, ActiveHealth::Unknown,
                                      ActiveHealth::Healthy,    ActiveHealth::Degraded,
                                      ActiveHealth::Unhealthy,  ActiveHealth::Relapsed};
constexpr PanicSpec::Mode kModes[] = {PanicSpec::Mode::Fail, PanicSpec::Mode::ServeAll,
                                      PanicSpec::Mode::ServeLastGood};
constexpr GroupingSpec::Localities kLocalities[] = {GroupingSpec::Localities::Ignored,
                                                    GroupingSpec::Localities::Weighted,
                                                    GroupingSpec::Localities::ZoneAware};
constexpr SubsetFallback kFallbacks[] = {SubsetFallback::None, SubsetFallback::Any,
                                         SubsetFallback::Default};

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  uint64_t below(uint64_t bound) { return random_.below(bound); }
  uint32_t smallNumber(uint32_t most) { return 1 + static_cast<uint32_t>(below(most)); }
  bool oneIn(uint64_t times) { return below(times) == 0; }
  template <class T, size_t kSize>
  const T& oneOf(const T (&things)[kSize]) {
    return things[below(kSize)];
  }

 private:
  event::Random random_;
};

// What a cluster is told beside its assignments and verdicts.
class Settings {
 public:
  explicit Settings(Draw& draw) : draw_(draw), mostly_last_good_(draw.oneIn(2)) {
    changeRule();
    changeSubsets();
  }

  const PanicSpec& panic() const { return panic_; }
  const Grouping& grouping() const { return grouping_; }

  void change() {
    changePanic();
    if (draw_.oneIn(6)) changeRule();
    if (draw_.oneIn(8)) changeOwnZone();
    if (draw_.oneIn(8)) changeCallers();
    if (draw_.oneIn(8)) changeSubsets();
  }

 private:
  // What is noted of who was good last takes some time to matter. So half of the clusters come back
  // to that mode again and again.
  void changePanic() {
    if (draw_.oneIn(6)) {
      panic_.mode = draw_.oneOf(kModes);
      panic_.percent = draw_.oneIn(3) ? 0 : static_cast<uint32_t>(draw_.below(101));
      panic_.ignores_unverified = draw_.oneIn(3);
    } else if (mostly_last_good_ && draw_.oneIn(3)) {
      panic_.mode = PanicSpec::Mode::ServeLastGood;
      // The same hosts may be enough now, and too few next time: panic without news.
      panic_.percent = draw_.oneIn(3) ? 100 : 50;
    }
  }
  void changeRule() {
    GroupingSpec& spec = grouping_.spec;
    spec.localities = draw_.oneOf(kLocalities);
    spec.zone_percent = draw_.oneIn(3) ? static_cast<double>(draw_.below(101)) : 100;
    spec.zone_least_hosts = draw_.below(8);
    spec.fail_on_panic = draw_.oneIn(4);
    spec.zone_aware_asked = draw_.oneIn(2);
  }
  void changeOwnZone() {
    grouping_.own = {};
    if (!draw_.oneIn(3)) grouping_.own.zone = draw_.oneOf(kZones);
  }
  void changeCallers() {
    grouping_.callers = nullptr;
    if (draw_.oneIn(3)) return;
    callers_.clear();
    for (const char* zone : kZones) {
      if (!draw_.oneIn(3)) callers_[{.region = "", .zone = zone, .sub_zone = ""}] = draw_.below(20);
    }
    grouping_.callers = &callers_;
  }
  void changeSubsets() {
    std::shared_ptr<const SubsetSpec>& subsets = grouping_.spec.subsets;
    const uint64_t kind = draw_.below(4);
    if (kind == 0) {
      subsets = nullptr;
    } else if (kind == 1 && subsets != nullptr) {
      subsets = std::make_shared<SubsetSpec>(*subsets);  // the same once more
    } else {
      subsets = newSubsets();
    }
  }
  std::shared_ptr<const SubsetSpec> newSubsets() {
    auto subsets = std::make_shared<SubsetSpec>();
    subsets->selectors.push_back({.names = {"version"}});
    if (draw_.oneIn(2)) subsets->selectors.push_back({.names = {"stage"}});
    if (draw_.oneIn(2)) subsets->selectors.push_back({.names = {"stage", "version"}});
    if (draw_.oneIn(2)) {
      subsets->selectors[0].has_fallback = true;
      subsets->selectors[0].fallback = draw_.oneOf(kFallbacks);
    }
    subsets->fallback = draw_.oneOf(kFallbacks);
    if (!draw_.oneIn(4)) subsets->default_labels = {{"stage", "prod"}};
    return subsets;
  }

  Draw& draw_;
  const bool mostly_last_good_;
  PanicSpec panic_{PanicSpec::Mode::ServeAll, 50};
  Grouping grouping_;
  CallersByLocality callers_;
};

// What the control plane says.
class Assignments {
 public:
  explicit Assignments(Draw& draw) : draw_(draw) {
    startAfresh();
    addSome(20 + draw_.below(81));
  }

  // Stays where it is: memberships keep pointers into it.
  const AssignmentSpec& present() {
    if (kept_.empty()) keep();
    return *kept_.back();
  }
  const AssignmentSpec& next() {
    // Mostly little changes: what a cluster wrongly leaves as it was is seen only where nothing
    // else has touched it.
    const bool calm = !draw_.oneIn(3);
    if (draw_.oneIn(calm ? 20 : 4)) changeAll();
    if (draw_.oneIn(2)) changeALocality();
    for (uint64_t n = draw_.below(calm ? 2 : 10); n > 0; --n) changeAnEndpoint();
    keep();
    return present();
  }

 private:
  using Endpoints = std::vector<EndpointSpec>;

  void keep() { kept_.push_back(std::make_unique<const AssignmentSpec>(spec_)); }

  // --- all of it ---

  void changeAll() {
    switch (draw_.below(6)) {
      case 0:
        startAfresh();
        addSome(draw_.below(100));
        break;
      case 1:
        empty();
        break;
      case 2:
        empty();
        addSome(draw_.below(100));
        break;
      case 3:
        addSome(draw_.below(30));  // after it was emptied: it grows
        break;
      case 4:
        spec_.weighted_priority_health = !spec_.weighted_priority_health;
        break;
      case 5:
        spec_.overprovisioning_percent = 100 + static_cast<uint32_t>(draw_.below(200));
        break;
    }
  }
  void startAfresh() {
    spec_ = {};
    // Often so many that there are several in one block.
    for (uint64_t n = 1 + draw_.below(10); n > 0; --n) addLocality();
  }
  void addLocality() {
    LocalitySpec& locality = spec_.localities.emplace_back();
    locality.zone = draw_.oneOf(kZones);
    locality.priority = static_cast<uint32_t>(draw_.below(kPriorities));
    if (!draw_.oneIn(4)) locality.weight = draw_.smallNumber(3);
  }
  void empty() {
    for (LocalitySpec& locality : spec_.localities) locality.endpoints.clear();
  }
  void addSome(uint64_t count) {
    for (; count > 0; --count) aLocality().endpoints.push_back(newEndpoint());
  }

  // --- a locality ---

  LocalitySpec& aLocality() { return spec_.localities[draw_.below(spec_.localities.size())]; }

  void changeALocality() {
    LocalitySpec& locality = aLocality();
    switch (draw_.below(8)) {
      case 0:
      case 1:
      case 2:
        locality.zone = draw_.oneOf(kZones);
        break;
      case 3:
      case 4:
        locality.priority = static_cast<uint32_t>(draw_.below(kPriorities));
        break;
      case 5:
        locality.weight.reset();
        if (!draw_.oneIn(3)) locality.weight = draw_.smallNumber(3);
        break;
      case 6:
        std::swap(locality, aLocality());
        break;
      case 7:
        if (draw_.oneIn(3)) eraseALocality();
        break;
    }
  }
  void eraseALocality() {
    spec_.localities.erase(spec_.localities.begin() +
                           static_cast<std::ptrdiff_t>(draw_.below(spec_.localities.size())));
    if (spec_.localities.empty()) addLocality();
  }

  // --- an endpoint ---

  EndpointSpec newEndpoint() {
    EndpointSpec endpoint;
    endpoint.address = hostAddress(draw_.below(kAddresses));
    if (draw_.oneIn(2)) endpoint.weight = draw_.smallNumber(4);
    if (draw_.oneIn(12)) endpoint.health = draw_.oneOf(kTold);
    label(endpoint);
    return endpoint;
  }
  void label(EndpointSpec& endpoint) {
    endpoint.subset_labels = {{"version", std::to_string(draw_.below(4))},
                              {"stage", draw_.oneIn(3) ? "canary" : "prod"}};
  }
  void insert(const EndpointSpec& endpoint) {
    Endpoints& endpoints = aLocality().endpoints;
    endpoints.insert(
        endpoints.begin() + static_cast<std::ptrdiff_t>(draw_.below(endpoints.size() + 1)),
        endpoint);
  }
  void changeAnEndpoint() {
    Endpoints& endpoints = aLocality().endpoints;
    if (draw_.oneIn(6) || endpoints.empty()) {
      insert(newEndpoint());
      return;
    }
    const size_t at = draw_.below(endpoints.size());
    EndpointSpec& endpoint = endpoints[at];
    switch (draw_.below(7)) {
      case 0:
        endpoints.erase(endpoints.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1:
        endpoint = newEndpoint();
        break;
      case 2:
        std::swap(endpoint, endpoints[draw_.below(endpoints.size())]);
        break;
      case 3:
        insert(EndpointSpec(endpoint));  // it is there twice then
        break;
      case 4:
        endpoint.weight = draw_.smallNumber(4);
        break;
      case 5:
        endpoint.health = draw_.oneOf(kTold);
        break;
      case 6:
        label(endpoint);
        break;
    }
  }

  Draw& draw_;
  AssignmentSpec spec_;
  std::vector<std::unique_ptr<const AssignmentSpec>> kept_;
};

// What checks of our own say.
class Verdicts {
 public:
  explicit Verdicts(Draw& draw)
      : draw_(draw), at_first_(draw.oneIn(3) ? ActiveHealth::Unknown : ActiveHealth::Healthy) {}

  // Without checks nobody is asked.
  Membership::ActiveHealthOf ask() const {
    if (!checked_) return nullptr;
    return [this](const EndpointSpec& endpoint) {
      const auto found = verdicts_.find(endpoint.address);
      return found == verdicts_.end() ? at_first_ : found->second;
    };
  }
  // That is news about everybody.
  void toggleChecks() { checked_ = !checked_; }
  // Returns whom they are about; some twice, and some nobody knows.
  std::vector<net::Address> change() {
    std::vector<net::Address> of;
    // Now and then so many that another priority has to help, or panic comes.
    const uint64_t count = draw_.oneIn(8) ? draw_.below(kAddresses) : draw_.below(4);
    const bool all_alike = draw_.oneIn(2);
    const ActiveHealth common = draw_.oneOf(kVerdicts);
    for (uint64_t i = 0; i < count; ++i) {
      of.push_back(hostAddress(draw_.below(kAddresses + kUnknownAddresses)));
      const ActiveHealth health = all_alike ? common : draw_.oneOf(kVerdicts);
      verdicts_.insert_or_assign(of.back(), Membership::Verdict(health, draw_.oneIn(15)));
      if (draw_.oneIn(5)) of.push_back(net::Address(of.back()));
    }
    return of;
  }

 private:
  Draw& draw_;
  const Membership::Verdict at_first_;
  bool checked_ = true;
  absl::flat_hash_map<net::Address, Membership::Verdict> verdicts_;
};

// Remembers whom it was made of.
class RememberingTable final : public HashTable {
 public:
  explicit RememberingTable(const HostSet& hosts) : size_(hosts.size()) {
    for (const HostSet::Entry& entry : hosts.entries()) text_ += entry.host->addressText() + " ";
  }
  size_t find(uint64_t hash) const override { return hash % size_; }
  const std::string& text() const { return text_; }

 private:
  const size_t size_;
  std::string text_;
};

struct Twin {
  explicit Twin(size_t block_hosts) : membership(1, block_hosts) {}

  Membership membership;
  Membership::Change change;
};

// One cluster, twice, and all that happens to it.
class Twins {
 public:
  explicit Twins(uint64_t seed) : draw_(seed) { update(assignments_.present()); }

  const Twin& fine() const { return fine_; }
  const Twin& coarse() const { return coarse_; }
  const AssignmentSpec& assignment() { return assignments_.present(); }

  void playRound() {
    if (draw_.oneIn(2)) settings_.change();
    if (draw_.oneIn(15)) changeTables();
    if (draw_.oneIn(2)) {
      if (draw_.oneIn(12)) verdicts_.change();
      if (draw_.oneIn(30)) verdicts_.toggleChecks();
      update(assignments_.next());
    } else {
      refresh();
    }
  }

 private:
  void changeTables() {
    MakeHashTable make_table;
    if (draw_.oneIn(2)) {
      make_table = [](const HostSet& hosts) { return std::make_shared<RememberingTable>(hosts); };
    }
    for (Twin* twin : {&fine_, &coarse_}) twin->membership.makeTablesBy(make_table);
  }
  void update(const AssignmentSpec& assignment) {
    for (Twin* twin : {&fine_, &coarse_}) {
      twin->change = twin->membership.update(assignment, verdicts_.ask(), settings_.panic(),
                                             settings_.grouping());
    }
  }
  void refresh() {
    const std::vector<net::Address> of = verdicts_.change();
    const bool of_all = draw_.oneIn(6);
    if (of_all && draw_.oneIn(5)) verdicts_.toggleChecks();
    for (Twin* twin : {&fine_, &coarse_}) {
      const bool told = twin == &fine_ && !of_all;
      twin->change = twin->membership.refresh(verdicts_.ask(), settings_.panic(),
                                              settings_.grouping(), told ? &of : nullptr);
    }
  }

  Draw draw_;
  Settings settings_{draw_};
  Assignments assignments_{draw_};
  Verdicts verdicts_{draw_};
  Twin fine_{4};
  Twin coarse_{HostBlocks::kHosts};
};

// --- what they have come to, as text ---

std::string text(const HostSet& set) {
  std::string out;
  for (const HostSet::Entry& entry : set.entries()) {
    absl::StrAppend(&out, " ", entry.host->addressText(), "*", entry.weight, "@", entry.slot);
  }
  absl::StrAppend(&out, " (", set.size(), " hosts of ", set.totalWeight(), ", at most ",
                  set.maxWeight(), ")");
  if (set.hashTable() != nullptr) {
    absl::StrAppend(&out,
                    " table: ", static_cast<const RememberingTable*>(set.hashTable())->text());
  }
  return out;
}

std::string text(const HostGroups& groups, const GroupSelection& selection) {
  std::string out;
  for (size_t i = 0; i < selection.groups().size(); ++i) {
    absl::StrAppend(&out, " ", groups.groups()[selection.groups()[i]].key, "=", selection.share(i));
  }
  return out + "\n";
}

std::string text(const HostGroups& groups) {
  std::string out;
  for (const HostGroup& group : groups.groups()) {
    absl::StrAppend(&out, "group ", group.key, group.panic ? " panic:" : ":", text(*group.hosts),
                    "\n");
  }
  absl::StrAppend(&out, "whole:", text(groups, groups.whole()));
  if (groups.parts().subsets != nullptr) {
    const SubsetTable& table = *groups.parts().subsets;
    std::map<std::string, const GroupSelection*> sorted;
    for (const auto& [pairs, selection] : table.by_pairs) sorted[pairs] = &selection;
    for (const auto& [pairs, selection] : sorted) {
      absl::StrAppend(&out, "subset ", pairs, ":", text(groups, *selection));
    }
    absl::StrAppend(&out, "default subset:", text(groups, table.default_subset));
  }
  out += "spares:";
  for (const Host* host : groups.spares()) absl::StrAppend(&out, " ", host->addressText());
  return out + "\n";
}

std::string text(const Membership::PriorityCounts& counts) {
  return absl::StrCat(" ", counts.total, " hosts, ", counts.healthy, " healthy, ", counts.degraded,
                      " degraded\n");
}

std::string text(const Membership::Counts& counts) {
  std::string out = "counts:";
  out += text(static_cast<const Membership::PriorityCounts&>(counts));
  for (const auto& [priority, of_priority] : counts.by_priority) {
    absl::StrAppend(&out, "priority ", priority, ":", text(of_priority));
  }
  out += "healthy by locality:";
  for (const uint32_t healthy : counts.healthy_by_locality) absl::StrAppend(&out, " ", healthy);
  absl::StrAppend(&out, "\nexcluded ", counts.excluded, ", heaviest ", counts.max_weight,
                  ", subsets ", counts.subsets, ", too many ", counts.subset_overflow, "\n");
  return out;
}

std::string text(const Membership::Change& change) {
  std::string out = "removed:";
  for (const auto& host : change.removed) absl::StrAppend(&out, " ", host->addressText());
  out += "\ndraining:";
  for (const auto& host : change.draining) absl::StrAppend(&out, " ", host->addressText());
  absl::StrAppend(&out, "\nsame hosts ", change.same_hosts, ", panic ", change.panic, ", changed ",
                  change.changed, "\n");
  return out;
}

std::string text(const Twin& twin) {
  return text(*twin.membership.hosts()) + text(twin.membership.counts()) + text(twin.change);
}

// --- what holds for each of them ---

void checkEntries(const HostSet& set) {
  size_t index = 0;
  for (const HostSet::Entry& entry : set.entries()) {
    ASSERT_EQ(&set.at(index), &entry) << "entry " << index;
    ASSERT_EQ(entry.active, &entry.host->active()) << "entry " << index;
    ASSERT_EQ(entry.slot, entry.host->slot()) << "entry " << index;
    ++index;
  }
  ASSERT_EQ(index, set.size());
}

void checkGroupsOf(const Membership& membership) {
  const HostGroups& groups = *membership.hosts();
  if (groups.single()) return;  // then there is no index
  std::map<const Host*, std::vector<uint32_t>> expected;
  for (uint32_t i = 0; i < groups.groups().size(); ++i) {
    for (const HostSet::Entry& entry : groups.groups()[i].hosts->entries()) {
      expected[entry.host].push_back(i);
    }
  }
  for (const std::shared_ptr<const Host>& host : membership.all()) {
    const auto of = groups.groupsOf(*host);
    ASSERT_EQ((std::vector<uint32_t>(of.begin(), of.end())), expected[host.get()])
        << host->addressText();
  }
}

// A group of a zone has hosts of that zone only. When only a name has changed nothing touches the
// hosts, not even in a single block: both could be wrong alike.
void checkZones(const Membership& membership, const AssignmentSpec& assignment) {
  std::map<std::string, std::string> zone_of;  // by address; the first place counts
  for (const LocalitySpec& locality : assignment.localities) {
    for (const EndpointSpec& endpoint : locality.endpoints) {
      zone_of.emplace(endpoint.address.text(), locality.zone);
    }
  }
  for (const HostGroup& group : membership.hosts()->groups()) {
    if (!absl::StrContains(group.key, "/0:/1:")) continue;  // of no zone
    for (const HostSet::Entry& entry : group.hosts->entries()) {
      const std::string key_end = "/0:/1:" + zone_of[entry.host->addressText()] + "/0:";
      ASSERT_TRUE(absl::EndsWith(group.key, key_end))
          << group.key << " has " << entry.host->addressText() << ", which ends in " << key_end;
    }
  }
}

void checkRound(Twins& twins) {
  const Membership& fine = twins.fine().membership;
  ASSERT_EQ(twins.fine().change.hosts, fine.hosts());
  ASSERT_EQ(text(twins.fine()), text(twins.coarse()));
  for (const HostGroup& group : fine.hosts()->groups()) {
    SCOPED_TRACE("group " + group.key);
    ASSERT_NO_FATAL_FAILURE(checkEntries(*group.hosts));
  }
  ASSERT_NO_FATAL_FAILURE(checkGroupsOf(fine));
  ASSERT_NO_FATAL_FAILURE(checkZones(fine, twins.assignment()));
}

TEST(MembershipDifferentialTest, BlocksMakeNoDifference) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Twins twins(seed);
    for (int round = 0; round < kRounds; ++round) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, " round ", round));
      if (round > 0) twins.playRound();
      ASSERT_NO_FATAL_FAILURE(checkRound(twins));
    }
  }
}

}  // namespace
}  // namespace convoy::upstream
