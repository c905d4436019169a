#pragma once

// The seam of load balancing: a policy is an ordered pick over an immutable snapshot of hosts plus
// their live counters. It knows nothing of health checks, xDS, connections or retries: it is handed
// the hosts that may be used, and is told which of them this request has tried already.
//
// One instance per worker, cluster and group (host_groups.h), on the worker's thread; it keeps its
// state when the hosts change.
//
// Feedback: a policy that says wantsResults() is told how each request went. What it makes of that
// is the worker's own, in plain memory: a number shared by all workers would be one more cache line
// that every response writes, and a worker that sees a part of the answers estimates the same
// means. How many requests are under way, where a part says little, is shared (Host::active()).

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "proxy/base/intrusive_list.h"
#include "proxy/base/subset_key.h"
#include "proxy/event/clock.h"
#include "proxy/event/random.h"
#include "proxy/upstream/host_set.h"

namespace convoy::upstream {

struct Pick {
  enum class Kind : uint8_t {
    Host,   // this one
    Later,  // not known yet: the waiter will be told
    None,   // there is no host
  };
  Kind kind = Kind::None;
  bool counted = false;   // the policy took one of host->active(), to be given back
  bool in_total = false;  // and one of PickContext::cluster_active
  bool panic = false;     // the host is in a group of several whose hosts are those of a panic
  Host* host = nullptr;

  // One more request for this host. active: its own.
  static Pick counting(Host& host, ActiveCounts::Count& active) {
    active.fetch_add(1, std::memory_order_relaxed);
    return {.kind = Kind::Host, .counted = true, .host = &host};
  }
};

// Who waits for the answer to a pick that said Later. Destroying it, or unlink(), gives up.
class PickWaiter : public base::ListHook<> {
 public:
  // Pick again: the answer is known, or will not come.
  virtual void onPickReady() = 0;

 protected:
  ~PickWaiter() = default;
};

// Those who wait for one answer of a policy, which owns this. When the policy goes, they are told,
// too: they pick from the one that follows, or learn that there is no host.
class PickWaiters {
 public:
  ~PickWaiters() { tell(); }
  void add(PickWaiter& waiter) { list_.pushBack(waiter); }
  bool empty() const { return list_.empty(); }
  void moveTo(PickWaiters& others) {
    while (!list_.empty()) others.list_.pushBack(list_.popFront());
  }
  // From inside a turn. Who gets Later once more waits for the next time.
  void tell() {
    base::IntrusiveList<PickWaiter> told;
    while (!list_.empty()) told.pushBack(list_.popFront());
    while (!told.empty()) told.popFront().onPickReady();
  }

 private:
  base::IntrusiveList<PickWaiter> list_;
};

struct PickContext {
  event::Random& random;
  // Hosts that this request has been tried on. They are passed over while there is any other; if
  // all were tried, the pick is made as if none was.
  std::span<const Host* const> tried;
  PickWaiter* waiter = nullptr;                 // null: the answer must not be Later
  std::optional<uint64_t> hash = std::nullopt;  // of the request's hash key; unset: it has none
  event::MonotonicTime now{};                   // the loop's
  // Requests under way that count against a bound, of all hosts and workers; null: unknown.
  std::atomic<uint32_t>* cluster_active = nullptr;
  const base::SubsetKey* subset = nullptr;  // the hosts that the request asks for; null: any

  bool triedAlready(const Host* host) const {
    for (const Host* other : tried) {
      if (other == host) return true;
    }
    return false;
  }
  // In configured order; `otherwise` if every host was tried.
  Host* firstUntried(const HostSet& hosts, Host* otherwise) const {
    for (const HostSet::Entry& entry : hosts.entries()) {
      if (!triedAlready(entry.host)) return entry.host;
    }
    return otherwise;
  }
};

// How a request went: the time from sending it to the head of its response, or to the failure.
struct RequestResult {
  bool failed = false;     // no response, or a status of 500 and above
  bool abandoned = false;  // nobody waited for the response any more: it would have taken longer
  event::Duration took{};
  event::MonotonicTime now{};
};

class LoadBalancer {
 public:
  // Tells those who wait (PickWaiters).
  virtual ~LoadBalancer() = default;
  // The snapshot for the picks that follow; it outlives them, up to the next call.
  virtual void setHosts(const HostSet& hosts) = 0;
  virtual Pick pick(PickContext& context) = 0;
  // The pick of a host that something else has chosen: counted as if this policy had.
  virtual Pick adopt(PickContext& /*context*/, Host& host) {
    return {.kind = Pick::Kind::Host, .host = &host};
  }
  // Whether onResult() is to be called: the same answer for the whole life of the policy.
  virtual bool wantsResults() const { return false; }
  // Of a host that was picked; it may have left the set since.
  virtual void onResult(const Host& /*host*/, const RequestResult& /*result*/) {}
};

}  // namespace convoy::upstream
