#pragma once

// A circuit breaker for each host of a cluster:
//
//   Closed --so many failures in a row--> Open --its time is over--> HalfOpen
//   HalfOpen --the probe succeeds--> Closed        HalfOpen --the probe fails--> Open
//
// In HalfOpen one request at a time is the probe (Streaks: on all workers together); the first
// failure opens the breaker again, whatever the threshold. A pure state machine; main's thread
// only.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/clock.h"
#include "proxy/net/address.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/outlier/spec.h"

namespace convoy::upstream {

class HostBreakers {
 public:
  enum class State : uint8_t {
    Closed,    // as if there were none
    Open,      // no requests
    HalfOpen,  // one request at a time
  };

  void configure(const HostBreakerSpec& spec) { spec_ = spec; }
  // What is known of hosts that stay is kept.
  void setHosts(const std::vector<std::shared_ptr<const Host>>& hosts);

  // Each returns whether the host's state is another than before. Of hosts that are not known:
  // false.
  bool onFailures(const Host& host, event::MonotonicTime now);
  bool onProbe(const Host& host, bool passed, event::MonotonicTime now);
  // Those whose time is over are half-open from now on.
  std::vector<std::shared_ptr<const Host>> advance(event::MonotonicTime now);
  // When advance() is to be called next; unset: no breaker is open.
  std::optional<event::MonotonicTime> next() const;

  State state(const net::Address& host) const;
  // Whether the host may be probed, unless somebody else is against it. Returns whether halfOpen()
  // is another than before.
  bool allowProbes(const net::Address& host, bool allowed);
  // Those that may be probed, in configured order.
  std::vector<std::shared_ptr<const Host>> halfOpen() const;

 private:
  struct Breaker {
    std::shared_ptr<const Host> host;
    State state = State::Closed;
    event::MonotonicTime until{};  // Open
    bool probed = true;
    size_t place = 0;  // in configured order
  };
  Breaker* find(const Host& host);
  void open(Breaker& breaker, event::MonotonicTime now);

  HostBreakerSpec spec_;
  std::vector<std::unique_ptr<Breaker>> breakers_;
  absl::flat_hash_map<net::Address, Breaker*> by_address_;
  std::map<size_t, Breaker*> not_closed_;  // by their places: of very many hosts a few
};

}  // namespace convoy::upstream
