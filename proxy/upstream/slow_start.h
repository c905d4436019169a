#pragma once

// Starts hosts slowly: one that is new, or comes back, has cold caches and pools, and is not to get
// its whole share with the next pick. While its window lasts it may have only a part of the
// requests under way that a host of its weight has which is warm:
//
//   allowed = max(1, ceil(factor * warm hosts' requests per unit of weight * weight))
//   factor  = max(min_factor, (time since the start / window)^(1 / aggression))
//
// which is Envoy's formula, applied to requests under way instead of the weight: a limit that holds
// at every moment, whatever the algorithm, and that gives a slow host still less. Workers keep to
// it exactly (HostLimits) when a policy chooses; what a host may not have goes to others. A request
// that asks for this host, or finds no room anywhere else, is not refused for it.
//
// A host that has reached its whole share is warm from then on, whatever becomes of the window. Who
// is compared with is relative: the hosts whose factor is the largest are not limited, and the
// others in proportion to it. So hosts that start together, a new cluster's or those of a whole
// outage, serve as if there was no such thing. It is also relative to a host's own group
// (host_groups.h): another priority or zone has another load. A host in several groups counts in
// the first.
//
// A state machine on main: time is an argument. The load of those with the largest factor is looked
// at at each step, of about kSampled of a group if there are more, and smoothed.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/clock.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/host_groups.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

class SlowStart {
 public:
  static constexpr size_t kSampled = 256;

  ~SlowStart() { stop(); }

  // Hosts that serve when it is turned on are warm. Unset: off; nobody is limited any more.
  void configure(const std::optional<SlowStartSpec>& spec, const HostGroups& serving,
                 event::MonotonicTime now);
  // Who serves from now on, before workers know of it.
  void setHosts(const HostGroups& serving, event::MonotonicTime now);
  // Time has passed.
  void step(event::MonotonicTime now);

  // Whether somebody is started slowly, or will be: hosts that have not started together may have
  // the same factor for a while (min_factor).
  bool active() const { return active_; }
  // Between two steps.
  event::Duration period() const;

 private:
  struct Start {
    std::shared_ptr<const Host> host;
    uint32_t weight = 1;
    event::MonotonicTime at{};
    bool warm = false;
    double factor = 1;  // at the last step
    uint64_t round = 0;
    size_t cohort = 0;
  };
  // The hosts of one group.
  struct Cohort {
    uint64_t group = 0;
    bool active = false;
    double load = 0;  // requests under way per unit of weight, smoothed
    // Of the step that is under way.
    double most = 0;
    double least = 1;
    size_t leaders = 0;  // whose factor is `most`
    bool any_warm = false;
    std::optional<event::MonotonicTime> first, last;  // starts of those that are not warm
    bool parts() const { return first.has_value() && (any_warm || *first < *last); }
    size_t seen = 0;
    int64_t requests = 0;
    uint64_t weight = 0;
  };

  void stop();
  void setCohorts(const HostGroups& serving);
  void add(const HostSet::Entry& entry, size_t cohort, event::MonotonicTime now);
  double factorOf(Start& start, event::MonotonicTime now) const;
  void setFactors(event::MonotonicTime now);
  void noteLoads();
  uint32_t allowed(const Start& start) const;

  std::optional<SlowStartSpec> spec_;
  absl::flat_hash_map<uint64_t, Start> starts_;  // by Host::serial(), of all that serve
  std::vector<Cohort> cohorts_;                  // by the groups' index
  uint64_t round_ = 0;
  bool active_ = false;
};

}  // namespace convoy::upstream
