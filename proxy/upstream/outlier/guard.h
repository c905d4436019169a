#pragma once

// The outlier detection of one cluster as ClusterManager sees it: keeps the detector's time, logs
// what it decides, and says when the host set is to be put together anew. Main's thread only.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/outlier/detector.h"

namespace convoy::upstream {

class Guard {
 public:
  // The loop and the registry outlive this object. on_changed is not called from inside the other
  // calls here, but for onStreak() and onCheckPassed(); it may not destroy the Guard.
  Guard(event::Loop& main, observe::MetricRegistry& registry, std::string cluster,
        std::function<void()> on_changed);
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  void configure(const std::shared_ptr<const OutlierSpec>& spec);
  // serving: how many of the hosts get requests.
  void setHosts(const std::vector<std::shared_ptr<const Host>>& hosts) {
    detector_.setHosts(hosts);
  }
  void setServing(uint32_t serving) { detector_.setServing(serving); }

  void onStreak(const Host& host, Streak streak);
  void onCheckPassed(const net::Address& host);

  bool ejected(const net::Address& host) const { return detector_.ejected(host); }
  EjectionView view(const net::Address& host) const { return detector_.view(host); }

 private:
  void sweep();
  void handle(const Detector::Events& events);
  void log(const Detector::Event& event);

  event::Loop& main_;
  const std::string cluster_;
  const std::function<void()> on_changed_;
  observe::MetricGroup<OutlierMetrics> metrics_;
  Detector detector_;
  event::Timer timer_;
  bool stay_logged_ = false;  // since the last sweep, that an outlier stays
};

}  // namespace convoy::upstream
