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
                           std::function<void()> on_changed)
    : main_(main),
      registry_(registry),
      shared_(std::move(shared)),
      metrics_(metrics),
      on_changed_(std::move(on_changed)),
      changed_(tellChanged, this) {}

void ClusterGuard::tellChanged(void* self) {
  static_cast<ClusterGuard*>(self)->on_changed_();
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
        main_, registry_, name_, [this] { main_.atEndOfIteration(changed_); },
        [shared = shared_](uint32_t most) {
          shared->breakers.most_recovering.store(most, std::memory_order_relaxed);
        });
  }
  guard_->configure(spec);
  return true;
}

Membership::Change ClusterGuard::update(Membership& membership, const AssignmentSpec& hosts,
                                        const Checked& checked, const Grouping& grouping) {
  observe(hosts, checked);
  Membership::Change change = membership.update(
      hosts,
      [&](const EndpointSpec& endpoint) -> Membership::Verdict {
        const ActiveHealth health = checked(endpoint).health;
        if (guard_ == nullptr) return health;
        const ActiveHealth verdict =
            guard_->judge(endpoint.address, health, mayServe(endpoint.health));
        return {verdict, guard_->waits(endpoint.address)};
      },
      panic_spec_, grouping);
  notePanic(membership.counts(), change.panic);
  tell(membership, hosts);
  return change;
}

void ClusterGuard::observe(const AssignmentSpec& hosts, const Checked& checked) {
  if (guard_ == nullptr) return;
  std::vector<Guard::Observed> observed;
  for (const LocalitySpec& locality : hosts.localities) {
    for (const EndpointSpec& endpoint : locality.endpoints) {
      observed.push_back({endpoint.address, checked(endpoint)});
    }
  }
  guard_->observe(observed);
}

void ClusterGuard::tell(const Membership& membership, const AssignmentSpec& hosts) {
  if (guard_ == nullptr) return;
  std::vector<std::shared_ptr<const Host>> all;
  for (const LocalitySpec& locality : hosts.localities) {
    for (const EndpointSpec& endpoint : locality.endpoints) {
      all.push_back(membership.find(endpoint.address)->shared_from_this());
    }
  }
  guard_->setHosts(all);
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
