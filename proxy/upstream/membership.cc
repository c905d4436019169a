#include "proxy/upstream/membership.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/string_view.h"

namespace convoy::upstream {

namespace {

using Grade = HostGrade;

// Endpoints and members ahead of those that are looked at are fetched meanwhile: with very many
// hosts no cache has them.
constexpr size_t kAhead = 8;

Grade gradeOf(HealthStatus told) {
  switch (told) {
    case HealthStatus::Unknown:
    case HealthStatus::Healthy:
      return Grade::Healthy;
    case HealthStatus::Degraded:
      return Grade::Degraded;
    case HealthStatus::Draining:
      return Grade::Away;
    case HealthStatus::Unhealthy:
    case HealthStatus::Timeout:
      break;
  }
  return Grade::Excluded;
}

Grade gradeOf(const Membership::Verdict& verdict) {
  if (verdict.waits) return Grade::Away;
  switch (verdict.health) {
    case ActiveHealth::NotChecked:
    case ActiveHealth::Healthy:
      return Grade::Healthy;
    case ActiveHealth::Degraded:
      return Grade::Degraded;
    case ActiveHealth::Unknown:
      return Grade::Unverified;
    case ActiveHealth::Relapsed:
      return Grade::Relapsed;
    case ActiveHealth::Unhealthy:
      break;
  }
  return Grade::Excluded;
}

// What is looked at of an endpoint spans two cache lines.
void fetch(const EndpointSpec& endpoint) {
  __builtin_prefetch(&endpoint.address);
  __builtin_prefetch(&endpoint.health);
}

}  // namespace

Membership::Membership(size_t workers, size_t of_block)
    : workers_(workers),
      blocks_(of_block),
      hosts_(std::make_shared<const HostGroups>()),
      pieces_(1) {
  subset_members_.of_block = of_block;
}

const Host* Membership::find(const net::Address& address) const {
  const auto found = members_.find(address);
  return found == members_.end() ? nullptr : found->second->host.get();
}

const EndpointSpec* Membership::endpointOf(const net::Address& address) const {
  const auto found = members_.find(address);
  return found == members_.end() ? nullptr : placed_.standings[found->second->position].endpoint;
}

std::vector<std::shared_ptr<const Host>> Membership::all() const {
  std::vector<std::shared_ptr<const Host>> hosts;
  hosts.reserve(placed_.size());
  for (const Standing& standing : placed_.standings) hosts.push_back(standing.member->host);
  return hosts;
}

void Membership::makeTablesBy(MakeHashTable make_table) {
  make_table_ = std::move(make_table);
  HostGroups::Parts parts = hosts_->parts();
  for (size_t i = 0; i < parts.groups.size(); ++i) {
    parts.groups[i].hosts = std::make_shared<const HostSet>(pieces_[i], make_table_);
  }
  hosts_ = std::make_shared<const HostGroups>(std::move(parts), hosts_.get());
}

uint32_t Membership::takeSlot() {
  if (free_slots_.empty()) return next_slot_++;
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

Membership::Change Membership::update(const AssignmentSpec& assignment,
                                      const ActiveHealthOf& active, const PanicSpec& panic,
                                      const Grouping& grouping) {
  Change change;
  const bool same = place(assignment, active, change);
  subsets_by_.reset();
  return settle(same, panic, grouping, std::move(change));
}

Membership::Change Membership::refresh(const ActiveHealthOf& active, const PanicSpec& panic,
                                       const Grouping& grouping,
                                       const std::vector<net::Address>* of) {
  for (size_t i = 0; of == nullptr && i < placed_.size(); ++i) ask(i, active);
  for (size_t i = 0; of != nullptr && i < of->size(); ++i) {
    const auto found = members_.find((*of)[i]);
    if (found != members_.end()) ask(found->second->position, active);
  }
  return settle(/*same=*/true, panic, grouping, {});
}

// --- who there is ---

Membership::Placed Membership::Placed::splitAt(size_t index) {
  const auto at = static_cast<std::ptrdiff_t>(index);
  Placed rest{{hosts.begin() + at, hosts.end()}, {standings.begin() + at, standings.end()}};
  hosts.erase(hosts.begin() + at, hosts.end());
  standings.erase(standings.begin() + at, standings.end());
  return rest;
}

// Every address once, in order. Returns whether nothing but hosts' health may be another than
// before.
bool Membership::place(const AssignmentSpec& assignment, const ActiveHealthOf& active,
                       Change& change) {
  assignment_ = &assignment;
  size_t index = 0;
  size_t kept = placed_.size();  // the hosts before are where they were
  Placed before;                 // the others in their former order,
  std::vector<bool> stays;       // and whether they are named
  const auto differsFrom = [&](size_t here) {
    before = placed_.splitAt(kept = here);
    stays.resize(before.size());
  };
  size_t next = 0;  // where the next one is in `before` if nothing differs any more
  std::vector<uint32_t> added;
  bool moved = false;
  bool same = true;
  for (uint32_t i = 0; i < assignment.localities.size(); ++i) {
    const std::vector<EndpointSpec>& endpoints = assignment.localities[i].endpoints;
    for (size_t e = 0; e < endpoints.size(); ++e) {
      if (e + kAhead < endpoints.size()) fetch(endpoints[e + kAhead]);
      const EndpointSpec& endpoint = endpoints[e];
      if (index < kept && isAt(placed_, index, endpoint.address)) {
        same &= note(index++, endpoint, i, active);
        continue;
      }
      if (index < kept) differsFrom(index);
      Member& member = isAt(before, next, endpoint.address) ? *before.standings[next].member
                                                            : memberOf(endpoint.address);
      if (member.position < kept || member.position == kPlaced) continue;  // it is named twice
      if (member.position == kNew) {
        member.position = kPlaced;
        added.push_back(static_cast<uint32_t>(index));
        placed_.hosts.emplace_back();
        placed_.standings.push_back({.member = &member});
      } else {
        const size_t at = member.position - kept;
        if (stays[at]) continue;
        stays[at] = true;
        next = at + 1;
        moved |= member.position != index;
        placed_.hosts.push_back(before.hosts[at]);
        placed_.standings.push_back(before.standings[at]);
      }
      same &= note(index++, endpoint, i, active);
    }
  }
  if (index < kept) differsFrom(index);
  if (kept < index || !before.hosts.empty()) blocks_.resize(placed_.size(), kept);
  removeUnnamed(before, stays, change);
  addHosts(added);
  for (size_t i = kept; moved && i < placed_.size(); ++i) {
    placed_.standings[i].member->position = static_cast<uint32_t>(i);
  }
  change.same_hosts = !moved && added.empty() && change.removed.empty();
  return same && change.same_hosts;
}

// What the assignment says of the host there. Returns whether nothing but its health may be another
// than before.
bool Membership::note(size_t index, const EndpointSpec& endpoint, uint32_t locality,
                      const ActiveHealthOf& active) {
  GroupedHost& host = placed_.hosts[index];
  const uint32_t priority = assignment_->localities[locality].priority;
  const bool same = host.entry.weight == endpoint.weight && host.priority == priority &&
                    host.locality == locality;
  host.entry.weight = endpoint.weight;
  host.priority = priority;
  host.locality = locality;
  placed_.standings[index].endpoint = &endpoint;
  placed_.standings[index].told = gradeOf(endpoint.health);
  // Hosts that are new, or elsewhere, are looked at anyway.
  if ((judge(index, active) || !same) && index < blocks_.size()) blocks_.touch(index);
  return same;
}

bool Membership::isAt(const Placed& placed, size_t index, const net::Address& address) {
  const std::vector<Standing>& standings = placed.standings;
  if (index + kAhead < standings.size()) __builtin_prefetch(standings[index + kAhead].member);
  return index < standings.size() && standings[index].member->address == address;
}

Membership::Member& Membership::memberOf(const net::Address& address) {
  std::unique_ptr<Member>& member = members_[address];
  if (member == nullptr) member = std::make_unique<Member>(address);
  return *member;
}

void Membership::removeUnnamed(const Placed& before, const std::vector<bool>& stays,
                               Change& change) {
  for (size_t i = 0; i < stays.size(); ++i) {
    if (stays[i]) continue;
    Member& member = *before.standings[i].member;
    free_slots_.push_back(member.host->slot());
    change.removed.push_back(std::move(member.host));
    members_.erase(members_.find(member.address));
  }
}

// After others have given back their slots.
void Membership::addHosts(const std::vector<uint32_t>& added) {
  for (const uint32_t i : added) {
    Member& member = *placed_.standings[i].member;
    member.position = i;
    // In a block of its own: who remembers a host that is gone (removed_hosts.h) keeps no more.
    member.host =
        std::shared_ptr<Host>(new Host(member.address, takeSlot(), workers_, counts_of_hosts_));
    HostSet::Entry& entry = placed_.hosts[i].entry;
    entry = HostSet::Entry(member.host.get(), entry.weight);
  }
}

// --- how they are ---

void Membership::ask(size_t index, const ActiveHealthOf& active) {
  if (!judge(index, active)) return;
  blocks_.touch(index);
  subset_members_.touch(index);
}

// A host is as good as the worse of what the control plane and our own checks say of it. Returns
// whether that is another grade than before.
bool Membership::judge(size_t index, const ActiveHealthOf& active) {
  Standing& standing = placed_.standings[index];
  const Grade checked = active ? gradeOf(active(*standing.endpoint)) : Grade::Healthy;
  if (!isUnproven(checked)) standing.trusted = false;
  Grade grade = std::max(standing.told, checked);
  if (isUnproven(grade) && standing.trusted) grade = standing.told;
  return std::exchange(placed_.hosts[index].grade, grade) != grade;
}

// Hosts that were not checked yet get no requests while any other host can take them. If none can,
// all of them serve, until their own checks say otherwise: were they to stop as soon as the first
// one has passed, that one would have the whole load of a pool that starts.
void Membership::trustIfNobodyServes() {
  blocks_.refresh(placed_.hosts);
  bool served = false;
  bool any_unproven = false;
  blocks_.forEachTally([&](const HostTally& tally) {
    served |= tally.count.healthy + tally.count.degraded > 0;
    any_unproven |= tally.unproven > 0;
  });
  if (served || !any_unproven) return;
  for (size_t i = 0; i < placed_.size(); ++i) {
    if (!isUnproven(placed_.hosts[i].grade)) continue;
    placed_.standings[i].trusted = true;
    placed_.hosts[i].grade = placed_.standings[i].told;
    blocks_.touch(i);
    subset_members_.touch(i);
  }
  blocks_.refresh(placed_.hosts);
}

void Membership::count() {
  counts_ = {};
  counts_.healthy_by_locality.resize(assignment_->localities.size());
  blocks_.forEachTally([this](const HostTally& tally) {
    const HostTally::Counts& here = tally.count;
    for (PriorityCounts* to :
         {static_cast<PriorityCounts*>(&counts_), &counts_.by_priority[tally.priority]}) {
      to->total += static_cast<uint32_t>(here.hosts);
      to->healthy += static_cast<uint32_t>(here.healthy);
      to->degraded += static_cast<uint32_t>(here.degraded);
    }
    counts_.max_weight = std::max(counts_.max_weight, tally.max_weight);
    counts_.healthy_by_locality[tally.locality] += static_cast<uint32_t>(here.healthy);
  });
  counts_.excluded = counts_.total - counts_.healthy - counts_.degraded;
}

// Returns whether every host is as good as before.
bool Membership::noteGrades(Change& change) {
  bool same = true;
  touched_ = blocks_.takeTouched();
  for (const HostBlocks::Range& range : touched_) {
    for (size_t i = range.first; i < range.end; ++i) {
      Standing& standing = placed_.standings[i];
      const Grade now = placed_.hosts[i].grade;
      const Grade before = std::exchange(standing.before, now);
      same &= before == now;
      if (before <= Grade::Degraded && now > Grade::Degraded) {
        change.draining.push_back(standing.member->host);
      }
    }
  }
  return same;
}

// --- where they serve ---

// same: so far nothing that groups are made of is another than before.
Membership::Change Membership::settle(bool same, const PanicSpec& panic, const Grouping& grouping,
                                      Change change) {
  trustIfNobodyServes();
  count();
  same &= noteGrades(change);
  same &= noteBasis(panic, grouping);
  same &= noteSubsets(grouping.spec.subsets);
  counts_.subsets = subset_members_.subsets.size();
  counts_.subset_overflow = subset_members_.overflow;
  if (!same) regroup(panic, grouping, change);
  change.panic = panic_;
  change.hosts = hosts_;
  return change;
}

// Returns whether it is as before.
bool Membership::noteBasis(const PanicSpec& panic, const Grouping& grouping) {
  Basis basis{.panic = panic,
              .spec = grouping.spec,
              .own = grouping.own,
              .callers = {},
              .overprovisioning_percent = assignment_->overprovisioning_percent,
              .weighted_priority_health = assignment_->weighted_priority_health,
              .localities = {}};
  if (grouping.callers != nullptr) basis.callers = *grouping.callers;
  for (const LocalitySpec& locality : assignment_->localities) {
    basis.localities.push_back(
        {{locality.region, locality.zone, locality.sub_zone}, locality.priority, locality.weight});
  }
  const bool same = basis == basis_;
  if (basis.localities != basis_.localities) {
    blocks_.touchAll();
    subset_members_.touchAll();
  }
  basis_ = std::move(basis);
  return same;
}

// Likewise; after an assignment nobody knows.
bool Membership::noteSubsets(const std::shared_ptr<const SubsetSpec>& spec) {
  if (spec != nullptr && subsets_by_ == spec) return true;
  subsets_by_ = spec;
  if (spec == nullptr) {
    SubsetMembers none;
    none.of_block = subset_members_.of_block;
    subset_members_ = std::move(none);
    return true;
  }
  std::vector<const base::SubsetLabels*> labels;
  labels.reserve(placed_.size());
  for (const Standing& standing : placed_.standings) {
    labels.push_back(&standing.endpoint->subset_labels);
  }
  subset_members_ = subsetMembers(labels, *spec, std::move(subset_members_));
  for (const HostBlocks::Range& range : touched_) {
    for (size_t i = range.first; i < range.end; ++i) subset_members_.touch(i);
  }
  return false;
}

void Membership::regroup(const PanicSpec& panic, const Grouping& grouping, Change& change) {
  GroupPlan plan = planGroups({.hosts = placed_.hosts,
                               .blocks = blocks_,
                               .assignment = *assignment_,
                               .spec = grouping.spec,
                               .panic = panic,
                               .own = grouping.own.empty() ? nullptr : &grouping.own,
                               .callers = grouping.callers,
                               .subsets = &subset_members_});
  noteGood(panic, plan.in_panic);
  bool changed = std::exchange(panic_, plan.panic) != plan.panic || !change.removed.empty() ||
                 !change.draining.empty();
  HostGroups::Parts parts = partsOf(std::move(plan), &changed);
  if (changed) hosts_ = std::make_shared<const HostGroups>(std::move(parts), hosts_.get());
  change.changed = changed;
}

// Who could be used, as long as there were enough: that is noted for the panic to come.
void Membership::noteGood(const PanicSpec& panic, const std::vector<bool>& in_panic) {
  if (panic.mode != PanicSpec::Mode::ServeLastGood) {
    good_noted_ = false;
    return;
  }
  const bool calm = in_panic.empty();
  // While it was calm before, whoever was not touched is noted as it is.
  if (!good_noted_) touched_ = {{0, placed_.size()}};
  good_noted_ = calm;
  for (const HostBlocks::Range& range : touched_) {
    for (size_t i = range.first; i < range.end; ++i) {
      GroupedHost& host = placed_.hosts[i];
      if (host.grade == Grade::Away || (!calm && in_panic[i])) continue;
      const bool good = host.grade <= Grade::Degraded;
      if (std::exchange(host.last_good, good) == good) continue;
      blocks_.touch(i);
      subset_members_.touch(i);
    }
  }
}

// A group of which nothing has changed keeps its set; one that was there before keeps its id.
HostGroups::Parts Membership::partsOf(GroupPlan plan, bool* changed) {
  const HostGroups::Parts& before = hosts_->parts();
  absl::flat_hash_map<absl::string_view, const HostGroup*> known;
  for (const HostGroup& group : before.groups) known[group.key] = &group;
  HostGroups::Parts parts;
  std::vector<HostPieces> pieces;
  for (GroupPlan::Group& planned : plan.groups) {
    const auto found = known.find(planned.key);
    const HostGroup* const former = found == known.end() ? nullptr : found->second;
    const size_t was_at = former == nullptr ? 0 : former - before.groups.data();
    *changed |= was_at != parts.groups.size();
    HostGroup& group = parts.groups.emplace_back();
    pieces.push_back(std::move(planned.pieces));
    if (former != nullptr && sameHosts(pieces.back(), pieces_[was_at])) {
      group = *former;
      *changed |= std::exchange(group.panic, planned.panic) != planned.panic;
      continue;
    }
    group.id = former != nullptr ? former->id : next_group_++;
    group.panic = planned.panic;
    group.key = std::move(planned.key);
    group.hosts = std::make_shared<const HostSet>(pieces.back(), make_table_);
    *changed = true;
  }
  pieces_ = std::move(pieces);
  parts.whole = std::move(plan.whole);
  parts.subsets = std::move(plan.subsets);
  parts.spares = std::move(plan.spares);
  const bool same_subsets = (parts.subsets == nullptr) == (before.subsets == nullptr) &&
                            (parts.subsets == nullptr || *parts.subsets == *before.subsets);
  *changed |= parts.groups.size() != before.groups.size() || parts.whole != before.whole ||
              !same_subsets || parts.spares != before.spares;
  return parts;
}

}  // namespace convoy::upstream
