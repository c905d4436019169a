#pragma once

// What the look-ups of one cluster come to. Written by main. Envoy's names (prefix "cluster") but
// for dns.*, which are Convoy's own.

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "proxy/event/clock.h"
#include "proxy/observe/metrics.h"

namespace convoy::upstream {

struct DnsMetrics {
  observe::Counter update_attempt;
  observe::Counter update_success;
  observe::Counter update_failure;
  observe::Counter update_empty;
  observe::Counter update_no_rebuild;
  observe::Counter not_found;
  observe::Counter timeout;
  observe::Counter failed;
  observe::Counter addresses_unusable;
  observe::Counter addresses_overflow;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("update_attempt", self.update_attempt, "Look-ups of host names begun");
    visitor("update_success", self.update_success, "Look-ups that found addresses");
    visitor("update_failure", self.update_failure,
            "Look-ups that failed; the last addresses stay in use");
    visitor("update_empty", self.update_empty,
            "Look-ups that were told that there is no such name, or no address");
    visitor("update_no_rebuild", self.update_no_rebuild,
            "Look-ups that found the addresses in use already");
    visitor("dns.not_found", self.not_found, "Answers that a name does not exist (NXDOMAIN)");
    visitor("dns.timeout", self.timeout, "Queries that were not answered in time");
    visitor("dns.failed", self.failed,
            "Queries that were refused, failed at the server, or answered without sense");
    visitor("dns.addresses_unusable", self.addresses_unusable,
            "Addresses left out because they are no host's: 0.0.0.0/8, ::, multicast");
    visitor("dns.addresses_overflow", self.addresses_overflow,
            "Addresses left out because a name has more than the limit");
  }
};

// How old the oldest answer in use is, counted when somebody looks: of a name that was never
// answered well, since its cluster came.
class DnsAge final : public observe::MetricGroupBase {
 public:
  // The registry and the clock outlive it.
  DnsAge(observe::MetricRegistry& registry, const event::Clock& clock, observe::Labels labels)
      : registry_(registry), clock_(clock), labels_(std::move(labels)) {
    registry_.add(this);
  }
  ~DnsAge() override { registry_.remove(this); }
  DnsAge(const DnsAge&) = delete;
  DnsAge& operator=(const DnsAge&) = delete;

  void set(event::MonotonicTime oldest) {
    oldest_.store(oldest.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void read(observe::MetricReader& reader) const override {
    const event::Duration oldest(oldest_.load(std::memory_order_relaxed));
    const event::Duration age = clock_.monotonicNow().time_since_epoch() - oldest;
    reader.gauge("cluster", labels_, "dns.age_seconds",
                 "Seconds since the last good answer for the host name that has waited longest",
                 std::chrono::duration_cast<std::chrono::seconds>(age).count());
  }

 private:
  observe::MetricRegistry& registry_;
  const event::Clock& clock_;
  const observe::Labels labels_;
  std::atomic<int64_t> oldest_{0};
};

}  // namespace convoy::upstream
