#include "proxy/xds/warming.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/xds/references.h"

namespace convoy::xds {

using base::toAbsl;

namespace {

// The users' side of a reference: true if it is the first.
template <class Map>
bool addUser(Map& map, const std::string& name, const std::string& user) {
  const auto [entry, first] = map.try_emplace(name);
  entry->second.users.insert(user);
  return first;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

event::MonotonicTime deadlineOf(event::MonotonicTime now, event::Duration timeout) {
  return timeout == event::Duration::zero() ? event::MonotonicTime::max() : now + timeout;
}

}  // namespace

Warming::Warming(const Options& options) : options_(options) {}

void Warming::start(event::MonotonicTime now) {
  if (std::exchange(started_, true)) return;
  clusters_by_ = deadlineOf(now, options_.clusters_timeout);
  listeners_by_ = deadlineOf(now, options_.listeners_timeout);
}

void Warming::wantForGood(const std::vector<SecretUse>& secrets, event::MonotonicTime now) {
  wanted_for_good_ = secrets;
  secrets_.set("bootstrap", secrets, now);
}

// Those of the version in force and of the one that waits.
template <class Entry>
void Warming::wantSecrets(const std::string& user, const Entry& entry, event::MonotonicTime now) {
  std::vector<SecretUse> all = entry.next_secrets;
  all.insert(all.end(), entry.secrets.begin(), entry.secrets.end());
  secrets_.set(user, all, now);
}

void Warming::refer(const std::string& assignment, const std::string& cluster) {
  if (assignment.empty()) return;
  if (addUser(assignments_, assignment, cluster)) assignment_names_.push_back({assignment, true});
}

void Warming::release(const std::string& assignment, const std::string& cluster) {
  const auto found = assignments_.find(assignment);
  if (found == assignments_.end()) return;
  found->second.users.erase(cluster);
  if (!found->second.users.empty()) return;
  assignment_names_.push_back({assignment, false});
  new_assignments_.erase(assignment);
  assignments_.erase(found);
}

void Warming::referRoutes(const std::string& routes, const std::string& listener,
                          event::MonotonicTime deadline) {
  if (!addUser(routes_, routes, listener)) return;
  routes_.find(routes)->second.deadline = deadline;
  route_names_.push_back({routes, true});
}

void Warming::releaseRoutes(const std::string& routes, const std::string& listener) {
  const auto found = routes_.find(routes);
  if (found == routes_.end()) return;
  found->second.users.erase(listener);
  if (!found->second.users.empty()) return;
  route_names_.push_back({routes, false});
  if (found->second.in_force) removed_.removed_routes.push_back(routes);
  waiting_routes_.erase(routes);
  routes_.erase(found);
}

void Warming::putCluster(std::shared_ptr<const upstream::ClusterSpec> spec,
                         event::MonotonicTime now) {
  const std::string& name = spec->name;
  Cluster& cluster = clusters_[name];
  if (cluster.next == nullptr) {
    cluster.since = now;
    cluster.deadline = deadlineOf(now, spec->eds_fetch_timeout);
  }
  const std::string replaced = std::exchange(cluster.next_assignment, assignmentOf(*spec));
  refer(cluster.next_assignment, name);
  if (replaced != cluster.next_assignment && replaced != cluster.assignment) {
    release(replaced, name);
  }
  cluster.awaits_hosts = spec->discovery == upstream::ClusterSpec::Discovery::Dns;
  cluster.next_secrets = secretsOf(*spec);
  wantSecrets(absl::StrCat("cluster ", name), cluster, now);
  waiting_clusters_.insert(name);
  cluster.next = std::move(spec);
}

void Warming::removeCluster(std::string_view name) {
  const auto found = clusters_.find(name);
  if (found == clusters_.end()) return;
  const Cluster cluster = std::move(found->second);
  const std::string owned(name);
  clusters_.erase(found);
  waiting_clusters_.erase(owned);
  secrets_.set(absl::StrCat("cluster ", owned), {}, settled_at_);
  release(cluster.assignment, owned);
  if (cluster.next_assignment != cluster.assignment) release(cluster.next_assignment, owned);
  removed_.removed_clusters.push_back(owned);
}

void Warming::hostsFound(std::string_view name) {
  const auto found = clusters_.find(name);
  if (found != clusters_.end()) found->second.awaits_hosts = false;
}

void Warming::putAssignment(std::shared_ptr<const upstream::AssignmentSpec> spec) {
  const auto found = assignments_.find(spec->cluster);
  if (found == assignments_.end()) return;
  new_assignments_.insert(spec->cluster);
  found->second.spec = std::move(spec);
}

void Warming::assignmentAbsent(std::string_view name) {
  const auto found = assignments_.find(name);
  if (found != assignments_.end()) found->second.absent = true;
}

void Warming::putRoutes(std::shared_ptr<const route::RouteTableSpec> spec) {
  const auto found = routes_.find(spec->name);
  if (found == routes_.end()) return;
  found->second.clusters = clustersOf(*spec);
  waiting_routes_.insert(spec->name);
  found->second.next = std::move(spec);
}

void Warming::routesAbsent(std::string_view name) {
  const auto found = routes_.find(name);
  if (found != routes_.end()) found->second.absent = true;
}

void Warming::putListener(std::shared_ptr<const net::ListenerSpec> spec, event::MonotonicTime now) {
  const std::string& name = spec->name;
  Listener& listener = listeners_[name];
  listener.clusters = clustersOf(*spec);
  const std::vector<std::string> replaced =
      std::exchange(listener.next_routes, routeTablesOf(*spec));
  for (const std::string& routes : listener.next_routes) {
    referRoutes(routes, name, deadlineOf(now, fetchTimeoutOf(*spec, routes)));
  }
  for (const std::string& routes : replaced) {
    if (!contains(listener.next_routes, routes) && !contains(listener.routes, routes)) {
      releaseRoutes(routes, name);
    }
  }
  listener.next_secrets = secretsOf(*spec);
  wantSecrets(absl::StrCat("listener ", name), listener, now);
  waiting_listeners_.insert(name);
  listener.next = std::move(spec);
}

void Warming::removeListener(std::string_view name) {
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return;
  const Listener listener = std::move(found->second);
  const std::string owned(name);
  listeners_.erase(found);
  waiting_listeners_.erase(owned);
  secrets_.set(absl::StrCat("listener ", owned), {}, settled_at_);
  for (const std::string& routes : listener.routes) releaseRoutes(routes, owned);
  for (const std::string& routes : listener.next_routes) {
    if (!contains(listener.routes, routes)) releaseRoutes(routes, owned);
  }
  removed_.removed_listeners.push_back(owned);
}

Changes Warming::settle(event::MonotonicTime now) {
  settled_at_ = now;
  Changes changes = std::exchange(removed_, {});
  const Names swapped = settleClusters(now, &changes);
  settleEndpoints(swapped, &changes);
  settleRoutes(now, &changes);
  settleListeners(now, &changes);
  // Putting a listener in force may have dropped the last reference to a route table.
  std::move(removed_.removed_routes.begin(), removed_.removed_routes.end(),
            std::back_inserter(changes.removed_routes));
  removed_ = {};
  changes.secrets = secrets_.takeNew();
  changes.removed_secrets = secrets_.takeRemoved();
  noteInitialized(now);
  return changes;
}

bool Warming::hasEndpoints(const Cluster& cluster) const {
  if (cluster.awaits_hosts) return false;
  if (cluster.next_assignment.empty()) return true;
  const Assignment& assignment = assignments_.find(cluster.next_assignment)->second;
  return assignment.spec != nullptr || assignment.absent;
}

Warming::Names Warming::settleClusters(event::MonotonicTime now, Changes* changes) {
  Names swapped;
  for (const std::string& name : waiting_clusters_) {
    Cluster& cluster = clusters_.find(name)->second;
    if (!secrets_.awaited(cluster.next_secrets, now).empty()) continue;
    if (!hasEndpoints(cluster)) {
      if (now < cluster.deadline) continue;
      ++timeouts_.endpoints;
    }
    timeouts_.secrets += secrets_.missing(cluster.next_secrets);
    cluster.secrets = cluster.next_secrets;
    wantSecrets(absl::StrCat("cluster ", name), cluster, now);
    if (cluster.assignment != cluster.next_assignment) release(cluster.assignment, name);
    cluster.assignment = cluster.next_assignment;
    cluster.in_force = true;
    changes->clusters.push_back(std::exchange(cluster.next, nullptr));
    if (const auto found = assignments_.find(cluster.assignment);
        found != assignments_.end() && found->second.spec != nullptr) {
      changes->endpoints.push_back({name, found->second.spec});
    }
    swapped.insert(name);
  }
  for (const std::string& name : swapped) waiting_clusters_.erase(name);
  return swapped;
}

void Warming::settleEndpoints(const Names& done, Changes* changes) {
  for (const std::string& assignment : std::exchange(new_assignments_, {})) {
    const Assignment& entry = assignments_.find(assignment)->second;
    for (const std::string& user : entry.users) {
      const Cluster& cluster = clusters_.find(user)->second;
      if (cluster.in_force && cluster.assignment == assignment && !done.contains(user)) {
        changes->endpoints.push_back({user, entry.spec});
      }
    }
  }
}

void Warming::settleRoutes(event::MonotonicTime now, Changes* changes) {
  for (auto name = waiting_routes_.begin(); name != waiting_routes_.end();) {
    Routes& routes = routes_.find(*name)->second;
    if (!blockerOf(routes.clusters, now).empty()) {
      ++name;
      continue;
    }
    changes->routes.push_back(std::exchange(routes.next, nullptr));
    routes.in_force = true;
    name = waiting_routes_.erase(name);
  }
}

void Warming::settleListeners(event::MonotonicTime now, Changes* changes) {
  const bool awaits_clusters = awaitsClusters(now);
  for (auto name = waiting_listeners_.begin(); name != waiting_listeners_.end();) {
    Listener& listener = listeners_.find(*name)->second;
    if (awaits_clusters || !awaitedTableOf(listener, now).empty() ||
        !blockerOf(listener.clusters, now).empty() ||
        !secrets_.awaited(listener.next_secrets, now).empty()) {
      ++name;
      continue;
    }
    timeouts_.routes += static_cast<uint64_t>(
        std::count_if(listener.next_routes.begin(), listener.next_routes.end(),
                      [this](const auto& table) { return missing(routes_.find(table)->second); }));
    for (const std::string& routes : std::exchange(listener.routes, listener.next_routes)) {
      if (!contains(listener.routes, routes)) releaseRoutes(routes, *name);
    }
    timeouts_.secrets += secrets_.missing(listener.next_secrets);
    listener.secrets = listener.next_secrets;
    wantSecrets(absl::StrCat("listener ", *name), listener, now);
    changes->listeners.push_back(std::exchange(listener.next, nullptr));
    name = waiting_listeners_.erase(name);
  }
}

void Warming::noteInitialized(event::MonotonicTime now) {
  if (initialized_) return;
  if (awaitsClusters(now) || awaitsListeners(now)) return;
  if (!waiting_clusters_.empty() || !waiting_routes_.empty() || !waiting_listeners_.empty()) {
    return;
  }
  if (!secrets_.awaited(wanted_for_good_, now).empty()) return;
  timeouts_.secrets += secrets_.missing(wanted_for_good_);
  if (options_.clusters && !clusters_answered_) ++timeouts_.clusters;
  if (options_.listeners && !listeners_answered_) ++timeouts_.listeners;
  initialized_ = true;
}

event::MonotonicTime Warming::nextDeadline() const {
  event::MonotonicTime next = event::MonotonicTime::max();
  // What has passed already was looked at: not again and again.
  const auto consider = [&](event::MonotonicTime deadline) {
    if (deadline > settled_at_) next = std::min(next, deadline);
  };
  for (const std::string& name : waiting_clusters_) {
    const Cluster& cluster = clusters_.find(name)->second;
    if (!hasEndpoints(cluster)) consider(cluster.deadline);
    consider(holdsUpUntil(cluster));
    consider(secrets_.deadlineOf(cluster.next_secrets, settled_at_));
  }
  for (const std::string& name : waiting_listeners_) {
    for (const std::string& table : listeners_.find(name)->second.next_routes) {
      const Routes& routes = routes_.find(table)->second;
      if (missing(routes)) consider(routes.deadline);
    }
    consider(secrets_.deadlineOf(listeners_.find(name)->second.next_secrets, settled_at_));
  }
  if (!initialized_) consider(secrets_.deadlineOf(wanted_for_good_, settled_at_));
  if (!initialized_ && awaitsClusters(settled_at_)) consider(clusters_by_);
  if (!initialized_ && awaitsListeners(settled_at_)) consider(listeners_by_);
  return next;
}

bool Warming::awaitsClusters(event::MonotonicTime now) const {
  return options_.clusters && !clusters_answered_ && now < clusters_by_;
}

bool Warming::awaitsListeners(event::MonotonicTime now) const {
  return options_.listeners && !listeners_answered_ && now < listeners_by_;
}

event::MonotonicTime Warming::holdsUpUntil(const Cluster& cluster) const {
  return initialized_ ? std::min(cluster.deadline, cluster.since + kMostHeldUp) : cluster.deadline;
}

std::string_view Warming::blockerOf(const std::vector<std::string>& clusters,
                                    event::MonotonicTime now) const {
  for (const std::string& name : clusters) {
    const auto found = clusters_.find(name);
    if (found == clusters_.end() || found->second.in_force) continue;
    if (now < holdsUpUntil(found->second)) return found->first;
  }
  return {};
}

std::string_view Warming::awaitedTableOf(const Listener& listener, event::MonotonicTime now) const {
  for (const std::string& name : listener.next_routes) {
    const Routes& routes = routes_.find(name)->second;
    if (missing(routes) && now < routes.deadline) return name;
    // It came after all, and waits itself.
    if (!routes.in_force && routes.next != nullptr) return name;
  }
  return {};
}

std::vector<Warming::Waiter> Warming::waitingClusters() const {
  std::vector<Waiter> waiters;
  for (const std::string& name : waiting_clusters_) {
    const Cluster& cluster = clusters_.find(name)->second;
    const std::string_view secret = secrets_.awaited(cluster.next_secrets, settled_at_);
    waiters.push_back(
        {name, hasEndpoints(cluster) && !secret.empty() ? absl::StrCat("secret ", toAbsl(secret))
               : cluster.awaits_hosts ? std::string("the look-up of its host names")
                                      : absl::StrCat("endpoints of ", cluster.next_assignment)});
  }
  return waiters;
}

std::vector<Warming::Waiter> Warming::waitingRoutes() const {
  std::vector<Waiter> waiters;
  for (const std::string& name : waiting_routes_) {
    const std::string_view blocker = blockerOf(routes_.find(name)->second.clusters, settled_at_);
    waiters.push_back({name, absl::StrCat("cluster ", toAbsl(blocker))});
  }
  return waiters;
}

std::vector<Warming::Waiter> Warming::waitingListeners() const {
  std::vector<Waiter> waiters;
  for (const std::string& name : waiting_listeners_) {
    const Listener& listener = listeners_.find(name)->second;
    std::string what = "the first answer about clusters";
    if (const std::string_view table = awaitedTableOf(listener, settled_at_); !table.empty()) {
      what = absl::StrCat("route table ", toAbsl(table));
    } else if (const std::string_view blocker = blockerOf(listener.clusters, settled_at_);
               !blocker.empty()) {
      what = absl::StrCat("cluster ", toAbsl(blocker));
    } else if (const std::string_view secret = secrets_.awaited(listener.next_secrets, settled_at_);
               !secret.empty()) {
      what = absl::StrCat("secret ", toAbsl(secret));
    }
    waiters.push_back({name, what});
  }
  return waiters;
}

}  // namespace convoy::xds
