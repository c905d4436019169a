#include "proxy/upstream/cluster_guard.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"
#include "proxy/base/strings.h"
#include "proxy/upstream/outlier/panic.h"

namespace convoy::upstream {

namespace {

bool mayServe(HealthStatus told) {
  return told == HealthStatus::Unknown || told == HealthStatus::Healthy ||
         told == HealthStatus::Degraded;
}

}  // namespace

ClusterGuard::ClusterGuard(event::Loop& main, observe::MetricRegistry& registry,
                           std::shared_ptr<ClusterShared> shared, ClusterMetrics& metrics,
                           Guard::OnChanged on_changed)
    : main_(main),
      registry_(registry),
      shared_(std::move(shared)),
      metrics_(metrics),
      on_changed_(std::move(on_changed)),
      changed_(tellChanged, this) {}

void ClusterGuard::tellChanged(void* self) {
  auto& guard = *static_cast<ClusterGuard*>(self);
  const std::vector<net::Address> of = std::exchange(guard.changed_hosts_, {});
  guard.on_changed_(std::exchange(guard.any_changed_, false) ? nullptr : &of);
}

void ClusterGuard::onNews(const std::vector<net::Address>* of) {
  if (of == nullptr) {
    any_changed_ = true;
  } else {
    changed_hosts_.insert(changed_hosts_.end(), of->begin(), of->end());
  }
  main_.atEndOfIteration(changed_);
}

bool ClusterGuard::configure(const ClusterSpec& spec) {
  name_ = spec.name;
  const bool other_panic = std::exchange(panic_spec_, spec.panic) != spec.panic;
  const bool guarded = guard_ != nullptr;
  if (!Guard::isNeeded(spec)) {
    end();
    return guarded || other_panic;
  }
  if (!guarded) {
    guard_ = std::make_unique<Guard>(
        main_, registry_, name_, [this](const auto* of) { onNews(of); },
        [shared = shared_](uint32_t most) {
          shared->breakers.most_recovering.store(most, std::memory_order_relaxed);
        });
  }
  guard_->configure(spec);
  told_ = false;
  return true;
}

Membership::Change ClusterGuard::update(Membership& membership, const AssignmentSpec& hosts,
                                        const Checked& checked, const Grouping& grouping) {
  observe(hosts, checked);
  Membership::Change change = membership.update(hosts, verdictsBy(checked), panic_spec_, grouping);
  tell(membership, change);
  return change;
}

Membership::Change ClusterGuard::refresh(Membership& membership, const AssignmentSpec& hosts,
                                         const Checked& checked, const Grouping& grouping,
                                         const std::vector<net::Address>* of) {
  observe(hosts, checked);
  const bool each_alone = guard_ == nullptr || guard_->judgesEachAlone();
  const bool asks_some = of != nullptr && each_alone && !any_changed_;
  // News that waits for the end of the iteration is part of it: the guard is told who serves then,
  // and lets nobody else go if that is the last one.
  std::vector<net::Address> some = changed_hosts_;
  if (asks_some) some.insert(some.end(), of->begin(), of->end());
  Membership::Change change =
      membership.refresh(verdictsBy(checked), panic_spec_, grouping, asks_some ? &some : nullptr);
  tell(membership, change);
  return change;
}

Membership::ActiveHealthOf ClusterGuard::verdictsBy(const Checked& checked) {
  return [this, &checked](const EndpointSpec& endpoint) -> Membership::Verdict {
    const ActiveHealth health = checked(endpoint).health;
    if (guard_ == nullptr) return health;
    const ActiveHealth verdict = guard_->judge(endpoint.address, health, mayServe(endpoint.health));
    return {verdict, guard_->waits(endpoint.address)};
  };
}

void ClusterGuard::observe(const AssignmentSpec& hosts, const Checked& checked) {
  if (guard_ == nullptr) return;
  std::vector<Guard::Observed> observed;
  for (size_t i = 0; guard_->asksForChecks() && i < hosts.localities.size(); ++i) {
    for (const EndpointSpec& endpoint : hosts.localities[i].endpoints) {
      observed.push_back({endpoint.address, checked(endpoint)});
    }
  }
  guard_->observe(observed);
}

// Also of panic.
void ClusterGuard::tell(const Membership& membership, const Membership::Change& change) {
  notePanic(membership.counts(), change.panic);
  if (guard_ == nullptr) return;
  const bool known = std::exchange(told_, true) && change.same_hosts;
  if (!known || guard_->asksForHosts()) guard_->setHosts(membership.all());
  guard_->setServing(membership.counts().healthy + membership.counts().degraded);
}

void ClusterGuard::notePanic(const Membership::Counts& counts, bool panic) {
  // A former cluster of this name may have left it set.
  metrics_.panic.set(panic);
  if (std::exchange(panic_, panic) == panic) return;
  const std::string who = absl::StrCat("cluster ", name_, ": ");
  if (!panic) return base::logInfo(absl::StrCat(who, "enough hosts can be used again"));
  base::logWarning(absl::StrCat(who, "panic: too few hosts of a priority or subset can be used, ",
                                counts.healthy + counts.degraded, " of ", counts.total,
                                " in all; the panic mode is ",
                                base::toAbsl(nameOf(panic_spec_.mode))));
}

std::vector<std::shared_ptr<const Host>> ClusterGuard::halfOpen() const {
  return guard_ == nullptr ? std::vector<std::shared_ptr<const Host>>() : guard_->halfOpen();
}

EjectionView ClusterGuard::view(const net::Address& host) const {
  return guard_ == nullptr ? EjectionView() : guard_->view(host);
}

}  // namespace convoy::upstream
