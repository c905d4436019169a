#pragma once

// What may go in force now, and what must wait for what. A pure class: accepted specs in, Changes
// out; time is a parameter. Owner: AdsClient.
//
// - A cluster with endpoints by EDS waits for its first endpoints; one with host names until they
//   have been looked up (hostsFound), 15 s at most.
// - A route table waits for those clusters that it names that have never been in force and are
//   waiting themselves. (A cluster that is not there at all holds nobody up: it answers 503.)
// - A listener waits for its route tables to be in force and, like a route table, for the clusters
//   of its inline routes. Until the first answer about clusters came, every listener waits for it.
// - A cluster and a listener wait for the secrets that they name (secret_wants.h); secrets wait for
//   nothing.
// Whatever is awaited has a deadline, counted from its first mention: the initial_fetch_timeout of
// its config source; 0: none. Then who waits for it goes in force without it. A newer version of
// something that waits takes its place and its deadline. The version in force stays until the next
// one is ready. A cluster that waits for ever holds up others until the start is over; after that
// for kMostHeldUp, since a route table must not be stuck because one of its clusters is.
//
// The control plane may say that something subscribed by name does not exist: then nobody waits for
// it. What is in force already stays, since only its cluster's or listener's removal, or an empty
// replacement, is meant to take traffic away.

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/event/clock.h"
#include "proxy/xds/resource_sink.h"
#include "proxy/xds/secret_wants.h"

namespace convoy::xds {

class Warming {
 public:
  // Kinds that are not subscribed to are not waited for. 0: the first answer is awaited for ever.
  struct Options {
    bool clusters = true;
    bool listeners = true;
    event::Duration clusters_timeout = std::chrono::seconds(15);
    event::Duration listeners_timeout = std::chrono::seconds(15);
  };
  static constexpr event::Duration kMostHeldUp = std::chrono::seconds(15);

  struct Counts {
    size_t clusters;
    size_t routes;
    size_t listeners;
  };
  struct Waiter {
    std::string name;
    std::string waiting_for;  // in words
  };
  // How many waits ended by their deadline, by what was awaited.
  struct Timeouts {
    uint64_t clusters = 0;  // the first answer
    uint64_t listeners = 0;
    uint64_t endpoints = 0;
    uint64_t routes = 0;
    uint64_t secrets = 0;
  };

  explicit Warming(const Options& options);

  // Secrets that static resources name: wanted for good, and awaited by initialized().
  void wantForGood(const std::vector<SecretUse>& secrets, event::MonotonicTime now);
  // The wait for the first answers begins.
  void start(event::MonotonicTime now);
  void onClustersAnswered() { clusters_answered_ = true; }
  void onListenersAnswered() { listeners_answered_ = true; }

  void putCluster(std::shared_ptr<const upstream::ClusterSpec> spec, event::MonotonicTime now);
  void removeCluster(std::string_view name);
  // The host names of the version that waits have been looked up.
  void hostsFound(std::string_view name);
  void putAssignment(std::shared_ptr<const upstream::AssignmentSpec> spec);
  void assignmentAbsent(std::string_view name);
  void putSecret(std::shared_ptr<const tls::SecretSpec> spec) { secrets_.put(std::move(spec)); }
  void secretAbsent(std::string_view name) { secrets_.absent(name); }
  void putRoutes(std::shared_ptr<const route::RouteTableSpec> spec);
  void routesAbsent(std::string_view name);
  void putListener(std::shared_ptr<const net::ListenerSpec> spec, event::MonotonicTime now);
  void removeListener(std::string_view name);

  // What changed since the last call, and is ready. The cost follows what changed or waits, not
  // what is in force.
  Changes settle(event::MonotonicTime now);
  // When settle() should be called again although nothing came; max() if nothing waits.
  event::MonotonicTime nextDeadline() const;

  // Since the last call, in order.
  std::vector<NameChange> takeAssignmentNames() { return std::exchange(assignment_names_, {}); }
  std::vector<NameChange> takeRouteNames() { return std::exchange(route_names_, {}); }
  std::vector<NameChange> takeSecretNames() { return secrets_.takeNames(); }

  // The first answers came (or did not in time), and nothing has been waiting since then.
  bool initialized() const { return initialized_; }
  const Timeouts& timeouts() const { return timeouts_; }
  Counts waiting() const {
    return {waiting_clusters_.size(), waiting_routes_.size(), waiting_listeners_.size()};
  }
  std::vector<Waiter> waitingClusters() const;
  std::vector<Waiter> waitingRoutes() const;
  std::vector<Waiter> waitingListeners() const;

 private:
  template <class T>
  using ByName = std::map<std::string, T, std::less<>>;
  using Names = std::set<std::string, std::less<>>;

  // The endpoints resource of this name, as long as a cluster refers to it.
  struct Assignment {
    Names users;
    std::shared_ptr<const upstream::AssignmentSpec> spec;  // null: has not come
    bool absent = false;                                   // and will not
  };
  struct Cluster {
    std::shared_ptr<const upstream::ClusterSpec> next;  // waits; null: nothing new
    event::MonotonicTime since;                         // when next began to wait
    event::MonotonicTime deadline;                      // of next
    std::string next_assignment;                        // empty: none is needed
    bool awaits_hosts = false;                          // next's host names are looked up
    std::string assignment;                             // of the version in force
    std::vector<SecretUse> next_secrets;
    std::vector<SecretUse> secrets;  // of the version in force
    bool in_force = false;
  };
  // The route table of this name, as long as a listener refers to it.
  struct Routes {
    Names users;
    std::shared_ptr<const route::RouteTableSpec> next;  // waits; null: nothing new
    std::vector<std::string> clusters;                  // that next names
    event::MonotonicTime deadline;                      // of its coming for the first time
    bool in_force = false;
    bool absent = false;  // has not come and will not
  };
  struct Listener {
    std::shared_ptr<const net::ListenerSpec> next;  // waits; null: nothing new
    std::vector<std::string> clusters;              // that next names
    std::vector<std::string> next_routes;
    std::vector<std::string> routes;  // of the version in force
    std::vector<SecretUse> next_secrets;
    std::vector<SecretUse> secrets;  // likewise
  };

  bool awaitsClusters(event::MonotonicTime now) const;
  bool awaitsListeners(event::MonotonicTime now) const;
  bool hasEndpoints(const Cluster& cluster) const;
  template <class Entry>
  void wantSecrets(const std::string& user, const Entry& entry, event::MonotonicTime now);
  event::MonotonicTime holdsUpUntil(const Cluster& cluster) const;
  // The first of these clusters that is waited for; empty if there is none.
  std::string_view blockerOf(const std::vector<std::string>& clusters,
                             event::MonotonicTime now) const;
  // Not there, nor known to stay away.
  static bool missing(const Routes& routes) { return !routes.in_force && !routes.absent; }
  std::string_view awaitedTableOf(const Listener& listener, event::MonotonicTime now) const;
  void refer(const std::string& assignment, const std::string& cluster);
  void release(const std::string& assignment, const std::string& cluster);
  void referRoutes(const std::string& routes, const std::string& listener,
                   event::MonotonicTime deadline);
  void releaseRoutes(const std::string& routes, const std::string& listener);
  Names settleClusters(event::MonotonicTime now, Changes* changes);
  void settleEndpoints(const Names& done, Changes* changes);
  void settleRoutes(event::MonotonicTime now, Changes* changes);
  void settleListeners(event::MonotonicTime now, Changes* changes);
  void noteInitialized(event::MonotonicTime now);

  const Options options_;
  bool started_ = false;
  event::MonotonicTime clusters_by_ = event::MonotonicTime::max();
  event::MonotonicTime listeners_by_ = event::MonotonicTime::max();
  event::MonotonicTime settled_at_ = event::MonotonicTime::min();
  bool clusters_answered_ = false;
  bool listeners_answered_ = false;
  bool initialized_ = false;
  Timeouts timeouts_;

  ByName<Cluster> clusters_;
  ByName<Assignment> assignments_;
  ByName<Routes> routes_;
  ByName<Listener> listeners_;
  SecretWants secrets_;
  std::vector<SecretUse> wanted_for_good_;

  // Names of what has a `next`.
  Names waiting_clusters_;
  Names waiting_routes_;
  Names waiting_listeners_;
  // What came and went since the last settle().
  Names new_assignments_;
  Changes removed_;
  std::vector<NameChange> assignment_names_;
  std::vector<NameChange> route_names_;
};

}  // namespace convoy::xds
