#include "proxy/upstream/health/host_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"
#include "proxy/base/strings.h"

namespace convoy::upstream {

namespace {

using Kind = ProbeResult::Kind;

bool passed(Kind kind) {
  return kind == Kind::Pass || kind == Kind::Degraded;
}

uint64_t fnv1a(std::string_view bytes, uint64_t hash) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

HostCheck::HostCheck(ProbeServices& services, size_t thread,
                     std::shared_ptr<const CheckedCluster> cluster, ProbeTarget target,
                     Report report)
    : services_(services),
      thread_(thread),
      cluster_(std::move(cluster)),
      target_(std::move(target)),
      report_(std::move(report)),
      next_(services.loop, [this] { begin(); }),
      timeout_(services.loop, [this] { onTimeout(); }) {
  armFirst();
}

HostCheck::~HostCheck() {
  moveGauge(state_.health(), ActiveHealth::Unknown);
}

event::Duration HostCheck::phase(const std::string& cluster, const net::Address& host,
                                 event::Duration window) {
  uint64_t hash = fnv1a(host.text(), fnv1a(cluster, 0xcbf29ce484222325ULL));
  // FNV's last bytes hardly reach the upper bits: mix (of MurmurHash3).
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  return event::Duration(hash % static_cast<uint64_t>(std::max<int64_t>(window.count(), 1)));
}

void HostCheck::armFirst() {
  const HealthCheckSpec& check = cluster_->check();
  event::Duration delay = phase(cluster_->owner.cluster->name, target_.host,
                                std::min<event::Duration>(check.interval, kSpread));
  const event::Duration jitter = check.initial_jitter;
  if (jitter.count() > 0) {
    delay += event::Duration(services_.loop.random().below(static_cast<uint64_t>(jitter.count())));
  }
  next_.armAfter(delay);
}

void HostCheck::reconfigure(std::shared_ptr<const CheckedCluster> cluster, ProbeTarget target) {
  const bool other_check = cluster->check().hash != cluster_->check().hash;
  const bool other_way = cluster->owner.transports != cluster_->owner.transports ||
                         cluster->owner.cluster->bind_to != cluster_->owner.cluster->bind_to ||
                         target != target_;
  cluster_ = std::move(cluster);
  target_ = std::move(target);
  if (!other_check) {
    probe_is_stale_ |= other_way;
    return;
  }
  state_.onCheckChanged();
  timeout_.cancel();
  probe_.reset();
  armFirst();
}

// --- one check ---

void HostCheck::begin() {
  if (std::exchange(probe_is_stale_, false)) probe_.reset();
  if (probe_ == nullptr) {
    probe_ = makeProbe(services_, cluster_->owner, target_,
                       [this](ProbeResult result) { onResult(std::move(result)); });
  }
  metrics().attempt.add();
  started_at_ = services_.loop.now();
  timeout_.armAfter(cluster_->check().timeout);
  probe_->start();
}

void HostCheck::onTimeout() {
  const std::string reason = absl::StrCat(base::toAbsl(probe_->missing()), " within ",
                                          cluster_->check().timeout.count(), " ms");
  probe_.reset();
  onResult({Kind::Network, reason});
}

void HostCheck::onResult(ProbeResult result) {
  timeout_.cancel();
  result.reason.resize(std::min(result.reason.size(), kMostReason));
  count(result);
  log(result);
  const HealthCheckSpec& check = cluster_->check();
  const ActiveHealth before = state_.health();
  const uint32_t relapses = state_.relapses();
  state_.onResult(result.kind, check, services_.loop.now());
  if (state_.relapses() > relapses) metrics().relapse.add();
  const event::Duration interval =
      result.kind == Kind::Skipped
          ? std::min<event::Duration>(kSkipped, check.interval)
          : state_.untilNext(check, cluster_->used(), services_.loop.random());
  next_.armAfter(started_at_ + interval - services_.loop.now());
  tell(before, result);
}

void HostCheck::count(const ProbeResult& result) {
  HealthMetrics& metrics = this->metrics();
  if (result.kind == Kind::Skipped) return metrics.skipped.add();
  (passed(result.kind) ? metrics.success : metrics.failure).add();
  if (result.kind == Kind::Network) metrics.network_failure.add();
  const auto* const http = std::get_if<HttpCheckSpec>(&cluster_->check().checker);
  if (http == nullptr) return;
  if (http->service_name.has_value() && result.kind != Kind::Network) metrics.verify_cluster.add();
  if (result.told_by_host) metrics.passive_failure.add();
}

void HostCheck::log(const ProbeResult& result) const {
  const HealthCheckSpec& check = cluster_->check();
  const bool pass = passed(result.kind);
  if (pass ? !check.log_successes : !check.log_failures) return;
  const std::string what = absl::StrCat("health check of ", target_.host.text(), " of cluster ",
                                        cluster_->owner.cluster->name);
  base::logInfo(pass ? absl::StrCat(what, " passed")
                     : absl::StrCat(what, " failed: ", result.reason));
}

void HostCheck::tell(ActiveHealth before, const ProbeResult& result) {
  const ActiveHealth now = state_.health();
  moveGauge(before, now);
  const std::string reason =
      now == ActiveHealth::Unhealthy ? result.reason
      : now == ActiveHealth::Relapsed
          ? absl::StrCat("it went out again soon after it had come back: ",
                         state_.passesNeeded(cluster_->check()),
                         " successes in a row bring it back, or 5 minutes of them")
          : std::string();
  const bool other_reason = !reason.empty() && reason != told_reason_;
  const bool pass = passed(result.kind) && cluster_->tells_passes;
  if (now == before && !other_reason && !pass) return;
  told_reason_ = reason;
  const bool unanswered = now == ActiveHealth::Unhealthy && result.kind == Kind::Network;
  report_(target_.host, {now, reason, unanswered}, pass);
}

observe::Gauge* HostCheck::gauge(ActiveHealth health) const {
  if (health == ActiveHealth::Healthy) return &metrics().healthy;
  return health == ActiveHealth::Degraded ? &metrics().degraded : nullptr;
}

void HostCheck::moveGauge(ActiveHealth from, ActiveHealth to) const {
  if (from == to) return;
  if (observe::Gauge* const gauge = this->gauge(from)) gauge->sub();
  if (observe::Gauge* const gauge = this->gauge(to)) gauge->add();
}

}  // namespace convoy::upstream
