#pragma once

// Brings hosts back after an outage of many of them without a stampede: what they depend on (a
// database, a cache) is likely to be weak still, and all of them at once, with all that has queued
// up, would knock it over again.
//
// While more than outage_percent of a cluster's hosts are out, and until no more than half of that
// are and nobody has come back for the first time for `settle_time`, hosts that come back
//   - wait for a random part of `jitter` first, and
//   - are metered: together they have no more requests under way than a token bucket has given out
//     (requests_per_second, from the first return on, up to max_requests). Workers keep to cap()
//     exactly (Breakers::recovering).
// If meanwhile too many are out again, those that are left keep what their number had of the cap,
// a request each at least, since what they depend on has just shown that it is weak, and it grows
// again from the next return on.
// In panic hosts that are out may get requests, too. They count against the same cap, which is
// max_requests as long as nobody is back; those that wait are left out of it if others serve.
// A pure state machine; main's thread only.

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/clock.h"
#include "proxy/event/random.h"
#include "proxy/net/address.h"
#include "proxy/upstream/outlier/spec.h"

namespace convoy::upstream {

class Governor {
 public:
  enum class Standing : uint8_t {
    Free,     // nothing to do with an outage
    Out,      // may not serve: somebody else says so
    Waits,    // might, but is held back for a moment
    Metered,  // serves, within the cap
  };
  static constexpr uint32_t kNoCap = std::numeric_limits<uint32_t>::max();

  // It outlives this object.
  explicit Governor(event::Random& random) : random_(random) {}

  void configure(const RecoverySpec& spec) { spec_ = spec; }

  void reset();

  // What is said of each host of the cluster, one after the other, between these two.
  void beginRound() { ++round_; }
  // May it serve, as far as checks, ejections and breakers are concerned? True if it does.
  bool note(const net::Address& host, bool usable, event::MonotonicTime now);
  void endRound(event::MonotonicTime now);
  // How many hosts may serve after this round, by all that is known of them; panic apart.
  void noteServing(size_t hosts);

  // Whether a host's wait is over, or the episode, or mayWait() is another: a round is due.
  bool due(event::MonotonicTime now) const;
  // When to look again at due() and cap(); unset: there is no episode.
  std::optional<event::MonotonicTime> next(event::MonotonicTime now) const;

  bool active() const { return active_; }
  Standing standing(const net::Address& host) const;
  // It waits, and others serve.
  bool mayWait(const net::Address& host) const {
    return serving_ > 0 && standing(host) == Standing::Waits;
  }
  // Requests that all but free hosts may have under way together.
  uint32_t cap(event::MonotonicTime now) const;

 private:
  bool outage() const { return out_ * 100 > size_t{spec_.outage_percent} * members_.size(); }
  bool settled(event::MonotonicTime now) const;
  void emptyBucket(event::MonotonicTime now);

  struct Member {
    Standing standing = Standing::Free;
    event::MonotonicTime from{};  // Waits: when it may serve
    uint64_t round = 0;
    bool returned = false;  // since the outage
  };

  event::Random& random_;
  RecoverySpec spec_;
  absl::flat_hash_map<net::Address, Member> members_;
  uint64_t round_ = 0;
  bool active_ = false;
  bool outage_ = false;  // too many were out in the last round
  size_t out_ = 0;       // in the last round
  size_t waiting_ = 0;   // likewise
  size_t serving_ = 0;
  bool others_wait_anew_ = false;  // mayWait() is another than in the last round
  // The bucket: tokens that it had when it began to grow; unset: nobody has come back.
  std::optional<double> tokens_ = {};
  // Unset: it does not grow, until somebody comes back.
  std::optional<event::MonotonicTime> grows_since_ = {};
  // Of a host for the first time since the outage; at the earliest the outage's end.
  event::MonotonicTime last_return_{};
};

}  // namespace convoy::upstream
