#pragma once

// What one host may have at a time, exact over all workers and both priorities: connections
// (max_connections of the host), and requests while it is started slowly (slow_start.h). Main sets
// the limits, also while there are more than that: nothing is closed for it, and no more come.
// Requests have a limit only as long as a balancing policy can choose another host: those that must
// go to this one are counted, beyond the limit too. Those that run since before there was a limit
// are not. On a cache line of its own, which is written when a connection is opened or closed, by
// each request to a host that is started slowly, and where there is a limit on connections twice by
// each request: a pick that finds the host full must know whether all of them are in use.

#include <atomic>
#include <cstdint>
#include <limits>

#include "proxy/upstream/limit.h"

namespace convoy::upstream {

class alignas(64) HostLimits {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  // Main.
  void setMostConnections(uint32_t most) {
    most_connections_.store(most, std::memory_order_relaxed);
  }
  void setMostRequests(uint32_t most) { most_requests_.store(most, std::memory_order_relaxed); }

  // Any thread.
  uint32_t mostConnections() const { return most_connections_.load(std::memory_order_relaxed); }
  uint32_t mostRequests() const { return most_requests_.load(std::memory_order_relaxed); }
  bool limitsConnections() const { return mostConnections() != kNone; }
  bool limitsRequests() const { return mostRequests() != kNone; }
  bool roomForConnection() const { return connections_.used() < mostConnections(); }
  bool roomForRequest() const { return requests_.used() < mostRequests(); }

  // Every connection has a permit, whether or not there is a limit.
  bool tryConnect() { return connections_.tryAcquire(mostConnections()); }
  void disconnect() { connections_.release(); }
  uint32_t connections() const { return connections_.used(); }
  // Of those: nobody needs them, so that they can make way.
  uint32_t spare() const { return spare_.load(std::memory_order_relaxed); }
  void changeSpare(uint32_t by) { spare_.fetch_add(by, std::memory_order_relaxed); }  // modulo 2^32
  // Of those: with streams that end before others get the permits.
  Limit& leaving() { return leaving_; }
  // Requests have one only if there was a limit when they were placed.
  bool tryRequest() { return requests_.tryAcquire(mostRequests()); }
  void addRequest() { requests_.add(); }
  void endRequest() { requests_.release(); }
  uint32_t requests() const { return requests_.used(); }

 private:
  Limit connections_;
  std::atomic<uint32_t> spare_{0};
  Limit leaving_;
  Limit requests_;
  std::atomic<uint32_t> most_connections_{kNone};
  std::atomic<uint32_t> most_requests_{kNone};
};

}  // namespace convoy::upstream
