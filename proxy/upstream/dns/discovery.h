#pragma once

// Clusters whose hosts are found by DNS (STRICT_DNS, LOGICAL_DNS), as main sees them: looks up
// their names and says which hosts they have, which goes to the ClusterManager as an assignment of
// EDS does. DNS runs on main, since its results are membership, which main publishes.
//
// A spec of a cluster is first prepared, and put in force when its names were looked up once (or
// somebody is out of patience). Until then the spec in force keeps its names and hosts. What stays
// the same between two specs keeps its answers, so that an edit asks nothing anew.
//
// Owner: the server. Main's thread only.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "proxy/observe/metrics.h"
#include "proxy/upstream/dns/dns_cluster.h"

namespace convoy::upstream {

class DnsDiscovery {
 public:
  // For the admin endpoint.
  struct NameView {
    const std::string& host;
    size_t addresses;
    event::Duration age;       // since the last good answer; of none, since the cluster came
    std::string_view problem;  // empty: the last look-up found addresses
  };

  // system: who is asked for clusters that name no resolver. All that is referred to outlives this
  // object.
  DnsDiscovery(event::Loop& main, DnsResolver& resolver, observe::MetricRegistry& registry,
               DnsResolverSpec system);
  DnsDiscovery(const DnsDiscovery&) = delete;
  DnsDiscovery& operator=(const DnsDiscovery&) = delete;

  using Names = std::set<std::string>;

  // Called at the end of a turn with the clusters, prepared or in force, that have become ready.
  void onReady(std::function<void(const Names&)> callback) { on_ready_ = std::move(callback); }
  // Called at the end of a turn with the clusters in force that have other hosts, before onReady().
  void onChanged(std::function<void(const Names&)> callback) { on_changed_ = std::move(callback); }

  // This spec is to be put in force next. One that needs no DNS ends what was prepared before.
  void prepare(const std::shared_ptr<const ClusterSpec>& spec);
  // All names of the spec that was prepared last, or else is in force, were looked up. True of
  // clusters that need no DNS.
  bool ready(const std::string& cluster) const;
  // This spec is in force from now on. Returns the hosts known now; null if it needs no DNS.
  std::shared_ptr<const AssignmentSpec> putInForce(const std::shared_ptr<const ClusterSpec>& spec);
  // The hosts, known now, of a cluster in force; null: it needs no DNS.
  std::shared_ptr<const AssignmentSpec> assignment(const std::string& cluster) const;
  void forget(const std::string& cluster);

  // The names of a cluster in force.
  void forEachName(const std::string& cluster,
                   const std::function<void(const NameView&)>& visit) const;

 private:
  struct Entry {
    Entry(event::Loop& main, observe::MetricRegistry& registry, const std::string& cluster);
    observe::MetricGroup<DnsMetrics> metrics;
    DnsAge age;
    std::unique_ptr<DnsCluster> next;
    std::unique_ptr<DnsCluster> current;
    bool awaited = false;  // the younger of them was not ready yet
  };

  Entry& entryOf(const std::string& cluster);
  std::unique_ptr<DnsCluster> begin(Entry& entry, const std::shared_ptr<const ClusterSpec>& spec);
  void onLookedUp(const std::string& name, const ClusterSpec* spec, bool changed);
  void tell();

  event::Loop& main_;
  observe::MetricRegistry& registry_;
  const DnsEnvironment environment_;
  std::map<std::string, std::unique_ptr<Entry>> clusters_;
  std::function<void(const Names&)> on_ready_;
  std::function<void(const Names&)> on_changed_;
  // To be told.
  Names ready_;
  Names changed_;
  event::EndOfTurnTask tell_;
};

}  // namespace convoy::upstream
