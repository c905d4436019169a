#include "proxy/upstream/membership.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "proxy/upstream/outlier/panic.h"

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
    case HealthStatus::Unhealthy:
    case HealthStatus::Draining:
    case HealthStatus::Timeout:
      break;
  }
  return Grade::Excluded;
}

Grade gradeOf(ActiveHealth checked) {
  switch (checked) {
    case ActiveHealth::NotChecked:
    case ActiveHealth::Healthy:
      return Grade::Healthy;
    case ActiveHealth::Degraded:
      return Grade::Degraded;
    case ActiveHealth::Unknown:
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
    : workers_(workers), hosts_(std::make_shared<const HostSet>(std::vector<HostSet::Entry>{})) {}

const Host* Membership::find(const net::Address& address) const {
  const auto found = members_.find(address);
  return found == members_.end() ? nullptr : found->second->host.get();
}

void Membership::makeTablesBy(MakeHashTable make_table) {
  make_table_ = std::move(make_table);
  const auto entries = hosts_->entries();
  const auto spares = hosts_->spares();
  hosts_ = std::make_shared<const HostSet>(
      std::vector<HostSet::Entry>(entries.begin(), entries.end()), make_table_,
      std::vector<Host*>(spares.begin(), spares.end()));
}

uint32_t Membership::takeSlot() {
  if (free_slots_.empty()) return next_slot_++;
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

Membership::Change Membership::update(const AssignmentSpec& assignment,
                                      const ActiveHealthOf& active, const PanicSpec& panic) {
  Change change;
  ++updates_;
  counts_ = {};
  std::vector<Candidate> candidates = noteEndpoints(assignment, active);
  sweep(candidates, change);
  trustIfNobodyServes(candidates);
  grade(candidates, change);
  for (const Candidate& candidate : candidates) {
    Member& member = *candidate.member;
    if (member.host == nullptr) {
      member.host = std::make_shared<Host>(candidate.endpoint->address, takeSlot(), workers_,
                                           counts_of_hosts_);
    }
  }
  std::vector<HostSet::Entry> entries = choose(candidates);
  change.panic = this->panic(candidates, panic, entries);
  std::vector<Host*> spares = sparesOf(candidates, entries);
  change.changed = std::exchange(panic_, change.panic) != change.panic || !change.removed.empty() ||
                   !change.draining.empty() || !sameEntries(entries, hosts_->entries()) ||
                   !std::ranges::equal(spares, hosts_->spares());
  if (change.changed) {
    hosts_ = std::make_shared<const HostSet>(std::move(entries), make_table_, std::move(spares));
  }
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
  for (const LocalitySpec& locality : assignment.localities) {
    for (const EndpointSpec& endpoint : locality.endpoints) {
      Member& member = memberOf(endpoint.address, next);
      if (std::exchange(member.seen, updates_) == updates_) continue;
      const Grade told = gradeOf(endpoint.health);
      const Grade checked = active ? gradeOf(active(endpoint)) : Grade::Healthy;
      if (checked != Grade::Unverified) member.trusted = false;
      candidates.push_back({&member, &endpoint, locality.priority, std::max(told, checked)});
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
  for (const Candidate& candidate : candidates) {
    ++counts_.total;
    ++(candidate.grade == Grade::Healthy    ? counts_.healthy
       : candidate.grade == Grade::Degraded ? counts_.degraded
                                            : counts_.excluded);
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

std::vector<HostSet::Entry> Membership::choose(const std::vector<Candidate>& candidates) {
  for (const Grade grade : {Grade::Healthy, Grade::Degraded}) {
    constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
    uint32_t priority = kNone;
    for (const Candidate& candidate : candidates) {
      if (candidate.grade == grade) {
        priority = std::min(priority, candidate.priority);
      }
    }
    if (priority == kNone) continue;
    std::vector<HostSet::Entry> entries;
    for (const Candidate& candidate : candidates) {
      if (candidate.priority != priority || candidate.grade != grade) continue;
      entries.push_back({candidate.member->host.get(), candidate.endpoint->weight});
    }
    return entries;
  }
  return {};
}

// The usable hosts that were not chosen; `chosen` is in the order of the candidates.
std::vector<Host*> Membership::sparesOf(const std::vector<Candidate>& candidates,
                                        const std::vector<HostSet::Entry>& chosen) {
  std::vector<Host*> spares;
  auto next = chosen.begin();
  for (const Candidate& candidate : candidates) {
    Host* const host = candidate.member->host.get();
    if (next != chosen.end() && next->host == host) {
      ++next;
    } else if (candidate.grade <= Grade::Degraded) {
      spares.push_back(host);
    }
  }
  return spares;
}

// In panic `entries` are those that the mode has it, but never hosts that go away on purpose.
bool Membership::panic(const std::vector<Candidate>& candidates, const PanicSpec& spec,
                       std::vector<HostSet::Entry>& entries) {
  using Mode = PanicSpec::Mode;
  if (spec.mode == Mode::Fail) return false;
  const auto leaves = [](const Candidate& c) {
    return c.endpoint->health == HealthStatus::Draining;
  };
  PriorityHealths healths;
  uint32_t chosen = std::numeric_limits<uint32_t>::max();
  for (const Candidate& c : candidates) {
    const bool usable = c.grade <= Grade::Degraded;
    if (c.grade != Grade::Unverified || !spec.ignores_unverified) {
      ++healths[c.priority].hosts;
      healths[c.priority].usable += usable;
    }
    const bool serves = entries.empty() ? !leaves(c) : c.member->host.get() == entries[0].host;
    if (serves) chosen = std::min(chosen, c.priority);
  }
  if (!inPanic(spec, healths, chosen)) {
    last_good_.clear();
    if (spec.mode != Mode::ServeLastGood) return false;
    for (const HostSet::Entry& entry : entries) last_good_.insert(entry.host->address());
    return false;
  }
  std::vector<HostSet::Entry> good, all;
  for (const Candidate& c : candidates) {
    if (c.priority != chosen || leaves(c)) continue;
    all.push_back({c.member->host.get(), c.endpoint->weight});
    if (last_good_.contains(c.endpoint->address)) good.push_back(all.back());
  }
  entries = good.empty() ? std::move(all) : std::move(good);
  return !entries.empty();
}

}  // namespace convoy::upstream
