#pragma once

// What one cluster does about failing hosts, as ClusterManager sees it: joins the outlier detection
// (detector.h), the detector of correlated failures (correlation.h), the hosts' circuit breakers
// (host_breakers.h) and the recovery governor (governor.h), keeps their time, logs what they
// decide, and says when the host set is to be put together anew. Main's thread only.
//
// For each host set ClusterManager calls observe(), asks judge() of each host, and then says who
// there is and who serves (setHosts(), setServing()).

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/health_monitor.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/outlier/correlation.h"
#include "proxy/upstream/outlier/detector.h"
#include "proxy/upstream/outlier/governor.h"
#include "proxy/upstream/outlier/host_breakers.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

class Guard {
 public:
  struct Observed {
    net::Address host;
    CheckedHost checked;
  };

  static bool isNeeded(const ClusterSpec& spec) {
    return spec.outlier != nullptr || spec.correlation.has_value() ||
           spec.host_breaker.has_value() || spec.recovery.has_value();
  }

  // of: the hosts that there is news of; null: any.
  using OnChanged = std::function<void(const std::vector<net::Address>* of)>;

  // The loop and the registry outlive this object. on_changed is called from timers, onStreak(),
  // onProbe() and onCheckPassed(); it may not destroy the Guard.
  // set_most: of requests that hosts which come back after an outage may have together.
  Guard(event::Loop& main, observe::MetricRegistry& registry, std::string cluster,
        OnChanged on_changed, std::function<void(uint32_t most)> set_most);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // REQUIRES: isNeeded(spec).
  void configure(const ClusterSpec& spec);
  // What our own checks say now, of all hosts; empty unless asksForChecks().
  void observe(const std::vector<Observed>& hosts);
  bool asksForChecks() const { return correlated_.has_value(); }
  // What counts instead of our own checks' verdict. wanted: the control plane is not against it.
  ActiveHealth judge(const net::Address& host, ActiveHealth checked, bool wanted = true);
  // Whether what judge() says of a host has nothing to do with other hosts: then it need not be
  // asked again about those of which there is no news.
  bool judgesEachAlone() const { return !correlated_.has_value() && !recovery_.has_value(); }
  // Whether judge() has held it back though others serve: it may wait, then, also in panic.
  bool waits(const net::Address& host) const {
    return recovery_.has_value() && governor_.mayWait(host);
  }
  // In configured order. After configure(), when there are others, and, if asksForHosts(), always.
  void setHosts(const std::vector<std::shared_ptr<const Host>>& hosts);
  bool asksForHosts() const { return recovery_.has_value(); }
  void setServing(uint32_t hosts) {
    detector_.setServing(hosts);
    governor_.noteServing(hosts);
  }

  void onStreak(const Host& host, Streak streak);
  void onProbe(const Host& host, bool passed);
  void onCheckPassed(const net::Address& host);

  // Hosts that get one request at a time: nobody but their breakers is against them.
  std::vector<std::shared_ptr<const Host>> halfOpen() const { return breakers_.halfOpen(); }
  // Whether halfOpen() is another than at the last call.
  bool takeChanged() { return std::exchange(half_open_changed_, false); }

  EjectionView view(const net::Address& host) const;

 private:
  // When a host has last answered a request well, as far as was looked.
  struct Answering {
    std::shared_ptr<const Host> host;
    int64_t answers = 0;
    std::optional<event::MonotonicTime> at = {};
  };

  void keepTime();
  void tick();
  void handle(const Detector::Events& events);
  void log(const Detector::Event& event);
  bool hold(const net::Address& host, Detection by);
  void noteFailure(FailureWay way, const net::Address& host);
  void settleAlarms();
  bool answersRequests(const net::Address& host);
  bool answeredLately(const net::Address& host) const;  // as far as was looked
  void onBreakerTimer();
  void onRecoveryTimer();
  void armRecovery();
  void governRecovery(const std::vector<std::shared_ptr<const Host>>& hosts);
  ActiveHealth verdict(const net::Address& host, ActiveHealth checked);
  void onBreakerChanged(const Host& host);

  event::Loop& main_;
  const std::string cluster_;
  const OnChanged on_changed_;
  const std::function<void(uint32_t)> set_most_;
  observe::MetricGroup<OutlierMetrics> metrics_;
  bool detects_ = false;
  Detector detector_;
  std::optional<CorrelationSpec> correlated_;
  Correlation correlation_;
  std::array<bool, static_cast<size_t>(FailureWay::kCount)> alarms_{};  // that were logged
  absl::flat_hash_map<net::Address, FailureWay> failing_checks_;
  absl::flat_hash_map<net::Address, Answering> answering_;
  std::optional<HostBreakerSpec> breaker_spec_;
  HostBreakers breakers_;
  bool half_open_changed_ = false;
  event::Timer breaker_timer_;
  std::optional<RecoverySpec> recovery_;
  Governor governor_;
  bool recovering_ = false;  // that was logged
  event::Timer recovery_timer_;
  event::Duration period_{};
  event::Timer timer_;
  bool stay_logged_ = false;  // since the last tick, that an outlier stays
};

}  // namespace convoy::upstream
