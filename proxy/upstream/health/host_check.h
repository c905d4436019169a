#pragma once

// The checks of one host of one cluster, one after the other: when, for how long, and what they
// come to. The first one comes at a phase of the interval that the host's name gives, so that a
// thousand hosts that appear at once are not checked at once; later ones keep it. Owner: Checker;
// thread: its loop's.

#include <functional>
#include <memory>
#include <string>

#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/health/check_state.h"
#include "proxy/upstream/health/health_metrics.h"
#include "proxy/upstream/health/probe.h"
#include "proxy/upstream/health_monitor.h"

namespace convoy::upstream {

// What the checks of one cluster share. Immutable; a change makes another.
struct CheckedCluster {
  uint64_t id = 0;  // a cluster that comes back has another
  ProbeOwner owner;
  std::shared_ptr<observe::MetricGroup<HealthMetrics>> metrics;
  std::function<bool()> used;  // requests were ever sent to it; any thread
  bool tells_passes = false;   // each of them, for the outlier detection

  const HealthCheckSpec& check() const { return owner.check(); }
};

class HostCheck {
 public:
  // Longest time to the first check: of longer intervals, only so much is used to spread.
  static constexpr event::Duration kSpread = std::chrono::seconds(5);
  // Until the next try of a check that was skipped.
  static constexpr event::Duration kSkipped = std::chrono::seconds(1);
  // Bytes of a reason.
  static constexpr size_t kMostReason = 160;

  // Called when health, or the reason of being unhealthy, has changed, and for each pass where that
  // is wanted. Not from inside the constructor; may not destroy the HostCheck.
  using Report = std::function<void(const net::Address& host, CheckedHost checked, bool passed)>;

  // thread: index of the metrics' slot.
  HostCheck(ProbeServices& services, size_t thread, std::shared_ptr<const CheckedCluster> cluster,
            ProbeTarget target, Report report);
  ~HostCheck();
  HostCheck(const HostCheck&) = delete;
  HostCheck& operator=(const HostCheck&) = delete;

  // The verdict stays until the new check has come to another one.
  void reconfigure(std::shared_ptr<const CheckedCluster> cluster, ProbeTarget target);
  ActiveHealth health() const { return state_.health(); }
  // Within `window`, from the names alone.
  static event::Duration phase(const std::string& cluster, const net::Address& host,
                               event::Duration window);

 private:
  void armFirst();
  void begin();
  void onTimeout();
  void onResult(ProbeResult result);
  void count(const ProbeResult& result);
  void log(const ProbeResult& result) const;
  void tell(ActiveHealth before, const ProbeResult& result);
  HealthMetrics& metrics() const { return cluster_->metrics->slot(static_cast<int>(thread_)); }
  observe::Gauge* gauge(ActiveHealth health) const;
  void moveGauge(ActiveHealth from, ActiveHealth to) const;

  ProbeServices& services_;
  const size_t thread_;
  std::shared_ptr<const CheckedCluster> cluster_;
  ProbeTarget target_;
  const Report report_;
  CheckState state_;
  std::string told_reason_;
  std::unique_ptr<Probe> probe_;
  bool probe_is_stale_ = false;
  event::MonotonicTime started_at_{};
  event::Timer next_;
  event::Timer timeout_;
};

}  // namespace convoy::upstream
