#include "proxy/upstream/membership.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"

namespace convoy::upstream {

namespace {

using Grade = HostGrade;

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
    case ActiveHealth::Relapsed:
      return Grade::Unverified;
    case ActiveHealth::Unhealthy:
      break;
  }
  return Grade::Excluded;
}

bool sameEntries(std::span<const HostSet::Entry> a, std::span<const HostSet::Entry> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const HostSet::Entry& x, const HostSet::Entry& y) {
                      return x.host == y.host && x.weight == y.weight;
                    });
}

}  // namespace

Membership::Membership(size_t workers)
    : workers_(workers), hosts_(std::make_shared<const HostGroups>()) {}

const Host* Membership::find(const net::Address& address) const {
  const auto found = members_.find(address);
  return found == members_.end() ? nullptr : found->second->host.get();
}

void Membership::makeTablesBy(MakeHashTable make_table) {
  make_table_ = std::move(make_table);
  HostGroups::Parts parts = hosts_->parts();
  for (HostGroup& group : parts.groups) {
    const auto entries = group.hosts->entries();
    group.hosts = std::make_shared<const HostSet>(
        std::vector<HostSet::Entry>(entries.begin(), entries.end()), make_table_);
  }
  hosts_ = std::make_shared<const HostGroups>(std::move(parts));
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
  ++updates_;
  counts_ = {};
  std::vector<Candidate> candidates = noteEndpoints(assignment, active);
  sweep(candidates, change);
  trustIfNobodyServes(candidates);
  counts_.healthy_by_locality.resize(assignment.localities.size());
  grade(candidates, change);
  for (const Candidate& candidate : candidates) {
    Member& member = *candidate.member;
    if (member.host == nullptr) {
      member.host = std::make_shared<Host>(candidate.endpoint->address, takeSlot(), workers_,
                                           counts_of_hosts_);
    }
  }
  GroupPlan planned = plan(candidates, assignment, panic, grouping);
  change.panic = planned.panic;
  counts_.subset_overflow = planned.subset_overflow;
  counts_.subsets = planned.subsets == nullptr ? 0 : planned.subsets->by_pairs.size();
  bool changed = std::exchange(panic_, change.panic) != change.panic || !change.removed.empty() ||
                 !change.draining.empty();
  HostGroups::Parts parts = partsOf(std::move(planned), &changed);
  noteServing(candidates, parts, panic, change.panic);
  parts.spares = sparesOf(candidates);
  changed |= !std::ranges::equal(parts.spares, hosts_->spares());
  change.changed = changed;
  if (changed) hosts_ = std::make_shared<const HostGroups>(std::move(parts));
  change.hosts = hosts_;
  return change;
}

// next: where in the order before the address is if nothing has changed since the last call.
Membership::Member& Membership::memberOf(const net::Address& address, size_t& next) {
  if (next < order_.size() && order_[next]->address == address) return *order_[next++];
  std::unique_ptr<Member>& member = members_[address];
  if (member == nullptr) {
    member = std::make_unique<Member>(address);
  } else if (member->host != nullptr && member->seen != updates_) {
    next = member->position + 1;
  }
  return *member;
}

// Every address once, in order; new ones have no host yet. A host is as good as the worse of what
// the control plane and our own checks say of it.
std::vector<Membership::Candidate> Membership::noteEndpoints(const AssignmentSpec& assignment,
                                                             const ActiveHealthOf& active) {
  std::vector<Candidate> candidates;
  candidates.reserve(order_.size() + 1);
  size_t next = 0;
  for (uint32_t i = 0; i < assignment.localities.size(); ++i) {
    const LocalitySpec& locality = assignment.localities[i];
    for (const EndpointSpec& endpoint : locality.endpoints) {
      Member& member = memberOf(endpoint.address, next);
      if (std::exchange(member.seen, updates_) == updates_) continue;
      const Grade told = gradeOf(endpoint.health);
      const Grade checked = active ? gradeOf(active(endpoint)) : Grade::Healthy;
      if (checked != Grade::Unverified) member.trusted = false;
      candidates.push_back({&member, &endpoint, locality.priority, i, std::max(told, checked)});
    }
  }
  return candidates;
}

// Hosts that were not checked yet get no requests while any other host can take them. If none can,
// all of them serve, until their own checks say otherwise: were they to stop as soon as the first
// one has passed, that one would have the whole load of a pool that starts.
void Membership::trustIfNobodyServes(std::vector<Candidate>& candidates) {
  const bool served =
      std::any_of(candidates.begin(), candidates.end(), [](const Candidate& candidate) {
        return candidate.grade <= Grade::Degraded ||
               (candidate.grade == Grade::Unverified && candidate.member->trusted);
      });
  for (Candidate& candidate : candidates) {
    if (candidate.grade != Grade::Unverified) continue;
    if (!served) candidate.member->trusted = true;
    if (!candidate.member->trusted) continue;
    const bool degraded = candidate.endpoint->health == HealthStatus::Degraded;
    candidate.grade = degraded ? Grade::Degraded : Grade::Healthy;
  }
}

void Membership::grade(const std::vector<Candidate>& candidates, Change& change) {
  PriorityCounts* of_priority = nullptr;
  uint32_t priority = 0;
  for (const Candidate& candidate : candidates) {
    ++counts_.total;
    ++(candidate.grade == Grade::Healthy    ? counts_.healthy
       : candidate.grade == Grade::Degraded ? counts_.degraded
                                            : counts_.excluded);
    if (candidate.grade == Grade::Healthy) ++counts_.healthy_by_locality[candidate.locality];
    if (of_priority == nullptr || candidate.priority != priority) {
      of_priority = &counts_.by_priority[priority = candidate.priority];
    }
    ++of_priority->total;
    of_priority->healthy += candidate.grade == Grade::Healthy;
    of_priority->degraded += candidate.grade == Grade::Degraded;
    counts_.max_weight = std::max(counts_.max_weight, candidate.endpoint->weight);
    Member& member = *candidate.member;
    const bool usable = candidate.grade <= Grade::Degraded;
    if (std::exchange(member.usable, usable) && !usable) change.draining.push_back(member.host);
  }
}

// Removes those that the assignment does not name, and notes the new order.
void Membership::sweep(const std::vector<Candidate>& candidates, Change& change) {
  for (size_t i = 0; members_.size() > candidates.size(); ++i) {
    Member& member = *order_[i];
    if (member.seen == updates_) continue;
    free_slots_.push_back(member.host->slot());
    change.removed.push_back(std::move(member.host));
    members_.erase(members_.find(member.address));
  }
  order_.resize(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) {
    order_[i] = candidates[i].member;
    order_[i]->position = i;
  }
}

GroupPlan Membership::plan(const std::vector<Candidate>& candidates,
                           const AssignmentSpec& assignment, const PanicSpec& panic,
                           const Grouping& grouping) const {
  std::vector<GroupedHost> hosts;
  hosts.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    hosts.push_back({.host = candidate.member->host.get(),
                     .endpoint = candidate.endpoint,
                     .priority = candidate.priority,
                     .locality = candidate.locality,
                     .grade = candidate.grade,
                     .last_good = candidate.member->last_good});
  }
  return planGroups({.hosts = hosts,
                     .assignment = assignment,
                     .spec = grouping.spec,
                     .panic = panic,
                     .own = grouping.own.empty() ? nullptr : &grouping.own,
                     .callers = grouping.callers});
}

// A group of which nothing has changed keeps its set; one that was there before keeps its id.
HostGroups::Parts Membership::partsOf(GroupPlan plan, bool* changed) {
  const HostGroups::Parts& before = hosts_->parts();
  absl::flat_hash_map<absl::string_view, const HostGroup*> known;
  for (const HostGroup& group : before.groups) known[group.key] = &group;
  HostGroups::Parts parts;
  for (GroupPlan::Group& planned : plan.groups) {
    const auto found = known.find(planned.key);
    HostGroup& group = parts.groups.emplace_back();
    if (found != known.end() && sameEntries(planned.entries, found->second->hosts->entries())) {
      group = *found->second;
      *changed |= std::exchange(group.panic, planned.panic) != planned.panic;
      continue;
    }
    group.id = found != known.end() ? found->second->id : next_group_++;
    group.panic = planned.panic;
    group.key = std::move(planned.key);
    group.hosts = std::make_shared<const HostSet>(std::move(planned.entries), make_table_);
    *changed = true;
  }
  parts.whole = std::move(plan.whole);
  parts.subsets = std::move(plan.subsets);
  const bool same_subsets = (parts.subsets == nullptr) == (before.subsets == nullptr) &&
                            (parts.subsets == nullptr || *parts.subsets == *before.subsets);
  *changed |=
      parts.groups.size() != before.groups.size() || parts.whole != before.whole || !same_subsets;
  return parts;
}

// Which hosts requests to the cluster as a whole go to. in_panic: some group of it, or of a subset.
void Membership::noteServing(const std::vector<Candidate>& candidates,
                             const HostGroups::Parts& parts, const PanicSpec& panic,
                             bool in_panic) {
  by_slot_.resize(next_slot_);
  for (const Candidate& candidate : candidates) {
    by_slot_[candidate.member->host->slot()] = candidate.member;
  }
  const auto groups = parts.whole.groups();
  const bool note_good = panic.mode == PanicSpec::Mode::ServeLastGood && !in_panic;
  for (const Candidate& candidate : candidates) {
    if (note_good) candidate.member->last_good = false;
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const HostSet::Entry& entry : parts.groups[groups[i]].hosts->entries()) {
      Member& member = *by_slot_[entry.host->slot()];
      member.grouped = updates_;
      if (note_good && i < parts.whole.withShares()) member.last_good = true;
    }
  }
}

// The usable hosts that are in none of these groups.
std::vector<Host*> Membership::sparesOf(const std::vector<Candidate>& candidates) const {
  std::vector<Host*> spares;
  for (const Candidate& candidate : candidates) {
    if (candidate.member->grouped == updates_ || candidate.grade > Grade::Degraded) continue;
    spares.push_back(candidate.member->host.get());
  }
  return spares;
}

}  // namespace convoy::upstream
