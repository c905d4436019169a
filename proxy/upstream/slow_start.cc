#include "proxy/upstream/slow_start.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace convoy::upstream {

namespace {

constexpr event::Duration kLongestPeriod = std::chrono::milliseconds(100);
constexpr event::Duration kShortestPeriod = std::chrono::milliseconds(10);
constexpr int kStepsAtLeast = 20;
// Of what a step sees in the smoothed load: a dip of a moment does not choke a host.
constexpr double kNewShare = 0.25;
// So that what is a whole number on paper is one here.
constexpr double kTiny = 1e-9;

double secondsOf(event::Duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

event::Duration SlowStart::period() const {
  if (!spec_.has_value()) return kLongestPeriod;
  return std::clamp(event::Duration(spec_->window) / kStepsAtLeast, kShortestPeriod,
                    kLongestPeriod);
}

void SlowStart::stop() {
  for (auto& [serial, start] : starts_) start.host->limits().setMostRequests(HostLimits::kNone);
  starts_.clear();
  cohorts_.clear();
  active_ = false;
}

void SlowStart::configure(const std::optional<SlowStartSpec>& spec, const HostGroups& serving,
                          event::MonotonicTime now) {
  const bool begins = spec.has_value() && !spec_.has_value();
  // Who is warm by the former rule stays so.
  if (spec_.has_value()) setFactors(now);
  spec_ = spec;
  if (!spec_.has_value()) return stop();
  if (!begins) return;
  setHosts(serving, now);
  for (auto& [serial, start] : starts_) start.warm = true;
  step(now);
}

void SlowStart::setHosts(const HostGroups& serving, event::MonotonicTime now) {
  if (!spec_.has_value()) return;
  ++round_;
  setCohorts(serving);
  for (size_t i = 0; i < cohorts_.size(); ++i) {
    for (const HostSet::Entry& entry : serving.groups()[i].hosts->entries()) add(entry, i, now);
  }
  absl::erase_if(starts_, [this](const auto& entry) {
    if (entry.second.round == round_) return false;
    entry.second.host->limits().setMostRequests(HostLimits::kNone);
    return true;
  });
  step(now);
}

// A group that was there before goes on.
void SlowStart::setCohorts(const HostGroups& serving) {
  absl::flat_hash_map<uint64_t, Cohort> before;
  for (const Cohort& cohort : cohorts_) before[cohort.group] = cohort;
  cohorts_.clear();
  for (const HostGroup& group : serving.groups()) {
    const auto known = before.find(group.id);
    Cohort& cohort = cohorts_.emplace_back(known == before.end() ? Cohort() : known->second);
    cohort.group = group.id;
  }
}

void SlowStart::add(const HostSet::Entry& entry, size_t cohort, event::MonotonicTime now) {
  Start& start = starts_[entry.host->serial()];
  if (start.round == round_) return;
  if (start.host == nullptr) {
    start.host = entry.host->shared_from_this();
    start.at = now;
  }
  start.weight = entry.weight;
  start.round = round_;
  start.cohort = cohort;
}

double SlowStart::factorOf(Start& start, event::MonotonicTime now) const {
  if (start.warm) return 1;
  const double part = secondsOf(now - start.at) / secondsOf(spec_->window);
  start.warm = part >= 1;
  if (start.warm) return 1;
  return std::clamp(std::pow(std::max(part, 0.0), 1 / spec_->aggression), spec_->min_factor, 1.0);
}

void SlowStart::setFactors(event::MonotonicTime now) {
  for (Cohort& cohort : cohorts_) {
    cohort.most = 0;
    cohort.least = 1;
    cohort.leaders = 0;
    cohort.any_warm = false;
    cohort.first = cohort.last = std::nullopt;
  }
  for (auto& [serial, start] : starts_) {
    start.factor = factorOf(start, now);
    Cohort& cohort = cohorts_[start.cohort];
    if (start.factor > cohort.most) cohort.leaders = 0;
    if (start.factor >= cohort.most) ++cohort.leaders;
    cohort.most = std::max(cohort.most, start.factor);
    cohort.least = std::min(cohort.least, start.factor);
    if (start.warm) {
      cohort.any_warm = true;
    } else {
      cohort.first = std::min(cohort.first.value_or(start.at), start.at);
      cohort.last = std::max(cohort.last.value_or(start.at), start.at);
    }
  }
}

// Of the leaders of each group in which somebody starts.
void SlowStart::noteLoads() {
  for (Cohort& cohort : cohorts_) {
    cohort.seen = 0;
    cohort.requests = 0;
    cohort.weight = 0;
  }
  for (const auto& [serial, start] : starts_) {
    Cohort& cohort = cohorts_[start.cohort];
    if (!(cohort.least < cohort.most) || start.factor < cohort.most) continue;
    const size_t stride = std::max<size_t>(1, cohort.leaders / kSampled);
    if (cohort.seen++ % stride != 0) continue;
    cohort.requests += std::max<int64_t>(start.host->sum(&HostMetrics::rq_active), 0);
    cohort.weight += start.weight;
  }
  for (Cohort& cohort : cohorts_) {
    const bool was_active = std::exchange(cohort.active, cohort.least < cohort.most);
    if (!cohort.active) continue;
    const double load = static_cast<double>(cohort.requests) / static_cast<double>(cohort.weight);
    cohort.load = was_active ? cohort.load + kNewShare * (load - cohort.load) : load;
  }
}

uint32_t SlowStart::allowed(const Start& start) const {
  const Cohort& cohort = cohorts_[start.cohort];
  if (!cohort.active || !(start.factor < cohort.most)) return HostLimits::kNone;
  constexpr double kMost = std::numeric_limits<int32_t>::max();
  const double part = start.factor / cohort.most * cohort.load * start.weight;
  return static_cast<uint32_t>(std::clamp(std::ceil(part - kTiny), 1.0, kMost));
}

void SlowStart::step(event::MonotonicTime now) {
  if (!spec_.has_value()) return;
  setFactors(now);
  const bool active = std::any_of(cohorts_.begin(), cohorts_.end(),
                                  [](const Cohort& cohort) { return cohort.parts(); });
  const bool was_active = std::exchange(active_, active);
  if (!active_ && !was_active) return;
  noteLoads();
  for (auto& [serial, start] : starts_) start.host->limits().setMostRequests(allowed(start));
}

}  // namespace convoy::upstream
