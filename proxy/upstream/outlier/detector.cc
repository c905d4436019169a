#include "proxy/upstream/outlier/detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proxy/base/assert.h"

namespace convoy::upstream {

namespace {

Detection detectionOf(Streak streak) {
  switch (streak) {
    case Streak::GatewayFailures:
      return Detection::ConsecutiveGatewayFailure;
    case Streak::LocalFailures:
      return Detection::ConsecutiveLocalOriginFailure;
    default:
      return Detection::Consecutive5xx;
  }
}

uint32_t thresholdOf(const OutlierSpec& spec, Streak streak) {
  switch (streak) {
    case Streak::GatewayFailures:
      return spec.consecutive_gateway_failure;
    case Streak::LocalFailures:
      return spec.consecutive_local_origin_failure;
    default:
      return spec.consecutive_5xx;
  }
}

// Those that ejections depend on.
void forgetStreaks(const Host& host) {
  for (const Streak streak :
       {Streak::ServerErrors, Streak::GatewayFailures, Streak::LocalFailures}) {
    host.streaks().forget(streak);
  }
}

const char* wordsFor(Streak streak) {
  switch (streak) {
    case Streak::GatewayFailures:
      return "gateway failures in a row (502, 503, 504)";
    case Streak::LocalFailures:
      return "requests without a response in a row";
    default:
      return "responses of 5xx, or none, in a row";
  }
}

}  // namespace

// --- hosts ---

Detector::Tally Detector::tallyOf(const Host& host) {
  return {.ok = host.sum(&HostMetrics::answers_ok),
          .failed = host.sum(&HostMetrics::answers_failed),
          .reached = host.sum(&HostMetrics::reached),
          .unreached = host.sum(&HostMetrics::unreached),
          .answers = host.sum(&HostMetrics::timed_answers),
          .answer_us = host.sum(&HostMetrics::answer_time_us)};
}

void Detector::setHosts(const std::vector<std::shared_ptr<const Host>>& hosts) {
  std::vector<std::unique_ptr<Record>> before = std::exchange(records_, {});
  absl::flat_hash_map<const Host*, std::unique_ptr<Record>*> known;
  for (auto& record : before) known[record->host.get()] = &record;
  by_address_.clear();
  ejected_ = 0;
  for (const auto& host : hosts) {
    if (by_address_.contains(host->address())) continue;
    const auto found = known.find(host.get());
    auto& record = records_.emplace_back(found == known.end() ? std::make_unique<Record>()
                                                              : std::move(*found->second));
    if (record->host == nullptr) {
      record->host = host;
      record->before = tallyOf(*host);
      forgetStreaks(*host);
    }
    by_address_[host->address()] = record.get();
    if (record->ejected) ++ejected_;
  }
  metrics_.ejections_active.set(ejected_);
}

Detector::Record* Detector::find(const net::Address& host) {
  const auto found = by_address_.find(host);
  return found == by_address_.end() ? nullptr : found->second;
}

bool Detector::ejected(const net::Address& host) const {
  if (ejected_ == 0) return false;
  const auto found = by_address_.find(host);
  return found != by_address_.end() && found->second->ejected;
}

EjectionView Detector::view(const net::Address& host) const {
  const auto found = by_address_.find(host);
  if (found == by_address_.end()) return {};
  EjectionView view = found->second->view;
  view.ejected = found->second->ejected;
  if (!view.ejected) view.evidence.clear();
  return view;
}

// --- what makes an outlier ---

Detector::Events Detector::onStreak(const Host& host, Streak streak, event::MonotonicTime now) {
  Events events;
  Record* const record = find(host.address());
  const uint32_t length = host.streaks().length(streak);
  if (record == nullptr || record->host.get() != &host) return events;
  if (record->ejected) {
    host.streaks().forget(streak);
    return events;
  }
  if (length < thresholdOf(*spec_, streak)) {  // a success came meanwhile
    host.streaks().tellAgain(streak);
    return events;
  }
  detected(*record, detectionOf(streak), absl::StrCat(length, " ", wordsFor(streak)), now, events);
  // Whatever came of it, another row of failures is to be told.
  host.streaks().forget(streak);
  return events;
}

Detector::Events Detector::sweep(event::MonotonicTime now) {
  Events events;
  for (auto& record : records_) {
    comeBackOrQuieten(*record, now, events);
    takeWindow(*record);
  }
  judgeSuccessRates(Origin::External, now, events);
  judgeFailurePercentages(Origin::External, now, events);
  if (spec_->split_local_errors) {
    judgeSuccessRates(Origin::Local, now, events);
    judgeFailurePercentages(Origin::Local, now, events);
  }
  if (spec_->latency.has_value()) judgeLatencies(now, events);
  return events;
}

void Detector::comeBackOrQuieten(Record& record, event::MonotonicTime now, Events& events) {
  if (!record.ejected) {
    if (record.backoff > 0) --record.backoff;
    return;
  }
  if (now - record.ejected_at >= record.ejected_for) comeBack(record, now, events);
}

Detector::Events Detector::onCheckPassed(const net::Address& host, event::MonotonicTime now) {
  Events events;
  Record* const record = find(host);
  if (record != nullptr && record->ejected && spec_->health_check_unejects) {
    comeBack(*record, now, events);
  }
  return events;
}

Detector::Events Detector::takeBack(const Which& which, event::MonotonicTime now) {
  Events events;
  for (auto& record : records_) {
    if (record->ejected && which(record->host->address(), record->by)) {
      comeBack(*record, now, events);
    }
  }
  return events;
}

void Detector::comeBack(Record& record, event::MonotonicTime now, Events& events) {
  record.ejected = false;
  forgetStreaks(*record.host);
  record.before = tallyOf(*record.host);
  // Whether it serves, too, is not known here: checks may be against it.
  metrics_.ejections_active.set(--ejected_);
  events.push_back({.kind = Event::Kind::Returned,
                    .host = record.host->address(),
                    .time = now - record.ejected_at});
}

void Detector::takeWindow(Record& record) {
  const Tally sum = tallyOf(*record.host);
  const Tally& before = record.before;
  record.window = {.ok = sum.ok - before.ok,
                   .failed = sum.failed - before.failed,
                   .reached = sum.reached - before.reached,
                   .unreached = sum.unreached - before.unreached,
                   .answers = sum.answers - before.answers,
                   .answer_us = sum.answer_us - before.answer_us};
  record.before = sum;
}

// Of hosts that are not out and had so many requests.
std::vector<Detector::Rate> Detector::rates(Origin origin, uint32_t request_volume) {
  std::vector<Rate> rates;
  for (auto& record : records_) {
    const Tally& window = record->window;
    const int64_t ok = origin == Origin::External ? window.ok : window.reached;
    const int64_t failed = origin == Origin::External ? window.failed : window.unreached;
    const int64_t all = ok + failed;
    if (record->ejected || all <= 0 || all < int64_t{request_volume}) continue;
    rates.push_back(
        {record.get(), 100.0 * static_cast<double>(ok) / static_cast<double>(all), all});
  }
  // The worst first, since there may not be room for all of them.
  std::stable_sort(rates.begin(), rates.end(),
                   [](const Rate& a, const Rate& b) { return a.percent < b.percent; });
  return rates;
}

void Detector::judgeSuccessRates(Origin origin, event::MonotonicTime now, Events& events) {
  const bool external = origin == Origin::External;
  const auto shown =
      external ? &EjectionView::success_rate : &EjectionView::local_origin_success_rate;
  for (auto& record : records_) record->view.*shown = std::nullopt;
  const std::vector<Rate> rates = this->rates(origin, spec_->success_rate_request_volume);
  for (const Rate& rate : rates) rate.record->view.*shown = rate.percent;
  if (rates.empty() || rates.size() < spec_->success_rate_minimum_hosts) return;
  const auto count = static_cast<double>(rates.size());
  double mean = 0;
  for (const Rate& rate : rates) mean += rate.percent / count;
  double variance = 0;
  for (const Rate& rate : rates) variance += (rate.percent - mean) * (rate.percent - mean) / count;
  const double deviation = std::sqrt(variance);
  const double threshold = mean - deviation * spec_->success_rate_factor;
  for (const Rate& rate : rates) {
    if (rate.percent >= threshold) continue;
    detected(*rate.record, external ? Detection::SuccessRate : Detection::LocalOriginSuccessRate,
             absl::StrFormat("success rate %.1f %% of %d requests, below %.1f %% (mean %.1f, "
                             "standard deviation %.1f of %d hosts)",
                             rate.percent, rate.requests, threshold, mean, deviation, rates.size()),
             now, events);
  }
}

void Detector::judgeFailurePercentages(Origin origin, event::MonotonicTime now, Events& events) {
  const std::vector<Rate> rates = this->rates(origin, spec_->failure_percentage_request_volume);
  if (rates.size() < spec_->failure_percentage_minimum_hosts) return;
  for (const Rate& rate : rates) {
    const double failures = 100.0 - rate.percent;
    if (failures < spec_->failure_percentage_threshold) continue;
    detected(*rate.record,
             origin == Origin::External ? Detection::FailurePercentage
                                        : Detection::LocalOriginFailurePercentage,
             absl::StrFormat("%.1f %% of %d requests failed, threshold %d %%", failures,
                             rate.requests, spec_->failure_percentage_threshold),
             now, events);
  }
}

void Detector::judgeLatencies(event::MonotonicTime now, Events& events) {
  const LatencyOutlierSpec& rule = *spec_->latency;
  struct Mean {
    Record* record;
    double ms;
  };
  std::vector<Mean> means;
  for (auto& record : records_) {
    const Tally& window = record->window;
    if (record->ejected || window.answers <= 0 || window.answers < int64_t{rule.request_volume}) {
      continue;
    }
    means.push_back({record.get(), static_cast<double>(window.answer_us) / 1000 /
                                       static_cast<double>(window.answers)});
  }
  if (means.empty() || means.size() < rule.minimum_hosts) return;
  std::stable_sort(means.begin(), means.end(),
                   [](const Mean& a, const Mean& b) { return a.ms > b.ms; });
  const double median = means[means.size() / 2].ms;  // the lower one of two
  const double most =
      std::max(median * rule.factor, median + static_cast<double>(rule.least_excess.count()));
  for (const Mean& mean : means) {
    if (mean.ms <= most) break;
    detected(*mean.record, Detection::Latency,
             absl::StrFormat("mean response time %.0f ms of %d requests, above %.0f ms (median "
                             "%.0f ms of %d hosts)",
                             mean.ms, mean.record->window.answers, most, median, means.size()),
             now, events);
  }
}

// --- what becomes of it ---

bool Detector::room() const {
  if (serving_ <= 1) return false;
  if (spec_->always_eject_one && ejected_ == 0) return true;
  return (uint64_t{ejected_} + 1) * 100 <= uint64_t{spec_->max_ejection_percent} * records_.size();
}

void Detector::detected(Record& record, Detection by, std::string evidence,
                        event::MonotonicTime now, Events& events) {
  if (record.ejected) return;
  metrics_.detected[static_cast<size_t>(by)].add();
  Event event{.host = record.host->address(), .by = by, .evidence = std::move(evidence)};
  // What is only counted is no failure that others could have in common.
  if (spec_->chance(by) > 0 && hold_ && hold_(event.host, by)) {
    metrics_.ejections_held.add();
    event.kind = Event::Kind::Held;
  } else if (!room()) {
    metrics_.ejections_overflow.add();
    event.kind = Event::Kind::Overflow;
  } else if (random_.below(100) >= spec_->chance(by)) {
    event.kind = Event::Kind::NotEnforced;
  } else {
    // Times the ejections in a row; the count stops where more would change nothing.
    if (spec_->base_ejection_time * record.backoff < spec_->max_ejection_time) ++record.backoff;
    event::Duration time = std::min<event::Duration>(spec_->base_ejection_time * record.backoff,
                                                     spec_->max_ejection_time);
    const event::Duration jitter = spec_->max_ejection_jitter;
    if (jitter.count() > 0) {
      time += event::Duration(random_.below(static_cast<uint64_t>(jitter.count())));
    }
    record.ejected = true;
    record.by = by;
    record.ejected_at = now;
    record.ejected_for = event.time = time;
    record.view.evidence = event.evidence;
    ++record.view.ejections;
    metrics_.ejections_active.set(++ejected_);
    metrics_.ejections_enforced_total.add();
    metrics_.enforced[static_cast<size_t>(by)].add();
    --serving_;
  }
  events.push_back(std::move(event));
}

}  // namespace convoy::upstream
