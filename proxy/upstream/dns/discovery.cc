#include "proxy/upstream/dns/discovery.h"

#include <utility>

#include "proxy/base/assert.h"

namespace convoy::upstream {

DnsDiscovery::Entry::Entry(event::Loop& main, observe::MetricRegistry& registry,
                           const std::string& cluster)
    : metrics(registry, "cluster", {{"envoy_cluster_name", cluster}}, /*slots=*/1),
      age(registry, main.clock(), {{"envoy_cluster_name", cluster}}) {
  age.set(main.now());
}

DnsDiscovery::DnsDiscovery(event::Loop& main, DnsResolver& resolver,
                           observe::MetricRegistry& registry, DnsResolverSpec system)
    : main_(main),
      registry_(registry),
      environment_{main, resolver, std::move(system)},
      tell_([](void* self) { static_cast<DnsDiscovery*>(self)->tell(); }, this) {}

DnsDiscovery::Entry& DnsDiscovery::entryOf(const std::string& cluster) {
  std::unique_ptr<Entry>& entry = clusters_[cluster];
  if (entry == nullptr) entry = std::make_unique<Entry>(main_, registry_, cluster);
  return *entry;
}

// The spec's address tells onLookedUp() whose look-up it was.
std::unique_ptr<DnsCluster> DnsDiscovery::begin(Entry& entry,
                                                const std::shared_ptr<const ClusterSpec>& spec) {
  auto cluster = std::make_unique<DnsCluster>(
      environment_, entry.metrics.slot(0), spec,
      [this, name = spec->name, of = spec.get()](bool changed) { onLookedUp(name, of, changed); });
  cluster->start(entry.next != nullptr ? entry.next.get() : entry.current.get());
  entry.awaited = !cluster->settled();
  return cluster;
}

void DnsDiscovery::prepare(const std::shared_ptr<const ClusterSpec>& spec) {
  CONVOY_ASSERT(main_.isOwnThread());
  if (spec->dns == nullptr) {
    const auto found = clusters_.find(spec->name);
    if (found == clusters_.end()) return;
    found->second->next = nullptr;
    if (found->second->current == nullptr) clusters_.erase(found);
    return;
  }
  Entry& entry = entryOf(spec->name);
  entry.next = begin(entry, spec);
}

bool DnsDiscovery::ready(const std::string& cluster) const {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) return true;
  const Entry& entry = *found->second;
  return entry.next != nullptr ? entry.next->settled() : entry.current->settled();
}

std::shared_ptr<const AssignmentSpec> DnsDiscovery::putInForce(
    const std::shared_ptr<const ClusterSpec>& spec) {
  CONVOY_ASSERT(main_.isOwnThread());
  if (spec->dns == nullptr) {
    forget(spec->name);
    return nullptr;
  }
  Entry& entry = entryOf(spec->name);
  if (entry.next == nullptr || &entry.next->spec() != spec.get()) entry.next = begin(entry, spec);
  entry.current = std::move(entry.next);
  entry.age.set(entry.current->oldestGoodAt());
  return entry.current->assignment();
}

std::shared_ptr<const AssignmentSpec> DnsDiscovery::assignment(const std::string& cluster) const {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end() || found->second->current == nullptr) return nullptr;
  return found->second->current->assignment();
}

void DnsDiscovery::forget(const std::string& cluster) {
  clusters_.erase(cluster);
}

void DnsDiscovery::onLookedUp(const std::string& name, const ClusterSpec* spec, bool changed) {
  Entry& entry = *clusters_.at(name);
  const bool is_next = entry.next != nullptr && &entry.next->spec() == spec;
  const DnsCluster& cluster = is_next ? *entry.next : *entry.current;
  if (!is_next) entry.age.set(cluster.oldestGoodAt());
  if (!is_next && changed) changed_.insert(name);
  const bool is_youngest = is_next || entry.next == nullptr;
  if (is_youngest && entry.awaited && cluster.settled()) {
    entry.awaited = false;
    ready_.insert(name);
  }
  // Later: what follows may put another spec in force, and with it destroy the name that calls.
  if (!changed_.empty() || !ready_.empty()) main_.atEndOfTurn(tell_);
}

void DnsDiscovery::tell() {
  const Names changed = std::exchange(changed_, {});
  const Names ready = std::exchange(ready_, {});
  if (!changed.empty() && on_changed_) on_changed_(changed);
  if (!ready.empty() && on_ready_) on_ready_(ready);
}

void DnsDiscovery::forEachName(const std::string& cluster,
                               const std::function<void(const NameView&)>& visit) const {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end() || found->second->current == nullptr) return;
  for (const auto& [host, name] : found->second->current->names()) {
    visit({host, name->addresses().size(), main_.now() - name->goodAt(), name->problem()});
  }
}

}  // namespace convoy::upstream
