#pragma once

// Active health checking as main sees it: hands each host of each cluster with a check to one of
// the health threads, keeps the verdicts that come back, and says when the cluster's host set is to
// be put together anew. Verdicts are kept by cluster and address: no edit loses them but one that
// takes the host or the check away. Main's thread only.
//
// Hosts that have relapsed (check_state.h) wait while the others can do their work. When more than
// half of a cluster's hosts are out, the cause is not theirs, and whoever passes again serves.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/health/checker.h"
#include "proxy/upstream/health_monitor.h"
#include "proxy/upstream/upstream_io.h"

namespace convoy::upstream {

class Monitor final : public HealthMonitor {
 public:
  // Least time between two announcements: when many hosts fail, the host sets are not put together
  // anew for each. A first change is announced at once.
  static constexpr event::Duration kGather = std::chrono::milliseconds(50);

  struct Options {
    // The health threads use the slots behind those of the workers and of main.
    size_t workers = 1;
    std::string command_directory = {};        // empty: no commands
    std::function<void()> start_threads = {};  // called once, before the first check
  };

  // loops: of the health threads; they, main, the registry and io outlive this object.
  Monitor(event::Loop& main, const std::vector<event::Loop*>& loops,
          observe::MetricRegistry& registry, UpstreamIo& io, Options options);
  // REQUIRES: shutdown() was called, and the loops have run since, or run on.
  ~Monitor();

  void watch(const std::shared_ptr<ClusterShared>& shared,
             const std::shared_ptr<const ClusterSpec>& spec,
             const std::shared_ptr<net::TransportFactory>& transports,
             const AssignmentSpec& hosts) override;
  void forget(const std::string& cluster) override;
  CheckedHost check(const std::string& cluster, const net::Address& host) const override;
  std::vector<net::Address> untold(const std::string& cluster) const override;
  void onChanged(std::function<void(const Changed&)> callback) override {
    on_changed_ = std::move(callback);
  }
  void onPassed(Passed callback) override { on_passed_ = std::move(callback); }

  // Before the loops end: ends all checks, by posting.
  void shutdown();

 private:
  struct Thread {
    event::Loop* loop;
    std::shared_ptr<Checker> checker;
  };
  struct Verdict {
    CheckedHost checked{ActiveHealth::Unknown};
    uint64_t life = 0;    // reports on the host that had this address before are on their way
    bool let_in = false;  // it has relapsed and serves all the same
  };
  struct Watched {
    uint64_t id = 0;
    std::shared_ptr<observe::MetricGroup<HealthMetrics>> metrics;
    absl::flat_hash_map<net::Address, Verdict> hosts;
    size_t out = 0;  // of them, unhealthy or relapsed
  };

  Watched& watched(const std::string& cluster);
  void onReports(const std::vector<HealthReport>& reports);
  static void letIn(Watched& watched, std::vector<net::Address>& changed);
  void announce();

  event::Loop& main_;
  observe::MetricRegistry& registry_;
  Options options_;
  std::function<void(const Changed&)> on_changed_;
  Passed on_passed_;
  std::vector<Thread> threads_;
  std::map<std::string, Watched> clusters_;
  std::map<uint64_t, std::string> names_;
  uint64_t next_id_ = 1;
  uint64_t next_life_ = 1;
  Changed changed_;  // since the last time that it was told
  event::MonotonicTime announced_at_{};
  event::Timer gather_;
  std::shared_ptr<Monitor*> self_;  // for what the threads post
};

}  // namespace convoy::upstream
