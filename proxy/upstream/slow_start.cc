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
  active_ = false;
}

void SlowStart::configure(const std::optional<SlowStartSpec>& spec,
                          std::span<const HostSet::Entry> serving, event::MonotonicTime now) {
  const bool begins = spec.has_value() && !spec_.has_value();
  spec_ = spec;
  if (!spec_.has_value()) return stop();
  if (!begins) return;
  setHosts(serving, now);
  for (auto& [serial, start] : starts_) start.at = now - spec_->window;
  step(now);
}

void SlowStart::setHosts(std::span<const HostSet::Entry> serving, event::MonotonicTime now) {
  if (!spec_.has_value()) return;
  ++round_;
  for (const HostSet::Entry& entry : serving) {
    Start& start = starts_[entry.host->serial()];
    if (start.host == nullptr) {
      start.host = entry.host->shared_from_this();
      start.at = now;
    }
    start.weight = entry.weight;
    start.round = round_;
  }
  absl::erase_if(starts_, [this](const auto& entry) {
    if (entry.second.round == round_) return false;
    entry.second.host->limits().setMostRequests(HostLimits::kNone);
    return true;
  });
  step(now);
}

double SlowStart::factorOf(const Start& start, event::MonotonicTime now) const {
  const double part = secondsOf(now - start.at) / secondsOf(spec_->window);
  if (part >= 1) return 1;
  return std::clamp(std::pow(std::max(part, 0.0), 1 / spec_->aggression), spec_->min_factor, 1.0);
}

// Requests under way per unit of weight.
double SlowStart::loadOfLeaders(double most) const {
  const size_t stride = std::max<size_t>(1, starts_.size() / kSampled);
  int64_t active = 0;
  uint64_t weight = 0;
  size_t index = 0;
  for (const auto& [serial, start] : starts_) {
    if (start.factor < most || index++ % stride != 0) continue;
    active += std::max<int64_t>(start.host->sum(&HostMetrics::rq_active), 0);
    weight += start.weight;
  }
  return weight == 0 ? 0 : static_cast<double>(active) / static_cast<double>(weight);
}

void SlowStart::step(event::MonotonicTime now) {
  if (!spec_.has_value()) return;
  double most = 0;
  double least = 1;
  for (auto& [serial, start] : starts_) {
    start.factor = factorOf(start, now);
    most = std::max(most, start.factor);
    least = std::min(least, start.factor);
  }
  const bool was_active = std::exchange(active_, least < most);
  if (!active_ && !was_active) return;
  const double load = loadOfLeaders(most);
  load_ = was_active ? load_ + kNewShare * (load - load_) : load;
  constexpr double kMost = std::numeric_limits<int32_t>::max();
  for (auto& [serial, start] : starts_) {
    const double part = start.factor / most * load_ * start.weight;
    const auto allowed = static_cast<uint32_t>(std::clamp(std::ceil(part - kTiny), 1.0, kMost));
    start.host->limits().setMostRequests(start.factor < most ? allowed : HostLimits::kNone);
  }
}

}  // namespace convoy::upstream
