#pragma once

// One endpoint of one cluster, known to every thread. Its identity is its address: a new weight,
// health or label makes a new HostSet and leaves the Host, its counters and its connections alone.
// Made by main (Membership); lives until main and the last worker that used it have let go.
//
// Threads: the address and the slot never change. active(), streaks(), limits() and loss() are
// shared by all workers (where the first lies: active_counts.h; the next two have a cache line
// each, and the last is only written when a connection breaks under a request).
// metrics(w) is written by worker w alone.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "proxy/net/address.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/active_counts.h"
#include "proxy/upstream/host_limits.h"
#include "proxy/upstream/host_loss.h"
#include "proxy/upstream/outlier/streaks.h"

namespace convoy::upstream {

// What one worker saw of one host. Envoy's names of /clusters.
struct HostMetrics {
  observe::Counter cx_total;
  observe::Gauge cx_active;
  observe::Counter cx_connect_fail;  // time-outs included
  observe::Counter rq_total;
  observe::Gauge rq_active;
  observe::Counter rq_success;  // final status below 500
  observe::Counter rq_error;    // final status 500 and above, or no response
  observe::Counter rq_timeout;
  // Of the outlier detection (outlier/recorder.h), where there is one; not shown.
  observe::Counter answers_ok;
  observe::Counter answers_failed;  // 5xx, and what counts as one
  observe::Counter reached;         // requests that got a connection,
  observe::Counter unreached;       // and that got none, or no response
  observe::Counter timed_answers;
  observe::Counter answer_time_us;  // of these together

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("cx_total", self.cx_total, "Connections opened");
    visitor("cx_active", self.cx_active, "Connections open now");
    visitor("cx_connect_fail", self.cx_connect_fail, "Connections that could not be opened");
    visitor("rq_total", self.rq_total, "Requests sent");
    visitor("rq_active", self.rq_active, "Requests under way");
    visitor("rq_success", self.rq_success, "Requests answered with a status below 500");
    visitor("rq_error", self.rq_error, "Requests answered with 500 or above, or not at all");
    visitor("rq_timeout", self.rq_timeout, "Requests that timed out");
  }
};

class Host : public std::enable_shared_from_this<Host> {
 public:
  // slot: dense index among the hosts of the cluster; another host gets it after this one has gone.
  // counts: those of its cluster; null: it has some of its own.
  Host(net::Address address, uint32_t slot, size_t workers,
       std::shared_ptr<ActiveCounts> counts = nullptr);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const net::Address& address() const { return address_; }
  const std::string& addressText() const { return address_text_; }
  uint32_t slot() const { return slot_; }
  // Another for every host that there ever was in this process: tells the host of a slot from the
  // one that had the slot before. Never 0.
  uint64_t serial() const { return serial_; }

  // Requests under way on all workers together. Kept only by algorithms that decide by it
  // (Pick::counted); rq_active of the metrics counts for people.
  ActiveCounts::Count& active() const { return active_; }
  // Failures in a row; kept only where there is an outlier detection.
  Streaks& streaks() const { return streaks_; }
  // Connections, and what it may have of them and of requests.
  HostLimits& limits() const { return limits_; }
  // Connections that it breaks under requests.
  HostLoss& loss() const { return loss_; }

  // Worker `worker`: its metrics, made at the first call.
  HostMetrics& metrics(size_t worker) const;
  // Any thread: the sum over all workers, by the field: sum(&HostMetrics::rq_total).
  template <class Metric>
  int64_t sum(Metric HostMetrics::*field) const {
    int64_t total = 0;
    for (size_t i = 0; i < workers_; ++i) {
      const HostMetrics* of_worker = metrics_[i].load(std::memory_order_acquire);
      if (of_worker != nullptr) total += static_cast<int64_t>((of_worker->*field).value());
    }
    return total;
  }

 private:
  const net::Address address_;
  const std::string address_text_;
  const uint32_t slot_;
  const uint64_t serial_;
  const size_t workers_;
  const std::unique_ptr<std::atomic<HostMetrics*>[]> metrics_;
  const std::shared_ptr<ActiveCounts> counts_;
  ActiveCounts::Count& active_;
  mutable Streaks streaks_;
  mutable HostLimits limits_;
  mutable HostLoss loss_;
};

}  // namespace convoy::upstream
