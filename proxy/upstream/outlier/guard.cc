#include "proxy/upstream/outlier/guard.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"
#include "proxy/base/strings.h"

namespace convoy::upstream {

namespace {

using Kind = Detector::Event::Kind;

const std::vector<std::shared_ptr<const Host>> kNobody;

constexpr FailureWay kWays[] = {FailureWay::CheckUnanswered, FailureWay::CheckWrong,
                                FailureWay::Errors, FailureWay::Unreachable, FailureWay::Slow};

bool ofChecks(FailureWay way) {
  return way == FailureWay::CheckUnanswered || way == FailureWay::CheckWrong;
}

std::string secondsOf(event::Duration time) {
  constexpr double kMsPerSecond = 1000;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  return absl::StrCat(static_cast<double>(ms) / kMsPerSecond, " s");
}

}  // namespace

Guard::Guard(event::Loop& main, observe::MetricRegistry& registry, std::string cluster,
             OnChanged on_changed, std::function<void(uint32_t)> set_most)
    : main_(main),
      cluster_(std::move(cluster)),
      on_changed_(std::move(on_changed)),
      set_most_(std::move(set_most)),
      metrics_(registry, "cluster", {{"envoy_cluster_name", cluster_}}, /*slots=*/1),
      detector_(main.random(), metrics_.slot(0)),
      breaker_timer_(main, [this] { onBreakerTimer(); }),
      governor_(main.random()),
      recovery_timer_(main, [this] { onRecoveryTimer(); }),
      timer_(main, [this] { tick(); }) {
  detector_.holdBy([this](const net::Address& host, Detection by) { return hold(host, by); });
}

Guard::~Guard() {
  if (recovery_.has_value()) set_most_(Governor::kNoCap);
}

void Guard::configure(const ClusterSpec& spec) {
  // Without an outlier detection the detector knows no hosts.
  detects_ = spec.outlier != nullptr;
  detector_.configure(detects_ ? spec.outlier : std::make_shared<const OutlierSpec>());
  correlated_ = spec.correlation;
  if (correlated_.has_value()) {
    correlation_.configure(*correlated_);
  } else {
    correlation_ = {};
    failing_checks_.clear();
    answering_.clear();
    settleAlarms();
  }
  breaker_spec_ = spec.host_breaker;
  if (breaker_spec_.has_value()) {
    breakers_.configure(*breaker_spec_);
  } else {
    // Before hosts are judged by it once more.
    breakers_.setHosts(kNobody);
    breaker_timer_.cancel();
    half_open_changed_ = true;
  }
  if (recovery_.has_value() && !spec.recovery.has_value()) {
    governor_.reset();
    recovery_timer_.cancel();
    recovering_ = false;
    metrics_.slot(0).recovery_active.set(0);
    set_most_(Governor::kNoCap);
  }
  recovery_ = spec.recovery;
  if (recovery_.has_value()) governor_.configure(*recovery_);
  keepTime();
}

// A cluster may be another one more often than an interval passes: that puts no sweep off.
void Guard::keepTime() {
  const event::Duration period = detects_ ? event::Duration(detector_.spec().interval)
                                 : correlated_.has_value()
                                     ? event::Duration(correlated_->window) / 3
                                     : event::Duration();
  if (std::exchange(period_, period) == period && timer_.armed()) return;
  timer_.cancel();
  if (period_.count() > 0) timer_.armAfter(period_);
}

void Guard::setHosts(const std::vector<std::shared_ptr<const Host>>& hosts) {
  detector_.setHosts(detects_ ? hosts : kNobody);
  breakers_.setHosts(breaker_spec_.has_value() ? hosts : kNobody);
  if (recovery_.has_value()) governRecovery(hosts);
  if (!correlated_.has_value()) return;
  auto before = std::exchange(answering_, {});
  for (const auto& host : hosts) {
    const auto found = before.find(host->address());
    const bool known = found != before.end() && found->second.host == host;
    answering_[host->address()] =
        known ? found->second : Answering{host, host->sum(&HostMetrics::answers_ok)};
  }
}

EjectionView Guard::view(const net::Address& host) const {
  EjectionView view = detects_ ? detector_.view(host) : EjectionView();
  const auto failing = failing_checks_.find(host);
  const HostBreakers::State breaker = breakers_.state(host);
  view.breaker_open = breaker == HostBreakers::State::Open;
  view.breaker_half_open = breaker == HostBreakers::State::HalfOpen;
  view.held = failing != failing_checks_.end() && correlation_.concerns(failing->second, host) &&
              answeredLately(host);
  view.waits = recovery_.has_value() && governor_.standing(host) == Governor::Standing::Waits;
  return view;
}

// --- verdicts ---

void Guard::observe(const std::vector<Observed>& hosts) {
  governor_.beginRound();
  if (!correlated_.has_value()) return;
  // An address may occur twice.
  absl::flat_hash_set<net::Address> addresses;
  for (const Observed& observed : hosts) addresses.insert(observed.host);
  correlation_.setHosts(addresses.size());
  auto before = std::exchange(failing_checks_, {});
  for (const Observed& observed : hosts) {
    if (addresses.erase(observed.host) == 0) continue;
    const auto found = before.find(observed.host);
    if (observed.checked.health != ActiveHealth::Unhealthy) continue;
    if (found != before.end()) {
      failing_checks_.insert(*found);
      before.erase(found);
      continue;
    }
    const FailureWay way =
        observed.checked.unanswered ? FailureWay::CheckUnanswered : FailureWay::CheckWrong;
    failing_checks_[observed.host] = way;
    noteFailure(way, observed.host);
  }
  for (const auto& [host, way] : before) correlation_.clear(way, host);
  settleAlarms();
}

ActiveHealth Guard::judge(const net::Address& host, ActiveHealth checked, bool wanted) {
  ActiveHealth verdict = this->verdict(host, checked);
  if (breakers_.state(host) != HostBreakers::State::Closed) {
    // Somebody else may be against it as well: no request is to find out, then.
    const bool probed = wanted && verdict != ActiveHealth::Unhealthy;
    half_open_changed_ |= breakers_.allowProbes(host, probed);
    verdict = ActiveHealth::Unhealthy;
  }
  if (!recovery_.has_value()) return verdict;
  // One that has relapsed is not back, though it serves if nobody else can.
  const bool relapsed = verdict == ActiveHealth::Relapsed;
  const bool usable = verdict != ActiveHealth::Unhealthy && !relapsed;
  const bool serves = governor_.note(host, usable, main_.now());
  return serves || relapsed ? verdict : ActiveHealth::Unhealthy;
}

ActiveHealth Guard::verdict(const net::Address& host, ActiveHealth checked) {
  if (detects_ && detector_.ejected(host)) return ActiveHealth::Unhealthy;
  if (checked != ActiveHealth::Unhealthy) return checked;
  const auto failing = failing_checks_.find(host);
  const bool held = failing != failing_checks_.end() &&
                    correlation_.concerns(failing->second, host) && answersRequests(host);
  return held ? ActiveHealth::Healthy : checked;
}

// Requests are the better check: a host that answers them is not down.
bool Guard::answersRequests(const net::Address& host) {
  const auto found = answering_.find(host);
  if (found == answering_.end()) return false;
  Answering& answering = found->second;
  const int64_t answers = answering.host->sum(&HostMetrics::answers_ok);
  if (std::exchange(answering.answers, answers) != answers) answering.at = main_.now();
  return answeredLately(host);
}

bool Guard::answeredLately(const net::Address& host) const {
  const auto found = answering_.find(host);
  return found != answering_.end() && found->second.at.has_value() &&
         main_.now() - *found->second.at <= correlated_->window;
}

// --- many hosts, one cause ---

bool Guard::hold(const net::Address& host, Detection by) {
  if (!correlated_.has_value()) return false;
  const FailureWay way = wayOf(by);
  noteFailure(way, host);
  return correlation_.alarm(way);
}

void Guard::noteFailure(FailureWay way, const net::Address& host) {
  correlation_.note(way, host, main_.now());
}

// Logs and counts alarms that have begun or ended.
void Guard::settleAlarms() {
  for (const FailureWay way : kWays) {
    bool& logged = alarms_[static_cast<size_t>(way)];
    const bool alarm = correlation_.alarm(way);
    if (std::exchange(logged, alarm) == alarm) continue;
    OutlierMetrics& metrics = metrics_.slot(0);
    const std::string what =
        absl::StrCat("cluster ", cluster_, ": ", correlation_.failing(way),
                     " hosts fail in the same way: ", base::toAbsl(nameOf(way)));
    if (alarm) {
      metrics.correlated_failures_total.add();
      metrics.correlated_failures_active.add();
      base::logError(absl::StrCat("ALARM: ", what, "; nobody is taken out for it"));
    } else {
      metrics.correlated_failures_active.sub();
      base::logInfo(absl::StrCat("end of alarm: ", what));
    }
  }
}

// --- what happens ---

void Guard::onStreak(const Host& host, Streak streak) {
  if (streak == Streak::Failures) {
    if (breakers_.onFailures(host, main_.now())) onBreakerChanged(host);
    return;
  }
  if (detects_) handle(detector_.onStreak(host, streak, main_.now()));
}

void Guard::onCheckPassed(const net::Address& host) {
  if (detects_) handle(detector_.onCheckPassed(host, main_.now()));
}

// --- circuit breakers ---

void Guard::onProbe(const Host& host, bool passed) {
  if (breakers_.onProbe(host, passed, main_.now())) onBreakerChanged(host);
}

void Guard::onBreakerTimer() {
  const auto changed = breakers_.advance(main_.now());
  for (const auto& host : changed) {
    base::logInfo(absl::StrCat("cluster ", cluster_, ": host ", host->addressText(),
                               ": circuit breaker half-open: one request at a time"));
  }
  half_open_changed_ |= !changed.empty();
  const auto next = breakers_.next();
  if (next.has_value()) breaker_timer_.armAfter(*next - main_.now());
  if (changed.empty()) return;
  std::vector<net::Address> of;
  for (const auto& host : changed) of.push_back(host->address());
  on_changed_(&of);
}

void Guard::onBreakerChanged(const Host& host) {
  OutlierMetrics& metrics = metrics_.slot(0);
  const bool open = breakers_.state(host.address()) == HostBreakers::State::Open;
  const std::string who = absl::StrCat("cluster ", cluster_, ": host ", host.addressText(), ": ");
  if (open) {
    detector_.noteOut();
    metrics.host_breaker_opened.add();
    base::logWarning(
        absl::StrCat(who, "circuit breaker open for ", secondsOf(breaker_spec_->open_time)));
    breaker_timer_.armAfter(*breakers_.next() - main_.now());
  } else {
    metrics.host_breaker_closed.add();
    base::logInfo(absl::StrCat(who, "circuit breaker closed"));
  }
  half_open_changed_ = true;
  const std::vector<net::Address> of{host.address()};
  on_changed_(&of);
}

// --- after an outage ---

void Guard::governRecovery(const std::vector<std::shared_ptr<const Host>>& hosts) {
  governor_.endRound(main_.now());
  for (const auto& host : hosts) {
    // In panic those that are out may serve as well.
    const Governor::Standing standing = governor_.standing(host->address());
    host->streaks().setMetered(governor_.active() && standing != Governor::Standing::Free);
  }
  if (std::exchange(recovering_, governor_.active()) != governor_.active()) {
    OutlierMetrics& metrics = metrics_.slot(0);
    metrics.recovery_active.set(governor_.active());
    if (governor_.active()) metrics.recovery_outages.add();
    base::logWarning(absl::StrCat("cluster ", cluster_,
                                  governor_.active()
                                      ? ": outage of many hosts; they come back little by little"
                                      : ": the hosts have recovered from the outage"));
  }
  armRecovery();
}

void Guard::armRecovery() {
  set_most_(governor_.cap(main_.now()));
  const auto next = governor_.next(main_.now());
  if (next.has_value()) recovery_timer_.armAfter(*next - main_.now());
}

// The cap grows, and hosts' waits end.
void Guard::onRecoveryTimer() {
  armRecovery();
  if (governor_.due(main_.now())) on_changed_(nullptr);
}

void Guard::tick() {
  timer_.armAfter(period_);
  stay_logged_ = false;
  bool judge_again = false;
  for (auto& [host, answering] : answering_) answersRequests(host);
  for (const FailureWay way : kWays) {
    // Of hosts that are held some may have stopped answering.
    judge_again |= ofChecks(way) && correlation_.alarm(way);
    if (!ofChecks(way) && correlated_.has_value()) correlation_.forgetOld(way, main_.now());
  }
  if (detects_) handle(detector_.sweep(main_.now()));
  settleAlarms();
  if (judge_again) on_changed_(nullptr);
}

// Every passed check may come here.
void Guard::handle(const Detector::Events& events) {
  if (events.empty()) return;
  std::vector<net::Address> changed;
  const auto take = [&](const Detector::Events& which) {
    for (const Detector::Event& event : which) {
      log(event);
      if (event.kind == Kind::Ejected || event.kind == Kind::Returned) {
        changed.push_back(event.host);
      }
    }
  };
  take(events);
  // Those that went out before it was clear that the cause is not theirs.
  if (correlated_.has_value()) {
    take(detector_.takeBack([this](const net::Address& host,
                                   Detection by) { return correlation_.concerns(wayOf(by), host); },
                            main_.now()));
  }
  settleAlarms();
  if (!changed.empty()) on_changed_(&changed);
}

void Guard::log(const Detector::Event& event) {
  const std::string who = absl::StrCat("cluster ", cluster_, ": host ", event.host.text());
  const std::string why = absl::StrCat(base::toAbsl(nameOf(event.by)), ": ", event.evidence);
  switch (event.kind) {
    case Kind::Ejected:
      return base::logWarning(
          absl::StrCat(who, " is ejected for ", secondsOf(event.time), ": ", why));
    case Kind::Returned:
      return base::logInfo(absl::StrCat(who, " gets requests again after ", secondsOf(event.time)));
    case Kind::Overflow:
    case Kind::NotEnforced:
    case Kind::Held:
      break;
  }
  // Nobody has asked for what is only counted; the rest may be told as often as requests fail.
  if (detector_.spec().chance(event.by) == 0) return;
  if (std::exchange(stay_logged_, true)) return;
  base::logWarning(absl::StrCat(who, " is an outlier and stays, ",
                                event.kind == Kind::Overflow ? "since no more hosts may be out"
                                : event.kind == Kind::Held   ? "like others that fail so"
                                                             : "by chance (enforcing)",
                                ": ", why));
}

}  // namespace convoy::upstream
