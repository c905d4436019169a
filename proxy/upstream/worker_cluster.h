#pragma once

// A cluster as one worker sees it: what the router talks to. Worker's thread only.
//
//   WorkerCluster* cluster = clusters.find(route.cluster());      // null: ClusterNotFound
//   PickResult picked = cluster->pick(...);                       // None: NoHealthyUpstream
//   HostRef host = picked.lease.ref();                            // pins the address for the log
//   pending = cluster->newStream(std::move(picked.lease), receiver, callbacks);
//   ...
//   cluster->countResponse(host, status, duration);
//
// The host set is read at the pick and never held over a turn. A WorkerCluster lives while main
// knows the cluster and, after that, while any HostRef to one of its hosts lives.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "proxy/base/strings.h"
#include "proxy/event/loop.h"
#include "proxy/upstream/closing_connections.h"
#include "proxy/upstream/cluster_metrics.h"
#include "proxy/upstream/conn_pool.h"
#include "proxy/upstream/group_balancer.h"
#include "proxy/upstream/load_balancer.h"
#include "proxy/upstream/outlier/recorder.h"
#include "proxy/upstream/pool_stream.h"
#include "proxy/upstream/publication.h"
#include "proxy/upstream/spec.h"
#include "proxy/upstream/upstream_io.h"

namespace convoy::upstream {

// What all clusters of one worker share.
struct WorkerContext {
  WorkerContext(event::Loop& loop, UpstreamIo& io, size_t worker, size_t workers)
      : loop(loop), io(io), worker(worker), workers(workers), streams(loop) {}

  event::Loop& loop;
  UpstreamIo& io;
  const size_t worker;   // index
  const size_t workers;  // how many there are
  PoolStreamCache streams;
  ClosingConnections closing;
};

struct PickResult {
  Pick::Kind kind = Pick::Kind::None;
  HostLease lease;         // set if kind is Host
  bool preferred = false;  // it is the host that was asked for
  bool panic = false;      // it is one of spec().panic's, since too few can be used
  bool overflow = false;   // kind is None, and there are hosts: their limits are reached
};

// A host that a request asks for: it is taken instead of the algorithm's as long as the snapshot
// has it (HostGroups::find()) and the request was not tried on it.
struct HostPreference {
  std::string_view address;  // Host::addressText(); empty: none is asked for
  bool strict = false;       // this host, tried or not, or none
  bool try_only = false;  // this host, or None, which is counted as nothing: another pick follows
};

class WorkerCluster : public std::enable_shared_from_this<WorkerCluster> {
 public:
  WorkerCluster(std::shared_ptr<WorkerContext> context, const ClusterUpdate& update);
  ~WorkerCluster();
  WorkerCluster(const WorkerCluster&) = delete;
  WorkerCluster& operator=(const WorkerCluster&) = delete;

  const ClusterSpec& spec() const { return *spec_; }
  const std::string& name() const { return spec_->name; }
  ClusterMetrics& metrics() const { return metrics_; }  // this worker's

  // Chooses a host for one request. tried: hosts that this request failed on, passed over while
  // there is another. With a waiter the answer may be Later: the waiter is told when to pick again,
  // also when the cluster gets another policy or is removed; who waits keeps the cluster alive.
  // hash: of the request's hash key, asked for only if picksByHash(). preferred: the host to take
  // whatever the policy says. subset: the hosts that the request asks for, if the cluster has
  // subsets.
  // A host whose own limits are reached is passed over; if all are, the answer is None for
  // overflow. With a waiter it is Later as long as other workers have connections that they do not
  // need, which make way.
  PickResult pick(std::span<const Host* const> tried = {}, PickWaiter* waiter = nullptr,
                  std::optional<uint64_t> hash = std::nullopt,
                  const HostPreference* preferred = nullptr, Priority priority = Priority::Default,
                  const base::SubsetKey* subset = nullptr);
  bool picksByHash() const { return upstream::picksByHash(spec_->balancing.algorithm); }

  // A stream to that host. Null if one of the callbacks was called from inside (a connection was
  // ready, or a circuit breaker refused); else what can be cancelled. The lease goes back, and the
  // stream with it, when the stream has ended.
  PendingStream* newStream(HostLease lease, http::ResponseReceiver& receiver,
                           PoolCallbacks& callbacks, ConnectionAge age = ConnectionAge::Any);

  // Called by the router once per request that was sent: the final status (0: none came), and the
  // time from the request's start.
  void countResponse(const HostRef& host, uint16_t status, event::Duration took);
  // Whether noteResult() does anything.
  bool wantsResults() const { return wants_results_; }
  // For the balancing: the response's head came (status) or will not come (0), so long after the
  // request was sent. abandoned: nobody waited for it, so that the host is not to blame; that it
  // would have taken longer is all that is known.
  void noteResult(const HostRef& host, uint16_t status, event::Duration took,
                  bool abandoned = false) {
    if (wants_results_) tellBalancer(host.host(), status, took, abandoned);
  }
  // For the outlier detection: how one attempt of a request went, as soon as it is known. Nothing
  // unless recordsOutcomes().
  bool recordsOutcomes() const { return recorder_.records(); }
  // probe: as HostLease::probe() had it.
  void noteOutcome(const HostRef& host, const Outcome& outcome,
                   uint32_t probe = Streaks::kNoProbe) {
    if (recorder_.records()) recorder_.note(host.host(), host.metrics(), outcome, probe);
  }
  // Whether a response's head is of interest to one of the two above, or may have to say that its
  // host was chosen in panic: one question, since it is asked about each response.
  bool watchesHeads() const { return watches_heads_; }
  // In addition to countResponse() if the response did not come in time.
  void countTimeout(const HostRef& host);

  // An answer that the client does not get, since the request is sent again.
  void countRetriedResponse(const HostRef& host, uint16_t status);

  // Whether a request that asks for this host would get it, now.
  bool has(std::string_view address) const { return hosts_->find(address) != nullptr; }
  // The same of this very host.
  bool serves(const Host& host) const { return hosts_->find(host.addressText()) == &host; }
  // Whether requests may still come to this pool: its host has no other one for them.
  bool keeps(const HostPool& pool) const { return poolOf(pool.host(), pool.priority()) == &pool; }
  // How many hosts there are to pick from, now.
  size_t hostCount(const base::SubsetKey* subset = nullptr) const {
    return hosts_->hostCount(subset);
  }
  // Whether there is another one to pick than these, now.
  bool hasUntried(std::span<const Host* const> tried, const base::SubsetKey* subset) const {
    return hosts_->hasUntried(tried, subset);
  }

  // The retry circuit breaker, or budget. True: a retry may be made; endRetry() gives the place
  // back.
  bool tryStartRetry(Priority priority = Priority::Default);
  void endRetry(Priority priority = Priority::Default) {
    shared_->breakers.of(priority).retries.release();
  }

  // For the pools.
  event::Loop& loop() const { return context_->loop; }
  UpstreamIo& io() const { return context_->io; }
  // Null: plain text.
  const std::shared_ptr<net::TransportFactory>& transports() const { return transports_; }
  size_t worker() const { return context_->worker; }
  PoolStreamCache& streams() const { return context_->streams; }
  ClosingConnections& closing() const { return context_->closing; }
  Breakers& breakers() const { return shared_->breakers; }
  // Null: no such time-out.
  event::DeadlineQueue* connectQueue() const { return connect_queue_; }
  event::DeadlineQueue* idleQueue() const { return idle_queue_; }
  event::DeadlineQueue* ageQueue() const { return age_queue_; }
  PermitQueues& permits() const { return shared_->permits; }
  // Makes room for another connection, if any host of this cluster (that host) has an idle one
  // here.
  bool closeAnIdleConnection(Priority priority);
  bool closeAnIdleConnectionTo(const Host& host);
  // Of both priorities, on this worker, without those that leave for others.
  uint32_t connectionsTo(const Host& host) const;
  uint32_t& spareConnections(Priority priority) { return spare_[static_cast<size_t>(priority)]; }
  // Some host has a limit of its own, so that others must know what is spare here.
  bool limitsHosts() const { return limits_hosts_; }
  // A connection to this host could not be opened.
  void noteConnectFailure(const Host& host) {
    if (wants_results_) tellBalancer(host, 0, {}, /*abandoned=*/false);
  }
  // What a pick took of the bound.
  void releaseBound() { shared_->bounded_active.fetch_sub(1, std::memory_order_relaxed); }

  // That worker looks what it can take or give up of the permits (permit_queues.h).
  static void look(ClusterShared& shared, size_t worker);

  // For WorkerClusters.
  void update(const ClusterUpdate& update);
  // No new requests from here on; those that run or wait finish.
  void retire();
  // As retire(), but what runs or waits ends now.
  void shutdown();
  // Another worker is out of connections to hosts that are at their limits.
  void giveUpSpareConnections(const ConnectionAsk& ask, Limit& given);
  // The others have done that. any: they had some.
  void onConnectionsGivenUp(bool any);

  // Null if no request has used this host yet.
  HostPool* poolForTest(const Host& host, Priority priority = Priority::Default) const {
    return poolOf(host, priority);
  }
  // Instead of the configured policy, until the spec names another one.
  void setBalancerForTest(std::unique_ptr<LoadBalancer> balancer);

 private:
  Host* findPreferred(const HostPreference& preferred, const PickContext& context) const;
  Pick choose(PickContext& context, Host* wanted, bool strict);
  PickResult resultOf(const Pick& pick, const Host* wanted, Priority priority);
  // Null if no request has used this host yet.
  HostPool* poolOf(const Host& host, Priority priority) const {
    return poolOf(&host, host.slot(), priority);
  }
  // The host may be gone.
  HostPool* poolOf(const Host* host, uint32_t slot, Priority priority) const;
  HostRef& refTo(const Host& host, Priority priority) {
    std::vector<HostRef>& pools = poolsOf(priority);
    const size_t slot = host.slot();
    if (slot < pools.size() && pools[slot] && !pools[slot].pool()->draining()) return pools[slot];
    return resumedRefTo(host, priority);
  }
  // The pool is made if there is none. The second one serves from now on if it was draining.
  HostRef& anyRefTo(const Host& host, Priority priority);
  HostRef& resumedRefTo(const Host& host, Priority priority);
  std::vector<HostRef>& poolsOf(Priority priority) { return pools_[static_cast<size_t>(priority)]; }
  const std::vector<HostRef>& poolsOf(Priority priority) const {
    return pools_[static_cast<size_t>(priority)];
  }
  void dropPool(const Host& host, std::optional<Milliseconds> timeout);

  // guarded_pick.cc
  enum class Refusal : uint8_t { None = 0, Recovery = 1, Connections = 2, SlowStart = 4 };
  PickResult pickGuarded(PickContext& context, Host* wanted, bool strict, Priority priority);
  // One request's way to a host that has room for it.
  struct Search {
    PickContext& context;
    Priority priority;
    bool slowly = true;  // keeps to what hosts that are started slowly may have
    int refusals = 0;    // of Refusal
    bool spare = false;  // a host that is full has connections that can make way
    // Those of such hosts that need not be in the request's groups.
    absl::InlinedVector<const Host*, 2> outside = {};
  };
  PickResult pickLimited(Search& search, const Pick& first, const Host* wanted, bool strict);
  PickResult pickAnyWithRoom(Search& search, std::span<const Host* const> refused,
                             std::span<const Host* const> tried);
  PickResult pickFromGroups(Search& search);
  PickResult pickWithRoomFrom(Search& search, const HostSet& hosts);
  bool isOfPanic(const Pick& pick) const;
  PickResult guardedResult(const Pick& pick, const Host* wanted, Priority priority);
  PickResult takeIfRoom(Search& search, Host& host);
  static void noteRefusal(Search& search, const Host& host, Refusal refusal);
  static void noteOutside(Search& search, const Host& host);
  Refusal wouldRefuse(const Host& host, Priority priority, bool slowly) const;
  Refusal admit(HostLease& lease, bool slowly);
  PickResult pickIfRoom(PickContext& context, Host& host, Priority priority);
  PickResult overflow(const Search& search, const Host* only = nullptr);
  const GroupSelection* selectionOf(const Search& search) const;
  uint64_t endings() const;
  void noteFull(const Search& search);
  bool isKnownFull(Search& search) const;
  bool hasConnectionFor(const Host& host, Priority priority) const;
  void waitForOthers(const Search& search, const Host* only);
  void askOthers();
  void giveUpSpareTo(const Host* host, uint32_t slot, const ConnectionAsk& ask, Limit& given);
  PickResult pickProbe(const PickContext& context, Priority priority);
  HostRef& refForProbe(const Host& host, Priority priority);
  void tellBalancer(const Host& host, uint16_t status, event::Duration took, bool abandoned);
  [[nodiscard]] GroupBalancer::Retired adoptSpec(std::shared_ptr<const ClusterSpec> spec);
  void endPicks();
  void giveUpForOthers(const PermitQueues::Look& look);  // pool_permits.cc
  void giveUpNothing();
  void drop(HostRef& slot, const HostGroups& before, std::optional<Milliseconds> timeout);

  const std::shared_ptr<WorkerContext> context_;
  const std::shared_ptr<ClusterShared> shared_;
  ClusterMetrics& metrics_;
  std::shared_ptr<const ClusterSpec> spec_;
  std::shared_ptr<net::TransportFactory> transports_;
  std::shared_ptr<const HostGroups> hosts_;
  std::unique_ptr<GroupBalancer> groups_;
  // What picks are made from: the only group's policy, or groups_.
  LoadBalancer* balancer_ = nullptr;
  bool wants_results_ = false;  // the balancer does
  bool watches_heads_ = false;
  Recorder recorder_;
  bool guarded_ = false;   // a pick is more than the policy's: one question, asked of each
  bool in_panic_ = false;  // some group is
  bool limits_hosts_ = false;
  bool spare_unknown_ = false;  // limitsHosts() is new: other workers may not have told theirs yet
  std::vector<HalfOpenHost> half_open_;
  size_t next_half_open_ = 0;  // the next one to look at, by its remainder
  // By priority and Host::slot(); empty until a host is first used.
  std::array<std::vector<HostRef>, 2> pools_;
  std::array<uint32_t, 2> spare_ = {};  // connections, by priority
  size_t evict_next_ = 0;               // where the next look for an idle connection begins
  // Requests that found no room anywhere: those for whom other workers are asked, and those who
  // came since.
  struct OutOfConnections {
    PickWaiters waiters;
    ConnectionAsk ask;
  };
  std::array<OutOfConnections, 2> out_;
  bool asking_ = false;
  uint32_t rounds_in_vain_ = 0;  // of asking, one after the other
  bool in_vain_ = false;         // those who pick now have waited for too many of them
  // The last request that found no room anywhere; no selection: there was none.
  struct Full {
    const GroupSelection* selection = nullptr;  // of hosts_
    Priority priority = Priority::Default;
    int refusals = 0;
    bool spare = false;
    event::MonotonicTime at{};
    uint64_t endings = 0;
  };
  Full full_;
  event::DeadlineQueue* connect_queue_ = nullptr;
  event::DeadlineQueue* idle_queue_ = nullptr;
  event::DeadlineQueue* age_queue_ = nullptr;
};

// All clusters of one worker. Names are looked up once per request.
class WorkerClusters {
 public:
  // Built by main; from then on its worker's.
  WorkerClusters(event::Loop& loop, UpstreamIo& io, size_t worker, size_t workers);
  ~WorkerClusters();
  WorkerClusters(const WorkerClusters&) = delete;
  WorkerClusters& operator=(const WorkerClusters&) = delete;

  // Null if there is no such cluster. The pointer is good for this turn; a HostRef makes it last.
  WorkerCluster* find(std::string_view name) const {
    WorkerCluster*& recent =
        recent_[reinterpret_cast<uintptr_t>(name.data()) / 16 % recent_.size()];
    if (recent != nullptr && recent->spec().name == name) return recent;
    const auto found = clusters_.find(name);
    return found == clusters_.end() ? nullptr : recent = found->second.get();
  }
  size_t size() const { return clusters_.size(); }

  // From main, posted.
  void apply(const Publication& publication);
  void giveUpSpareConnections(std::string_view cluster, const ConnectionAsk& ask, Limit& given);
  void onConnectionsGivenUp(std::string_view cluster, bool any);

  // Worker's thread, when its loop is about to end or has ended: closes every connection, fails
  // every stream, and forgets the clusters. Later publications do nothing.
  void shutdown();

 private:
  struct Hash {
    using is_transparent = void;
    // Abseil's own view: of the standard's it would call the standard's hash, which costs more.
    size_t operator()(std::string_view name) const {
      return absl::Hash<absl::string_view>()(base::toAbsl(name));
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };

  const std::shared_ptr<WorkerContext> context_;
  absl::flat_hash_map<std::string, std::shared_ptr<WorkerCluster>, Hash, Equal> clusters_;
  // Found of late, where the address of the name says: a route's name stays where it is, so most
  // requests find their cluster by one comparison, which costs half of what hashing the name does.
  mutable std::array<WorkerCluster*, 8> recent_{};
  bool shut_down_ = false;
};

}  // namespace convoy::upstream
