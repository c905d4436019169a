#pragma once

// Which hosts of one cluster are outliers, and for how long they are out: Envoy's rules
// (envoy.config.cluster.v3.OutlierDetection) over what the workers have written down. Time is an
// argument and randomness is injected: a pure state machine. Main's thread only.
//
//   a streak reaches its threshold        -> onStreak()
//   interval has passed                   -> sweep(): hosts whose time is over come back, then the
//                                            rates of the interval are judged
//   an active check of the host passes    -> onCheckPassed()
//
// An ejection lasts base_ejection_time, times the number of ejections that the host has had with no
// quiet interval between, up to max_ejection_time, and a random part of the jitter. No ejection
// makes more than floor(max_ejection_percent) of the hosts be out (but for the one of
// always_eject_one_host), and none takes the last host that serves: Envoy knows no such host.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/clock.h"
#include "proxy/event/random.h"
#include "proxy/net/address.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/outlier/outlier_metrics.h"
#include "proxy/upstream/outlier/spec.h"
#include "proxy/upstream/outlier/streaks.h"

namespace convoy::upstream {

// For logs and /clusters.
struct EjectionView {
  bool ejected = false;
  std::string evidence = {};  // why, while ejected
  uint32_t ejections = 0;     // so far
  bool breaker_open = false;  // its circuit breaker; at most one of these
  bool breaker_half_open = false;
  bool held = false;   // its checks fail like those of too many others: it stays in
  bool waits = false;  // nobody is against it: it is its turn later, after an outage (governor.h)
  // In percent, of the last interval; unset: too few requests, or too few hosts.
  std::optional<double> success_rate = {};
  std::optional<double> local_origin_success_rate = {};
};

class Detector {
 public:
  struct Event {
    enum class Kind : uint8_t {
      Ejected,
      NotEnforced,  // by chance: enforcing_*
      Overflow,     // max_ejection_percent, or the last host
      Held,         // it has to do with more than this host (Hold)
      Returned,
    };
    Kind kind = Kind::Ejected;
    net::Address host;
    Detection by = Detection::Consecutive5xx;
    std::string evidence = {};  // what was seen, with its numbers
    event::Duration time{};     // Ejected: for how long; Returned: for how long it was out
  };
  using Events = std::vector<Event>;

  // Asked about each detection, whatever becomes of it: true if the host may not be ejected for it.
  using Hold = std::function<bool(const net::Address& host, Detection by)>;

  // Both outlive this object.
  Detector(event::Random& random, OutlierMetrics& metrics) : random_(random), metrics_(metrics) {}

  void configure(std::shared_ptr<const OutlierSpec> spec) { spec_ = std::move(spec); }
  const OutlierSpec& spec() const { return *spec_; }
  void holdBy(Hold hold) { hold_ = std::move(hold); }
  // In configured order. What is known of hosts that stay is kept.
  void setHosts(const std::vector<std::shared_ptr<const Host>>& hosts);
  // How many hosts get requests; counted down here at each ejection, and never up, until it is set
  // anew.
  void setServing(uint32_t hosts) { serving_ = hosts; }
  // One that serves goes out for another reason.
  void noteOut() { serving_ -= serving_ > 0; }

  Events onStreak(const Host& host, Streak streak, event::MonotonicTime now);
  Events sweep(event::MonotonicTime now);
  Events onCheckPassed(const net::Address& host, event::MonotonicTime now);
  // Ends the ejections of those that the predicate is true of.
  using Which = std::function<bool(const net::Address& host, Detection by)>;
  Events takeBack(const Which& which, event::MonotonicTime now);

  bool ejected(const net::Address& host) const;
  EjectionView view(const net::Address& host) const;
  uint32_t ejectedCount() const { return ejected_; }

 private:
  struct Tally {
    int64_t ok = 0, failed = 0;          // by responses (and by what counts as one)
    int64_t reached = 0, unreached = 0;  // of local origin
    int64_t answers = 0, answer_us = 0;  // timed
  };
  struct Record {
    std::shared_ptr<const Host> host;
    Tally before;  // at the last sweep
    Tally window;  // of the last interval
    bool ejected = false;
    event::MonotonicTime ejected_at{};
    event::Duration ejected_for{};
    uint32_t backoff = 0;
    Detection by{};
    EjectionView view;
  };
  struct Rate {
    Record* record;
    double percent;
    int64_t requests;
  };
  enum class Origin : uint8_t { External, Local };

  static Tally tallyOf(const Host& host);
  Record* find(const net::Address& host);
  void comeBackOrQuieten(Record& record, event::MonotonicTime now, Events& events);
  void takeWindow(Record& record);
  std::vector<Rate> rates(Origin origin, uint32_t request_volume);
  void judgeSuccessRates(Origin origin, event::MonotonicTime now, Events& events);
  void judgeFailurePercentages(Origin origin, event::MonotonicTime now, Events& events);
  void judgeLatencies(event::MonotonicTime now, Events& events);
  void detected(Record& record, Detection by, std::string evidence, event::MonotonicTime now,
                Events& events);
  bool room() const;
  void comeBack(Record& record, event::MonotonicTime now, Events& events);

  event::Random& random_;
  OutlierMetrics& metrics_;
  std::shared_ptr<const OutlierSpec> spec_;
  Hold hold_;
  std::vector<std::unique_ptr<Record>> records_;  // in configured order
  absl::flat_hash_map<net::Address, Record*> by_address_;
  uint32_t ejected_ = 0;
  uint32_t serving_ = 0;
};

}  // namespace convoy::upstream
