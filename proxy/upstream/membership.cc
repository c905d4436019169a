#include "proxy/upstream/membership.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace convoy::upstream {

namespace {

enum class Grade : uint8_t { Healthy, Degraded, Excluded };

Grade gradeOf(HealthStatus health) {
  switch (health) {
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

uint32_t Membership::takeSlot() {
  if (free_slots_.empty()) return next_slot_++;
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

Membership::Change Membership::update(const AssignmentSpec& assignment) {
  Change change;
  ++updates_;
  counts_ = {};
  const std::vector<Candidate> candidates = noteEndpoints(assignment, change);
  sweep(change);
  for (const Candidate& candidate : candidates) {
    Member& member = *candidate.member;
    if (member.host == nullptr) {
      member.host = std::make_shared<Host>(candidate.endpoint->address, takeSlot(), workers_);
    }
  }
  std::vector<HostSet::Entry> entries = choose(candidates);
  change.changed = !change.removed.empty() || !change.draining.empty() ||
                   !sameEntries(entries, hosts_->entries());
  if (change.changed) hosts_ = std::make_shared<const HostSet>(std::move(entries));
  change.hosts = hosts_;
  return change;
}

// Every address once, in order; new ones have no host yet.
std::vector<Membership::Candidate> Membership::noteEndpoints(const AssignmentSpec& assignment,
                                                             Change& change) {
  std::vector<Candidate> candidates;
  for (const LocalitySpec& locality : assignment.localities) {
    for (const EndpointSpec& endpoint : locality.endpoints) {
      std::unique_ptr<Member>& member = members_[endpoint.address];
      if (member == nullptr) member = std::make_unique<Member>();
      if (std::exchange(member->seen, updates_) == updates_) continue;
      candidates.push_back({member.get(), &endpoint, locality.priority});

      const Grade grade = gradeOf(endpoint.health);
      ++counts_.total;
      ++(grade == Grade::Healthy    ? counts_.healthy
         : grade == Grade::Degraded ? counts_.degraded
                                    : counts_.excluded);
      counts_.max_weight = std::max(counts_.max_weight, endpoint.weight);
      const bool usable = grade != Grade::Excluded;
      if (std::exchange(member->usable, usable) && !usable) change.draining.push_back(member->host);
    }
  }
  return candidates;
}

void Membership::sweep(Change& change) {
  for (auto at = members_.begin(); at != members_.end();) {
    if (at->second->seen == updates_) {
      ++at;
      continue;
    }
    free_slots_.push_back(at->second->host->slot());
    change.removed.push_back(std::move(at->second->host));
    members_.erase(at++);
  }
}

std::vector<HostSet::Entry> Membership::choose(const std::vector<Candidate>& candidates) {
  for (const Grade grade : {Grade::Healthy, Grade::Degraded}) {
    constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
    uint32_t priority = kNone;
    for (const Candidate& candidate : candidates) {
      if (gradeOf(candidate.endpoint->health) == grade) {
        priority = std::min(priority, candidate.priority);
      }
    }
    if (priority == kNone) continue;
    std::vector<HostSet::Entry> entries;
    for (const Candidate& candidate : candidates) {
      if (candidate.priority != priority || gradeOf(candidate.endpoint->health) != grade) continue;
      entries.push_back({candidate.member->host.get(), candidate.endpoint->weight});
    }
    return entries;
  }
  return {};
}

}  // namespace convoy::upstream
