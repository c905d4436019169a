#pragma once

// Counters of the clients of one cluster of Redis servers (Convoy's own), and where they live.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "proxy/observe/metrics.h"

namespace convoy::redis {

struct ClientMetrics {
  // Written by who asks.
  observe::Counter lookups;
  observe::Counter hits;
  observe::Counter misses;
  // Written by the client.
  observe::Counter timeouts;
  observe::Counter errors;
  observe::Counter reconnects;
  observe::Counter skipped;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("lookups", self.lookups, "Keys asked for");
    visitor("hits", self.hits, "Keys asked for that were there");
    visitor("misses", self.misses, "Keys asked for that were not there");
    visitor("timeouts", self.timeouts, "Commands that were not answered in time");
    visitor("errors", self.errors,
            "Answers that are errors or make no sense, and commands lost with their connection");
    visitor("reconnects", self.reconnects, "Connections opened after the first");
    visitor("skipped", self.skipped,
            "Commands not sent because the server is away, or too many wait for it");
  }
};

using ClientMetricGroup = observe::MetricGroup<ClientMetrics>;

// The groups of a process, which the clients of all workers share. Thread-safe; outlives them.
class ClientMetricGroups {
 public:
  ClientMetricGroups(observe::MetricRegistry& registry, size_t workers);
  // One slot for each worker. Lives as long as somebody holds it.
  std::shared_ptr<ClientMetricGroup> of(const std::string& cluster);

 private:
  observe::MetricRegistry& registry_;
  const int slots_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<ClientMetricGroup>> groups_;
};

}  // namespace convoy::redis
