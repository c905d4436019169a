// WorkerCluster's picks while a host may be out of room, or not all is well with the hosts: the
// policy's choice stands only if the host's limits leave room for it.

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::upstream {

namespace {

// Times that the policy is asked for one request; then any host that has room will do.
constexpr int kMostPicks = 4;

// Half-open hosts that one request looks at.
constexpr size_t kMostProbeLooks = 8;

// Times that other workers are asked, and none gives anything, before that is the end.
constexpr uint32_t kMostRoundsInVain = 8;

template <class T>
void addMissing(std::vector<T>& to, std::span<const T> more) {
  if (std::ranges::equal(to, more)) return;  // as nearly always
  for (const T& one : more) {
    if (std::ranges::find(to, one) == to.end()) to.push_back(one);
  }
}

constexpr Priority otherThan(Priority priority) {
  return priority == Priority::Default ? Priority::High : Priority::Default;
}

}  // namespace

PickResult WorkerCluster::pickGuarded(PickContext& context, Host* wanted, bool strict,
                                      Priority priority) {
  // A request that goes to the host that it asks for is no probe.
  if (wanted == nullptr && !strict && !half_open_.empty()) {
    PickResult probe = pickProbe(context, priority);
    if (probe.kind == Pick::Kind::Host) return probe;
  }
  const Pick pick = choose(context, wanted, strict);
  if (pick.kind != Pick::Kind::Host) return resultOf(pick, wanted, priority);
  if (isOfPanic(pick)) metrics_.lb_healthy_panic.add();
  Search search{.context = context, .priority = priority};
  return pickLimited(search, pick, wanted, strict);
}

// The only group, if it is one of a panic, does not say so.
bool WorkerCluster::isOfPanic(const Pick& pick) const {
  return in_panic_ && (pick.panic || hosts_->single());
}

PickResult WorkerCluster::guardedResult(const Pick& pick, const Host* wanted, Priority priority) {
  PickResult result = resultOf(pick, wanted, priority);
  result.panic = isOfPanic(pick);
  return result;
}

// A slow start is for the policy's choices: not for a host that the request asks for, and not if
// nobody else has room.
PickResult WorkerCluster::pickLimited(Search& search, const Pick& first, const Host* wanted,
                                      bool strict) {
  PickContext& context = search.context;
  const std::span<const Host* const> tried = context.tried;
  absl::InlinedVector<const Host*, 16> passed(tried.begin(), tried.end());
  Pick pick = first;
  for (int left = kMostPicks; pick.kind == Pick::Kind::Host; --left) {
    PickResult result = guardedResult(pick, wanted, search.priority);
    const Refusal refusal = admit(result.lease, /*slowly=*/wanted == nullptr);
    if (refusal == Refusal::None) return result;
    noteRefusal(search, *pick.host, refusal);
    if (refusal == Refusal::Connections) metrics_.host_limit_passed_over.add();
    if (strict) return overflow(search, wanted);
    if (wanted != nullptr) noteOutside(search, *pick.host);
    // The policy comes back to hosts that it was told to pass over when there are no others.
    const bool again = context.triedAlready(pick.host);
    if (!again) passed.push_back(pick.host);
    if (again || left == 1 || isKnownFull(search)) break;
    context.tried = passed;
    wanted = nullptr;
    pick = balancer_->pick(context);
  }
  if (pick.kind == Pick::Kind::Later) return {.kind = pick.kind, .lease = {}};
  if (isKnownFull(search)) return overflow(search);
  PickResult any = pickAnyWithRoom(search, passed, tried);
  if (any.kind == Pick::Kind::Host) return any;
  noteFull(search);
  return overflow(search);
}

const GroupSelection* WorkerCluster::selectionOf(const Search& search) const {
  return hosts_->select(search.context.subset).selection;
}

// Grows by one whenever a request or a connection of this worker ends.
uint64_t WorkerCluster::endings() const {
  return metrics_.upstream_rq_total.value() + metrics_.upstream_cx_total.value() -
         static_cast<uint64_t>(metrics_.upstream_rq_active.value() +
                               metrics_.upstream_cx_active.value());
}

// So that a pool of many hosts that are all full does not cost a walk over them for each request.
void WorkerCluster::noteFull(const Search& search) {
  const GroupSelection* const selection = selectionOf(search);
  if (selection == nullptr || selection->withShares() == 0) return;
  full_ = {.selection = selection,
           .priority = search.priority,
           .refusals = search.refusals,
           .spare = search.spare,
           .at = search.context.now,
           .endings = endings()};
}

// Whether a request has found no room anywhere in this iteration of the loop, and nothing that this
// worker had there has ended since.
bool WorkerCluster::isKnownFull(Search& search) const {
  if (full_.selection == nullptr || full_.at != search.context.now ||
      full_.priority != search.priority || full_.endings != endings() ||
      full_.selection != selectionOf(search)) {
    return false;
  }
  search.refusals |= full_.refusals;
  search.spare |= full_.spare;
  return true;
}

// Hosts that the request was tried on come last.
PickResult WorkerCluster::pickAnyWithRoom(Search& search, std::span<const Host* const> refused,
                                          std::span<const Host* const> tried) {
  PickContext& context = search.context;
  context.tried = refused;
  PickResult result = pickFromGroups(search);
  if (result.kind == Pick::Kind::Host) return result;
  search.slowly = false;
  context.tried = tried;
  if ((search.refusals & static_cast<int>(Refusal::SlowStart)) != 0) {
    result = pickFromGroups(search);
    if (result.kind == Pick::Kind::Host) return result;
  }
  for (const Host* const before : tried) {
    Host* const host = hosts_->find(before->addressText());
    if (host != before) continue;
    result = takeIfRoom(search, *host);
    if (result.kind == Pick::Kind::Host) return result;
    noteOutside(search, *host);
  }
  return {};
}

// Of the groups that the request may go to, in their order.
PickResult WorkerCluster::pickFromGroups(Search& search) {
  const GroupSelection* const selection = selectionOf(search);
  if (selection == nullptr || selection->withShares() == 0) return {};
  const auto groups = selection->groups();
  const size_t first = selection->choose(search.context.random, search.context.hash);
  for (size_t i = 0; i < groups.size(); ++i) {
    const uint32_t group = groups[i == 0 ? first : i <= first ? i - 1 : i];
    PickResult result = pickWithRoomFrom(search, *hosts_->groups()[group].hosts);
    if (result.kind == Pick::Kind::Host) return result;
  }
  return {};
}

// From a random place on, so that the first of the list does not get it all.
PickResult WorkerCluster::pickWithRoomFrom(Search& search, const HostSet& hosts) {
  const auto entries = hosts.entries();
  const size_t start = entries.empty() ? 0 : search.context.random.below(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    Host* const host = entries[(start + i) % entries.size()].host;
    if (search.context.triedAlready(host)) continue;
    PickResult result = takeIfRoom(search, *host);
    if (result.kind == Pick::Kind::Host) return result;
  }
  return {};
}

PickResult WorkerCluster::takeIfRoom(Search& search, Host& host) {
  Refusal refusal = wouldRefuse(host, search.priority, search.slowly);
  if (refusal == Refusal::None) {
    PickResult result =
        guardedResult(balancer_->adopt(search.context, host), nullptr, search.priority);
    if (result.kind != Pick::Kind::Host) return result;
    // Another worker may have been quicker.
    refusal = admit(result.lease, search.slowly);
    if (refusal == Refusal::None) return result;
  }
  noteRefusal(search, host, refusal);
  return {};
}

void WorkerCluster::noteRefusal(Search& search, const Host& host, Refusal refusal) {
  search.refusals |= static_cast<int>(refusal);
  // One that was given back since is as good.
  search.spare |= refusal == Refusal::Connections &&
                  (host.limits().spare() > 0 || host.limits().roomForConnection());
}

// It may be in none of the groups that the request is for.
void WorkerCluster::noteOutside(Search& search, const Host& host) {
  if (host.limits().spare() > 0) search.outside.push_back(&host);
}

WorkerCluster::Refusal WorkerCluster::wouldRefuse(const Host& host, Priority priority,
                                                  bool slowly) const {
  const Breakers& breakers = shared_->breakers;
  if (host.streaks().metered() &&
      breakers.recovering.used() >= breakers.most_recovering.load(std::memory_order_relaxed)) {
    return Refusal::Recovery;
  }
  if (slowly && !host.limits().roomForRequest()) return Refusal::SlowStart;
  return hasConnectionFor(host, priority) ? Refusal::None : Refusal::Connections;
}

bool WorkerCluster::hasConnectionFor(const Host& host, Priority priority) const {
  if (host.limits().roomForConnection()) return true;
  const HostPool* const pool = poolOf(host, priority);
  if (pool != nullptr && pool->hasRoom()) return true;
  const HostPool* const other = poolOf(host, otherThan(priority));
  return other != nullptr && other->spare() > 0;
}

// Takes what the host's limits ask for; what was taken before a refusal goes back with the lease.
// slowly: keeps to what a host that is started slowly may have.
WorkerCluster::Refusal WorkerCluster::admit(HostLease& lease, bool slowly) {
  const Host& host = lease.host();
  HostLimits& limits = host.limits();
  // Hosts that come back after an outage have a limit in common. No breaker would close if probes
  // waited for that.
  if (host.streaks().metered() && !lease.probes()) {
    Breakers& breakers = shared_->breakers;
    const uint32_t most = breakers.most_recovering.load(std::memory_order_relaxed);
    if (!breakers.recovering.tryAcquire(most)) return Refusal::Recovery;
    lease.hold(HostLease::kMetered);
  }
  if (limits.limitsRequests()) {
    if (slowly && !limits.tryRequest()) return Refusal::SlowStart;
    if (!slowly) limits.addRequest();
    lease.hold(HostLease::kRequest);
  }
  if (limits.limitsConnections() && !lease.ref().pool()->hasRoom()) {
    // Who waits for one already comes first.
    if (permits().anybody() && permits().ofHost(host).any) return Refusal::Connections;
    // What is idle here, of the other priority, makes way.
    while (!limits.tryConnect()) {
      if (!closeAnIdleConnectionTo(host)) return Refusal::Connections;
    }
    lease.hold(HostLease::kConnection);
  }
  return Refusal::None;
}

// A host that a request asks for beside its session and the policy.
PickResult WorkerCluster::pickIfRoom(PickContext& context, Host& host, Priority priority) {
  Search search{.context = context, .priority = priority, .slowly = false};
  PickResult result = takeIfRoom(search, host);
  result.preferred = result.kind == Pick::Kind::Host;
  if (result.panic) metrics_.lb_healthy_panic.add();
  return result;
}

// Nobody has room, or the only host that may be: as long as other workers have connections that
// they do not need, these make way. Who asks may find that somebody else was quicker, and asks once
// more.
PickResult WorkerCluster::overflow(const Search& search, const Host* only) {
  const bool connections = (search.refusals & static_cast<int>(Refusal::Connections)) != 0;
  const bool may_ask = connections && (search.spare || spare_unknown_) && !in_vain_ &&
                       search.context.waiter != nullptr && context_->workers > 1 &&
                       shared_->ask_for_connections != nullptr;
  if (may_ask) {
    waitForOthers(search, only);
    return {.kind = Pick::Kind::Later, .lease = {}};
  }
  if (connections) metrics_.host_limit_overflow.add();
  if ((search.refusals & static_cast<int>(Refusal::Recovery)) != 0) {
    metrics_.recovery_overflow.add();
  }
  return {.kind = Pick::Kind::None, .lease = {}, .overflow = true};
}

// --- what other workers do not need ---

// Who comes while others are asked waits for the next time: what was idle may be since then.
void WorkerCluster::waitForOthers(const Search& search, const Host* only) {
  OutOfConnections& out = out_[asking_ ? 1 : 0];
  out.waiters.add(*search.context.waiter);
  ++out.ask.requests;
  const auto addHost = [&out](const Host* host) {
    const std::pair<const Host*, uint32_t> named(host, host->slot());
    addMissing(out.ask.hosts, std::span(&named, 1));
  };
  if (only != nullptr) {
    addHost(only);
  } else {
    for (const Host* const host : search.outside) addHost(host);
    const GroupSelection* const selection = selectionOf(search);
    if (selection != nullptr) addMissing(out.ask.groups, selection->groups());
  }
  if (!asking_) askOthers();
}

void WorkerCluster::askOthers() {
  asking_ = true;
  out_[0].ask.worker = worker();
  shared_->ask_for_connections(out_[0].ask);
}

// given: of all workers together, not more than requests wait.
void WorkerCluster::giveUpSpareConnections(const ConnectionAsk& ask, Limit& given) {
  if (spareConnections(Priority::Default) + spareConnections(Priority::High) == 0) return;
  for (const auto& [host, slot] : ask.hosts) giveUpSpareTo(host, slot, ask, given);
  for (const uint32_t group : ask.groups) {
    if (group >= hosts_->groups().size()) continue;
    const auto entries = hosts_->groups()[group].hosts->entries();
    const size_t start = entries.empty() ? 0 : loop().random().below(entries.size());
    for (size_t i = 0; i < entries.size() && given.used() < ask.requests; ++i) {
      const HostSet::Entry& entry = entries[(start + i) % entries.size()];
      giveUpSpareTo(entry.host, entry.slot, ask, given);
    }
  }
}

void WorkerCluster::giveUpSpareTo(const Host* host, uint32_t slot, const ConnectionAsk& ask,
                                  Limit& given) {
  for (const Priority priority : {Priority::Default, Priority::High}) {
    HostPool* const pool = poolOf(host, slot, priority);
    if (pool == nullptr) continue;
    const HostLimits& limits = pool->host().limits();
    // What has come free there is for those who ask, too.
    while (limits.limitsConnections() && pool->spare() > 0 &&
           uint64_t{limits.connections()} + ask.requests > limits.mostConnections() &&
           given.tryAcquire(ask.requests)) {
      if (!pool->giveUpSpare()) break;
    }
  }
}

// Rounds in which nobody had what a pick has seen mean that it cannot be reached.
void WorkerCluster::onConnectionsGivenUp(bool any) {
  if (!asking_) return;  // a former cluster of this name has asked
  full_ = {};
  spare_unknown_ = false;
  rounds_in_vain_ = any ? 0 : rounds_in_vain_ + 1;
  out_[0].ask = {};
  in_vain_ = rounds_in_vain_ >= kMostRoundsInVain;
  out_[0].waiters.tell();
  if (std::exchange(in_vain_, false)) rounds_in_vain_ = 0;
  out_[1].waiters.moveTo(out_[0].waiters);
  out_[0].ask = std::exchange(out_[1].ask, {});
  asking_ = !out_[0].waiters.empty();
  if (asking_) {
    askOthers();
  } else {
    out_[0].ask = {};
    rounds_in_vain_ = 0;
  }
}

// --- half-open hosts ---

// A host whose circuit breaker is half-open, of whatever priority and zone, if none of its requests
// is under way. One that is full is left alone: the request would wait there, or fail, for others
// that it has. After an outage there may be very many: each request looks at a few of those that it
// could probe, in turn, since that takes a look at each host's memory.
PickResult WorkerCluster::pickProbe(const PickContext& context, Priority priority) {
  size_t looks = kMostProbeLooks;
  for (size_t left = half_open_.size(); left > 0 && looks > 0; --left) {
    const HalfOpenHost& half_open = half_open_[next_half_open_++ % half_open_.size()];
    const Host* const host = half_open.host.get();
    if (context.triedAlready(host) || !isFor(*hosts_, context.subset, half_open)) continue;
    --looks;
    if (!hasConnectionFor(*host, priority)) continue;
    const uint32_t taken = host->streaks().takeProbe();
    if (taken == Streaks::kNoProbe) continue;
    PickResult probe{.kind = Pick::Kind::Host,
                     .lease = HostLease(refForProbe(*host, priority), HostLease::kNothing)};
    probe.lease.holdProbe(taken);
    if (admit(probe.lease, /*slowly=*/false) == Refusal::None) return probe;
  }
  return {};
}

// The host gets no other requests: its pool drains, and closes the probe's connection when that is
// over.
HostRef& WorkerCluster::refForProbe(const Host& host, Priority priority) {
  if (serves(host)) return refTo(host, priority);  // in panic
  HostRef& ref = anyRefTo(host, priority);
  ref.pool()->drain(std::nullopt, /*served=*/false);
  return ref;
}

}  // namespace convoy::upstream
