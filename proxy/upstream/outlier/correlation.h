#pragma once

// Tells one cause that makes many hosts fail from many hosts that fail: when more than so many
// percent of a cluster's hosts have begun to fail in the same way within a window of time, it is a
// slow health endpoint, a database or a network, and taking the hosts out one by one would only
// lead their load to those that are left. An alarm is raised then, once, until the hosts that fail
// so are no more than half of that part, since hosts that come back change the load of those that
// are to fail or not. A pure class; main's thread only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/clock.h"
#include "proxy/net/address.h"
#include "proxy/upstream/outlier/spec.h"

namespace convoy::upstream {

// Ways to fail that may have one cause.
enum class FailureWay : uint8_t {
  CheckUnanswered,  // no connection, no answer, not in time
  CheckWrong,       // another answer than the one that passes
  Errors,           // responses of 5xx
  Unreachable,      // no response
  Slow,
  kCount,
};

constexpr std::string_view nameOf(FailureWay way) {
  constexpr std::array<std::string_view, static_cast<size_t>(FailureWay::kCount)> kNames{
      "health checks get no answer", "health checks get a wrong answer", "requests get 5xx",
      "requests get no response", "responses are slow"};
  return kNames[static_cast<size_t>(way)];
}
FailureWay wayOf(Detection detection);

class Correlation {
 public:
  void configure(const CorrelationSpec& spec) { spec_ = spec; }
  void setHosts(size_t count) { hosts_ = count; }

  // The host fails so, from now on or again.
  void note(FailureWay way, const net::Address& host, event::MonotonicTime now);
  // It does not, or is gone.
  void clear(FailureWay way, const net::Address& host);
  // Failures of requests are over when none was noted for a window's time.
  void forgetOld(FailureWay way, event::MonotonicTime now);

  bool alarm(FailureWay way) const { return of(way).alarm; }
  // The host is one of those that the alarm is about.
  bool concerns(FailureWay way, const net::Address& host) const {
    return of(way).alarm && of(way).failing.contains(host);
  }
  size_t failing(FailureWay way) const { return of(way).failing.size(); }

 private:
  struct Row {
    absl::flat_hash_map<net::Address, event::MonotonicTime> failing;  // since, or noted last
    bool alarm = false;
  };
  const Row& of(FailureWay way) const { return rows_[static_cast<size_t>(way)]; }
  Row& of(FailureWay way) { return rows_[static_cast<size_t>(way)]; }
  // One has nothing in common with anybody.
  bool tooMany(size_t failing) const {
    return failing > 1 && failing * 100 > size_t{spec_.percent} * hosts_;
  }
  bool fewEnough(size_t failing) const { return failing * 200 <= size_t{spec_.percent} * hosts_; }
  void settle(Row& row) const;

  CorrelationSpec spec_;
  size_t hosts_ = 0;
  std::array<Row, static_cast<size_t>(FailureWay::kCount)> rows_;
};

}  // namespace convoy::upstream
