#pragma once

// All checks of one health thread: which hosts of which clusters, and what they come to, in
// batches. Built by main (Monitor), from then on its loop's thread only.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/loop.h"
#include "proxy/upstream/health/command_runner.h"
#include "proxy/upstream/health/host_check.h"
#include "proxy/upstream/health/probe.h"

namespace convoy::upstream {

struct HealthReport {
  uint64_t cluster = 0;  // CheckedCluster::id
  net::Address host;
  uint64_t life = 0;  // ProbeTarget's
  CheckedHost checked;
  bool passed = false;  // the check just made; told of clusters that ask for it
};

class Checker {
 public:
  // On the loop's thread, at most once per iteration of it.
  using Deliver = std::function<void(std::vector<HealthReport>)>;

  // thread: of the health threads, and slot of the metrics.
  Checker(event::Loop& loop, UpstreamIo& io, size_t thread, size_t transport_slot,
          std::string command_directory, Deliver deliver);
  ~Checker();
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  // The cluster's hosts from now on, as far as they are this thread's.
  void assign(const std::shared_ptr<const CheckedCluster>& cluster,
              const std::vector<ProbeTarget>& targets);
  void drop(uint64_t cluster) { clusters_.erase(cluster); }
  // Ends all checks; later calls do nothing.
  void shutdown();

 private:
  struct Checked {
    uint64_t life = 0;
    std::unique_ptr<HostCheck> check;
  };
  using Hosts = absl::flat_hash_map<net::Address, Checked>;

  static void deliver(void* self);

  event::Loop& loop_;
  const size_t thread_;
  CommandRunner commands_;
  ProbeServices services_;
  const Deliver deliver_;
  event::EndOfTurnTask deliver_task_;
  std::vector<HealthReport> reports_;
  std::map<uint64_t, Hosts> clusters_;
  bool shut_down_ = false;
};

}  // namespace convoy::upstream
