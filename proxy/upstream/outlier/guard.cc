#include "proxy/upstream/outlier/guard.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"
#include "proxy/base/strings.h"

namespace convoy::upstream {

namespace {

using Kind = Detector::Event::Kind;

std::string secondsOf(event::Duration time) {
  constexpr double kPerSecond = 1e9;
  return absl::StrCat(static_cast<double>(time.count() / 1'000'000) * 1e6 / kPerSecond, " s");
}

}  // namespace

Guard::Guard(event::Loop& main, observe::MetricRegistry& registry, std::string cluster,
             std::function<void()> on_changed)
    : main_(main),
      cluster_(std::move(cluster)),
      on_changed_(std::move(on_changed)),
      metrics_(registry, "cluster", {{"envoy_cluster_name", cluster_}}, /*slots=*/1),
      detector_(main.random(), metrics_.slot(0)),
      timer_(main, [this] { sweep(); }) {}

void Guard::configure(const std::shared_ptr<const OutlierSpec>& spec) {
  detector_.configure(spec);
  timer_.armAfter(spec->interval);
}

void Guard::onStreak(const Host& host, Streak streak) {
  handle(detector_.onStreak(host, streak, main_.now()));
}

void Guard::onCheckPassed(const net::Address& host) {
  handle(detector_.onCheckPassed(host, main_.now()));
}

void Guard::sweep() {
  timer_.armAfter(detector_.spec().interval);
  stay_logged_ = false;
  handle(detector_.sweep(main_.now()));
}

void Guard::handle(const Detector::Events& events) {
  bool changed = false;
  for (const Detector::Event& event : events) {
    log(event);
    changed |= event.kind == Kind::Ejected || event.kind == Kind::Returned;
  }
  if (changed) on_changed_();
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
      break;
  }
  // It may be told as often as requests fail.
  if (std::exchange(stay_logged_, true)) return;
  base::logWarning(absl::StrCat(
      who, " is an outlier and stays, ",
      event.kind == Kind::Overflow ? "since no more hosts may be out" : "by chance (enforcing)",
      ": ", why));
}

}  // namespace convoy::upstream
